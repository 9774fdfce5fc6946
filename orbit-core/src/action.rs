//! What each action does: what it looks at, when it is refused, and its plan.
//!
//! Every file here has the same shape: `look` names what has to be seen, `plan` decides. Both are
//! plain functions of values.

mod delete;
mod deploy;
mod refusal;
mod restore;
mod scan;
mod scene;
mod transfer;
mod upload;

use std::collections::BTreeMap;

use serde_json::Value;

pub use refusal::Refusal;
use scene::{Pen, Scene, chart_place, one_line, put_chart};

use crate::archive::Inspection;
use crate::event::{EventDraft, EventType, ResourceNumbers};
use crate::place::{Shelf, Slot};
use crate::plan::{Leftover, Plan, Prepare, Step};
use crate::port::{ActionRecord, Lists, RecordKey, Row, Stored, StoredChart};
use crate::request::{Ask, Request};
use crate::saga::Received;
use crate::{ActionId, Environment, Environments, ImageId, Timestamp};

/// What the configuration says that decisions depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The environments, in order.
    pub environments: Environments,
    /// `<registry>/<organisation>`, before the application's name.
    pub registry: String,
    /// The limits on archives.
    pub limits: crate::archive::Limits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            environments: Environments::default(),
            registry: "docker.io/k8or-orbit-aws".to_owned(),
            limits: crate::archive::Limits::default(),
        }
    }
}

/// What has to be looked at before an action can be planned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Slots, for what lies in them.
    pub slots: Vec<Slot>,
    /// Records, for who wrote them.
    pub records: Vec<RecordKey>,
    /// Shelves, for the image's charts.
    pub shelves: Vec<Shelf>,
    /// The environment whose lists are read.
    pub lists: Option<Environment>,
    /// Whether the inspection of the archive is needed.
    pub inspection: bool,
}

/// What was seen, once, under the lock of the UID.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// The rows of all versions of the UID, oldest version first.
    pub versions: Vec<Row>,
    /// What lies in the slots that were looked at.
    pub objects: BTreeMap<Slot, Option<Stored>>,
    /// Who wrote the records that were looked at.
    pub records: BTreeMap<RecordKey, Option<ActionId>>,
    /// The image's charts, shelf by shelf.
    pub charts: BTreeMap<Shelf, Vec<StoredChart>>,
    /// The lists of the environment.
    pub lists: Option<Lists>,
    /// What validation found in the archive.
    pub inspection: Option<Inspection>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// To do this.
    Plan(Box<Plan>),
    /// Nothing: an earlier action did it.
    Unchanged {
        /// The earlier action.
        earlier: ActionId,
    },
}

/// Everything a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The action.
    pub action: &'a ActionRecord,
    /// The configuration.
    pub settings: &'a Settings,
    /// What was seen.
    pub seen: &'a Seen,
    /// The time of planning, from which every date in the plan comes.
    pub at: Timestamp,
}

/// Returns the environment that an action on an image happens in.
///
/// # Errors
/// [`Refusal::NoSuchImage`] where the catalog has no such image.
pub fn environment(
    request: &Request,
    versions: &[Row],
    settings: &Settings,
) -> Result<Environment, Refusal> {
    match request.ask {
        Ask::Upload(_) => Ok(settings.environments.first().name.clone()),
        Ask::Deploy { .. }
        | Ask::Transfer { .. }
        | Ask::Scan
        | Ask::Delete
        | Ask::Restore { .. } => {
            let row = find_row(&request.image, versions)?;
            Ok(row.image.environment.clone())
        }
    }
}

/// Returns what has to be looked at for a request on a UID with these rows.
///
/// # Errors
/// A refusal that needs no further look.
pub fn look(request: &Request, versions: &[Row], settings: &Settings) -> Result<Look, Refusal> {
    if let Ask::Upload(_) = request.ask {
        return Ok(upload::look(&request.image, settings));
    }
    let row = find_row(&request.image, versions)?;
    match request.ask {
        Ask::Upload(_) => Ok(upload::look(&request.image, settings)),
        Ask::Deploy { .. } => Ok(deploy::look(row)),
        Ask::Transfer { .. } => Ok(transfer::look(row, settings)),
        Ask::Scan => Ok(scan::look(row)),
        Ask::Delete => Ok(delete::look(row)),
        Ask::Restore { .. } => Ok(restore::look(row)),
    }
}

/// Decides what an action does.
///
/// An upload is planned twice: without `received` up to the inspection, and with it to the end.
///
/// # Errors
/// Why it is refused.
pub fn plan(case: Case<'_>, received: Option<&Received>) -> Result<Verdict, Refusal> {
    let image = &case.action.request.image;
    if let Ask::Upload(upload) = &case.action.request.ask {
        return upload::plan(case, upload, received);
    }
    let row = find_row(image, &case.seen.versions)?;
    let spec = case.settings.environments.find(&row.image.environment);
    let here = spec.ok_or_else(|| Refusal::NoSuchEnvironment(row.image.environment.clone()))?;
    if here.name != case.action.environment {
        // It was moved before this action held the lock: not what the user asked for, nor may do.
        let (named, actual) = (case.action.environment.clone(), here.name.clone());
        return Err(Refusal::WrongEnvironment { named, actual });
    }
    let scene = Scene { case, row, here };
    match &case.action.request.ask {
        Ask::Upload(upload) => upload::plan(case, upload, received),
        Ask::Deploy { detail, cluster } => deploy::plan(&scene, detail, cluster.as_deref()),
        Ask::Transfer { from, expected } => {
            transfer::plan(&scene, from.as_ref(), expected.as_ref())
        }
        Ask::Scan => scan::plan(&scene),
        Ask::Delete => delete::plan(&scene),
        Ask::Restore { expected } => restore::plan(&scene, expected.as_ref()),
    }
}

/// Returns the removal of what an action that has ended left in the places that this one fills.
///
/// Whoever holds the UID's lock is the only one that writes its places, and they are only filled
/// where the catalog says that nothing is kept: so what lies there came after its action's end.
fn sweep(case: Case<'_>, slots: &[Slot]) -> Vec<Step<Prepare>> {
    let Seen { objects, records, .. } = case.seen;
    let images = slots.iter().filter_map(|slot| {
        let object = objects.get(slot)?.as_ref()?;
        let leftover = Leftover::Image { slot: slot.clone(), tag: object.tag.clone() };
        (object.writer != case.action.id).then_some(leftover)
    });
    let records = records.iter().filter_map(|(key, writer)| {
        let writer = writer.as_ref()?;
        let leftover = Leftover::Record { key: key.clone(), writer: writer.clone() };
        (*writer != case.action.id).then_some(leftover)
    });
    images.chain(records).map(|leftover| Step::silent(Prepare::Sweep(leftover))).collect()
}

fn find_row<'a>(image: &ImageId, versions: &'a [Row]) -> Result<&'a Row, Refusal> {
    let row = versions.iter().find(|row| row.image.id == *image);
    row.ok_or_else(|| Refusal::NoSuchImage(image.clone()))
}

/// Writes events whose process id is the same in every environment.
const PLACELESS: Pen = {
    let nowhere = ResourceNumbers { bucket: 0, charts: 0 };
    Pen { here: nowhere, next: nowhere }
};

/// Returns the first event of an action, recorded as it begins.
pub fn first_event(request: &Request) -> EventDraft {
    let event = match request.ask {
        Ask::Upload(_) => EventType::UploadInitiated,
        Ask::Deploy { .. } => EventType::DeploymentInitiated,
        Ask::Transfer { .. } => EventType::TransferInitiated,
        Ask::Scan => EventType::ScanInitiated,
        Ask::Delete => EventType::DeletionInitiated,
        Ask::Restore { .. } => EventType::RestoreInitiated,
    };
    EventDraft { event, pid: request.kind().first_pid(), detail: Value::Null }
}

/// Returns the event that says that a request's details were taken in, recorded once they are
/// decided on, whatever is decided. An upload has none: its image is what is received.
pub fn received_event(request: &Request) -> Option<EventDraft> {
    let event = match request.ask {
        Ask::Upload(_) => return None,
        Ask::Deploy { .. } => EventType::DeploymentDetailReceived,
        Ask::Transfer { .. } => EventType::TransferDetailReceived,
        Ask::Scan => EventType::ScanDetailReceived,
        Ask::Delete => EventType::DeletionDetailReceived,
        Ask::Restore { .. } => EventType::RestoreDetailReceived,
    };
    Some(PLACELESS.event(event))
}

/// Returns the events that a failed action ends with.
pub fn failure_events(request: &Request, error_type: &str) -> Vec<EventDraft> {
    match request.ask {
        Ask::Deploy { .. } => {
            let detail = serde_json::json!({ "errorType": error_type });
            vec![PLACELESS.detailed(EventType::DeploymentFailed, detail)]
        }
        Ask::Upload(_) | Ask::Transfer { .. } | Ask::Scan | Ask::Delete | Ask::Restore { .. } => {
            vec![]
        }
    }
}
