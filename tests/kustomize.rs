//! The real kubectl and Helm make of Orbit's charts exactly what Orbit says that they make.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use orbit_core::chart::form::{ChartForm, FormText, Pair};
use orbit_core::chart::strategy::{TRICKY, charts};
use orbit_core::chart::{self, Chart, DeploymentDetail, Target};
use orbit_core::{Digest, EnvironmentSpec, Environments, ImageId};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::Value;
use tempfile::TempDir;

/// Charts of random forms, the same in every run.
const RANDOM_CHARTS: usize = 60;

#[test]
fn kubectl_kustomize_prints_the_yaml_that_orbit_shows() {
    let directory = TempDir::new().unwrap();
    let cases = cases();
    let mut expected = Vec::new();
    for (chart, environment) in &cases {
        let target = target(chart, environment);
        write(&directory.path().join(chart.app.as_str()), chart::files(chart, &target));
        expected.extend(documents(&chart::yaml(chart, &target)));
    }
    let names: Vec<_> = cases.iter().map(|(chart, _)| chart.app.as_str()).collect();
    let all = serde_json::json!({"resources": names}).to_string();
    fs::write(directory.path().join("kustomization.yaml"), all).unwrap();

    let mut printed = documents(&kustomize(directory.path()));
    printed.sort();
    expected.sort();
    for (printed, expected) in printed.iter().zip(&expected) {
        assert_eq!(printed, expected);
    }
    assert_eq!(printed.len(), expected.len());
}

#[test]
fn kubectl_kustomize_keeps_the_order_of_objects() {
    let directory = TempDir::new().unwrap();
    let (chart, environment) = full();
    let target = target(&chart, &environment);
    write(directory.path(), chart::files(&chart, &target));
    assert_eq!(kustomize(directory.path()), chart::yaml(&chart, &target));
}

#[test]
fn helm_renders_the_same_objects() {
    let directory = TempDir::new().unwrap();
    let parent = directory.path().join("all");
    let about = r#"{"apiVersion": "v2", "name": "all", "version": "0.0.0"}"#;
    write(&parent, [("Chart.yaml".to_owned(), about.to_owned())]);
    fs::create_dir(parent.join("charts")).unwrap();
    let mut expected = Vec::new();
    let mut archives = Vec::new();
    for (chart, environment) in &cases() {
        let target = target(chart, environment);
        let archive = parent.join("charts").join(format!("{}.tgz", chart.app));
        fs::write(&archive, chart::helm(chart, &target)).unwrap();
        archives.push(archive);
        expected.extend(chart::rendered(chart, &target));
    }
    let helm = tool("ORBIT_HELM", "helm");
    let lint = [OsStr::new("lint"), OsStr::new("--strict")].into_iter();
    run(&helm, lint.chain(archives.iter().map(|archive| archive.as_os_str())));

    let printed = run(&helm, [OsStr::new("template"), parent.as_os_str()]);
    let mut printed: Vec<Value> = serde_saphyr::from_multiple(&printed).unwrap();
    printed.sort_by_key(Value::to_string);
    expected.sort_by_key(Value::to_string);
    assert_eq!(printed, expected);
}

/// Returns charts with nothing in their form, with all tricky texts, and with random content.
fn cases() -> Vec<(Chart, EnvironmentSpec)> {
    let (full, environment) = full();
    let app = "empty-000000".parse().unwrap();
    let empty = Chart {
        app,
        form: ChartForm::default(),
        detail: DeploymentDetail::default(),
        ..full.clone()
    };
    let mut cases =
        vec![(full, environment.clone()), (empty, Environments::default().first().clone())];
    let mut runner = TestRunner::deterministic();
    for number in 0..RANDOM_CHARTS {
        let app = format!("random-{number}").parse().unwrap();
        let chart = charts(app).new_tree(&mut runner).unwrap().current();
        cases.push((chart, environment.clone()));
    }
    cases
}

/// Returns a chart with every tricky text as a variable and as a word, and an environment with a secret.
fn full() -> (Chart, EnvironmentSpec) {
    let variables = TRICKY.iter().enumerate();
    let form = FormText {
        port: Some("8080".to_owned()),
        env_vars: variables.map(|(n, text)| Pair::new(&format!("VAR{n}"), text)).collect(),
        volumes: vec![Pair::new("/srv/{{ x }}", "/data #1")],
        image_labels: vec![Pair::new("example.org/on", "no")],
        entrypoint_override: Some("sh -c 'exec \"$0\" \"$@\"'".to_owned()),
        command_override: Some(Value::from(TRICKY).to_string()),
        working_dir: Some("/app: x".to_owned()),
    };
    let detail = serde_json::json!({
        "containerPort": "9090", "replicaNumber": "2", "cpuLimit": "1", "memoryLimit": "256Mi",
    });
    let chart = Chart {
        app: "full-7f3k2q".parse().unwrap(),
        image: ImageId {
            uid: "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5".parse().unwrap(),
            version: "v0-0-01".parse().unwrap(),
        },
        image_name: "Trolls: {{ World }} Tour\n# \u{202e}(2020)".to_owned(),
        form: ChartForm::read(&form).unwrap(),
        detail: serde_json::from_value(detail).unwrap(),
    };
    let mut environment = Environments::default().first().clone();
    environment.image_pull_secret = Some("on".to_owned());
    (chart, environment)
}

fn target<'a>(chart: &Chart, environment: &'a EnvironmentSpec) -> Target<'a> {
    let is_deployed = chart.detail != DeploymentDetail::default();
    Target {
        environment,
        reference: format!("localhost:5000/k8or-orbit-aws/{}", chart.app),
        digest: Digest::of(chart.app.as_str().as_bytes()),
        deployment: is_deployed.then(|| "01JC0000000000000000000000".parse().unwrap()),
    }
}

fn write(directory: &Path, files: impl IntoIterator<Item = (String, String)>) {
    for (path, content) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

fn documents(yaml: &str) -> Vec<String> {
    let yaml = yaml.strip_suffix('\n').unwrap();
    yaml.split("\n---\n").map(str::to_owned).collect()
}

fn kustomize(directory: &Path) -> String {
    let kubectl = tool("ORBIT_KUBECTL", "kubectl");
    run(&kubectl, [OsStr::new("kustomize"), directory.as_os_str()])
}

fn run<'a>(tool: &Path, arguments: impl IntoIterator<Item = &'a OsStr>) -> String {
    let home = TempDir::new().unwrap();
    let output = Command::new(tool).args(arguments).env("HOME", home.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns the tool that `variable` names, or the one that the repository keeps, or the one on the path.
fn tool(variable: &str, name: &str) -> PathBuf {
    let named = env::var_os(variable).map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&path).map(|directory| directory.join(name));
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools").join(name);
    let mut places = named.into_iter().chain([kept]).chain(on_path);
    places.find(|place| place.is_file()).unwrap_or_else(|| {
        panic!("{name} is neither in {variable} nor on the path: ./test.sh installs it")
    })
}
