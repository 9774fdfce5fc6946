//! Restore: back to the same environment, and nowhere else.

use serde_json::{Value, json};

use crate::harness::Server;

#[test]
fn only_a_deleted_image_can_be_restored() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    server.refuses((&image, "restore"), json!({}), (409, "image-not-deleted"));
    server.done(&image, "delete");
    server.done(&image, "restore");
    server.refuses((&image, "restore"), json!({}), (409, "image-not-deleted"));
}

#[test]
fn an_image_is_restored_to_the_environment_that_it_was_deleted_from() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    server.done(&image, "transfer");
    let before = server.world();
    server.done(&image, "delete");
    for elsewhere in ["development", "Production"] {
        let body = json!({ "currentEnvironment": elsewhere });
        server.refuses((&image, "restore"), body, (409, "wrong-environment"));
    }
    let action = server.act(&image, "restore", json!({ "currentEnvironment": "TESTING" }));
    assert_eq!(action.expect(200)["state"], "succeeded");
    assert_eq!(server.world(), before);
}

#[test]
fn a_restored_image_is_not_deployed_until_it_is_asked_for() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let first = server.done(&image, "deploy");
    server.done(&image, "delete");
    server.done(&image, "restore");
    assert_eq!(server.shown(&image)["deployedLabel"], "Deployed: none");
    assert_eq!(server.list("development", "deploy"), Vec::<Value>::new());
    let second = server.done(&image, "deploy");
    assert_ne!(second["actionId"], first["actionId"]);
    assert_eq!(server.shown(&image)["status"], "deployed");
}

#[test]
fn a_version_is_restored_beside_another_that_was_deployed_meanwhile() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let second = server.uploaded_version(&first, "Trolls", "v0-0-02");
    server.done(&first, "deploy");
    server.done(&first, "delete");
    server.done(&second, "deploy");
    let deployed = server.list("development", "deploy");
    let action = server.done(&first, "restore");
    assert_eq!(action["result"]["commitId"], json!(null));
    assert_eq!(server.list("development", "deploy"), deployed);
    assert_eq!(server.shown(&first)["status"], "stored");
    assert_eq!(server.shown(&second)["status"], "deployed");
}
