//! Deploy: versions, details, repeats, and what is refused.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Image, Server, git, pointers, refused, skopeo};

/// Returns the application's name, as the only entry of development's deploy-list has it.
fn listed(server: &Server) -> Value {
    let mut entries = server.list("development", "deploy");
    assert_eq!(entries.len(), 1, "{entries:#?}");
    entries.remove(0)
}

fn check_deployed(server: &Server, image: &Image, deployment: &Value) {
    let shown = server.shown(image);
    assert_eq!(shown["status"], "deployed");
    assert_eq!(shown["cluster"], "not-attached");
    let entry = listed(server);
    assert_eq!(entry["imageUID"], json!(image.uid));
    assert_eq!(entry["imageVersion"], json!(image.version));
    assert_eq!(entry["digest"], shown["digest"]);
    assert_eq!(entry["deploymentId"], *deployment);
}

#[test]
fn another_version_replaces_the_entry_and_the_older_one_rolls_back() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let second = server.uploaded_version(&first, "Trolls", "v0-0-02");
    for (image, other) in [(&first, &second), (&second, &first), (&first, &second)] {
        let action = server.done(image, "deploy");
        check_deployed(&server, image, &action["actionId"]);
        let other = server.shown(other);
        assert_eq!(other["status"], "stored");
        assert_eq!(other["deployed"], json!(null));
        assert_eq!(other["deployedLabel"], "Deployed: none");
    }
    assert_eq!(server.list("development", "delete"), Vec::<Value>::new());
    let subjects = server.git(&["log", "--reverse", "--format=%s", "main"]);
    let versions: Vec<_> = subjects.lines().skip(1).map(|line| line.split(' ').nth(2)).collect();
    assert_eq!(versions, [Some("v0-0-01"), Some("v0-0-02"), Some("v0-0-01")]);
}

#[test]
fn a_deployed_image_says_since_when() {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let action = server.done(&image, "deploy");
    let shown = server.shown(&image);
    let since = shown["deployed"].as_str().unwrap();
    assert!(action["startedAt"].as_str().unwrap() <= since, "{since}");
    assert!(since <= action["endedAt"].as_str().unwrap(), "{since}");
    let (date, _) = since.split_once('T').unwrap();
    let parts: Vec<usize> = date.split('-').map(|part| part.parse().unwrap()).collect();
    let (year, month, day) = (parts[0], MONTHS[parts[1] - 1], parts[2]);
    assert_eq!(shown["deployedLabel"], format!("Deployed: {month} {day}, {year}"));
    let commit = action["result"]["commitId"].as_str().unwrap();
    let committed =
        server.git(&["show", "--no-patch", "--date=format:%Y-%m-%d", "--format=%cd", commit]);
    assert_eq!(committed.trim(), date);
}

#[test]
fn a_deployment_that_changes_nothing_answers_with_the_earlier_one() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let earlier = server.done(&image, "deploy");
    let world = server.world();
    for details in [json!({}), json!({ "deploymentDetail": { "replicaNumber": "1" } })] {
        let answer = server.act(&image, "deploy", details);
        assert_eq!(answer.expect(200), earlier);
        assert_eq!(
            answer.header("location"),
            format!("/v1/actions/{}", text(&earlier, "actionId"))
        );
    }
    assert_eq!(server.world(), world);
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

#[test]
fn other_details_are_another_deployment_of_the_same_version() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    server.done(&image, "deploy");
    let details = json!({ "deploymentDetail": {
        "containerPort": 8080,
        "replicaNumber": "2",
        "cpuLimit": "500m",
        "memoryLimit": "256Mi",
        "clusterName": "K3s Development Cluster",
    }});
    let action = server.act(&image, "deploy", details).expect(200);
    check_deployed(&server, &image, &action["actionId"]);
    let app = format!("environments/development/apps/{}", text(&listed(&server), "name"));
    let patch = server.committed(&format!("{app}/patch-deployment.yaml"));
    for value in ["500m", "256Mi", text(&action, "actionId")] {
        assert!(patch.contains(value), "{value} is not in {patch}");
    }
    let overlay = server.committed(&format!("{app}/kustomization.yaml"));
    assert!(overlay.contains("- count: 2\n"), "{overlay}");
    let chart = server.get(&image.path("chart")).text();
    for line in ["replicas: 2\n", "- containerPort: 8080\n", "cpu: 500m\n"] {
        assert!(chart.contains(line), "{line:?} is not in {chart}");
    }
}

#[test]
fn the_registry_holds_every_version_by_its_tag() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let second = server.uploaded_version(&first, "Trolls", "v0-0-02");
    for image in [&first, &second] {
        server.done(image, "deploy");
    }
    let registry = server.data().join("registry");
    let name = text(&listed(&server), "image").to_owned();
    for image in [&first, &second] {
        let reference = format!("oci:{}:{name}:{}", registry.display(), image.version);
        let seen: Value = serde_json::from_str(&skopeo(&["inspect", &reference])).unwrap();
        assert_eq!(seen["Digest"], server.shown(image)["digest"]);
    }
    let blobs = fs::read_dir(registry.join("blobs/sha256")).unwrap().count();
    assert_eq!(blobs, 6, "a manifest, a config and a layer of each version");
}

#[test]
fn a_deployment_to_another_cluster_is_refused() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let body = json!({ "deploymentDetail": { "clusterName": "K3s Testing Cluster" } });
    let problem = server.refuses((&image, "deploy"), body, (409, "wrong-cluster"));
    let detail = text(&problem, "detail");
    assert!(detail.contains("K3s Testing Cluster"), "{detail}");
    assert!(detail.contains("K3s Development Cluster"), "{detail}");
}

#[test]
fn details_that_cannot_be_are_refused_by_name() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let (world, n_actions) = (server.world(), server.all("/v1/actions").len());
    let body = json!({ "deploymentDetail": {
        "containerPort": 65536,
        "replicaNumber": -1,
        "cpuLimit": "half",
        "memoryLimit": "1 GB",
        "clusterName": ["K3s"],
        "replicas": 2,
    }});
    let answer = server.act(&image, "deploy", body);
    let problem = refused(&answer, 422, "invalid-request");
    let found: BTreeSet<_> = pointers(&problem).into_iter().collect();
    let fields =
        ["containerPort", "replicaNumber", "cpuLimit", "memoryLimit", "clusterName", "replicas"];
    let expected: BTreeSet<_> = fields.map(|name| format!("/deploymentDetail/{name}")).into();
    assert_eq!(found, expected.iter().map(String::as_str).collect());
    assert_eq!(server.world(), world);
    assert_eq!(server.all("/v1/actions").len(), n_actions);
}

#[test]
fn an_image_that_does_not_exist_cannot_be_acted_on() {
    let server = Server::start();
    let image = Image { uid: "a".repeat(60), version: "v0-0-01".to_owned() };
    for action in ["deploy", "transfer", "scan", "delete", "restore"] {
        server.refuses((&image, action), json!({}), (404, "image-not-found"));
    }
}

#[test]
fn what_another_writer_commits_between_two_deployments_stays() {
    let server = Server::start();
    let (one, two) = (server.uploaded("One"), server.uploaded("Two"));
    server.done(&one, "deploy");
    let work = server.home().join("work");
    let repository = server.data().join("repository.git");
    server.git(&["clone", "--quiet", repository.to_str().unwrap(), work.to_str().unwrap()]);
    let list = work.join("environments/development/deploy-list.yaml");
    let text = fs::read_to_string(&list).unwrap().replace("- name:", "# by hand\n- name:");
    fs::write(&list, &text).unwrap();
    let by = ["-c", "user.name=Jane", "-c", "user.email=jane@example.com"];
    let commit = [&by[..], &["commit", "--quiet", "--all", "--message", "by hand"]].concat();
    git(&work, &commit);
    git(&work, &["push", "--quiet", "origin", "HEAD:main"]);
    server.done(&two, "deploy");
    let after = server.committed("environments/development/deploy-list.yaml");
    for line in text.lines() {
        assert!(after.lines().any(|other| other == line), "{line:?} is not in {after}");
    }
    assert_eq!(server.list("development", "deploy").len(), 2);
}
