use orbit_core::request::{Actor, Ask, Request};
use orbit_core::{AppName, Digest, ImageId, ImageLabels};

use super::*;

const ACTION: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

fn at() -> Timestamp {
    Timestamp::from_millis(1_737_799_200_000)
}

fn id() -> ImageId {
    ImageId { uid: "a".repeat(60).parse().unwrap(), version: "v0-0-01".parse().unwrap() }
}

fn deployed_image() -> Image {
    Image {
        id: id(),
        app: AppName::of("x", &id().uid),
        labels: ImageLabels {
            name: "Trolls World Tour (2020)".to_owned(),
            category: "Movie".to_owned(),
            description: None,
            part: Some("21117-1".to_owned()),
            tail: None,
            icao: None,
        },
        environment: "development".parse().unwrap(),
        status: Status::Deployed {
            since: at(),
            deployment: ACTION.parse().unwrap(),
            cluster: ClusterState::NotAttached,
        },
        report: None,
        digest: Digest::of(b"x"),
        size: 7,
        chart: Digest::of(b"x").hex().parse().unwrap(),
        created: at(),
        updated: at(),
    }
}

#[test]
fn an_image_is_shown_in_the_portals_words() {
    let running = ACTION.parse().unwrap();
    assert_eq!(
        image(&deployed_image(), Some(&running)),
        json!({
            "imageUID": "a".repeat(60),
            "imageVersion": "v0-0-01",
            "imageName": "Trolls World Tour (2020)",
            "imageCategory": "Movie",
            "description": null,
            "part": "21117-1",
            "tail": null,
            "icao": null,
            "currentEnvironment": "Development",
            "status": "deployed",
            "deployed": "2025-01-25T10:00:00.000Z",
            "deployedLabel": "Deployed: Jan 25, 2025",
            "cluster": "not-attached",
            "scanned": false,
            "digest": Digest::of(b"x"),
            "sizeBytes": 7,
            "createdAt": "2025-01-25T10:00:00.000Z",
            "updatedAt": "2025-01-25T10:00:00.000Z",
            "runningAction": ACTION,
        })
    );
}

#[test]
fn what_is_not_deployed_has_no_cluster() {
    let stored = image(&deployed_image().replaced(at()), None);
    assert_eq!(stored["deployed"], Value::Null);
    assert_eq!(stored["deployedLabel"], "Deployed: none");
    assert_eq!(stored["cluster"], Value::Null);
    assert_eq!(stored["runningAction"], Value::Null);
}

fn deletion() -> ActionRecord {
    ActionRecord {
        id: ACTION.parse().unwrap(),
        request: Request { image: id(), ask: Ask::Delete },
        actor: Actor {
            username: "ann".to_owned(),
            first_name: String::new(),
            last_name: String::new(),
            email: String::new(),
        },
        environment: "testing".parse().unwrap(),
        at: at(),
    }
}

#[test]
fn a_running_action_has_neither_end_nor_result() {
    let shown = ActionView { record: &deletion(), end: None }.json();
    assert_eq!(
        shown,
        json!({
            "actionId": ACTION,
            "action": "delete",
            "imageUID": "a".repeat(60),
            "imageVersion": "v0-0-01",
            "environment": "Testing",
            "username": "ann",
            "state": "running",
            "waitingFor": null,
            "startedAt": "2025-01-25T10:00:00.000Z",
            "endedAt": null,
            "error": null,
            "result": null,
        })
    );
}

#[test]
fn a_failed_action_carries_its_problem() {
    let failure = Failure {
        error_type: "image-deleted".to_owned(),
        message: "image x is deleted".to_owned(),
        refused: true,
    };
    let outcome = Outcome::Failed(failure);
    let shown = ActionView { record: &deletion(), end: Some((&outcome, at())) }.json();
    assert_eq!(shown["state"], "failed");
    assert_eq!(
        shown["error"],
        json!({
            "type": "urn:orbit:image-deleted",
            "title": "Image deleted",
            "status": 409,
            "detail": "image x is deleted",
            "errorType": "image-deleted",
            "actionId": ACTION,
            "PID": "c8bms27-c20bre24-911",
        })
    );
}

#[test]
fn facets_show_environments_by_their_labels() {
    let counted = Facets { environment: vec![("testing".to_owned(), 2)], ..Facets::default() };
    assert_eq!(facets(&counted)["environment"], json!([{ "value": "Testing", "count": 2 }]));
}
