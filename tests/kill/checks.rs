//! What must hold once nothing runs any more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::clients::Talk;
use crate::harness::{Image, Server};

/// What an action may fail by while the program is killed: an upload was cut off, and so there is no
/// such image, or another client was faster.
const EXPECTED_FAILURES: [&str; 6] = [
    "upload-incomplete",
    "image-not-found",
    "version-not-greater",
    "image-deleted",
    "image-not-deleted",
    "last-environment",
];

const ENVIRONMENTS: [(&str, &str); 3] = [
    ("Development", "app-image-1206-bkt-k8d-aws"),
    ("Testing", "app-image-1209-bkt-k8t-aws"),
    ("Production", "app-image-1212-bkt-k8p-aws"),
];

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value:#}"))
}

pub(crate) fn wait_until_nothing_runs(server: &Server) {
    for action in server.all("/v1/actions?state=running") {
        let path = format!("/v1/actions/{}?wait=30", text(&action, "actionId"));
        let ended = server.get(&path).expect(200);
        assert_ne!(ended["state"], "running", "{ended:#}");
    }
    assert_eq!(server.all("/v1/actions?state=running"), Vec::<Value>::new());
}

/// What there must be of actions in the end.
pub(crate) struct Bar {
    /// More succeed than that.
    pub(crate) n_succeeded: u32,
    /// What an action may fail by beside what is expected of every kill.
    pub(crate) failures: &'static [&'static str],
}

pub(crate) fn check(server: &Server, talks: &[Talk], bar: &Bar) {
    let actions = server.all("/v1/actions");
    let images = server.all("/v1/images");
    check_ends(&actions, talks, bar);
    for action in &actions {
        check_story(server, action);
    }
    check_commits(server, &actions);
    check_lists(server, &actions, &images);
    server.git(&["fsck", "--strict"]);
    let n_unanswered: usize = talks.iter().map(|talk| talk.n_unanswered).sum();
    assert!(n_unanswered > 0, "no kill was in anybody's way");
}

/// Every accepted action has one end, and none succeeded that no client was told of.
fn check_ends(actions: &[Value], talks: &[Talk], bar: &Bar) {
    let accepted: BTreeSet<_> =
        talks.iter().flat_map(|talk| &talk.accepted).map(String::as_str).collect();
    let mut known = BTreeSet::new();
    let mut n_succeeded = 0;
    for action in actions {
        let id = text(action, "actionId");
        assert!(known.insert(id), "{id} is listed twice");
        match text(action, "state") {
            "succeeded" => {
                n_succeeded += 1;
                let earlier = action["result"]["earlierActionId"].is_string();
                assert!(accepted.contains(id) || earlier, "nobody was told of {action:#}");
            }
            "failed" => {
                let error_type = text(&action["error"], "errorType");
                let mut expected = EXPECTED_FAILURES.iter().chain(bar.failures);
                assert!(expected.any(|expected| *expected == error_type), "{action:#}");
            }
            state => panic!("{id} is {state}"),
        }
    }
    assert!(accepted.is_subset(&known), "{:?} are lost", accepted.difference(&known));
    assert!(n_succeeded > bar.n_succeeded, "only {n_succeeded} actions succeeded");
}

/// An action's events are numbered without a gap, and none is told twice. An upload is cut off only
/// as long as its bytes are not kept.
fn check_story(server: &Server, action: &Value) {
    let story = server.story(action);
    let names: Vec<_> = story.lines().map(|line| line.split(' ').next().unwrap()).collect();
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{story}");
    if action["error"]["errorType"] == "upload-incomplete" {
        assert_eq!(names, ["upload-initiated"]);
    }
    let is_complete = names.last().unwrap().ends_with("-completed");
    let has_done_something = action["result"].is_object();
    let unchanged = action["result"]["earlierActionId"].is_string();
    assert_eq!(is_complete, has_done_something && !unchanged, "{action:#}\n{story}");
}

/// An action that changed the repository has one commit there, and no other action has any.
fn check_commits(server: &Server, actions: &[Value]) {
    let format = "--format=%H %(trailers:key=Orbit-Action,valueonly,separator=%x2C)";
    let log = server.git(&["log", "--reverse", format, "main"]);
    let mut found = BTreeMap::new();
    for line in log.lines().skip(1) {
        let (commit, action) = line.split_once(' ').unwrap();
        assert_eq!(found.insert(action, commit), None, "{action} has two commits");
    }
    let expected: BTreeMap<_, _> = actions
        .iter()
        .filter_map(|action| {
            Some((text(action, "actionId"), action["result"]["commitId"].as_str()?))
        })
        .collect();
    assert_eq!(found, expected);
}

/// What is listed is deployed, by the deployment that the list names, and nothing else is.
fn check_lists(server: &Server, actions: &[Value], images: &[Value]) {
    let mut listed = BTreeSet::new();
    for (environment, _) in ENVIRONMENTS {
        for entry in server.list(&environment.to_lowercase(), "deploy") {
            let deployment = actions.iter().find(|a| a["actionId"] == entry["deploymentId"]);
            let deployment = deployment.unwrap_or_else(|| panic!("who deployed {entry:#}"));
            assert_eq!(
                (text(deployment, "action"), text(deployment, "state")),
                ("deploy", "succeeded")
            );
            assert_eq!(Image::of(deployment), Image::of(&entry));
            let pinned = format!("{}@{}", text(&entry, "image"), text(&entry, "digest"));
            assert_eq!(deployment["result"]["image"], pinned);
            listed.insert((
                environment.to_owned(),
                text(&entry, "imageUID").to_owned(),
                text(&entry, "imageVersion").to_owned(),
            ));
        }
    }
    let deployed = images.iter().filter(|image| image["status"] == "deployed");
    let deployed: BTreeSet<_> = deployed
        .map(|image| {
            let field = |name| text(image, name).to_owned();
            (field("currentEnvironment"), field("imageUID"), field("imageVersion"))
        })
        .collect();
    assert_eq!(listed, deployed);
}

/// Every image has its one object and its chart; beside them there are only the copies that
/// transfers leave. The objects that are there are named `<bucket>/<key>`.
pub(crate) fn check_objects(server: &Server, found: &BTreeSet<String>) {
    let actions = server.all("/v1/actions");
    let images = server.all("/v1/images");
    let mut expected = BTreeSet::new();
    for image in &images {
        let environment = text(image, "currentEnvironment");
        let object = object(image);
        if image["status"] == "deleted" {
            expected.insert(left(environment, &object));
        } else {
            let (_, bucket) = ENVIRONMENTS.iter().find(|(name, _)| *name == environment).unwrap();
            expected.insert(format!("{bucket}/{object}"));
        }
        assert_eq!(image["runningAction"], Value::Null);
        assert_eq!(server.get(&Image::of(image).path("chart")).status, 200, "{image:#}");
    }
    let is_done =
        |action: &&Value| action["state"] == "succeeded" && action["action"] == "transfer";
    for transfer in actions.iter().filter(is_done) {
        expected.insert(left(text(transfer, "environment"), &object(transfer)));
    }
    assert_eq!(*found, expected);
}

fn object(image: &Value) -> String {
    format!("{}-{}.tar", text(image, "imageUID"), text(image, "imageVersion"))
}

fn left(environment: &str, object: &str) -> String {
    format!("deleted-image-bucket/{}/{object}", environment.to_lowercase())
}
