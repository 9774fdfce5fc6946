//! Requests that cannot be: each is refused by name, and nothing comes of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use orbit_core::testing::archives::docker_archive;
use serde_json::{Value, json};

use crate::harness::{
    Answer, BOUNDARY, CONTENT_TYPE, Form, HeldUpload, Server, image, metadata, pointers, refused,
};

const UPLOAD: [(&str, &str); 1] = [("content-type", CONTENT_TYPE)];

/// Checks that there is neither an image nor an action nor anything of either.
fn check_untouched(server: &Server) {
    assert_eq!(server.world(), "commit: setup: development, testing, production\n");
    assert_eq!(server.all("/v1/actions"), Vec::<Value>::new());
}

fn upload(server: &Server, body: &[u8]) -> Answer {
    server.ask("POST", "/v1/images", &UPLOAD, body)
}

/// Returns metadata with a fault in every field.
fn faulty() -> Value {
    json!({
        "imageMetadata": {
            "imageName": 7,
            "imageVersion": "1.0",
            "imageUID": "short",
            "description": "a bell\u{7}",
            "Part": "1",
            "part": "2",
            "tail": ["G-AAAA"],
            "icao": "x".repeat(101),
            "port": 0,
            "envVars": [{ "key": "a b", "value": "x" }, { "key": "A", "value": "x", "more": 1 }],
            "volumes": [{ "key": "relative", "value": "/" }],
            "imageLabels": [{ "key": "app", "value": "two words" }],
            "commandOverride": "'open",
            "entrypointOverride": { "run": 1 },
            "workingDir": "/../up",
            "image": "https://example.com/a.png",
            "imageColour/~": "red",
        },
        "userMetadata": { "username": "two\nlines", "email": 5, "phone": "1" },
        "more": {},
    })
}

#[test]
fn every_fault_of_an_uploads_metadata_is_named_at_once() {
    let server = Server::start();
    let answer = server.upload(&faulty(), &docker_archive(&image("Trolls")));
    let problem = refused(&answer, 422, "invalid-request");
    let mut found = pointers(&problem);
    found.sort_unstable();
    let expected = [
        "/imageMetadata/Part",
        "/imageMetadata/commandOverride",
        "/imageMetadata/description",
        "/imageMetadata/entrypointOverride",
        "/imageMetadata/envVars/0/key",
        "/imageMetadata/envVars/1/more",
        "/imageMetadata/icao",
        "/imageMetadata/image",
        "/imageMetadata/imageCategory",
        "/imageMetadata/imageColour~1~0",
        "/imageMetadata/imageLabels/0/key",
        "/imageMetadata/imageLabels/0/value",
        "/imageMetadata/imageName",
        "/imageMetadata/imageUID",
        "/imageMetadata/imageVersion",
        "/imageMetadata/port",
        "/imageMetadata/tail",
        "/imageMetadata/volumes/0/key",
        "/imageMetadata/volumes/0/value",
        "/imageMetadata/workingDir",
        "/more",
        "/userMetadata/email",
        "/userMetadata/phone",
        "/userMetadata/username",
    ];
    assert_eq!(found, expected, "{problem:#}");
    check_untouched(&server);
}

#[test]
fn a_field_that_is_nearly_known_is_named_with_the_one_that_was_meant() {
    let server = Server::start();
    let mut said = metadata("Trolls", "v0-0-01");
    said["imageMetadata"]["imageCategry"] = json!("Movie");
    let answer = server.upload(&said, &docker_archive(&image("Trolls")));
    let problem = refused(&answer, 422, "invalid-request");
    let expected = json!([{
        "pointer": "/imageMetadata/imageCategry",
        "detail": "is not a known field (did you mean \"imageCategory\"?)",
    }]);
    assert_eq!(problem["errors"], expected);
}

#[test]
fn metadata_that_is_no_object_is_refused_as_a_whole() {
    let server = Server::start();
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    for said in ["", "{", "[]", "\"x\"", "{\"a\":1,\"a\":2}", "\u{feff}{}", &deep] {
        let answer = upload(&server, &Form::with(said).body(b""));
        let problem = refused(&answer, 422, "invalid-request");
        assert!(pointers(&problem)[0].starts_with('/'), "{said}: {problem:#}");
    }
    check_untouched(&server);
}

#[test]
fn an_upload_is_two_parts_in_their_order() {
    let server = Server::start();
    let part = |name: &str, text: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let (said, end) = (metadata("Trolls", "v0-0-01").to_string(), format!("--{BOUNDARY}--\r\n"));
    let cases = [
        (part("image", "x") + &end, "/metadata"),
        (part("image", "x") + &part("metadata", &said) + &end, "/metadata"),
        (part("metadata", &said) + &end, "/image"),
        (part("metadata", &said) + &part("archive", "x") + &end, "/image"),
        (end.clone(), "/metadata"),
    ];
    for (body, pointer) in cases {
        let problem = refused(&upload(&server, body.as_bytes()), 422, "invalid-request");
        assert_eq!(pointers(&problem), [pointer], "{body}");
    }
    check_untouched(&server);
    let three = part("metadata", &said) + &part("image", "x") + &part("more", "x") + &end;
    refused(&upload(&server, three.as_bytes()), 422, "part-unexpected");
    assert_eq!(server.last_error()["errorType"], "part-unexpected");
    assert_eq!(server.all("/v1/images"), Vec::<Value>::new());
}

#[test]
fn a_body_of_another_type_is_refused() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let form = "application/x-www-form-urlencoded";
    for media_type in ["text/plain", form, "multipart/form-data", "application/jsonx"] {
        let headers = [("content-type", media_type)];
        let answer = server.ask("POST", "/v1/images", &headers, b"x");
        refused(&answer, 415, "media-type-unsupported");
        let answer = server.ask("POST", &image.path("deploy"), &headers, b"{}");
        refused(&answer, 415, "media-type-unsupported");
    }
    let headers = [("content-type", "application/json; charset=utf-8")];
    let path = format!("{}?wait=60", image.path("scan"));
    assert_eq!(server.ask("POST", &path, &headers, b"{}").expect(200)["state"], "succeeded");
    assert_eq!(server.ask("POST", &path, &[], b"").expect(200)["state"], "succeeded");
}

#[test]
fn what_is_too_large_is_refused_by_its_limit() {
    let server = Server::start_with(&[("ORBIT_LIMITS__ARCHIVE_BYTES", "4096")]);
    let large = "x".repeat(1 << 20);
    let mut said = metadata("Trolls", "v0-0-01");
    said["imageMetadata"]["description"] = json!(large);
    let archive = docker_archive(&image("Trolls"));
    let problem = refused(&server.upload(&said, &archive), 413, "limit-exceeded");
    assert!(problem["detail"].as_str().unwrap().contains("limits.json_bytes"), "{problem:#}");
    let deploy = format!("/v1/images/{}/v0-0-01/deploy", "a".repeat(60));
    let problem = refused(&server.post(&deploy, &json!(large)), 413, "limit-exceeded");
    assert!(problem["detail"].as_str().unwrap().contains("limits.json_bytes"), "{problem:#}");
    check_untouched(&server);
    let answer = server.upload(&metadata("Trolls", "v0-0-01"), &archive);
    let problem = refused(&answer, 413, "limit-exceeded");
    assert!(problem["detail"].as_str().unwrap().contains("limits.archive_bytes"), "{problem:#}");
    assert_eq!(server.world(), "commit: setup: development, testing, production\n");
    assert_eq!(server.last_error()["errorType"], "limit-exceeded");
}

#[test]
fn a_path_or_a_method_that_is_not_there_is_said_so() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    for path in ["/v2/images", "/v1/..%2fimages", "/v1/images/a/b/dance"] {
        refused(&server.get(path), 404, "path-not-found");
    }
    for path in [
        "/v1/images/",
        "/v1/images/short",
        "/v1/images/short/v0-0-01",
        "/v1/images/%00/v0-0-01/chart",
    ] {
        refused(&server.get(path), 404, "image-not-found");
    }
    refused(&server.get("/v1/actions/short"), 404, "action-not-found");
    refused(&server.get("/v1/actions/01ARZ3NDEKTSV4RRFFQ69G5FAV"), 404, "action-not-found");
    refused(&server.get("/v1/environments/staging/deploy-list"), 404, "environment-not-found");
    for (method, path, allow) in [
        ("PUT", "/v1/images".to_owned(), "GET, HEAD, POST"),
        ("DELETE", image.path(""), "GET, HEAD"),
        ("GET", image.path("deploy"), "POST"),
        ("POST", image.path("chart"), "GET, HEAD"),
        ("POST", "/v1/events".to_owned(), "GET, HEAD"),
    ] {
        let answer = server.ask(method, &path, &[], b"");
        refused(&answer, 405, "method-not-allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
    let head = server.ask("HEAD", &image.path(""), &[], b"");
    let got = server.get(&image.path(""));
    assert_eq!((head.status, head.text().as_str()), (200, ""));
    assert_eq!(head.header("content-length"), got.body.len().to_string());
}

#[test]
fn pages_of_other_sites_may_not_ask() {
    let server = Server::start();
    let own = format!("http://{}", server.address());
    assert_eq!(server.ask("GET", "/v1/images", &[("origin", &own)], b"").status, 200);
    for headers in [("origin", "https://evil.example"), ("host", "evil.example:8080")] {
        refused(&server.ask("GET", "/v1/images", &[headers], b""), 403, "foreign-origin");
    }
}

/// Sends bytes that are no request of a client, and returns the first line of the answer.
fn raw(server: &Server, bytes: &[u8]) -> String {
    let mut connection = TcpStream::connect(server.address()).unwrap();
    connection.write_all(bytes).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn what_is_no_http_is_answered_and_the_server_goes_on() {
    let server = Server::start();
    assert_eq!(raw(&server, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"), "HTTP/1.1 400 Bad Request");
    let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(40 << 10));
    let too_long = "HTTP/1.1 431 Request Header Fields Too Large";
    assert_eq!(raw(&server, long.as_bytes()), too_long);
    assert_eq!(server.get("/healthz").expect(200), json!({ "status": "alive" }));
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn more_uploads_than_there_may_be_are_told_to_come_back() {
    let server = Server::start_with(&[("ORBIT_LIMITS__UPLOADS_AT_ONCE", "1")]);
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("One", "v0-0-01"), &archive);
    let answer = server.upload(&metadata("Two", "v0-0-01"), &archive);
    refused(&answer, 429, "too-many-uploads");
    assert_eq!(answer.header("retry-after"), "5");
    assert_eq!(held.finish().0, 200);
    server.uploaded("Two");
}

#[test]
fn a_client_that_falls_silent_is_not_waited_for() {
    let server = Server::start_with(&[("ORBIT_LIMITS__IDLE_SECONDS", "1")]);
    let before = server.world();
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let (status, problem) = held.fall_silent();
    assert_eq!((status, &problem["errorType"]), (408, &json!("upload-too-slow")));
    assert_eq!(problem["detail"], "nothing came for 1 seconds");
    assert_eq!(server.world(), before);
}
