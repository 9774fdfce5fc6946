use orbit_core::action::Refusal;

use super::*;

#[test]
fn every_refusal_has_the_status_that_its_meaning_asks_for() {
    let id = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    let image = orbit_core::ImageId {
        uid: "a".repeat(60).parse().unwrap(),
        version: "v0-0-01".parse().unwrap(),
    };
    let here: orbit_core::Environment = "development".parse().unwrap();
    let cases = [
        (Refusal::NoSuchImage(image.clone()), 404),
        (Refusal::ImageDeleted(image), 409),
        (Refusal::LastEnvironment(here), 409),
        (Refusal::ActionInProgress { running: id.parse().unwrap() }, 409),
        (Refusal::KeyReused { earlier: id.parse().unwrap() }, 422),
        (
            Refusal::Unusable {
                error_type: "list-not-editable",
                message: "deploy-list.yaml:1:1".to_owned(),
            },
            409,
        ),
    ];
    for (refusal, expected) in cases {
        assert_eq!(status(refusal.error_type()), expected, "{refusal}");
    }
}

#[test]
fn a_failure_of_an_action_has_a_status_too() {
    let cases = [
        ("archive-truncated", 422),
        ("layer-digest-mismatch", 422),
        ("limit-exceeded", 413),
        ("upload-incomplete", 400),
        ("registry-refused", 409),
        ("port-unavailable", 503),
    ];
    for (error_type, expected) in cases {
        assert_eq!(status(error_type), expected, "{error_type}");
    }
}

#[test]
fn a_problem_document_says_what_and_where() {
    let faults = vec![
        Fault::new("/imageMetadata/imageName", "is missing"),
        Fault::new("/imageMetadata/port", "port is \"x\""),
    ];
    let id: ActionId = "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap();
    let problem = Problem::invalid(faults).action(Some(&id), ActionKind::Deploy);
    assert_eq!(
        problem.document(),
        json!({
            "type": "urn:orbit:invalid-request",
            "title": "Invalid request",
            "status": 422,
            "detail": "2 faults were found",
            "errorType": "invalid-request",
            "errors": [
                { "pointer": "/imageMetadata/imageName", "detail": "is missing" },
                { "pointer": "/imageMetadata/port", "detail": "port is \"x\"" },
            ],
            "actionId": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
            "PID": "c8bms15-c20bre24-911",
        })
    );
    let reply = problem.reply();
    assert_eq!(reply.headers()[CONTENT_TYPE], "application/problem+json");
}

#[test]
fn an_answer_about_a_port_that_is_down_tells_nothing_of_its_inside() {
    let source = std::io::Error::other("/var/lib/orbit/orbit.db: SELECT * FROM images");
    let error = PortError::caused(Kind::Unavailable, "query of /var/lib/orbit failed", source);
    let problem = Problem::port(Part::Catalog, &error);
    assert_eq!(problem.0.detail, "the catalog did not answer; try again later");
    let reply = problem.reply();
    assert_eq!(reply.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.headers()[RETRY_AFTER], "5");
}

#[test]
fn a_wrong_method_names_the_right_ones() {
    let reply = Problem::method("GET, HEAD").reply();
    assert_eq!(reply.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.headers()[ALLOW], "GET, HEAD");
}
