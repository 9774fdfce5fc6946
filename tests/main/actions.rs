//! What holds for every action: keys, waiting, one at a time, and what is told of it.

use std::io::{BufRead, Read as _};

use orbit_core::testing::archives::docker_archive;
use serde_json::{Value, json};

use crate::harness::{
    CONTENT_TYPE, Client, Form, HeldUpload, Image, Server, image, metadata, pointers, refused,
};

const KEY: (&str, &str) = ("idempotency-key", "3f2c");

fn id(action: &Value) -> &str {
    action["actionId"].as_str().unwrap()
}

#[test]
fn the_same_request_with_the_same_key_is_done_once() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let path = format!("{}?wait=60", image.path("deploy"));
    let body = json!({ "deploymentDetail": { "replicaNumber": 2 } });
    let first = server.post_with(&path, &[KEY], &body).expect(200);
    let world = server.world();
    for _ in 0..2 {
        assert_eq!(server.post_with(&path, &[KEY], &body).expect(200), first);
    }
    let accepted = server.post_with(&image.path("deploy"), &[KEY], &body).expect(202);
    assert_eq!(accepted["actionId"], first["actionId"]);
    assert_eq!(server.world(), world);
    assert_eq!(server.all("/v1/actions?action=deploy").len(), 1);
}

#[test]
fn the_same_key_with_another_request_is_refused_and_names_the_first() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let path = format!("{}?wait=60", image.path("deploy"));
    let first = server.post_with(&path, &[KEY], &json!({})).expect(200);
    let other = json!({ "deploymentDetail": { "replicaNumber": 2 } });
    let answer = server.post_with(&path, &[KEY], &other);
    let problem = refused(&answer, 422, "idempotency-key-reused");
    assert_eq!(problem["actionId"], first["actionId"]);
    let elsewhere = format!("{}?wait=60", image.path("scan"));
    let scan = server.post_with(&elsewhere, &[KEY], &json!({})).expect(200);
    assert_eq!(scan["action"], "scan");
    let someone = json!({ "userMetadata": { "username": "q" } });
    let theirs = server.post_with(&path, &[KEY], &someone);
    assert_eq!(theirs.expect(200), first, "it changes nothing");
}

#[test]
fn a_refusal_is_not_remembered_by_its_key() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let path = format!("{}?wait=60", image.path("restore"));
    refused(&server.post_with(&path, &[KEY], &json!({})), 409, "image-not-deleted");
    server.done(&image, "delete");
    let restored = server.post_with(&path, &[KEY], &json!({})).expect(200);
    assert_eq!(restored["state"], "succeeded");
}

#[test]
fn an_upload_is_known_by_its_key_and_its_metadata() {
    let server = Server::start();
    let headers = [("content-type", CONTENT_TYPE), KEY];
    let upload = |said: &Value, text: &str| {
        let body = Form::of(said).body(&docker_archive(&image(text)));
        server.ask("POST", "/v1/images?wait=60", &headers, &body)
    };
    let said = metadata("Trolls", "v0-0-01");
    let first = upload(&said, "one").expect(200);
    assert_eq!(upload(&said, "two").expect(200), first);
    let other = upload(&metadata("Trolls", "v0-0-02"), "one");
    refused(&other, 422, "idempotency-key-reused");
    assert_eq!(server.get("/v1/images").expect(200)["total"], 1);
}

#[test]
fn a_second_action_on_an_image_is_refused_and_names_the_one_that_runs() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let mut said = metadata("Trolls", "v0-0-02");
    said["imageMetadata"]["imageUID"] = json!(first.uid);
    let held = HeldUpload::begin(&server, &said, &docker_archive(&image("two")));
    let running = held.action["actionId"].clone();
    assert_eq!(held.action["state"], "running");
    assert_eq!(server.shown(&first)["runningAction"], running);
    for action in ["deploy", "transfer", "scan", "delete"] {
        let problem = refused(&server.act(&first, action, json!({})), 409, "action-in-progress");
        assert_eq!(problem["actionId"], running);
        assert_eq!(server.last_error()["errorType"], "action-in-progress");
    }
    let (status, upload) = held.finish();
    assert_eq!((status, &upload["actionId"]), (200, &running));
    assert_eq!(server.shown(&first)["runningAction"], Value::Null);
    server.done(&first, "deploy");
}

#[test]
fn waiting_ends_with_the_action_or_with_the_time() {
    let server = Server::start();
    let archive = docker_archive(&image("one"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let path = format!("/v1/actions/{}", id(&held.action));
    let running = server.get(&format!("{path}?wait=1")).expect(200);
    assert_eq!((&running["state"], &running["endedAt"]), (&json!("running"), &Value::Null));
    let (_, ended) = held.finish();
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(server.get(&format!("{path}?wait=60")).expect(200), ended);
    let image = Image::of(&ended);
    let scan = server.post(&image.path("scan"), &json!({})).expect(202);
    let scanned = server.get(&format!("/v1/actions/{}?wait=60", id(&scan))).expect(200);
    assert_eq!(scanned["state"], "succeeded");
    for wait in ["0", "61", "soon"] {
        let answer = server.get(&format!("{path}?wait={wait}"));
        assert_eq!(pointers(&refused(&answer, 422, "invalid-request")), ["?wait"]);
    }
}

/// Returns the next event of a stream as its id and data, or `None` at its end.
fn next_event(stream: &mut impl BufRead) -> Option<(u64, Value)> {
    let mut lines = stream.lines().map(Result::unwrap).take_while(|line| !line.is_empty());
    let id = lines.next()?;
    let (id, name, data) = (id, lines.next().unwrap(), lines.next().unwrap());
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(name.strip_prefix("event: ").unwrap(), data["eventType"]);
    assert_eq!(lines.next(), None);
    Some((id.strip_prefix("id: ").unwrap().parse().unwrap(), data))
}

fn streamed(client: &Client, path: &str, last: &str) -> Vec<(u64, Value)> {
    let headers = [("accept", "text/event-stream"), ("last-event-id", last)];
    let mut stream = client.follow(path, &headers);
    std::iter::from_fn(|| next_event(&mut stream)).collect()
}

#[test]
fn the_events_of_an_action_are_streamed_as_they_happen() {
    let server = Server::start();
    let archive = docker_archive(&image("one"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let path = format!("/v1/actions/{}/events", id(&held.action));
    let mut stream = server.follow(&path, &[("accept", "text/event-stream")]);
    let mut events = vec![next_event(&mut stream).unwrap()];
    assert_eq!(events[0].1["eventType"], "upload-initiated");
    held.finish();
    events.extend(std::iter::from_fn(|| next_event(&mut stream)));
    let (ids, data): (Vec<_>, Vec<_>) = events.into_iter().unzip();
    assert_eq!(ids, (1..=14).collect::<Vec<_>>());
    assert_eq!(data, server.all(&path));
}

#[test]
fn a_stream_goes_on_after_the_event_that_was_seen_last() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let scan = server.done(&image, "scan");
    let path = format!("/v1/actions/{}/events", id(&scan));
    let all = server.all(&path);
    let rest = streamed(&server, &path, "7");
    assert_eq!(rest.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [8, 9, 10]);
    assert_eq!(rest.into_iter().map(|(_, data)| data).collect::<Vec<_>>(), all[7..]);
    let headers = [("accept", "text/event-stream"), ("last-event-id", "10")];
    let over = server.ask("GET", &path, &headers, &[]);
    assert_eq!((over.status, over.text().as_str()), (204, ""));
    let headers = [("accept", "text/event-stream"), ("last-event-id", "ten")];
    let problem = refused(&server.ask("GET", &path, &headers, &[]), 422, "invalid-request");
    assert_eq!(pointers(&problem), ["Last-Event-ID:"]);
}

#[test]
fn an_event_says_who_did_what_to_which_image_and_when() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let deploy = server.done(&image, "deploy");
    let events = server.all(&format!("/v1/actions/{}/events", id(&deploy)));
    for event in &events {
        let unix = event["createdTimestampUnix"].as_str().unwrap();
        let utc = event["createdTimestampUTC"].as_str().unwrap();
        let at = orbit_core::Timestamp::from_millis(unix.parse::<i64>().unwrap() * 1000);
        assert_eq!(at.utc(), utc);
        assert_eq!(event["username"], "jamesbond");
        assert_eq!(event["environment"], "Development");
        assert_eq!(Image::of(event), image);
    }
    let last = &events.last().unwrap()["detail"];
    assert_eq!(last["cluster"], "not-attached");
    let of_image = server.all(&image.path("events"));
    assert_eq!(of_image.len(), 28, "of an upload and a deployment");
    assert_eq!(of_image[14..], events);
}

#[test]
fn the_audit_log_is_asked_by_user_action_image_and_time() {
    let server = Server::start();
    let (one, two) = (server.uploaded("One"), server.uploaded("Two"));
    let mallory = json!({ "userMetadata": { "username": "mallory" } });
    let scan = server.act(&two, "scan", mallory).expect(200);
    let n_events = |query: &str| server.all(&format!("/v1/events{query}")).len();
    assert_eq!(n_events(""), 38);
    assert_eq!(n_events("?username=mallory"), 10);
    assert_eq!(n_events("?user=jamesbond"), 28);
    assert_eq!(n_events("?action=upload"), 28);
    assert_eq!(n_events(&format!("?imageUID={}", one.uid)), 14);
    assert_eq!(n_events(&format!("?imageUID={}&imageVersion=v0-0-02", one.uid)), 0);
    assert_eq!(n_events(&format!("?actionId={}", id(&scan))), 10);
    let (begun, ended) = (scan["startedAt"].as_str().unwrap(), scan["endedAt"].as_str().unwrap());
    assert_eq!(n_events(&format!("?from={begun}")), 10);
    assert_eq!(n_events(&format!("?to={begun}")), 28);
    assert_eq!(n_events(&format!("?from={ended}&username=jamesbond")), 0);
    let newest = server.get("/v1/events?limit=1").expect(200);
    assert_eq!(newest["items"][0]["eventType"], "scan-completed");
}

#[test]
fn questions_to_the_log_that_cannot_be_are_refused_by_name() {
    let server = Server::start();
    let answer = server.get("/v1/events?imageVersion=v0-0-01&from=yesterday&who=me");
    let problem = refused(&answer, 422, "invalid-request");
    assert_eq!(pointers(&problem), ["?from", "?imageVersion", "?who"]);
    let answer = server.get("/v1/actions?state=done&action=dance");
    let problem = refused(&answer, 422, "invalid-request");
    assert_eq!(pointers(&problem), ["?state", "?action"]);
}

#[test]
fn actions_and_errors_are_listed_by_what_they_are() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let scan = server.done(&image, "scan");
    let failed = server.upload(&metadata("Bad", "v0-0-01"), b"no archive").expect(200);
    assert_eq!(failed["state"], "failed");
    let refusal = server.act(&image, "restore", json!({})).expect(409);
    let actions = |query: &str| -> Vec<Value> { server.all(&format!("/v1/actions{query}")) };
    assert_eq!(actions("?action=scan"), [scan]);
    let ids: Vec<_> = actions("?state=failed").iter().map(|one| one["actionId"].clone()).collect();
    assert_eq!(ids, [refusal["actionId"].clone(), failed["actionId"].clone()]);
    assert_eq!(actions("?state=running"), Vec::<Value>::new());
    assert_eq!(actions(&format!("?imageUID={}&state=succeeded", image.uid)).len(), 2);
    let kinds = |query: &str| -> Vec<Value> {
        let errors = server.all(&format!("/v1/errors{query}"));
        errors.iter().map(|error| error["action"].clone()).collect()
    };
    assert_eq!(kinds(""), ["restore", "upload"]);
    assert_eq!(kinds("?action=upload"), ["upload"]);
    assert_eq!(kinds(&format!("?actionId={}", id(&failed))), ["upload"]);
    assert_eq!(kinds("?username=mallory"), Vec::<Value>::new());
}

#[test]
fn a_failed_action_is_in_its_answer_in_its_events_and_in_the_error_log() {
    let server = Server::start();
    let failed = server.upload(&metadata("Bad", "v0-0-01"), b"no archive").expect(200);
    let error = server.last_error();
    assert_eq!(error["actionId"], failed["actionId"]);
    assert_eq!(error["errorType"], failed["error"]["errorType"]);
    assert_eq!(error["message"], failed["error"]["detail"]);
    assert_eq!(error["PID"], "c12bms09-c20bre24-e85");
    let mut page = String::new();
    let path = format!("/v1/actions/{}/events", id(&failed));
    let headers = [("accept", "text/event-stream")];
    server.follow(&path, &headers).read_to_string(&mut page).unwrap();
    assert!(page.contains("event: image-validation-started\n"), "{page}");
    assert!(!page.contains("event: image-validated\n"), "{page}");
}
