//! One image through every action, with every event of each, in order, with its process id.
//!
//! The tables are written from the project's documents: names from the mission's list of event log
//! types, process ids from its legs and from the portal's step tables.

use orbit_core::{AppName, ImageUid};
use serde_json::{Value, json};

use crate::harness::{Image, Server};

const UPLOAD: &str = "\
upload-initiated c2usr03-c8fms03-e20
image-received c8fms03-c12bms03-e25
temporary-image-stored c12bms03-c16bre03-e30
image-validation-started c12bms03-c16bre03-e30
image-validated c12bms03-c16bre03-e30
image-stored c12bms03-c16bre06-e35
user-data-saved c12bms06-c20bre12-e50
image-metadata-saved c12bms06-c20bre15-e55
user-input-saved c12bms06-c20bre06-e45
kustomization-started c8fms03-c12bms09-e60
kustomization-completed c12bms09-c20bre09-e75
database-update-started c8fms03-c8bms06-e90
database-updated c8bms06-c32bre03-e95
upload-completed c8bms06-c32bre03-e95
";

const SCAN: &str = "\
scan-initiated c2usr15-c8fms06-e05
scan-detail-received c8fms06-c8bms21-e10
image-retrieval-started c8bms21-c16bre06-e20
image-retrieved c8bms21-c16bre06-e20
image-scan-started c8bms21-c16bre06-e20
image-scanned c8bms21-c16bre06-e20
scan-report-saved c8bms21-c20bre21-e15
database-update-started c8bms21-c32bre03-e25
database-updated c8bms21-c32bre03-e25
scan-completed c8bms21-c20bre21-e30
";

const DEPLOY: &str = "\
deployment-initiated c2usr12-c8fms06-e05
deployment-detail-received c8fms06-c8bms15-e10
image-retrieval-started c56bms03-c16bre06-e50
image-retrieved c56bms03-c16bre06-e50
image-push-started c56bms03-c96bre03-e60
image-pushed c56bms03-c96bre03-e60
manifest-retrieval-started c56bms03-c20bre09-e70
manifest-retrieved c56bms03-c20bre09-e70
manifest-push-started c56bms03-c100bms03-e80
manifest-pushed c56bms03-c100bms03-e80
deploy-list-update-started c56bms03-c100bms03-e90
deploy-list-updated c56bms03-c100bms03-e90
deployment-status-updated c8bms15-c32bre03-e175
deployment-completed c8bms15-c20bre21-e190
";

const TRANSFER: &str = "\
transfer-initiated c2usr09-c8fms06-e05
transfer-detail-received c8fms06-c8bms18-e10
image-retrieval-started c8bms18-c16bre06-e40
image-retrieved c8bms18-c16bre06-e40
image-upload-started c8bms18-c16bre09-e50
image-uploaded c8bms18-c16bre09-e50
manifest-retrieval-started c8bms18-c20bre09-e60
manifest-retrieved c8bms18-c20bre09-e60
manifest-save-started c8bms18-c20bre30-e70
manifest-saved c8bms18-c20bre30-e70
delete-list-update-started c8bms18-c100bms03-e75
delete-list-updated c8bms18-c100bms03-e75
database-update-started c8bms30-c32bre03-e85
database-updated c8bms30-c32bre03-e85
transfer-completed c8bms18-c20bre21-e95
";

/// In testing, whose bucket is 09 and whose chart table is 30.
const DELETE: &str = "\
deletion-initiated c2usr21-c8fms06-e05
deletion-detail-received c8fms06-c8bms27-e10
image-archive-started c8bms27-c16bre09-e40
image-archived c8bms27-c16bre09-e40
manifest-archive-started c8bms27-c20bre30-e45
manifest-archived c8bms27-c20bre30-e45
delete-list-update-started c8bms27-c100bms03-e20
delete-list-updated c8bms27-c100bms03-e20
database-update-started c8bms27-c32bre03-e30
database-updated c8bms27-c32bre03-e35
deletion-completed c8bms27-c20bre21-e55
";

const RESTORE: &str = "\
restore-initiated c2usr24-c8fms06-e05
restore-detail-received c8fms06-c8bms33-e10
image-restore-started c8bms33-c16bre09-e20
image-restored c8bms33-c16bre09-e20
manifest-restore-started c8bms33-c20bre30-e25
manifest-restored c8bms33-c20bre30-e25
delete-list-update-started c8bms33-c100bms03-e25
delete-list-updated c8bms33-c100bms03-e25
database-update-started c8bms33-c32bre03-e30
database-updated c8bms33-c32bre03-e30
restore-completed c8bms33-c20bre21-e35
";

/// Returns the lines without those about the lists, which stand only where something is committed.
fn without_commit(story: &str) -> String {
    let lines = story.lines().filter(|line| !line.contains("-list-update"));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Returns the lines with the process ids of the second environment in place of the first one's.
fn in_testing(story: &str) -> String {
    story.replace("c16bre06", "c16bre09").replace("c20bre09", "c20bre30")
}

/// Returns the lines with the process ids of the third environment in place of the second one's.
fn in_production(story: &str) -> String {
    story.replace("c16bre09", "c16bre12").replace("c20bre30", "c20bre33")
}

/// Returns a transfer's lines one environment later than the table has them.
fn one_further(story: &str) -> String {
    in_testing(&in_production(story))
}

/// Checks what lies where; the image is called `A`, its application `trolls-world-tour-2020-A`.
fn check_world(server: &Server, after: &str, expected: &str) {
    let expected = expected.replace("APP", "trolls-world-tour-2020-A");
    let expected: Vec<_> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(server.world().lines().collect::<Vec<_>>(), expected, "after {after}");
}

/// Checks the only commit of an action: its subject, and its trailers as git itself reads them.
fn check_commit(server: &Server, action: &Value, image: &Value) {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap().to_owned();
    let (id, kind) = (text(action, "actionId"), text(action, "action"));
    let commit = text(&action["result"], "commitId");
    let uid: ImageUid = text(image, "imageUID").parse().unwrap();
    let name = AppName::of(&text(image, "imageName"), &uid);
    let show = |format: &str| {
        let format = format!("--format={format}");
        server.git(&["show", "--no-patch", &format, &commit]).trim().to_owned()
    };
    let environment = text(action, "environment").to_lowercase();
    assert_eq!(show("%s"), format!("{kind}({environment}): {name} v0-0-01"));
    assert_eq!(show("%an <%ae>, %cn <%ce>"), "Orbit <orbit@localhost>, Orbit <orbit@localhost>");
    let deployment =
        if kind == "deploy" { format!("Orbit-Deployment: {id}\n") } else { String::new() };
    let pinned = format!("docker.io/k8or-orbit-aws/{name}@{}", text(image, "digest"));
    let trailers =
        format!("Orbit-Action: {id}\n{deployment}Orbit-Image: {pinned}\nOrbit-Actor: jamesbond");
    assert_eq!(show("%(trailers:only,unfold)"), trailers);
    let found =
        server.git(&["log", "--format=%H", &format!("--grep=^Orbit-Action: {id}$"), "main"]);
    assert_eq!(found.trim(), commit);
}

/// Does an action and checks everything that it must have told and changed.
fn check_step(server: &Server, image: &Image, kind: &str, story: &str, world: &str) -> Value {
    let before = server.shown(image);
    let action = server.done(image, kind);
    assert_eq!(action["action"], kind);
    assert_eq!(action["environment"], before["currentEnvironment"], "{kind}");
    assert_eq!(action["username"], "jamesbond");
    assert_eq!(server.story(&action), story, "{kind}");
    check_world(server, kind, world);
    if story.contains("-list-updated") {
        check_commit(server, &action, &before);
    } else {
        assert_eq!(action["result"]["commitId"], json!(null), "{kind}");
    }
    action
}

#[test]
fn an_image_goes_through_every_action_and_every_step_is_told() {
    let server = Server::start();
    check_world(&server, "the start", "commit: setup: development, testing, production");
    let image = server.uploaded("Trolls World Tour (2020)");
    let upload = server.all("/v1/actions").remove(0);
    assert_eq!(server.story(&upload), UPLOAD);
    check_world(
        &server,
        "upload",
        "A v0-0-01 Development stored - scanned:false chart:200
         app-image-1206-bkt-k8d-aws/A-v0-0-01.tar
         commit: setup: development, testing, production",
    );
    check_step(
        &server,
        &image,
        "scan",
        SCAN,
        "A v0-0-01 Development stored - scanned:true chart:200
         app-image-1206-bkt-k8d-aws/A-v0-0-01.tar
         commit: setup: development, testing, production",
    );
    to_testing(&server, &image);
    delete_and_restore(&server, &image);
    assert_eq!(server.n_errors(), 0);
    server.git(&["fsck", "--strict"]);
}

fn to_testing(server: &Server, image: &Image) {
    let deploy = check_step(
        server,
        image,
        "deploy",
        DEPLOY,
        "A v0-0-01 Development deployed not-attached scanned:true chart:200
         app-image-1206-bkt-k8d-aws/A-v0-0-01.tar
         registry: docker.io/k8or-orbit-aws/APP:v0-0-01
         development app: APP
         development deploy-list: APP A v0-0-01
         commit: setup: development, testing, production
         commit: deploy(development): APP v0-0-01",
    );
    assert_eq!(deploy["result"]["deploymentId"], deploy["actionId"]);
    assert_eq!(deploy["result"]["cluster"], "not-attached");
    let transfer = check_step(
        server,
        image,
        "transfer",
        TRANSFER,
        "A v0-0-01 Testing stored - scanned:true chart:200
         app-image-1209-bkt-k8t-aws/A-v0-0-01.tar
         deleted-image-bucket/development/A-v0-0-01.tar
         registry: docker.io/k8or-orbit-aws/APP:v0-0-01
         development app: APP
         development delete-list: APP A v0-0-01
         commit: setup: development, testing, production
         commit: deploy(development): APP v0-0-01
         commit: transfer(development): APP v0-0-01",
    );
    assert_eq!(transfer["result"]["environment"], "Testing");
    check_step(
        server,
        image,
        "deploy",
        &in_testing(DEPLOY),
        "A v0-0-01 Testing deployed not-attached scanned:true chart:200
         app-image-1209-bkt-k8t-aws/A-v0-0-01.tar
         deleted-image-bucket/development/A-v0-0-01.tar
         registry: docker.io/k8or-orbit-aws/APP:v0-0-01
         development app: APP
         development delete-list: APP A v0-0-01
         testing app: APP
         testing deploy-list: APP A v0-0-01
         commit: setup: development, testing, production
         commit: deploy(development): APP v0-0-01
         commit: transfer(development): APP v0-0-01
         commit: deploy(testing): APP v0-0-01",
    );
}

fn delete_and_restore(server: &Server, image: &Image) {
    check_step(
        server,
        image,
        "delete",
        DELETE,
        "A v0-0-01 Testing deleted - scanned:true chart:200
         deleted-image-bucket/development/A-v0-0-01.tar
         deleted-image-bucket/testing/A-v0-0-01.tar
         registry: docker.io/k8or-orbit-aws/APP:v0-0-01
         development app: APP
         development delete-list: APP A v0-0-01
         testing app: APP
         testing delete-list: APP A v0-0-01
         commit: setup: development, testing, production
         commit: deploy(development): APP v0-0-01
         commit: transfer(development): APP v0-0-01
         commit: deploy(testing): APP v0-0-01
         commit: delete(testing): APP v0-0-01",
    );
    let restore = check_step(
        server,
        image,
        "restore",
        RESTORE,
        "A v0-0-01 Testing stored - scanned:true chart:200
         app-image-1209-bkt-k8t-aws/A-v0-0-01.tar
         deleted-image-bucket/development/A-v0-0-01.tar
         registry: docker.io/k8or-orbit-aws/APP:v0-0-01
         development app: APP
         development delete-list: APP A v0-0-01
         commit: setup: development, testing, production
         commit: deploy(development): APP v0-0-01
         commit: transfer(development): APP v0-0-01
         commit: deploy(testing): APP v0-0-01
         commit: delete(testing): APP v0-0-01
         commit: restore(testing): APP v0-0-01",
    );
    assert_eq!(restore["result"]["environment"], "Testing");
}

#[test]
fn an_image_that_was_never_deployed_goes_to_the_last_environment_without_a_commit() {
    let server = Server::start();
    let image = server.uploaded("Trolls World Tour (2020)");
    let step = |kind, story: &str, place: &str| {
        let last = "commit: setup: development, testing, production";
        check_step(&server, &image, kind, &without_commit(story), &format!("{place}\n{last}"));
    };
    step(
        "transfer",
        TRANSFER,
        "A v0-0-01 Testing stored - scanned:false chart:200
         app-image-1209-bkt-k8t-aws/A-v0-0-01.tar
         deleted-image-bucket/development/A-v0-0-01.tar",
    );
    step(
        "transfer",
        &one_further(TRANSFER),
        "A v0-0-01 Production stored - scanned:false chart:200
         app-image-1212-bkt-k8p-aws/A-v0-0-01.tar
         deleted-image-bucket/development/A-v0-0-01.tar
         deleted-image-bucket/testing/A-v0-0-01.tar",
    );
    step(
        "delete",
        &in_production(DELETE),
        "A v0-0-01 Production deleted - scanned:false chart:200
         deleted-image-bucket/development/A-v0-0-01.tar
         deleted-image-bucket/production/A-v0-0-01.tar
         deleted-image-bucket/testing/A-v0-0-01.tar",
    );
    step(
        "restore",
        &in_production(RESTORE),
        "A v0-0-01 Production stored - scanned:false chart:200
         app-image-1212-bkt-k8p-aws/A-v0-0-01.tar
         deleted-image-bucket/development/A-v0-0-01.tar
         deleted-image-bucket/testing/A-v0-0-01.tar",
    );
}
