//! Transfer: where an image may go, and what of it moves.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Client, Program, Server, pointers, refused};

#[test]
fn there_is_nothing_after_the_last_environment() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    for _ in 0..2 {
        server.done(&image, "transfer");
    }
    assert_eq!(server.shown(&image)["currentEnvironment"], "Production");
    let problem = server.refuses((&image, "transfer"), json!({}), (409, "last-environment"));
    let detail = "production is the last environment; there is none to transfer to";
    assert_eq!(problem["detail"], detail);
}

#[test]
fn a_transfer_goes_where_the_form_says_or_nowhere() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let to = json!({ "transferEnvironment": "Production" });
    server.refuses((&image, "transfer"), to, (409, "wrong-environment"));
    let from = json!({ "currentEnvironment": "testing" });
    server.refuses((&image, "transfer"), from, (409, "wrong-environment"));
    let too_far =
        json!({ "currentEnvironment": "development", "transferEnvironment": "production" });
    server.refuses((&image, "transfer"), too_far, (409, "wrong-environment"));
    let message = server.last_error()["message"].clone();
    assert_eq!(
        message,
        "the request is for environment production, but for this image it is testing"
    );
    let said = json!({ "currentEnvironment": "DEVELOPMENT", "transferEnvironment": "Testing" });
    assert_eq!(server.act(&image, "transfer", said).expect(200)["state"], "succeeded");
    assert_eq!(server.shown(&image)["currentEnvironment"], "Testing");
}

#[test]
fn an_environment_that_cannot_be_meant_is_refused_by_name() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let cases = [
        (json!({ "transferEnvironment": "staging" }), "/transferEnvironment"),
        (json!({ "currentEnvironment": "moon" }), "/currentEnvironment"),
        (json!({ "environment": "testing" }), "/environment"),
    ];
    for (body, pointer) in cases {
        let problem = refused(&server.act(&image, "transfer", body), 422, "invalid-request");
        assert_eq!(pointers(&problem), [pointer]);
    }
    assert_eq!(server.shown(&image)["currentEnvironment"], "Development");
}

#[test]
fn only_the_version_that_is_listed_takes_its_entry_along() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let second = server.uploaded_version(&first, "Trolls", "v0-0-02");
    server.done(&first, "deploy");
    let deployed = server.list("development", "deploy");
    let transfer = server.done(&second, "transfer");
    assert_eq!(transfer["result"]["commitId"], json!(null));
    assert_eq!(server.list("development", "deploy"), deployed);
    assert_eq!(server.shown(&first)["status"], "deployed");
    server.done(&first, "transfer");
    assert_eq!(server.list("development", "deploy"), Vec::<Value>::new());
    assert_eq!(server.list("development", "delete")[0]["imageVersion"], "v0-0-01");
    assert_eq!(server.shown(&first)["deployedLabel"], "Deployed: none");
}

#[test]
fn environments_of_ones_own_are_gone_through_in_their_order() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("orbit.toml");
    let names = ["development", "staging", "production"];
    let text: String =
        names.iter().map(|name| format!("[[environments]]\nname = \"{name}\"\n\n")).collect();
    fs::write(&config, text).unwrap();
    let program = Program::start(home.path(), &[]);
    let client = Client::new(program.address());
    let shown = client.get("/v1/environments").expect(200);
    let expected = json!([
        {
            "name": "development", "label": "Development", "cluster": "K3s Development Cluster",
            "namespace": "development", "suffix": "k8d", "imagePullSecret": null, "next": "staging",
        },
        {
            "name": "staging", "label": "Staging", "cluster": "K3s Staging Cluster",
            "namespace": "staging", "suffix": "k8s", "imagePullSecret": null, "next": "production",
        },
        {
            "name": "production", "label": "Production", "cluster": "K3s Production Cluster",
            "namespace": "production", "suffix": "k8p", "imagePullSecret": null, "next": null,
        },
    ]);
    assert_eq!(shown["items"], expected);
    let image = client.uploaded("Trolls");
    client.done(&image, "transfer");
    assert_eq!(client.shown(&image)["currentEnvironment"], "Staging");
}
