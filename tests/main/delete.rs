//! Delete: what stays of an image, and what may be asked of it then.

use serde_json::{Value, json};

use crate::harness::Server;

#[test]
fn a_deleted_image_stays_in_the_catalog_and_takes_no_action_but_restore() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    server.done(&image, "delete");
    let found = server.get("/v1/images?status=deleted").expect(200);
    assert_eq!(found["total"], 1);
    assert_eq!(found["items"][0]["imageUID"], json!(image.uid));
    for action in ["deploy", "transfer", "scan", "delete"] {
        let problem = server.refuses((&image, action), json!({}), (409, "image-deleted"));
        let (uid, version) = (&image.uid, &image.version);
        assert_eq!(
            problem["detail"],
            format!("image {uid}-{version} is deleted; restore it first")
        );
    }
    assert_eq!(server.done(&image, "restore")["state"], "succeeded");
}

#[test]
fn a_version_that_is_not_listed_is_deleted_without_a_commit() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let second = server.uploaded_version(&first, "Trolls", "v0-0-02");
    server.done(&first, "deploy");
    server.done(&second, "deploy");
    let deployed = server.list("development", "deploy");
    let action = server.done(&first, "delete");
    assert_eq!(action["result"], json!({ "commitId": null }));
    assert_eq!(server.list("development", "deploy"), deployed);
    assert_eq!(server.shown(&second)["status"], "deployed");
    assert_eq!(server.shown(&first)["status"], "deleted");
}

#[test]
fn a_deployment_takes_the_tombstone_of_its_application_out() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let second = server.uploaded_version(&first, "Trolls", "v0-0-02");
    server.done(&first, "deploy");
    let deletion = server.done(&first, "delete");
    let tombstone = server.list("development", "delete").remove(0);
    assert_eq!(tombstone["actionId"], deletion["actionId"]);
    assert_eq!(tombstone["deletedBy"], "jamesbond");
    assert_eq!(tombstone["imageVersion"], "v0-0-01");
    server.done(&second, "deploy");
    assert_eq!(server.list("development", "delete"), Vec::<Value>::new());
    assert_eq!(server.list("development", "deploy")[0]["imageVersion"], "v0-0-02");
}
