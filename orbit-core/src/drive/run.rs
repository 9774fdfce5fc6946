//! One action, driven by one process.

use std::sync::{Mutex, PoisonError};

use tracing::{info, warn};

use super::see::{Blind, see};
use super::{LoggedError, Orbit, Until};
use crate::ActionId;
use crate::Timestamp;
use crate::action::{self, Case, Refusal, Verdict};
use crate::event::{Event, EventDraft};
use crate::plan::{Decide, Prepare, Settle, Step};
use crate::port::{ActionRecord, ByteStream, Entry, Kind, PortError};
use crate::saga::{Fact, Failure, Finding, Move, OutOfOrder, Outcome, Received, Saga, StepRef};

/// A saga, with what is needed to append to its log.
pub(super) struct Run<'a> {
    pub(super) orbit: &'a Orbit,
    pub(super) action: ActionRecord,
    pub(super) saga: Saga,
    /// A mutex that nobody locks: it lets a run be shared between threads, which a stream cannot be.
    body: Mutex<Option<ByteStream>>,
    n_entries: u32,
    n_events: u32,
    last: Timestamp,
}

/// What to do, taken out of the saga so that it can change meanwhile.
enum Task {
    Plan(Option<Box<Received>>),
    Prepare(usize, Step<Prepare>),
    Decide(Step<Decide>),
    Settle(usize, Step<Settle>),
    Undo(usize, Prepare),
    End(Outcome),
}

impl<'a> Run<'a> {
    pub(super) async fn open(
        orbit: &'a Orbit,
        action: &ActionId,
        body: Option<ByteStream>,
    ) -> Result<Self, PortError> {
        let history = orbit.ports.log.load(action).await?;
        let missing = || PortError::new(Kind::NotFound, format!("there is no action {action}"));
        let history = history.ok_or_else(missing)?;
        let saga =
            Saga::replay(history.entries.iter().map(|entry| &entry.fact)).map_err(damaged)?;
        let last = history.entries.last().map_or(history.record.at, |entry| entry.at);
        let n_entries = history.entries.last().map_or(0, |entry| entry.number);
        let (action, n_events, body) = (history.record, history.n_events, Mutex::new(body));
        Ok(Self { orbit, action, saga, body, n_entries, n_events, last })
    }

    pub(super) async fn go(
        mut self,
        until: Until,
        may_go_on: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Option<Outcome>, PortError> {
        loop {
            let task = match self.saga.next() {
                Move::Over(outcome) => return Ok(Some(outcome.clone())),
                _ if self.is_far_enough(until) || !may_go_on() => return Ok(None),
                Move::Plan => Task::Plan(None),
                Move::Replan(received) => Task::Plan(Some(received)),
                Move::Prepare(index, step) => Task::Prepare(index, step.clone()),
                Move::Decide(step) => Task::Decide(step.clone()),
                Move::Settle(index, step) => Task::Settle(index, step.clone()),
                Move::Undo(index, step) => Task::Undo(index, step.clone()),
                Move::End(outcome) => Task::End(outcome),
            };
            self.perform(task).await?;
        }
    }

    /// Takes the bytes of the upload, which come only once.
    pub(super) fn body(&mut self) -> Option<ByteStream> {
        self.body.get_mut().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn is_far_enough(&self, until: Until) -> bool {
        let refused = self.saga.failure().is_some();
        match until {
            Until::Planned => !refused && self.saga.is_planned(),
            Until::Received => !refused && self.saga.object().is_some(),
            Until::Ended => false,
        }
    }

    async fn perform(&mut self, task: Task) -> Result<(), PortError> {
        match task {
            Task::Plan(received) => self.plan(received.as_deref()).await,
            Task::Prepare(index, step) => self.try_prepare(index, step).await,
            Task::Decide(step) => self.try_decide(step).await,
            Task::Settle(index, step) => self.try_settle(index, step).await,
            Task::Undo(step_index, step) => {
                self.undo(&step).await?;
                self.log_step(step.name(), "undone");
                self.append(Fact::Undone { step_index }, vec![]).await
            }
            Task::End(outcome) => self.end(outcome).await,
        }
    }

    async fn try_prepare(&mut self, index: usize, step: Step<Prepare>) -> Result<(), PortError> {
        let place = StepRef::Prepare(index);
        self.announce(place, &step.before, false).await?;
        let result = self.prepare(&step.work).await;
        self.finish(place, step.work.name(), step.after, result).await
    }

    /// A decision is always announced: once it was sent it may arrive.
    async fn try_decide(&mut self, step: Step<Decide>) -> Result<(), PortError> {
        self.announce(StepRef::Decide, &step.before, true).await?;
        let result = match self.decide(&step.work).await {
            // An earlier try, of this process or another, may have arrived: then this is no refusal.
            Err(error) if error.kind() != Kind::Unavailable => {
                self.arrived(&step.work).await?.ok_or(error)
            }
            result => result,
        };
        self.finish(StepRef::Decide, step.work.name(), step.after, result).await
    }

    async fn try_settle(&mut self, index: usize, step: Step<Settle>) -> Result<(), PortError> {
        let place = StepRef::Settle(index);
        self.announce(place, &step.before, false).await?;
        let result = self.settle(&step.work).await;
        self.finish(place, step.work.name(), step.after, result).await
    }

    /// Records the events before a step, once, and that a decision is about to be sent.
    async fn announce(
        &mut self,
        step: StepRef,
        before: &[EventDraft],
        always: bool,
    ) -> Result<(), PortError> {
        if self.saga.has_started(step) || (before.is_empty() && !always) {
            return Ok(());
        }
        self.append(Fact::Started(step), before.to_vec()).await
    }

    /// Records what came of a step. What a later try may overcome is not recorded.
    async fn finish(
        &mut self,
        step: StepRef,
        name: &'static str,
        after: Vec<EventDraft>,
        result: Result<Finding, PortError>,
    ) -> Result<(), PortError> {
        match result {
            Ok(finding) => {
                self.log_step(name, "done");
                let events = after.into_iter().map(|event| finding.detail(event)).collect();
                self.append(Fact::Done { step, finding }, events).await
            }
            Err(error) if error.kind() == Kind::Unavailable => Err(error),
            Err(error) => match step {
                StepRef::Prepare(_) | StepRef::Decide => {
                    let error_type = error.error_type().unwrap_or_else(|| error_type(name));
                    self.refuse(error_type, &error.chain(), false).await
                }
                StepRef::Settle(_) => Err(error),
            },
        }
    }

    async fn plan(&mut self, received: Option<&Received>) -> Result<(), PortError> {
        let seen = match see(self.orbit, &self.action.request).await {
            Ok(seen) => seen,
            Err(Blind::Refused(refusal)) => return self.refuse_plan(&refusal).await,
            Err(Blind::Unavailable(error)) => return Err(error),
        };
        let (settings, at) = (&self.orbit.settings, self.now());
        let case = Case { action: &self.action, settings, seen: &seen, at };
        match action::plan(case, received) {
            Ok(Verdict::Plan(plan)) => self.append(Fact::Planned(plan), self.received()).await,
            Ok(Verdict::Unchanged { earlier }) => {
                self.append(Fact::Unchanged { earlier }, self.received()).await
            }
            Err(refusal) => self.refuse_plan(&refusal).await,
        }
    }

    /// Returns the event that the request's details were taken in, before the first plan.
    fn received(&self) -> Vec<EventDraft> {
        let planned = self.saga.is_planned();
        action::received_event(&self.action.request).filter(|_| !planned).into_iter().collect()
    }

    async fn refuse_plan(&mut self, refusal: &Refusal) -> Result<(), PortError> {
        let refused = !self.saga.is_planned();
        self.refuse(refusal.error_type(), &refusal.to_string(), refused).await
    }

    async fn refuse(
        &mut self,
        error_type: &str,
        message: &str,
        refused: bool,
    ) -> Result<(), PortError> {
        let id = &self.action.id;
        warn!(action.id = %id, error_type, "Action {id} cannot go on: {message}");
        let (error_type, message) = (error_type.to_owned(), message.to_owned());
        let events = if refused { self.received() } else { vec![] };
        self.append(Fact::Refused(Failure { error_type, message, refused }), events).await
    }

    async fn end(&mut self, outcome: Outcome) -> Result<(), PortError> {
        let events = match &outcome {
            Outcome::Done(_) => self.saga.known().map_or(vec![], |known| known.closing.clone()),
            Outcome::Unchanged { .. } => vec![],
            Outcome::Failed(failure) => {
                let error = LoggedError {
                    request: &self.action.request,
                    username: &self.action.actor.username,
                    action: Some(&self.action.id),
                    error_type: &failure.error_type,
                    message: &failure.message,
                };
                self.orbit.log_error(&error).await?;
                action::failure_events(&self.action.request, &failure.error_type)
            }
        };
        let id = self.action.id.clone();
        let state = crate::port::State::of(Some(&outcome)).as_str();
        self.append(Fact::Ended(outcome), events).await?;
        let kind = self.action.request.kind();
        info!(action.id = %id, action.kind = %kind, state, "Action {id} ({kind}) {state}");
        Ok(())
    }

    /// Writes a fact with its events, and believes it once it is written.
    async fn append(&mut self, fact: Fact, drafts: Vec<EventDraft>) -> Result<(), PortError> {
        let at = self.now();
        let events: Vec<_> = (self.n_events + 1..)
            .zip(drafts)
            .map(|(sequence, draft)| Event {
                action: self.action.id.clone(),
                sequence,
                draft,
                at,
                username: self.action.actor.username.clone(),
                image: self.action.request.image.clone(),
                environment: self.action.environment.clone(),
            })
            .collect();
        let n_events = events.last().map_or(self.n_events, |event| event.sequence);
        let entry = Entry { number: self.n_entries + 1, fact, events, at };
        self.orbit.ports.log.append(&self.action.id, &self.orbit.owner, &entry).await?;
        self.saga.record(&entry.fact).map_err(damaged)?;
        (self.n_entries, self.n_events, self.last) = (entry.number, n_events, at);
        Ok(())
    }

    /// Returns the present, but never a time before the last entry's.
    fn now(&self) -> Timestamp {
        self.orbit.ports.clock.now().max(self.last)
    }

    fn log_step(&self, step: &str, what: &str) {
        let (id, image) = (&self.action.id, &self.action.request.image);
        info!(action.id = %id, image.uid = %image.uid, step, "Step {step} of action {id} {what}");
    }
}

fn damaged(error: OutOfOrder) -> PortError {
    PortError::caused(Kind::Conflict, "the action's log does not fit together", error)
}

/// Names the failure of a step whose port knew no better name.
fn error_type(step: &str) -> &'static str {
    match step {
        "receive" => "upload-incomplete",
        "push" => "registry-refused",
        "commit" => "repository-refused",
        "scan" => "scan-refused",
        "insert-row" | "swap-row" => "catalog-refused",
        _ => "storage-refused",
    }
}

impl Finding {
    /// Returns an event with what the step found in its detail, if it had none.
    fn detail(&self, event: EventDraft) -> EventDraft {
        let found = match self {
            Self::Nothing => return event,
            Self::Stored(object) => {
                serde_json::json!({ "sizeBytes": object.size, "sha256": object.digest.hex() })
            }
            Self::Inspected(inspection) => {
                serde_json::json!({ "digest": inspection.manifest.digest })
            }
            Self::Committed(commit) => serde_json::json!({ "commitId": commit }),
            Self::Scanned(summary) => serde_json::json!({ "report": summary }),
        };
        if event.detail.is_null() { EventDraft { detail: found, ..event } } else { event }
    }
}
