//! The overlay: all that one deployment adds to the base, and what the two make together.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::base::{self, name, set};
use super::{Chart, Target};

/// The annotation by which Argo CD's report finds its deployment.
const DEPLOYMENT_ID: &str = "orbit.k8or.com/deployment-id";

/// What is added to one object of the base, as RFC 6902 adds it.
///
/// A strategic merge would not do: it keys ports by their number, and so would put a second port
/// beside the one of the base.
struct Patch {
    kind: &'static str,
    file: &'static str,
    additions: Vec<(&'static str, Value)>,
}

/// Returns the files of the overlay by their path in the application's directory.
pub(super) fn files(chart: &Chart, target: &Target<'_>) -> BTreeMap<String, Value> {
    let patches = patches(chart, target).into_iter();
    let patches: Vec<_> = patches.filter(|patch| !patch.additions.is_empty()).collect();
    let mut files = BTreeMap::new();
    files.insert("kustomization.yaml".to_owned(), kustomization(chart, target, &patches));
    for Patch { file, additions, .. } in patches {
        let operations = additions.into_iter();
        let operations = operations
            .map(|(path, value)| json!({"op": "add", "path": path, "value": value}))
            .collect();
        files.insert(file.to_owned(), operations);
    }
    files
}

/// Returns the objects in the order in which kustomize prints them.
pub(super) fn rendered(chart: &Chart, target: &Target<'_>) -> Vec<Value> {
    let mut objects = base::objects(chart);
    let [deployment, service] = patches(chart, target);
    for (path, value) in deployment.additions {
        add(&mut objects.deployment, path, value);
    }
    for (path, value) in service.additions {
        add(&mut objects.service, path, value);
    }
    let image = format!("{}@{}", target.reference, target.digest);
    add(&mut objects.deployment, "/spec/template/spec/containers/0/image", image.into());
    add(&mut objects.deployment, "/spec/replicas", chart.detail.replicas.get().into());
    let mut objects = vec![objects.config_map, objects.service, objects.deployment];
    for object in &mut objects {
        add(object, "/metadata/namespace", target.environment.namespace.as_str().into());
    }
    objects
}

fn kustomization(chart: &Chart, target: &Target<'_>, patches: &[Patch]) -> Value {
    let mut kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": target.environment.namespace,
        "resources": ["base"],
        "images": [{"name": chart.app, "newName": target.reference, "digest": target.digest}],
        "replicas": [{"name": name(chart, "deployment"), "count": chart.detail.replicas}],
    });
    let patches = patches.iter().map(|Patch { kind, file, .. }| {
        let target = json!({"kind": kind, "name": name(chart, &kind.to_ascii_lowercase())});
        json!({"path": file, "target": target})
    });
    let patches: Vec<_> = patches.collect();
    if !patches.is_empty() {
        set(&mut kustomization, "patches", patches.into());
    }
    kustomization
}

fn patches(chart: &Chart, target: &Target<'_>) -> [Patch; 2] {
    let detail = &chart.detail;
    let mut deployment = Vec::new();
    let mut service = Vec::new();
    if let Some(id) = &target.deployment {
        deployment.push(("/metadata/annotations", json!({DEPLOYMENT_ID: id})));
    }
    if let Some(secret) = &target.environment.image_pull_secret {
        deployment.push(("/spec/template/spec/imagePullSecrets", json!([{"name": secret}])));
    }
    if let Some(port) = detail.container_port {
        let path = "/spec/template/spec/containers/0/ports/0/containerPort";
        deployment.push((path, json!(port)));
        service.push(("/spec/ports/0/port", json!(port)));
        service.push(("/spec/ports/0/targetPort", json!(port)));
    }
    let mut limits = json!({});
    if let Some(cpu) = &detail.cpu_limit {
        set(&mut limits, "cpu", json!(cpu));
    }
    if let Some(memory) = &detail.memory_limit {
        set(&mut limits, "memory", json!(memory));
    }
    if limits != json!({}) {
        let path = "/spec/template/spec/containers/0/resources";
        deployment.push((path, json!({"limits": limits})));
    }
    [
        Patch { kind: "Deployment", file: "patch-deployment.yaml", additions: deployment },
        Patch { kind: "Service", file: "patch-service.yaml", additions: service },
    ]
}

/// Adds or replaces the member at `path`, whose object is in the base.
fn add(object: &mut Value, path: &str, value: Value) {
    let (parent, member) = path.rsplit_once('/').expect("a pointer begins with a slash");
    set(object.pointer_mut(parent).expect("the base has what is added to"), member, value);
}
