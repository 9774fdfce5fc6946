use serde_json::json;

use super::*;

const UID: &str = "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5";

fn image() -> ImageId {
    ImageId { uid: UID.parse().unwrap(), version: "v0-0-01".parse().unwrap() }
}

fn faults<T>(result: Result<T, Vec<Fault>>) -> Vec<String> {
    let faults = result.err().unwrap_or_default();
    faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect()
}

fn metadata(fields: &Value) -> Value {
    let mut image = json!({
        "imageName": "Trolls World Tour (2020)",
        "imageVersion": "v0-0-01",
        "imageCategory": "Movie",
    });
    let target = image.as_object_mut().unwrap();
    for (name, value) in fields.as_object().unwrap() {
        target.insert(name.clone(), value.clone());
    }
    json!({ "imageMetadata": image })
}

#[test]
fn the_least_upload_is_taken_as_local() {
    let sent = metadata(&json!({}));
    let asked = upload(sent.clone()).unwrap();
    assert_eq!(asked.uid, None);
    let asked = asked.of(UID.parse().unwrap());
    assert_eq!(asked.actor.username, "local");
    assert_eq!(asked.request.image, image());
    let Ask::Upload(upload) = asked.request.ask else { panic!("another action") };
    assert_eq!(upload.labels.name, "Trolls World Tour (2020)");
    assert!(!upload.names_uid);
    assert_eq!(upload.metadata, sent["imageMetadata"]);
}

#[test]
fn both_spellings_and_numbers_as_texts_are_read() {
    for (description, part) in [("Description", "Part"), ("description", "part")] {
        for number in [json!(1234), json!("1234")] {
            let sent = metadata(&json!({ description: "x", part: number, "port": number }));
            let asked = upload(sent).unwrap().of(UID.parse().unwrap());
            let Ask::Upload(upload) = asked.request.ask else { panic!("another action") };
            assert_eq!(upload.labels.description.as_deref(), Some("x"));
            assert_eq!(upload.labels.part.as_deref(), Some("1234"));
        }
    }
}

#[test]
fn every_fault_of_an_upload_is_named_at_once() {
    let body = json!({
        "imageMetadata": {
            "imageUID": "short",
            "imageVersion": "1.0",
            "imagename": "x",
            "description": "a\u{0}",
            "Description": "b",
            "envVars": [{ "key": "A", "valeu": "1" }, { "key": "B", "value": true }],
            "volumes": {},
            "port": true,
            "image": "https://example.com/a.png",
        },
        "userMetadata": { "username": "x".repeat(129), "role": "admin" },
        "PID": "c2usr03-c8fms03-e20",
    });
    assert_eq!(
        faults(upload(body)),
        [
            "/userMetadata/username: has 129 characters, expected at most 128",
            "/userMetadata/role: is not a known field",
            "/imageMetadata/imageUID: imageUID has 5 characters, expected 60",
            "/imageMetadata/imageVersion: image version is not v<major>-<minor>-<patch> with a \
             patch of at least two digits, such as v0-0-01",
            "/imageMetadata/Description: is given as description too",
            "/imageMetadata/imageName: is missing",
            "/imageMetadata/imageCategory: is missing",
            "/imageMetadata/description: may not hold the control character U+0000",
            "/imageMetadata/port: is a truth value, expected a number or a text",
            "/imageMetadata/envVars/0/valeu: is not a known field (did you mean \"value\"?)",
            "/imageMetadata/envVars/1/value: is a truth value, expected a number or a text",
            "/imageMetadata/volumes: is an object, expected a list",
            "/imageMetadata/image: is not a data URL such as data:image/png;base64,…; png, jpeg, \
             webp and gif are taken",
            "/imageMetadata/imagename: is not a known field (did you mean \"imageName\"?)",
            "/PID: is not a known field",
        ]
    );
}

#[test]
fn the_faults_of_the_core_keep_their_place() {
    let body = json!({ "deploymentDetail": { "containerPort": "http" } });
    let found = faults(deploy(image(), body));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("/deploymentDetail/containerPort: port is \"http\""), "{found:?}");
}

#[test]
fn a_body_must_be_an_object() {
    for body in [json!([]), json!("x"), json!(1), Value::Null] {
        assert_eq!(faults(plain(image(), body, Ask::Scan)).len(), 1);
    }
    let nobody = plain(image(), json!({ "userMetadata": "alice" }), Ask::Delete);
    assert_eq!(faults(nobody), ["/userMetadata: is a text, expected an object"]);
}

#[test]
fn a_transfer_may_say_where_from_and_where_to() {
    let environments = Environments::default();
    let transfer = |body| transfer(image(), body, &environments);
    let said = |body| {
        let Ask::Transfer { from, expected } = transfer(body).unwrap().request.ask else {
            panic!("another action")
        };
        [from, expected].map(|environment| environment.map(|environment| environment.to_string()))
    };
    assert_eq!(said(json!({})), [None, None]);
    let testing = Some("testing".to_owned());
    assert_eq!(said(json!({ "transferEnvironment": "Testing" })), [None, testing.clone()]);
    assert_eq!(said(json!({ "currentEnvironment": "TESTING" })), [testing, None]);
    assert_eq!(
        faults(transfer(json!({ "transferEnvironment": "moon", "currentEnvironment": "mars" }))),
        [
            "/transferEnvironment: is moon, expected one of development, testing, production",
            "/currentEnvironment: is mars, expected one of development, testing, production"
        ]
    );
}

#[test]
fn a_restore_may_name_its_environment() {
    let environments = Environments::default();
    let body = json!({ "currentEnvironment": "Testing", "userMetadata": { "username": "ann" } });
    let asked = restore(image(), body, &environments).unwrap();
    assert_eq!(asked.actor.username, "ann");
    let expected = Some("testing".parse().unwrap());
    assert_eq!(asked.request.ask, Ask::Restore { expected });
}
