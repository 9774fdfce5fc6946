//! What every plan must keep, whatever it was made from.

use std::collections::BTreeSet;

use crate::action::Seen;
use crate::event::EventType;
use crate::image::Image;
use crate::place::Slot;
use crate::plan::{Decide, Known, Leftover, Plan, Prepare, Rest, Settle, Swap};
use crate::port::Tag;

/// What a plan does not keep. A plan that has one is a fault in Orbit, not in its input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// Something lay in a place that the plan fills, and it was not this action's.
    #[error("{0} is filled, but something lies there")]
    Occupied(String),
    /// A place is filled that nobody looked at.
    #[error("{0} is filled, but was not looked at")]
    Unseen(String),
    /// Two steps put something into the same place.
    #[error("{0} is filled twice")]
    FilledTwice(String),
    /// Something is removed that the plan does not copy first.
    #[error("{0} is removed, but no copy of it was made")]
    RemovedUncopied(String),
    /// Something is removed that the plan itself put.
    #[error("{0} is put and removed")]
    PutAndRemoved(String),
    /// A row of another UID is changed.
    #[error("the row of {0} is changed, which is of another UID")]
    ForeignRow(String),
    /// A row is changed from a revision that was not seen.
    #[error("the row of {0} is changed from a revision that was not seen")]
    UnseenRevision(String),
    /// A row is changed twice.
    #[error("the row of {0} is changed twice")]
    ChangedTwice(String),
    /// An event of another kind of action, or out of its order, or twice.
    #[error("event {0} does not belong where it is")]
    MisplacedEvent(EventType),
    /// A commit is of another action.
    #[error("the commit is of another action")]
    ForeignCommit,
}

/// Checks what every plan must keep:
///
/// * every slot it fills was seen empty, or is swept of a leftover first, and is filled once;
/// * nothing is removed before a copy of just that was made and checked elsewhere;
/// * only rows of its UID change, each at most once, from the revision that was seen;
/// * its events are its action's, each once, in the mission's order.
///
/// That a plan has at most one commit, and decides by it, is in its type: only a decision can commit.
///
/// # Errors
/// The first [`Violation`].
pub fn check(plan: &Plan, seen: &Seen, uid: &crate::ImageUid) -> Result<(), Violation> {
    fills_are_free(plan, seen)?;
    events_are_ordered(plan)?;
    let Rest::Known(known) = &plan.rest else { return Ok(()) };
    removals_are_copied(plan, known)?;
    rows_are_seen(known, seen, uid)?;
    match &known.decide.work {
        Decide::Commit(commit) if commit.action != plan.action => Err(Violation::ForeignCommit),
        Decide::Commit(_) | Decide::Insert(_) | Decide::Swap(_) => Ok(()),
    }
}

fn fills_are_free(plan: &Plan, seen: &Seen) -> Result<(), Violation> {
    let mut filled = BTreeSet::new();
    let mut swept = Vec::new();
    let mut fill = |place: String| {
        if filled.insert(place.clone()) { Ok(()) } else { Err(Violation::FilledTwice(place)) }
    };
    for step in &plan.prepare {
        if let Prepare::Sweep(leftover) = &step.work {
            swept.push(leftover);
        }
        if let Some(slot) = step.work.fills() {
            fill(slot.to_string())?;
            let found = seen.objects.get(slot);
            let found = found.ok_or_else(|| Violation::Unseen(slot.to_string()))?.as_ref();
            let is_swept = |tag: &Tag| {
                let image = Leftover::Image { slot: slot.clone(), tag: tag.clone() };
                swept.contains(&&image)
            };
            let foreign = found.filter(|object| object.writer != plan.action);
            if foreign.is_some_and(|object| !is_swept(&object.tag)) {
                return Err(Violation::Occupied(slot.to_string()));
            }
        }
        if let Some(key) = step.work.puts() {
            fill(format!("{key:?}"))?;
        }
        if let Prepare::Chart { place, .. } = &step.work {
            fill(place.to_string())?;
        }
    }
    sweeps_are_leftovers(plan, &swept)
}

/// What is swept lies where the plan puts something of its own, and is no source of a copy.
fn sweeps_are_leftovers(plan: &Plan, swept: &[&Leftover]) -> Result<(), Violation> {
    // An upload puts the rest of what it sweeps for only in its second plan.
    let Rest::Known(_) = &plan.rest else { return Ok(()) };
    for leftover in swept {
        let (is_filled, place) = match leftover {
            Leftover::Image { slot, .. } => {
                (plan.prepare.iter().any(|step| step.work.fills() == Some(slot)), slot.to_string())
            }
            Leftover::Record { key, writer } => {
                let is_put = plan.prepare.iter().any(|step| step.work.puts() == Some(key));
                (is_put && *writer != plan.action, format!("{key:?}"))
            }
        };
        if !is_filled {
            return Err(Violation::RemovedUncopied(place));
        }
    }
    Ok(())
}

fn removals_are_copied(plan: &Plan, known: &Known) -> Result<(), Violation> {
    let works = || plan.prepare.iter().map(|step| &step.work);
    for step in &known.settle {
        match &step.work {
            Settle::RemoveImage { slot, tag } => {
                let is_copy = |work: &Prepare| {
                    matches!(work, Prepare::Copy { from, object, to }
                        if from == slot && object.tag == *tag && to != slot)
                };
                if !works().any(is_copy) {
                    return Err(Violation::RemovedUncopied(slot.to_string()));
                }
                refuse_own_removal(plan, slot)?;
            }
            Settle::RemoveChart { place, .. } => {
                let is_copy = |work: &Prepare| {
                    matches!(work, Prepare::Chart { place: to, chart }
                        if to.shelf != place.shelf && chart.revision() == place.revision)
                };
                if !works().any(is_copy) {
                    return Err(Violation::RemovedUncopied(place.to_string()));
                }
            }
            Settle::Swap(_) | Settle::Record(_) => {}
        }
    }
    Ok(())
}

/// The temporary slot is the one place that an action both fills and empties.
fn refuse_own_removal(plan: &Plan, slot: &Slot) -> Result<(), Violation> {
    let copied_to = |work: &Prepare| matches!(work, Prepare::Copy { to, .. } if to == slot);
    if plan.prepare.iter().any(|step| copied_to(&step.work)) {
        return Err(Violation::PutAndRemoved(slot.to_string()));
    }
    Ok(())
}

fn rows_are_seen(known: &Known, seen: &Seen, uid: &crate::ImageUid) -> Result<(), Violation> {
    let mut changed = BTreeSet::new();
    let mut change = |image: &Image| {
        if image.id.uid != *uid {
            return Err(Violation::ForeignRow(image.id.to_string()));
        }
        let first = changed.insert(image.id.clone());
        if first { Ok(()) } else { Err(Violation::ChangedTwice(image.id.to_string())) }
    };
    let revision_of = |image: &Image| {
        let row = seen.versions.iter().find(|row| row.image.id == image.id);
        row.map_or(0, |row| row.revision)
    };
    let check_swap = |swap: &Swap| {
        let seen = revision_of(&swap.image) == swap.expected && swap.expected > 0;
        if seen { Ok(()) } else { Err(Violation::UnseenRevision(swap.image.id.to_string())) }
    };
    match &known.decide.work {
        Decide::Insert(image) => {
            change(image)?;
            if revision_of(image) > 0 {
                return Err(Violation::UnseenRevision(image.id.to_string()));
            }
        }
        Decide::Swap(swap) => {
            change(&swap.image)?;
            check_swap(swap)?;
        }
        Decide::Commit(_) => {}
    }
    for step in &known.settle {
        match &step.work {
            Settle::Swap(swap) => {
                change(&swap.image)?;
                check_swap(swap)?;
            }
            Settle::RemoveImage { .. } | Settle::RemoveChart { .. } | Settle::Record(_) => {}
        }
    }
    Ok(())
}

fn events_are_ordered(plan: &Plan) -> Result<(), Violation> {
    let prepared = plan.prepare.iter().flat_map(|step| step.before.iter().chain(&step.after));
    let mut drafts: Vec<_> = prepared.collect();
    if let Rest::Known(known) = &plan.rest {
        drafts.extend(known.decide.before.iter().chain(&known.decide.after));
        drafts.extend(known.settle.iter().flat_map(|step| step.before.iter().chain(&step.after)));
        drafts.extend(&known.closing);
    }
    let mut last = None;
    for draft in drafts {
        let place = EventType::ALL.iter().position(|event| *event == draft.event);
        if draft.event.action() != plan.kind || place <= last {
            return Err(Violation::MisplacedEvent(draft.event));
        }
        last = place;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
