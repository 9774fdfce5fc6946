//! The one loop that acts: it carries a saga's moves out on the ports and decides nothing.

mod blobs;
mod run;
mod see;
mod work;

use crate::action::{self, Refusal, Settings};
use crate::event::Event;
use crate::place::{RecordTable, Slot};
use crate::port::{
    ActionRecord, Begin, BeginKey, Begun, ByteStream, Kind, Lease, Owner, PortError, Ports, Record,
    RecordKey,
};
use crate::request::{Actor, Request};
use crate::saga::Outcome;
use crate::{ActionId, ImageUid, Timestamp};

pub use blobs::StoredBlobs;

/// One installation of Orbit: its ports, its settings, and the name this process drives actions by.
///
/// A service that embeds Orbit calls [`begin`](Self::begin), and then [`drive`](Self::drive) until
/// the action has ended; after an error of kind [`Kind::Unavailable`] it drives again, later or in
/// another process.
#[derive(Debug, Clone)]
pub struct Orbit {
    /// The ports.
    pub ports: Ports,
    /// The settings.
    pub settings: Settings,
    /// This process.
    pub owner: Owner,
}

/// An action that began, or the one that its idempotency key stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepted {
    /// It began; this process holds its lease.
    New(ActionId, Lease),
    /// The same request began it before.
    Earlier(ActionId),
}

/// Why an action did not begin.
#[derive(Debug, thiserror::Error)]
pub enum NotBegun {
    /// It may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// How far an action is to be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// Until it has a plan, or is refused.
    Planned,
    /// Until the bytes of an upload are stored, or it is refused.
    Received,
    /// To its end.
    Ended,
}

impl Orbit {
    /// Begins an action: takes the lock of the image's UID and keeps the request.
    ///
    /// # Errors
    /// [`NotBegun::Refused`] if there is no such image, if another action holds the lock, or if the
    /// idempotency key was used for another request; nothing is kept then.
    pub async fn begin(
        &self,
        request: Request,
        actor: Actor,
        key: Option<BeginKey>,
    ) -> Result<Accepted, NotBegun> {
        let versions = self.ports.catalog.versions(&request.image.uid).await?;
        let environment = action::environment(&request, &versions, &self.settings)?;
        let (id, at) = self.new_id()?;
        let record = ActionRecord { id: id.clone(), request, actor, environment, at };
        let event = Event {
            action: id.clone(),
            sequence: 1,
            draft: action::first_event(&record.request),
            at,
            username: record.actor.username.clone(),
            image: record.request.image.clone(),
            environment: record.environment.clone(),
        };
        let begin = Begin { record, key, event, owner: self.owner.clone() };
        match self.ports.log.begin(&begin).await? {
            Begun::New(lease) => Ok(Accepted::New(id, lease)),
            Begun::Earlier(earlier) => Ok(Accepted::Earlier(earlier)),
            Begun::OtherRequest(earlier) => Err(Refusal::KeyReused { earlier }.into()),
            Begun::Busy(running) => Err(Refusal::ActionInProgress { running }.into()),
        }
    }

    /// Drives an action as far as asked and returns its outcome, if it has ended.
    ///
    /// This process must hold the action's lease. It may be called again after any error.
    ///
    /// # Errors
    /// The first port error that a later try may overcome, and [`Kind::Conflict`] if another process
    /// has taken the action over.
    pub async fn drive(
        &self,
        action: &ActionId,
        until: Until,
    ) -> Result<Option<Outcome>, PortError> {
        self.drive_while(action, until, &|| true).await
    }

    /// Drives an action like [`drive`](Self::drive), but stops with `None` before the first step at
    /// which `may_go_on` says no, so that a process can end without breaking off a call.
    ///
    /// # Errors
    /// As [`drive`](Self::drive).
    pub async fn drive_while(
        &self,
        action: &ActionId,
        until: Until,
        may_go_on: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Option<Outcome>, PortError> {
        run::Run::open(self, action, None).await?.go(until, may_go_on).await
    }

    /// Stores the bytes of an upload and returns once they are kept, or the outcome if it failed.
    ///
    /// # Errors
    /// As [`drive`](Self::drive); the bytes are lost then, and the action will fail.
    pub async fn receive(
        &self,
        action: &ActionId,
        body: ByteStream,
    ) -> Result<Option<Outcome>, PortError> {
        run::Run::open(self, action, Some(body)).await?.go(Until::Received, &|| true).await
    }

    /// Draws a UID that no image has yet.
    ///
    /// # Errors
    /// `Unavailable` if the random source or the catalog does not answer.
    pub async fn draw_uid(&self) -> Result<ImageUid, PortError> {
        loop {
            let mut random = [0; 256];
            self.ports.entropy.fill(&mut random)?;
            let Some(uid) = ImageUid::draw(&random) else { continue };
            if self.ports.catalog.versions(&uid).await?.is_empty() {
                return Ok(uid);
            }
        }
    }

    /// Puts a refused or failed request into the error log.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn log_error(&self, error: &LoggedError<'_>) -> Result<(), PortError> {
        let (id, at) = match error.action {
            Some(action) => (action.clone(), self.ports.clock.now()),
            None => self.new_id()?,
        };
        let record = error.record(id, at);
        match self.ports.records.put(&record).await {
            // The same error was kept by an earlier try, at another time.
            Err(conflict) if conflict.kind() == Kind::Conflict => Ok(()),
            result => result,
        }
    }

    fn new_id(&self) -> Result<(ActionId, Timestamp), PortError> {
        let at = self.ports.clock.now();
        let mut random = [0; 10];
        self.ports.entropy.fill(&mut random)?;
        Ok((ActionId::new(at, random), at))
    }
}

/// A refused or failed request, for the error log.
#[derive(Debug)]
pub struct LoggedError<'a> {
    /// What was asked for.
    pub request: &'a Request,
    /// Who asked.
    pub username: &'a str,
    /// The action, if one began.
    pub action: Option<&'a ActionId>,
    /// Stable, kebab case.
    pub error_type: &'a str,
    /// What was found and what was expected.
    pub message: &'a str,
}

impl LoggedError<'_> {
    fn record(&self, id: ActionId, at: Timestamp) -> Record {
        let request = self.request;
        let body = serde_json::json!({
            "errorId": id,
            "errorType": self.error_type,
            "message": self.message,
            "action": request.kind(),
            "actionId": self.action,
            "PID": request.kind().error_pid(),
            "username": self.username,
            "imageUID": request.image.uid,
            "imageVersion": request.image.version,
        });
        let (partition, sort) = (self.username.to_owned(), id.to_string());
        let key = RecordKey { table: RecordTable::ErrorLog, partition, sort };
        Record { key, body, at, writer: id }
    }
}

fn not_there(slot: &Slot) -> PortError {
    PortError::new(Kind::NotFound, format!("nothing lies in {slot}")).typed("storage-incomplete")
}
