//! View chart: four forms of what would be applied, and what is committed then.

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use orbit_core::testing::archives::docker_archive;
use serde_json::{Value, json};

use crate::harness::{Image, Server, image, metadata, pointers, refused};

/// Uploads an image with everything that the form takes.
fn full(server: &Server) -> Image {
    let mut said = metadata("Trolls", "v0-0-01");
    let form = json!({
        "port": 8080,
        "envVars": [{ "key": "ON", "value": "yes" }, { "key": "BRACES", "value": "{{ .Values }}" }],
        "volumes": [{ "key": "/srv/data", "value": "/data" }],
        "imageLabels": [{ "key": "team", "value": "music" }],
        "entrypointOverride": "serve --on 'all of it'",
        "commandOverride": ["a", "b c"],
        "workingDir": "/srv",
    });
    for (field, value) in form.as_object().unwrap() {
        said["imageMetadata"][field] = value.clone();
    }
    Image::of(&server.upload(&said, &docker_archive(&image("Trolls"))).expect(200))
}

fn chart(server: &Server, image: &Image, format: &str) -> Vec<u8> {
    let answer = server.get(&format!("{}?format={format}", image.path("chart")));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.body
}

fn kustomize(server: &Server, image: &Image) -> BTreeMap<String, String> {
    let files: Value = serde_json::from_slice(&chart(server, image, "kustomize")).unwrap();
    serde_json::from_value(files["files"].clone()).unwrap()
}

fn objects(yaml: &str) -> Vec<Value> {
    yaml.split("---\n").map(|document| serde_saphyr::from_str(document).unwrap()).collect()
}

#[test]
fn the_yaml_and_the_json_of_a_chart_are_the_same_objects() {
    let server = Server::start();
    let image = full(&server);
    let yaml = String::from_utf8(chart(&server, &image, "yaml")).unwrap();
    let json: Vec<Value> = serde_json::from_slice(&chart(&server, &image, "json")).unwrap();
    assert_eq!(objects(&yaml), json);
}

#[test]
fn everything_that_the_form_takes_is_in_the_chart() {
    let server = Server::start();
    let image = full(&server);
    let json: Vec<Value> = serde_json::from_slice(&chart(&server, &image, "json")).unwrap();
    let kinds: Vec<_> = json.iter().map(|object| &object["kind"]).collect();
    assert_eq!(kinds, ["ConfigMap", "Service", "Deployment"]);
    assert_eq!(json[0]["data"], json!({ "ON": "yes", "BRACES": "{{ .Values }}" }));
    let ports = json!([{ "port": 8080, "targetPort": 8080 }]);
    assert_eq!(json[1]["spec"]["ports"], ports);
    let container = &json[2]["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["command"], json!(["serve", "--on", "all of it"]));
    assert_eq!(container["args"], json!(["a", "b c"]));
    assert_eq!(container["workingDir"], "/srv");
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/data");
    let digest = server.shown(&image)["digest"].as_str().unwrap().to_owned();
    assert!(container["image"].as_str().unwrap().ends_with(&digest), "{container:#}");
    for object in &json {
        assert_eq!(object["metadata"]["labels"]["team"], "music");
        assert_eq!(object["metadata"]["namespace"], "development");
    }
}

#[test]
fn what_is_shown_is_what_a_deployment_commits() {
    let server = Server::start();
    let image = full(&server);
    let before = kustomize(&server, &image);
    let details = json!({ "deploymentDetail": { "replicaNumber": 4 } });
    let action = server.act(&image, "deploy", details).expect(200);
    let name = server.list("development", "deploy")[0]["name"].as_str().unwrap().to_owned();
    let app = format!("environments/development/apps/{name}/");
    let paths = server.git(&["ls-tree", "-r", "--name-only", "main", &app]);
    let committed: BTreeMap<_, _> = paths
        .lines()
        .map(|path| (path.trim_start_matches(&app).to_owned(), server.committed(path)))
        .collect();
    assert_eq!(kustomize(&server, &image), committed);
    let mut expected = before;
    expected.insert("patch-deployment.yaml".to_owned(), annotation(&action));
    let overlay = expected.get_mut("kustomization.yaml").unwrap();
    *overlay = overlay.replace("- count: 1\n", "- count: 4\n");
    *overlay = overlay.replace("replicas:\n", &format!("{}replicas:\n", patches(&name)));
    assert_eq!(committed, expected);
}

/// Returns the patch that makes every deployment change its directory.
fn annotation(deployment: &Value) -> String {
    let id = &deployment["actionId"];
    format!(
        "- op: \"add\"\n  path: \"/metadata/annotations\"\n  value:\n    \
         orbit.k8or.com/deployment-id: {id}\n"
    )
}

fn patches(name: &str) -> String {
    format!(
        "patches:\n- path: \"patch-deployment.yaml\"\n  target:\n    kind: \"Deployment\"\n    \
         name: \"{name}-deployment\"\n"
    )
}

#[test]
fn the_helm_chart_is_named_by_the_application_and_its_version() {
    let server = Server::start();
    let image = full(&server);
    let answer = server.get(&format!("{}?format=helm", image.path("chart")));
    assert_eq!(answer.status, 200);
    let mut tar = Vec::new();
    GzDecoder::new(answer.body.as_slice()).read_to_end(&mut tar).unwrap();
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(tar.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let (path, mut text) = (entry.path().unwrap().display().to_string(), String::new());
        entry.read_to_string(&mut text).unwrap();
        files.insert(path, text);
    }
    let (name, _) = files.keys().next().unwrap().split_once('/').unwrap();
    let paths = [
        "Chart.yaml",
        "templates/configmap.yaml",
        "templates/deployment.yaml",
        "templates/service.yaml",
        "values.yaml",
    ];
    assert_eq!(files.keys().cloned().collect::<Vec<_>>(), paths.map(|p| format!("{name}/{p}")));
    let about: Value = serde_saphyr::from_str(&files[&format!("{name}/Chart.yaml")]).unwrap();
    assert_eq!((&about["name"], &about["version"]), (&json!(name), &json!("0.0.1")));
    let file = format!("attachment; filename=\"{name}-v0-0-01.tgz\"");
    assert_eq!(answer.header("content-disposition"), file);
    assert!(!files[&format!("{name}/templates/configmap.yaml")].contains("{{"));
}

#[test]
fn the_chart_of_another_environment_is_shown_without_a_deployment() {
    let server = Server::start();
    let image = full(&server);
    let deployed = server.done(&image, "deploy");
    let id = deployed["actionId"].as_str().unwrap();
    let here = server.get(&image.path("chart")).text();
    assert!(here.contains(id), "{here}");
    let there = server.get(&format!("{}?environment=Production", image.path("chart"))).text();
    assert!(!there.contains(id), "{there}");
    assert!(there.contains("namespace: production\n"), "{there}");
}

#[test]
fn looking_at_a_chart_changes_nothing() {
    let server = Server::start();
    let image = full(&server);
    let (world, n_actions) = (server.world(), server.all("/v1/actions").len());
    for format in ["yaml", "json", "kustomize", "helm"] {
        assert_eq!(chart(&server, &image, format), chart(&server, &image, format), "{format}");
    }
    assert_eq!(server.world(), world);
    assert_eq!(server.all("/v1/actions").len(), n_actions);
}

#[test]
fn a_chart_that_cannot_be_shown_is_refused_by_name() {
    let server = Server::start();
    let image = full(&server);
    let chart = image.path("chart");
    let answer = server.get(&format!("{chart}?format=xml&environment=%20&of=x"));
    let problem = refused(&answer, 422, "invalid-request");
    assert_eq!(pointers(&problem), ["?format", "?environment", "?of"]);
    let answer = server.get(&format!("{chart}?environment=staging"));
    refused(&answer, 404, "environment-not-found");
    let nobody = Image { uid: "a".repeat(60), ..image };
    refused(&server.get(&nobody.path("chart")), 404, "image-not-found");
}
