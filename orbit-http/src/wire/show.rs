//! Images, actions, events and errors as answers show them.

use orbit_core::event::Event;
use orbit_core::plan::ActionResult;
use orbit_core::port::{ActionRecord, Facets, History, Record, State};
use orbit_core::query::StatusName;
use orbit_core::saga::{Fact, Failure, Finished, Outcome};
use orbit_core::{
    ActionId, ClusterState, Environment, EnvironmentSpec, Environments, Image, Status, Timestamp,
};
use serde_json::{Value, json};

use crate::reply::Problem;

/// Returns an image, with the action that runs on its UID.
pub(crate) fn image(image: &Image, running: Option<&ActionId>) -> Value {
    let (deployed, cluster) = match &image.status {
        Status::Deployed { since, cluster, .. } => (Some(since.rfc3339()), Some(*cluster)),
        Status::Stored | Status::Deleted { .. } => (None, None),
    };
    let labels = &image.labels;
    json!({
        "imageUID": image.id.uid,
        "imageVersion": image.id.version,
        "imageName": labels.name,
        "imageCategory": labels.category,
        "description": labels.description,
        "part": labels.part,
        "tail": labels.tail,
        "icao": labels.icao,
        "currentEnvironment": image.environment.label(),
        "status": StatusName::of(&image.status).as_str(),
        "deployed": deployed,
        "deployedLabel": image.deployed_label(),
        "cluster": cluster.map(cluster_word),
        "scanned": image.report.is_some(),
        "digest": image.digest,
        "sizeBytes": image.size,
        "createdAt": image.created.rfc3339(),
        "updatedAt": image.updated.rfc3339(),
        "runningAction": running,
    })
}

const fn cluster_word(state: ClusterState) -> &'static str {
    match state {
        ClusterState::Confirmed => "confirmed",
        ClusterState::NotAttached => "not-attached",
    }
}

/// An action with its end, if it has ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActionView<'a> {
    /// How it began.
    pub(crate) record: &'a ActionRecord,
    /// How it ended, and when.
    pub(crate) end: Option<(&'a Outcome, Timestamp)>,
}

impl<'a> ActionView<'a> {
    /// Returns the action of a history.
    pub(crate) fn of(history: &'a History) -> Self {
        let end = history.entries.last().and_then(|entry| match &entry.fact {
            Fact::Ended(outcome) => Some((outcome, entry.at)),
            Fact::Planned(_)
            | Fact::Unchanged { .. }
            | Fact::Started(_)
            | Fact::Done { .. }
            | Fact::Refused(_)
            | Fact::Undone { .. } => None,
        });
        Self { record: &history.record, end }
    }

    /// Returns how the action ended, if it has.
    pub(crate) fn outcome(self) -> Option<&'a Outcome> {
        self.end.map(|(outcome, _)| outcome)
    }

    /// Returns the problem that a failure of this action is.
    pub(crate) fn problem(self, failure: &Failure) -> Problem {
        let problem = Problem::of(failure.error_type.clone(), failure.message.clone());
        problem.action(Some(&self.record.id), self.record.request.kind())
    }

    /// Returns the action as answers show it.
    pub(crate) fn json(self) -> Value {
        let record = self.record;
        let (error, result) = match self.outcome() {
            None => (None, Value::Null),
            Some(Outcome::Done(finished)) => (None, result(&record.id, finished)),
            Some(Outcome::Unchanged { earlier }) => (None, json!({ "earlierActionId": earlier })),
            Some(Outcome::Failed(failure)) => (Some(self.problem(failure).document()), Value::Null),
        };
        json!({
            "actionId": record.id,
            "action": record.request.kind(),
            "imageUID": record.request.image.uid,
            "imageVersion": record.request.image.version,
            "environment": record.environment.label(),
            "username": record.actor.username,
            "state": State::of(self.outcome()).as_str(),
            "waitingFor": null,
            "startedAt": record.at.rfc3339(),
            "endedAt": self.end.map(|(_, at)| at.rfc3339()),
            "error": error,
            "result": result,
        })
    }
}

fn result(action: &ActionId, finished: &Finished) -> Value {
    let commit = &finished.commit;
    match &finished.result {
        ActionResult::Upload { digest, size } => json!({ "digest": digest, "sizeBytes": size }),
        ActionResult::Deploy { image, cluster } => json!({
            "deploymentId": action,
            "commitId": commit,
            "image": image,
            "cluster": cluster_word(*cluster),
        }),
        ActionResult::Transfer { environment } | ActionResult::Restore { environment } => {
            json!({ "environment": environment.label(), "commitId": commit })
        }
        ActionResult::Scan => json!(finished.summary),
        ActionResult::Delete => json!({ "commitId": commit }),
    }
}

/// Returns an event.
pub(crate) fn event(event: &Event) -> Value {
    json!({
        "actionId": event.action,
        "sequence": event.sequence,
        "eventType": event.draft.event.as_str(),
        "PID": event.draft.pid,
        "createdTimestampUTC": event.at.utc(),
        "createdTimestampUnix": event.at.unix(),
        "username": event.username,
        "imageUID": event.image.uid,
        "imageVersion": event.image.version,
        "environment": event.environment.label(),
        "detail": event.draft.detail,
    })
}

/// Returns a record with its two timestamps.
pub(crate) fn record(record: &Record) -> Value {
    let mut body = record.body.clone();
    if let Some(object) = body.as_object_mut() {
        object.insert("createdTimestampUTC".to_owned(), json!(record.at.utc()));
        object.insert("createdTimestampUnix".to_owned(), json!(record.at.unix()));
    }
    body
}

/// Returns an environment, with the one that follows it.
pub(crate) fn environment(spec: &EnvironmentSpec, environments: &Environments) -> Value {
    let next = environments.after(&spec.name);
    json!({
        "name": spec.name,
        "label": spec.name.label(),
        "cluster": spec.cluster,
        "namespace": spec.namespace,
        "suffix": spec.suffix,
        "imagePullSecret": spec.image_pull_secret,
        "next": next.map(|next| &next.name),
    })
}

/// Returns facets, each as a list of values and how many images have them.
pub(crate) fn facets(facets: &Facets) -> Value {
    let counted = |values: &[(String, u64)], show: fn(&str) -> String| -> Value {
        let values = values.iter();
        values.map(|(value, count)| json!({ "value": show(value), "count": count })).collect()
    };
    json!({
        "imageCategory": counted(&facets.category, str::to_owned),
        "environment": counted(&facets.environment, label),
        "status": counted(&facets.status, str::to_owned),
        "part": counted(&facets.part, str::to_owned),
        "tail": counted(&facets.tail, str::to_owned),
    })
}

fn label(name: &str) -> String {
    name.parse().map_or_else(|_| name.to_owned(), |environment: Environment| environment.label())
}

#[cfg(test)]
mod tests;
