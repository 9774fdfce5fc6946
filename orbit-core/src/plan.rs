//! A plan: everything an action will do, decided before it does anything.

use serde::{Deserialize, Serialize};

use crate::archive::Inspection;
use crate::chart::Chart;
use crate::event::{ActionKind, EventDraft};
use crate::image::{ClusterState, Image};
use crate::intent::Commit;
use crate::place::{ChartPlace, Slot};
use crate::port::{Record, RecordKey, Stored, Tag};
use crate::{ActionId, Digest, Environment};

/// All that an action will do. It holds every name, key, digest, date and expected revision; whoever
/// carries it out decides nothing.
///
/// * `prepare` adds what nobody reads yet. It can be undone.
/// * `decide` is the one change that others see.
/// * `settle` repeats until it is done, and is never undone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The action.
    pub action: ActionId,
    /// What kind it is.
    pub kind: ActionKind,
    /// What to add.
    pub prepare: Vec<Step<Prepare>>,
    /// What comes then.
    pub rest: Rest,
}

/// What comes after the preparation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rest {
    /// It cannot be said before the archive was inspected: the action is planned again then, and the
    /// new plan begins with the same steps.
    AfterInspection,
    /// Decide, settle, end.
    Known(Box<Known>),
}

/// The part of a plan after its preparation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// The one visible change.
    pub decide: Step<Decide>,
    /// What follows from it.
    pub settle: Vec<Step<Settle>>,
    /// The events that are recorded with the end.
    pub closing: Vec<EventDraft>,
    /// What the action comes to.
    pub result: ActionResult,
}

/// One step, with the events before and after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step<Work> {
    /// Recorded once, before the step is tried.
    pub before: Vec<EventDraft>,
    /// What to do.
    pub work: Work,
    /// Recorded with the fact that it is done.
    pub after: Vec<EventDraft>,
}

/// A step that adds, or that makes sure of something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prepare {
    /// Remove what an action that has ended left in a place that this one fills: a write that came
    /// later than its end.
    Sweep(Leftover),
    /// Store the bytes of an upload as they come in. Only the request that brings them can.
    Receive {
        /// Where to.
        slot: Slot,
    },
    /// Check the archive that was received.
    Inspect {
        /// Where it lies.
        slot: Slot,
    },
    /// Make sure that an object is still there, with its checksum.
    Verify {
        /// Where.
        slot: Slot,
        /// What.
        object: Stored,
    },
    /// Copy an object and check the copy.
    Copy {
        /// From where.
        from: Slot,
        /// What lies there.
        object: Stored,
        /// To where.
        to: Slot,
    },
    /// Put a record.
    Record(Record),
    /// Make sure that a chart is still there.
    VerifyChart {
        /// Where.
        place: ChartPlace,
    },
    /// Put a chart.
    Chart {
        /// Where to.
        place: ChartPlace,
        /// The chart.
        chart: Box<Chart>,
    },
    /// Push an image to the registry, where everything is named by its content.
    Push {
        /// `<registry>/<organisation>/<name>`.
        repository: String,
        /// The tag.
        tag: String,
        /// Where the archive lies.
        slot: Slot,
        /// The archive.
        object: Stored,
        /// What is in it.
        image: Box<Inspection>,
    },
    /// Scan an archive and keep the report.
    Scan {
        /// Where the archive lies.
        slot: Slot,
        /// The archive.
        object: Stored,
        /// What is in it.
        image: Box<Inspection>,
        /// The report's record, but for the report.
        report: Record,
    },
}

/// What an action that has ended left behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leftover {
    /// A write of an object.
    Image {
        /// Where it lies.
        slot: Slot,
        /// The write.
        tag: Tag,
    },
    /// A record.
    Record {
        /// Its key.
        key: RecordKey,
        /// The action that wrote it.
        writer: ActionId,
    },
}

/// The one change of an action that others see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decide {
    /// Insert an image's first row.
    Insert(Box<Image>),
    /// Replace an image's row.
    Swap(Box<Swap>),
    /// Commit to the repository; the rows follow in settle.
    Commit(Box<Commit>),
}

/// The replacement of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// The revision it must have.
    pub expected: u64,
    /// What it becomes.
    pub image: Image,
}

/// A step that follows from the decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Settle {
    /// Replace an image's row.
    Swap(Box<Swap>),
    /// Remove one write of an object.
    RemoveImage {
        /// Where it lies.
        slot: Slot,
        /// The write.
        tag: Tag,
    },
    /// Remove a chart.
    RemoveChart {
        /// Where it lies.
        place: ChartPlace,
        /// The action that put it there.
        writer: ActionId,
    },
    /// Put a record.
    Record(Record),
}

/// What an action comes to, as its plan knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionResult {
    /// The image is stored.
    Upload {
        /// The digest of its manifest.
        digest: Digest,
        /// The size of its archive in bytes.
        size: u64,
    },
    /// The image is deployed.
    Deploy {
        /// `name@sha256:…`.
        image: String,
        /// How sure it is.
        cluster: ClusterState,
    },
    /// The image is in the next environment.
    Transfer {
        /// Which.
        environment: Environment,
    },
    /// The report is kept.
    Scan,
    /// The image is set aside.
    Delete,
    /// The image is back.
    Restore {
        /// Where.
        environment: Environment,
    },
}

impl<Work> Step<Work> {
    /// Returns a step without events.
    pub const fn silent(work: Work) -> Self {
        Self { before: Vec::new(), work, after: Vec::new() }
    }
}

impl Prepare {
    /// Returns a word for logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sweep(_) => "sweep",
            Self::Receive { .. } => "receive",
            Self::Inspect { .. } => "inspect",
            Self::Verify { .. } => "verify-image",
            Self::Copy { .. } => "copy-image",
            Self::Record(_) => "put-record",
            Self::VerifyChart { .. } => "verify-chart",
            Self::Chart { .. } => "put-chart",
            Self::Push { .. } => "push",
            Self::Scan { .. } => "scan",
        }
    }

    /// Returns the slot that the step fills, if it fills one.
    pub const fn fills(&self) -> Option<&Slot> {
        match self {
            Self::Receive { slot } => Some(slot),
            Self::Copy { to, .. } => Some(to),
            Self::Sweep(_)
            | Self::Inspect { .. }
            | Self::Verify { .. }
            | Self::Record(_)
            | Self::VerifyChart { .. }
            | Self::Chart { .. }
            | Self::Push { .. }
            | Self::Scan { .. } => None,
        }
    }

    /// Returns the record that the step puts, if it puts one.
    pub const fn puts(&self) -> Option<&RecordKey> {
        match self {
            Self::Record(record) | Self::Scan { report: record, .. } => Some(&record.key),
            Self::Sweep(_)
            | Self::Receive { .. }
            | Self::Inspect { .. }
            | Self::Verify { .. }
            | Self::Copy { .. }
            | Self::VerifyChart { .. }
            | Self::Chart { .. }
            | Self::Push { .. } => None,
        }
    }
}

impl Decide {
    /// Returns a word for logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Insert(_) => "insert-row",
            Self::Swap(_) => "swap-row",
            Self::Commit(_) => "commit",
        }
    }
}

impl Settle {
    /// Returns a word for logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Swap(_) => "swap-row",
            Self::RemoveImage { .. } => "remove-image",
            Self::RemoveChart { .. } => "remove-chart",
            Self::Record(_) => "put-record",
        }
    }
}
