//! The base: the base template filled from an upload's form. Nothing of a deployment is in it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Chart;
use super::form::Pair;

/// The three objects of a chart.
pub(super) struct Objects {
    pub(super) config_map: Value,
    pub(super) service: Value,
    pub(super) deployment: Value,
}

/// Returns the name of an object of the chart, `<app>-service`.
pub(super) fn name(chart: &Chart, kind: &str) -> String {
    format!("{}-{kind}", chart.app)
}

/// Returns the files of the base by their path in the application's directory.
pub(super) fn files(chart: &Chart) -> BTreeMap<String, Value> {
    let objects = objects(chart);
    let kustomization = json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["deployment.yaml", "service.yaml", "configmap.yaml"],
    });
    BTreeMap::from([
        ("base/kustomization.yaml".to_owned(), kustomization),
        ("base/deployment.yaml".to_owned(), objects.deployment),
        ("base/service.yaml".to_owned(), objects.service),
        ("base/configmap.yaml".to_owned(), objects.config_map),
    ])
}

/// Returns the objects of the base.
pub(super) fn objects(chart: &Chart) -> Objects {
    Objects {
        config_map: config_map(chart),
        service: service(chart),
        deployment: deployment(chart),
    }
}

fn config_map(chart: &Chart) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name(chart, "configmap"), "labels": labels(chart)},
        "data": map(chart.form.env_vars()),
    })
}

fn service(chart: &Chart) -> Value {
    let port = chart.form.port();
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name(chart, "service"), "labels": labels(chart)},
        "spec": {
            "type": "LoadBalancer",
            "ports": [{"port": port, "targetPort": port}],
            "selector": {"app": chart.app},
        },
    })
}

fn deployment(chart: &Chart) -> Value {
    let mut pod = json!({"containers": [container(chart)]});
    let volumes = chart.form.volumes().iter().enumerate().map(|(position, volume)| {
        json!({"name": volume_name(position), "hostPath": {"path": volume.key}})
    });
    set_unless_empty(&mut pod, "volumes", volumes.collect());
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name(chart, "deployment"), "labels": labels(chart)},
        "spec": {
            // The base template's; every overlay sets its own.
            "replicas": 3,
            "selector": {"matchLabels": {"app": chart.app}},
            "template": {"metadata": {"labels": labels(chart)}, "spec": pod},
        },
    })
}

/// Returns the container; its image has the application's name, which the overlay replaces by the
/// registry's reference.
fn container(chart: &Chart) -> Value {
    let form = &chart.form;
    let mut container = json!({
        "name": "container",
        "image": format!("{}:{}", chart.app, chart.image.version),
        "ports": [{"containerPort": form.port()}],
        "envFrom": [{"configMapRef": {"name": name(chart, "configmap")}}],
    });
    let words = |words: &[String]| words.iter().cloned().map(Value::from).collect();
    set_unless_empty(&mut container, "command", words(form.entrypoint()));
    set_unless_empty(&mut container, "args", words(form.command()));
    if let Some(directory) = form.working_dir() {
        set(&mut container, "workingDir", directory.into());
    }
    let mounts = form.volumes().iter().enumerate().map(
        |(position, volume)| json!({"name": volume_name(position), "mountPath": volume.value}),
    );
    set_unless_empty(&mut container, "volumeMounts", mounts.collect());
    container
}

fn volume_name(position: usize) -> String {
    format!("volume-{position}")
}

fn labels(chart: &Chart) -> Value {
    let mut labels = map(chart.form.labels());
    set(&mut labels, "app", chart.app.as_str().into());
    set(&mut labels, "release", chart.app.as_str().into());
    labels
}

fn map(rows: &[Pair]) -> Value {
    let entries = rows.iter().map(|row| (row.key.clone(), row.value.clone().into()));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn set_unless_empty(object: &mut Value, key: &str, items: Vec<Value>) {
    if !items.is_empty() {
        set(object, key, items.into());
    }
}

/// Sets a member of what was built as an object.
pub(super) fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value);
    }
}
