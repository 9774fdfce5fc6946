//! An action's progress: a pure fold of facts.

use serde::{Deserialize, Serialize};

use crate::ActionId;
use crate::archive::Inspection;
use crate::intent::CommitId;
use crate::plan::{ActionResult, Decide, Known, Plan, Prepare, Rest, Settle, Step};
use crate::port::Stored;
use crate::scan::Summary;

/// What an action knows for good. It is written to the log before it is believed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// The plan, or after an inspection the longer one.
    Planned(Box<Plan>),
    /// There is nothing to do: an earlier action did it.
    Unchanged {
        /// The earlier action.
        earlier: ActionId,
    },
    /// A step is about to be tried for the first time.
    Started(StepRef),
    /// A step took effect.
    Done {
        /// The step.
        step: StepRef,
        /// What it found.
        finding: Finding,
    },
    /// The action cannot go on; what it prepared is undone.
    Refused(Failure),
    /// A step of the preparation is undone.
    Undone {
        /// Its place.
        step_index: usize,
    },
    /// The action is over.
    Ended(Outcome),
}

/// Names a step of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepRef {
    /// A step of the preparation, from 0.
    Prepare(usize),
    /// The decision.
    Decide,
    /// A step that settles, from 0.
    Settle(usize),
}

/// What a step found out that the plan could not know.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Finding {
    /// Nothing.
    Nothing,
    /// What an object became.
    Stored(Stored),
    /// What is in the archive.
    Inspected(Box<Inspection>),
    /// The commit.
    Committed(CommitId),
    /// The report in short.
    Scanned(Summary),
}

/// How an action ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It did what it was asked for.
    Done(Finished),
    /// An earlier action had done it.
    Unchanged {
        /// The earlier action.
        earlier: ActionId,
    },
    /// It did nothing, and nothing of it is left.
    Failed(Failure),
}

/// The result of an action with what its steps found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finished {
    /// The result.
    pub result: ActionResult,
    /// Its commit.
    pub commit: Option<CommitId>,
    /// Its report in short.
    pub summary: Option<Summary>,
}

/// Why an action failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, kebab case: `archive-truncated`.
    pub error_type: String,
    /// What was found and what was expected.
    pub message: String,
    /// True if it was refused before there was a plan.
    pub refused: bool,
}

/// What an upload's second planning goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The archive in the temporary slot.
    pub object: Stored,
    /// What is in it.
    pub inspection: Inspection,
    /// The steps that led here: the new plan begins with them.
    pub prepare: Vec<Step<Prepare>>,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Move<'a> {
    /// Look at the world and plan.
    Plan,
    /// Plan the rest, now that the archive is known.
    Replan(Box<Received>),
    /// Try a step of the preparation.
    Prepare(usize, &'a Step<Prepare>),
    /// Try the decision.
    Decide(&'a Step<Decide>),
    /// Try a step that settles.
    Settle(usize, &'a Step<Settle>),
    /// Undo a step of the preparation.
    Undo(usize, &'a Prepare),
    /// End with this outcome.
    End(Outcome),
    /// Nothing: the action has ended.
    Over(&'a Outcome),
}

/// The state of an action, folded from its facts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Saga {
    plan: Option<Plan>,
    prepared: Vec<Finding>,
    decided: Option<Finding>,
    n_settled: usize,
    started: Option<StepRef>,
    earlier: Option<ActionId>,
    failure: Option<Failure>,
    n_undone: usize,
    outcome: Option<Outcome>,
}

/// A fact that cannot follow from those before it: the log is damaged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fact {fact} does not fit an action that {state}")]
pub struct OutOfOrder {
    /// The fact.
    pub fact: &'static str,
    /// Where the action stands.
    pub state: &'static str,
}

impl Saga {
    /// Returns the state after `facts`.
    ///
    /// # Errors
    /// [`OutOfOrder`] if they cannot be the facts of an action.
    pub fn replay<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Result<Self, OutOfOrder> {
        let mut saga = Self::default();
        for fact in facts {
            saga.record(fact)?;
        }
        Ok(saga)
    }

    /// Takes a fact in.
    ///
    /// # Errors
    /// [`OutOfOrder`] if it cannot be the next one; the state is as it was.
    pub fn record(&mut self, fact: &Fact) -> Result<(), OutOfOrder> {
        if !self.expects(fact) {
            return Err(OutOfOrder { fact: fact.name(), state: self.state() });
        }
        match fact {
            Fact::Planned(plan) => self.plan = Some(Plan::clone(plan)),
            Fact::Unchanged { earlier } => self.earlier = Some(earlier.clone()),
            Fact::Started(step) => self.started = Some(*step),
            Fact::Done { step, finding } => match step {
                StepRef::Prepare(_) => self.prepared.push(finding.clone()),
                StepRef::Decide => self.decided = Some(finding.clone()),
                StepRef::Settle(_) => self.n_settled += 1,
            },
            Fact::Refused(failure) => self.failure = Some(failure.clone()),
            Fact::Undone { .. } => self.n_undone += 1,
            Fact::Ended(outcome) => self.outcome = Some(outcome.clone()),
        }
        Ok(())
    }

    /// Returns what to do next. It never changes without a new fact.
    pub fn next(&self) -> Move<'_> {
        if let Some(outcome) = &self.outcome {
            return Move::Over(outcome);
        }
        if let Some(failure) = &self.failure {
            return self.next_undo(failure);
        }
        if let Some(earlier) = &self.earlier {
            return Move::End(Outcome::Unchanged { earlier: earlier.clone() });
        }
        let Some(plan) = &self.plan else { return Move::Plan };
        if let Some(step) = plan.prepare.get(self.prepared.len()) {
            return Move::Prepare(self.prepared.len(), step);
        }
        match &plan.rest {
            Rest::AfterInspection => {
                self.received().map_or(Move::Plan, |received| Move::Replan(Box::new(received)))
            }
            Rest::Known(known) => self.next_known(known),
        }
    }

    /// Says whether a step was announced, so that its events before are recorded.
    pub fn has_started(&self, step: StepRef) -> bool {
        self.started == Some(step)
    }

    /// Returns what the archive in the temporary slot became, once it was received.
    pub fn object(&self) -> Option<&Stored> {
        self.prepared.iter().find_map(|finding| match finding {
            Finding::Stored(object) => Some(object),
            Finding::Nothing
            | Finding::Inspected(_)
            | Finding::Committed(_)
            | Finding::Scanned(_) => None,
        })
    }

    /// Says whether the action has a plan.
    pub const fn is_planned(&self) -> bool {
        self.plan.is_some()
    }

    /// Returns the outcome, if the action has ended.
    pub const fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }

    /// Returns the failure, if the action was refused.
    pub const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Returns the events that an ended plan closes with.
    pub fn known(&self) -> Option<&Known> {
        match &self.plan.as_ref()?.rest {
            Rest::AfterInspection => None,
            Rest::Known(known) => Some(known),
        }
    }

    fn next_known<'a>(&'a self, known: &'a Known) -> Move<'a> {
        let Some(decision) = &self.decided else { return Move::Decide(&known.decide) };
        if let Some(step) = known.settle.get(self.n_settled) {
            return Move::Settle(self.n_settled, step);
        }
        let commit = match decision {
            Finding::Committed(commit) => Some(commit.clone()),
            Finding::Nothing | Finding::Stored(_) | Finding::Inspected(_) | Finding::Scanned(_) => {
                None
            }
        };
        let summary = self.prepared.iter().find_map(|finding| match finding {
            Finding::Scanned(summary) => Some(*summary),
            Finding::Nothing
            | Finding::Stored(_)
            | Finding::Inspected(_)
            | Finding::Committed(_) => None,
        });
        Move::End(Outcome::Done(Finished { result: known.result.clone(), commit, summary }))
    }

    /// A refused step may have taken effect in part, so it is undone too; the last one goes first.
    fn next_undo(&self, failure: &Failure) -> Move<'_> {
        let prepare = self.plan.as_ref().map_or(&[][..], |plan| &plan.prepare);
        let n_tried = prepare.len().min(self.prepared.len() + 1);
        let left = n_tried.checked_sub(self.n_undone + 1);
        match left.and_then(|index| prepare.get(index).map(|step| (index, step))) {
            Some((index, step)) => Move::Undo(index, &step.work),
            None => Move::End(Outcome::Failed(failure.clone())),
        }
    }

    fn received(&self) -> Option<Received> {
        let object = self.object()?.clone();
        let prepare = self.plan.as_ref()?.prepare.clone();
        self.prepared.iter().find_map(|finding| match finding {
            Finding::Inspected(inspection) => {
                let (object, prepare) = (object.clone(), prepare.clone());
                Some(Received { object, inspection: Inspection::clone(inspection), prepare })
            }
            Finding::Nothing | Finding::Stored(_) | Finding::Committed(_) | Finding::Scanned(_) => {
                None
            }
        })
    }

    fn expects(&self, fact: &Fact) -> bool {
        match (fact, self.next()) {
            (Fact::Planned(_) | Fact::Unchanged { .. }, Move::Plan) => true,
            (Fact::Planned(plan), Move::Replan(_)) => {
                let goes_on = |old: &Plan| plan.prepare.starts_with(&old.prepare);
                matches!(plan.rest, Rest::Known(_)) && self.plan.as_ref().is_some_and(goes_on)
            }
            (Fact::Started(step) | Fact::Done { step, .. }, next) => next.step() == Some(*step),
            // Once the decision was sent it may arrive at any time, so only its own answer refuses it.
            (
                Fact::Refused(_),
                Move::Plan | Move::Replan(_) | Move::Prepare(..) | Move::Decide(_),
            ) => true,
            (Fact::Undone { step_index }, Move::Undo(index, _)) => *step_index == index,
            (Fact::Ended(outcome), Move::End(expected)) => *outcome == expected,
            (
                Fact::Planned(_)
                | Fact::Unchanged { .. }
                | Fact::Refused(_)
                | Fact::Undone { .. }
                | Fact::Ended(_),
                _,
            ) => false,
        }
    }

    const fn state(&self) -> &'static str {
        match self {
            Self { outcome: Some(_), .. } => "has ended",
            Self { failure: Some(_), .. } => "was refused",
            Self { decided: Some(_), .. } => "is decided",
            Self { plan: Some(_), .. } => "is planned",
            Self { .. } => "has begun",
        }
    }
}

impl Move<'_> {
    /// Returns the step that the move tries, if it tries one.
    pub const fn step(&self) -> Option<StepRef> {
        match self {
            Self::Prepare(index, _) => Some(StepRef::Prepare(*index)),
            Self::Decide(_) => Some(StepRef::Decide),
            Self::Settle(index, _) => Some(StepRef::Settle(*index)),
            Self::Plan | Self::Replan(_) | Self::Undo(..) | Self::End(_) | Self::Over(_) => None,
        }
    }
}

impl Fact {
    /// Returns a word for logs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Planned(_) => "planned",
            Self::Unchanged { .. } => "unchanged",
            Self::Started(_) => "started",
            Self::Done { .. } => "done",
            Self::Refused(_) => "refused",
            Self::Undone { .. } => "undone",
            Self::Ended(_) => "ended",
        }
    }
}

#[cfg(test)]
mod tests;
