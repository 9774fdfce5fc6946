//! A disk that takes no more, and then does again.

use orbit_core::testing::archives::docker_archive;
use serde_json::json;

use crate::harness::{CONTENT_TYPE, Form, Server, image, metadata, random_bytes, refused};

/// Less than the database has, so that it cannot grow.
const FULL: &str = "65536";

#[test]
fn nothing_is_lost_or_stuck_when_the_disk_was_full() {
    let mut server = Server::start_on_limited_disk();
    let first = server.uploaded("First");
    let before = server.world();
    server.program().limit_files(FULL);

    let deploy = server.act(&first, "deploy", json!({}));
    refused(&deploy, 503, "port-unavailable");
    assert_ne!(deploy.header("retry-after"), "");
    let mut second = image("Second");
    second.layers[0].files.push(("noise".to_owned(), random_bytes(7, 1 << 20)));
    let body = Form::of(&metadata("Second", "v0-0-01")).body(&docker_archive(&second));
    let upload = server.ask("POST", "/v1/images", &[("content-type", CONTENT_TYPE)], &body);
    refused(&upload, 503, "port-unavailable");
    // What was there can be read.
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.world(), before);

    server.program().limit_files("unlimited");
    assert_eq!(server.world(), before);
    server.done(&first, "deploy");
    server.uploaded("Second");
    assert!(server.all("/v1/actions?state=running").is_empty());
}
