//! Each store chosen on its own; who may share it; and what an installation refuses to be mixed with.

use std::path::Path;
use std::process::Output;

use serde_json::json;
use tempfile::TempDir;

use crate::fleet::{Fleet, Stores, Variables, database_url, patient, variables};
use crate::harness::{Client, Server, orbit};
use crate::objects;

/// Takes an image through every action, asking one server after the other, and looks at it in between.
pub(crate) fn journey(name: &str, servers: &[&Client]) {
    let mut turn = servers.iter().cycle();
    let mut next = || *turn.next().unwrap();
    let image = next().uploaded(name);
    let shown = |client: &Client| {
        let shown = client.shown(&image);
        (shown["status"].clone(), shown["currentEnvironment"].clone())
    };
    let is = |status: &str, environment: &str| (json!(status), json!(environment));
    assert_eq!(shown(next()), is("stored", "Development"));
    next().done(&image, "deploy");
    assert_eq!(shown(next()), is("deployed", "Development"));
    next().done(&image, "transfer");
    assert_eq!(shown(next()), is("stored", "Testing"));
    let deployed = next().done(&image, "deploy");
    next().done(&image, "scan");
    assert_eq!(next().get(&image.path("scan")).status, 200);
    next().done(&image, "delete");
    assert_eq!(shown(next()), is("deleted", "Testing"));
    next().done(&image, "restore");
    assert_eq!(shown(next()), is("stored", "Testing"));
    assert_eq!(next().get(&image.path("chart")).status, 200);
    let events = next().all(&image.path("events"));
    let completed: Vec<_> = events
        .iter()
        .map(|event| event["eventType"].as_str().unwrap())
        .filter(|name| name.ends_with("-completed") && *name != "kustomization-completed")
        .collect();
    let expected =
        ["upload", "deployment", "transfer", "deployment", "scan", "deletion", "restore"];
    assert_eq!(completed, expected.map(|name| format!("{name}-completed")));
    assert!(next().story(&deployed).ends_with("deployment-completed c8bms15-c20bre21-e190\n"));
    let found = next().all(&format!("/v1/images?q={name}&environment=testing"));
    assert_eq!(found.len(), 1);
}

#[test]
fn two_processes_take_turns_in_every_action() {
    let stores = Stores::shared();
    let fleet = Fleet::start(&stores, ("turns", 2), &[]);
    journey("Journey", &[fleet.server(0), fleet.server(1)]);
}

#[test]
fn s3_goes_with_sqlite_for_one_process() {
    let (stores, home) = (Stores::shared(), tempfile::tempdir().unwrap());
    let variables = only("IMAGES", variables(&stores, &home.path().join("data"), "-mixed"));
    assert!(set_up(&variables).status.success());
    let server = start(&variables);
    journey("Journey", &[&server]);
    assert!(!home.path().join("data/images").exists(), "images went into the directory as well");
    let said = refusal(&["serve"], &variables);
    assert!(said.contains("is open in another process"), "{said}");

    // Another data directory would be a second catalog of the same images.
    let elsewhere = home.path().join("elsewhere");
    let other = with(&variables, "ORBIT_DATA_DIR", &elsewhere.display().to_string());
    let said = refusal(&["serve"], &other);
    assert!(said.contains("the data directory belongs to no installation yet"), "{said}");
    let said = refusal(&["setup"], &other);
    assert!(said.contains("the data directory is new, and S3 belongs to installation"), "{said}");
}

#[test]
fn empty_tables_do_not_join_stores_that_are_in_use() {
    let (stores, home) = (Stores::shared(), tempfile::tempdir().unwrap());
    let variables = variables(&stores, &home.path().join("data"), "-used");
    assert!(set_up(&variables).status.success());
    // Their locks would be of nobody's actions.
    let mistyped = with(&variables, "ORBIT_TABLES__TABLE_SUFFIX", "-usde");
    let said = refusal(&["setup"], &mistyped);
    assert!(said.contains("DynamoDB is new, and MySQL belongs to installation"), "{said}");
    // Another machine's directory holds nothing of its own.
    let elsewhere = home.path().join("elsewhere").display().to_string();
    assert!(set_up(&with(&variables, "ORBIT_DATA_DIR", &elsewhere)).status.success());
}

#[test]
fn dynamodb_goes_with_images_in_a_directory() {
    let (stores, home) = (Stores::shared(), tempfile::tempdir().unwrap());
    let variables = only("TABLES", variables(&stores, &home.path().join("data"), "-tables"));
    assert!(set_up(&variables).status.success());
    journey("Journey", &[&start(&variables)]);
}

#[test]
fn mysql_goes_with_everything_else_in_a_directory() {
    let (stores, home) = (Stores::shared(), tempfile::tempdir().unwrap());
    let variables = only("CATALOG", variables(&stores, &home.path().join("data"), "-catalog"));
    assert!(set_up(&variables).status.success());
    journey("Journey", &[&start(&variables)]);
}

#[test]
fn stores_that_were_not_set_up_are_not_started_on() {
    let (stores, home) = (Stores::shared(), tempfile::tempdir().unwrap());
    let variables = variables(&stores, &home.path().join("data"), "-new");
    for section in ["IMAGES", "TABLES", "CATALOG"] {
        let said = refusal(&["serve"], &only(section, variables.clone()));
        assert!(said.contains("`orbit setup` "), "{section}: {said}");
    }
}

#[test]
fn a_setup_that_was_broken_off_goes_on() {
    let (stores, home) = (Stores::shared(), tempfile::tempdir().unwrap());
    let variables = only("IMAGES", variables(&stores, &home.path().join("data"), "-halves"));
    // The directory cannot take the id of the installation.
    let in_the_way = home.path().join("data/installation.lock");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let said = refusal(&["setup"], &variables);
    assert!(said.contains("cannot open"), "{said}");
    std::fs::remove_dir(&in_the_way).unwrap();
    let output = set_up(&variables);
    assert!(output.status.success(), "{output:?}");
    drop(start(&variables));
}

#[test]
fn a_process_without_one_of_its_buckets_is_not_ready() {
    let stores = Stores::shared();
    let fleet = Fleet::start(&stores, ("missing", 1), &[]);
    fleet.wait_until_ready(0);
    objects::delete_bucket(&stores, "app-image-1212-bkt-k8p-aws-missing");
    let answer = fleet.server(0).get("/readyz").expect(503);
    assert_eq!(answer["detail"], "these do not answer: image store");
    fleet.server(0).get("/v1/images").expect(200);
}

#[test]
fn stores_of_two_installations_are_refused() {
    let stores = Stores::shared();
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let first = variables(&stores, one.path(), "-one");
    let second = variables(&stores, two.path(), "-two");
    assert!(set_up(&first).status.success());
    assert!(set_up(&second).status.success());
    let mixed = with(&first, "ORBIT_CATALOG__URL", &database_url(&stores, "-two"));
    for command in ["serve", "setup"] {
        let said = refusal(&[command], &mixed);
        assert!(said.contains("DynamoDB belongs to installation"), "{said}");
        assert!(said.contains("expected the same one"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

/// Two `orbit setup` at once make one installation.
#[test]
fn set_up_twice_at_once_there_is_one_installation() {
    let (stores, home) = (Stores::shared(), tempfile::tempdir().unwrap());
    let variables = variables(&stores, &home.path().join("data"), "-twice");
    let outputs = std::thread::scope(|scope| {
        let tries = [(); 2].map(|()| scope.spawn(|| set_up(&variables)));
        tries.map(|one| one.join().unwrap())
    });
    let last_lines = outputs.map(|output| {
        assert!(output.status.success(), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().last().unwrap().split(": ").next().unwrap().to_owned()
    });
    assert_eq!(last_lines[0], last_lines[1]);
    drop(start(&variables));
}

/// Returns the variables that put only one part of the data into a shared store.
fn only(section: &str, variables: Variables) -> Variables {
    let is_kept = |name: &str| {
        let sections = ["IMAGES", "TABLES", "CATALOG"];
        let other = |other: &&str| name.starts_with(&format!("ORBIT_{other}__"));
        sections.iter().find(|name| other(name)).is_none_or(|name| *name == section)
    };
    variables.into_iter().filter(|(name, _)| is_kept(name)).collect()
}

fn with(variables: &Variables, name: &'static str, value: &str) -> Variables {
    let others = variables.iter().filter(|(other, _)| *other != name).cloned();
    others.chain([(name, value.to_owned())]).collect()
}

fn start(variables: &Variables) -> Server {
    let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Server::start_with(&variables)
}

fn set_up(variables: &Variables) -> Output {
    run(&["setup"], &patient(variables))
}

/// Runs the program, which must refuse, and returns what it says.
fn refusal(arguments: &[&str], variables: &Variables) -> String {
    let output = run(arguments, variables);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}

fn run(arguments: &[&str], variables: &Variables) -> Output {
    let mut command = orbit(arguments);
    command.current_dir(Path::new(env!("CARGO_TARGET_TMPDIR")));
    command.env("ORBIT_LISTEN", "127.0.0.1:0");
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    command.output().unwrap()
}
