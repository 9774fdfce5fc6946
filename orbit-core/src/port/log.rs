//! The port of actions, their facts and events, locks, leases and idempotency keys.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::event::{ActionKind, Event};
use crate::port::PortError;
use crate::query::Cursor;
use crate::request::{Actor, Request};
use crate::saga::{Fact, Outcome};
use crate::{ActionId, Digest, Environment, ImageUid, Timestamp};

/// A process that drives actions. Every start of a process has a name of its own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(pub String);

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who drives an action. An observer that sees the same lease for longer than it lasts, by its own
/// monotonic clock, may take it over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The driver.
    pub owner: Owner,
    /// Grows with every renewal and take-over.
    pub counter: u64,
}

/// An action as it began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionRecord {
    /// Its id.
    pub id: ActionId,
    /// What was asked for.
    pub request: Request,
    /// Who asked.
    pub actor: Actor,
    /// The environment the image was in, or is uploaded to.
    pub environment: Environment,
    /// When it began.
    pub at: Timestamp,
}

/// An idempotency key with its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginKey {
    /// User, method, path and key: what makes two requests the same one.
    pub scope: String,
    /// The digest of what the request says.
    pub fingerprint: Digest,
    /// Keys recorded before this are forgotten.
    pub expired_before: Timestamp,
}

/// The begin of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Begin {
    /// The action.
    pub record: ActionRecord,
    /// Its idempotency key.
    pub key: Option<BeginKey>,
    /// Its first event, number 1.
    pub event: Event,
    /// Who drives it first.
    pub owner: Owner,
}

/// What came of a begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// The action began: it holds the lock of its UID.
    New(Lease),
    /// The key stands for an earlier action with the same request.
    Earlier(ActionId),
    /// The key stands for an earlier action with another request.
    OtherRequest(ActionId),
    /// Another action holds the lock of the UID.
    Busy(ActionId),
}

/// One entry of an action's log: a fact and the events that happened with it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the action: 1, 2, 3, …
    pub number: u32,
    /// What is now known.
    pub fact: Fact,
    /// The events, numbered on from those before.
    pub events: Vec<Event>,
    /// When it was written.
    pub at: Timestamp,
}

/// All that the log knows of an action.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// How it began.
    pub record: ActionRecord,
    /// Who drives it.
    pub lease: Lease,
    /// Its entries, in order.
    pub entries: Vec<Entry>,
    /// How many events it has.
    pub n_events: u32,
}

/// Where an action stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It goes on.
    Running,
    /// It ended well.
    Succeeded,
    /// It ended, and what it had prepared is gone.
    Failed,
}

impl State {
    /// Returns the state that an outcome ends in.
    pub const fn of(outcome: Option<&Outcome>) -> Self {
        match outcome {
            None => Self::Running,
            Some(Outcome::Done(_) | Outcome::Unchanged { .. }) => Self::Succeeded,
            Some(Outcome::Failed(_)) => Self::Failed,
        }
    }

    /// Returns the lower-case word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// Keeps what actions know and did. A fact is written here before it is believed.
#[async_trait]
pub trait EventLog: Send + Sync {
    /// Begins an action: takes the lock of its UID, keeps the request, the key and the first
    /// event, all or nothing. The same begin again (by action id) is [`Begun::New`].
    ///
    /// # Errors
    /// `Unavailable`.
    async fn begin(&self, begin: &Begin) -> Result<Begun, PortError>;

    /// Appends an entry: fact and events in one. The same entry again is success. An entry with
    /// [`Fact::Ended`] ends the action and frees its lock; if the action was
    /// [refused](crate::saga::Failure::refused), its idempotency key is forgotten too.
    ///
    /// # Errors
    /// `NotFound` if there is no such action; `Conflict` if `owner` does not hold the lease, if the
    /// number is not the next, or if another entry has it; `Rejected` if the action has ended or an
    /// event's sequence is not the next.
    async fn append(
        &self,
        action: &ActionId,
        owner: &Owner,
        entry: &Entry,
    ) -> Result<(), PortError>;

    /// Returns an action's history, or `None`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn load(&self, action: &ActionId) -> Result<Option<History>, PortError>;

    /// Renews or takes over the lease of an action that has not ended, if it still is `seen`.
    ///
    /// # Errors
    /// `NotFound` if there is no such action, `Conflict` if the lease is another one by now,
    /// `Rejected` if the action has ended.
    async fn lease(
        &self,
        action: &ActionId,
        seen: &Lease,
        owner: &Owner,
    ) -> Result<Lease, PortError>;
}

/// Which actions to return.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// Only in this state.
    pub state: Option<State>,
    /// Only of this kind.
    pub kind: Option<ActionKind>,
    /// Only on this UID.
    pub uid: Option<ImageUid>,
    /// Where to go on.
    pub cursor: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}

/// How an action ended, and when.
pub type End = (Outcome, Timestamp);

/// A page of actions, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionPage {
    /// The actions, each with its lease, its end and when that was.
    pub actions: Vec<(ActionRecord, Lease, Option<End>)>,
    /// Where the next page begins, or `None` on the last one.
    pub next: Option<Cursor>,
}

/// Which events to return.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Only of this action.
    pub action: Option<ActionId>,
    /// Only of this kind of action.
    pub kind: Option<ActionKind>,
    /// Only of this UID.
    pub uid: Option<ImageUid>,
    /// With `uid`, only of this version.
    pub version: Option<crate::ImageVersion>,
    /// Only by this user.
    pub username: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// Newest first; else oldest first.
    pub newest_first: bool,
    /// Where to go on.
    pub cursor: Option<Cursor>,
    /// How many at most.
    pub limit: u32,
}

/// A page of events.
#[derive(Debug, Clone, PartialEq)]
pub struct EventPage {
    /// The events, by time, then action, then sequence.
    pub events: Vec<Event>,
    /// Where the next page begins, or `None` on the last one.
    pub next: Option<Cursor>,
}

/// Answers questions about actions and events.
#[async_trait]
pub trait Audit: Send + Sync {
    /// Returns a page of actions, newest first.
    ///
    /// # Errors
    /// `Rejected` if the cursor is of another query.
    async fn actions(&self, filter: &ActionFilter) -> Result<ActionPage, PortError>;

    /// Returns a page of events.
    ///
    /// # Errors
    /// `Rejected` if the cursor is of another query.
    async fn events(&self, filter: &EventFilter) -> Result<EventPage, PortError>;
}
