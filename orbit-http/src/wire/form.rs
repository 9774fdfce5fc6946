//! The forms of charts and deployments, from JSON to the core's texts and from those to its types.

use orbit_core::chart::form::{ChartForm, FormFaults, FormText, Pair};
use orbit_core::chart::{DeploymentDetail, DetailText};
use serde_json::Value;

use super::{Faults, Fields};

/// Takes the manifest input out of `imageMetadata`.
pub(super) fn chart(fields: &mut Fields<'_>) -> Option<ChartForm> {
    let text = FormText {
        port: fields.number_or_text("port"),
        env_vars: pairs(fields, "envVars"),
        volumes: pairs(fields, "volumes"),
        image_labels: pairs(fields, "imageLabels"),
        entrypoint_override: command(fields, "entrypointOverride"),
        command_override: command(fields, "commandOverride"),
        working_dir: fields.raw("workingDir"),
    };
    ChartForm::read(&text).map_err(|found| note(&found, fields.faults())).ok()
}

/// Takes the details out of `deploymentDetail`, but for the cluster's name.
pub(super) fn detail(fields: &mut Fields<'_>) -> Option<DeploymentDetail> {
    let text = DetailText {
        container_port: fields.number_or_text("containerPort"),
        replica_number: fields.number_or_text("replicaNumber"),
        cpu_limit: fields.number_or_text("cpuLimit"),
        memory_limit: fields.number_or_text("memoryLimit"),
    };
    DeploymentDetail::read(&text).map_err(|found| note(&found, fields.faults())).ok()
}

fn note(found: &FormFaults, faults: &Faults) {
    for field in &found.0 {
        faults.note(field.pointer.clone(), field.fault.to_string());
    }
}

fn pairs(fields: &mut Fields<'_>, name: &'static str) -> Vec<Pair> {
    let rows = fields.list(name).into_iter().map(|mut row| {
        let key = row.raw("key").unwrap_or_default();
        let value = row.number_or_text("value").unwrap_or_default();
        row.end();
        Pair { key, value }
    });
    rows.collect()
}

/// Takes a command: a line as a shell would split it, or a list of words.
fn command(fields: &mut Fields<'_>, name: &'static str) -> Option<String> {
    match fields.take(name)? {
        Value::String(text) => Some(text),
        list @ Value::Array(_) => Some(list.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            fields.note(name, "is neither a text nor a list of texts");
            None
        }
    }
}
