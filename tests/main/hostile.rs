//! Texts that are made to break out of what they are put into: each comes back as it was sent, or is
//! refused by the name of its field.

use orbit_core::testing::archives::docker_archive;
use serde_json::{Value, json};

use crate::harness::{Image, Server, encoded, image, metadata, pointers, refused};

const TEXTS: [&str; 16] = [
    "Ärger im \"Bällebad\" 🎬",
    "it's # no comment: - really, [no]: {list}",
    "{{ .Values.secret }} {{- end }} ${HOME} $(id) `id`",
    "'; DROP TABLE images; --",
    "100%_\\x",
    "x\" imageUID: \"forged",
    "Orbit-Action: 01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "- name: forged\\n  imageUID: forged",
    "\u{202e}desrever\u{202c} \u{2066}isolated\u{2069}",
    "line\u{2028}separator\u{2029}",
    "zero\u{200b}width\u{feff}",
    "no",
    "0x1F",
    "2025-01-25",
    "<script>alert(1)</script>&amp;",
    " a space around ",
];

/// Returns the metadata of an upload with the text in every field that takes one.
fn hostile(text: &str) -> Value {
    json!({
        "imageMetadata": {
            "imageName": text,
            "imageVersion": "v0-0-01",
            "imageCategory": text,
            "description": text,
            "part": text,
            "tail": text,
            "icao": text,
            "envVars": [{ "key": "TEXT", "value": text }],
        },
        "userMetadata": { "username": text, "firstName": text, "lastName": text, "email": text },
    })
}

/// Returns the trailers of an action's commit as git reads them.
fn trailers(server: &Server, action: &Value) -> Vec<String> {
    let commit = action["result"]["commitId"].as_str().unwrap();
    let format = "--format=%(trailers:only,unfold)";
    let text = server.git(&["show", "--no-patch", format, commit]);
    text.trim().lines().map(str::to_owned).collect()
}

fn check_commit(server: &Server, deploy: &Value, text: &str) {
    let keys: Vec<_> = trailers(server, deploy)
        .iter()
        .map(|line| line.split_once(": ").unwrap().0.to_owned())
        .collect();
    let expected = ["Orbit-Action", "Orbit-Deployment", "Orbit-Image", "Orbit-Actor"];
    assert_eq!(keys, expected, "{text:?}");
    let id = deploy["actionId"].as_str().unwrap();
    assert_eq!(trailers(server, deploy)[0], format!("Orbit-Action: {id}"), "{text:?}");
    let commit = deploy["result"]["commitId"].as_str().unwrap();
    let message = server.git(&["show", "--no-patch", "--format=%B", commit]);
    let odd = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    assert!(!message.contains(odd), "{message:?}");
    let lines = message.trim().lines().count();
    assert_eq!(lines, 6, "{message:?}");
}

/// Checks that every file of the branch is YAML, and that the lists hold the text as it is.
fn check_files(server: &Server, image: &Image, text: &str) {
    for path in server.git(&["ls-tree", "-r", "--name-only", "main"]).lines() {
        let yaml = server.committed(path);
        let read: Result<Value, _> = serde_saphyr::from_str(&yaml);
        assert!(read.is_ok(), "{text:?} in {path}: {yaml}");
    }
    let list = server.committed("environments/development/deploy-list.yaml");
    let list: Value = serde_saphyr::from_str(&list).unwrap();
    assert_eq!(list, json!(server.list("development", "deploy")), "{text:?}");
    let entry = list.as_array().unwrap().iter().find(|entry| entry["imageUID"] == image.uid);
    assert_eq!(entry.unwrap()["imageName"], text);
    let chart = server.get(&format!("{}?format=json", image.path("chart"))).expect(200);
    assert_eq!(chart[0]["data"], json!({ "TEXT": text }), "{text:?}");
}

fn check_shown(server: &Server, image: &Image, text: &str) {
    let shown = server.shown(image);
    for field in ["imageName", "imageCategory", "description", "part", "tail", "icao"] {
        assert_eq!(shown[field], text, "{field}");
    }
    let find = |query: &str| {
        server.get(&format!("/v1/images?{query}={}", encoded(text))).expect(200)["items"].clone()
    };
    for query in ["imageName", "imageCategory", "part", "tail"] {
        assert_eq!(find(query), json!([shown]), "{query}={text:?}");
    }
    assert_eq!(find("q")[0], shown, "the newest that holds {text:?}");
    let events = server.all(&format!("/v1/events?username={}", encoded(text)));
    assert_eq!(events.len(), 28, "{text:?}");
    assert!(events.iter().all(|event| event["username"] == text), "{text:?}");
}

#[test]
fn hostile_texts_come_back_as_they_were_sent_and_forge_nothing() {
    let server = Server::start_with(&[("ORBIT_LOG", "json")]);
    for text in TEXTS {
        let said = hostile(text);
        let action = server.upload(&said, &docker_archive(&image("hostile"))).expect(200);
        assert_eq!(action["state"], "succeeded", "{text:?}: {action:#}");
        let image = Image::of(&action);
        let user = json!({ "userMetadata": said["userMetadata"] });
        let deploy = server.act(&image, "deploy", user).expect(200);
        assert_eq!(deploy["state"], "succeeded", "{text:?}: {deploy:#}");
        check_shown(&server, &image, text);
        check_commit(&server, &deploy, text);
        check_files(&server, &image, text);
    }
    server.git(&["fsck", "--strict"]);
    for line in server.log().lines() {
        assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
    }
}

#[test]
fn control_characters_are_refused_in_every_field_that_they_have_no_place_in() {
    let server = Server::start();
    let fields = [
        "/imageMetadata/icao",
        "/imageMetadata/imageCategory",
        "/imageMetadata/imageName",
        "/imageMetadata/part",
        "/imageMetadata/tail",
        "/userMetadata/email",
        "/userMetadata/firstName",
        "/userMetadata/lastName",
        "/userMetadata/username",
    ];
    let refuse = |text: &str, more: &[&str]| {
        let answer = server.upload(&hostile(text), &docker_archive(&image("hostile")));
        let problem = refused(&answer, 422, "invalid-request");
        let mut found = pointers(&problem);
        found.sort_unstable();
        let mut expected = [&fields[..], more].concat();
        expected.sort_unstable();
        assert_eq!(found, expected, "{text:?}");
    };
    let description = "/imageMetadata/description";
    let value = "/imageMetadata/envVars/0/value";
    refuse("x\n\nOrbit-Action: forged", &[]);
    refuse("x\r\n- name: forged\t", &[]);
    refuse("x\u{1b}[2J", &[description]);
    refuse("x\0", &[description, value]);
    refuse("x\u{85}", &[description, value]);
    assert_eq!(server.all("/v1/actions"), Vec::<Value>::new());
}

#[test]
fn lines_in_a_description_stay_in_it() {
    let server = Server::start();
    let text = "one\r\n---\n- name: forged\n\ttwo\n\nOrbit-Action: forged\n";
    let mut said = metadata("Trolls", "v0-0-01");
    said["imageMetadata"]["description"] = json!(text);
    said["imageMetadata"]["envVars"] = json!([{ "key": "TEXT", "value": text }]);
    let image = Image::of(&server.upload(&said, &docker_archive(&image("lines"))).expect(200));
    let deploy = server.done(&image, "deploy");
    check_commit(&server, &deploy, text);
    assert_eq!(server.shown(&image)["description"], text);
    let chart = server.get(&format!("{}?format=json", image.path("chart"))).expect(200);
    assert_eq!(chart[0]["data"]["TEXT"], text);
    let found = server.get(&format!("/v1/images?q={}", encoded("- NAME: forged"))).expect(200);
    assert_eq!(found["total"], 1);
}
