//! The world's event log.

use async_trait::async_trait;

use super::{Action, State, World, conflict, not_found, rejected};
use crate::event::Event;
use crate::port::{
    ActionFilter, ActionPage, Audit, Begin, Begun, Entry, EventFilter, EventLog, EventPage,
    History, Lease, Owner, PortError, State as ActionState,
};
use crate::query::Cursor;
use crate::saga::{Fact, Outcome, Saga};
use crate::{ActionId, ImageVersion};

impl State {
    fn action(&mut self, id: &ActionId) -> Result<&mut Action, PortError> {
        self.actions.get_mut(id).ok_or_else(|| not_found(format!("there is no action {id}")))
    }

    fn begin(&mut self, begin: Begin) -> Begun {
        let Begin { record, key, event, owner } = begin;
        if let Some(action) = self.actions.get(&record.id) {
            return Begun::New(action.lease.clone());
        }
        if let Some(new) = &key {
            match self.keys.get(&new.scope) {
                Some((_, _, at)) if *at < new.expired_before => {}
                Some((old, id, _)) if old.fingerprint == new.fingerprint => {
                    return Begun::Earlier(id.clone());
                }
                Some((_, id, _)) => return Begun::OtherRequest(id.clone()),
                None => {}
            }
        }
        let uid = record.request.image.uid.clone();
        if let Some(running) = self.locks.get(&uid) {
            return Begun::Busy(running.clone());
        }
        self.locks.insert(uid, record.id.clone());
        if let Some(key) = key {
            self.keys.insert(key.scope.clone(), (key, record.id.clone(), record.at));
        }
        let lease = Lease { owner, counter: 1 };
        let (id, entries, events) = (record.id.clone(), vec![], vec![event]);
        let action = Action { record, lease: lease.clone(), entries, events, ended: None };
        self.actions.insert(id, action);
        Begun::New(lease)
    }

    fn append(&mut self, id: &ActionId, owner: &Owner, entry: Entry) -> Result<(), PortError> {
        let action = self.action(id)?;
        if action.entries.last() == Some(&entry) {
            return Ok(());
        }
        if action.lease.owner != *owner {
            return Err(conflict(format!("{owner} does not hold the lease of {id}")));
        }
        check_next(action, &entry)?;
        action.events.extend(entry.events.iter().cloned());
        if let Fact::Ended(outcome) = &entry.fact {
            action.ended = Some((outcome.clone(), entry.at));
            let refused = matches!(outcome, Outcome::Failed(failure) if failure.refused);
            self.locks.retain(|_, holder| holder != id);
            self.keys.retain(|_, (_, holder, _)| !refused || holder != id);
        }
        self.action(id)?.entries.push(entry);
        Ok(())
    }
}

/// Refuses facts out of order, gaps and steps back in time, as no real store would notice.
fn check_next(action: &Action, entry: &Entry) -> Result<(), PortError> {
    if action.ended.is_some() {
        return Err(rejected("the action has ended"));
    }
    let n_entries = u32::try_from(action.entries.len()).unwrap_or(u32::MAX);
    if entry.number != n_entries + 1 {
        return Err(conflict(format!("entry {} follows {n_entries}", entry.number)));
    }
    let n_events = u32::try_from(action.events.len()).unwrap_or(u32::MAX);
    let gapless = entry.events.iter().zip(n_events + 1..).all(|(e, next)| e.sequence == next);
    if !gapless {
        return Err(rejected("an event's sequence is not the next"));
    }
    if action.entries.last().is_some_and(|last| last.at > entry.at) {
        return Err(rejected("an entry goes back in time"));
    }
    let facts = action.entries.iter().map(|entry| &entry.fact).chain([&entry.fact]);
    Saga::replay(facts).map(drop).map_err(|fault| rejected(fault.to_string()))
}

#[async_trait]
impl EventLog for World {
    async fn begin(&self, begin: &Begin) -> Result<Begun, PortError> {
        let begin = begin.clone();
        self.call("log.begin", move |state| Ok(state.begin(begin)))
    }

    async fn append(
        &self,
        action: &ActionId,
        owner: &Owner,
        entry: &Entry,
    ) -> Result<(), PortError> {
        let (action, owner, entry) = (action.clone(), owner.clone(), entry.clone());
        self.call("log.append", move |state| state.append(&action, &owner, entry))
    }

    async fn load(&self, action: &ActionId) -> Result<Option<History>, PortError> {
        let action = action.clone();
        self.call("log.load", move |state| {
            Ok(state.actions.get(&action).map(|action| History {
                record: action.record.clone(),
                lease: action.lease.clone(),
                entries: action.entries.clone(),
                n_events: u32::try_from(action.events.len()).unwrap_or(u32::MAX),
            }))
        })
    }

    async fn lease(
        &self,
        action: &ActionId,
        seen: &Lease,
        owner: &Owner,
    ) -> Result<Lease, PortError> {
        let (id, seen, owner) = (action.clone(), seen.clone(), owner.clone());
        self.call("log.lease", move |state| {
            let action = state.action(&id)?;
            if action.ended.is_some() {
                return Err(rejected(format!("action {id} has ended")));
            }
            let taken = Lease { owner, counter: seen.counter + 1 };
            if action.lease == taken {
                return Ok(taken);
            }
            if action.lease != seen {
                return Err(conflict(format!("the lease of {id} is another one by now")));
            }
            action.lease = taken.clone();
            Ok(taken)
        })
    }
}

#[async_trait]
impl Audit for World {
    async fn actions(&self, filter: &ActionFilter) -> Result<ActionPage, PortError> {
        let filter = filter.clone();
        self.call("audit.actions", move |state| {
            let identity =
                format!("{:?}", ActionFilter { cursor: None, limit: 0, ..filter.clone() });
            let before = open::<ActionId>(filter.cursor.as_ref(), &identity)?;
            let mut found: Vec<_> = state
                .actions
                .values()
                .rev()
                .filter(|action| {
                    let request = &action.record.request;
                    let state = ActionState::of(action.ended.as_ref().map(|(outcome, _)| outcome));
                    filter.state.is_none_or(|wanted| state == wanted)
                        && filter.kind.is_none_or(|kind| request.kind() == kind)
                        && filter.uid.as_ref().is_none_or(|uid| request.image.uid == *uid)
                        && before.as_ref().is_none_or(|before| action.record.id < *before)
                })
                .map(|a| (a.record.clone(), a.lease.clone(), a.ended.clone()))
                .collect();
            let more = cut(&mut found, filter.limit);
            let last = found.last().filter(|_| more);
            let next = last.map(|(record, _, _)| Cursor::new(&identity, &record.id));
            Ok(ActionPage { actions: found, next })
        })
    }

    async fn events(&self, filter: &EventFilter) -> Result<EventPage, PortError> {
        let filter = filter.clone();
        self.call("audit.events", move |state| {
            let identity =
                format!("{:?}", EventFilter { cursor: None, limit: 0, ..filter.clone() });
            let after = open::<(i64, ActionId, u32)>(filter.cursor.as_ref(), &identity)?;
            let all = state.actions.values().flat_map(|action| &action.events);
            let mut found: Vec<_> = all.filter(|event| matches(event, &filter)).cloned().collect();
            found.sort_by_key(key);
            if filter.newest_first {
                found.reverse();
            }
            if let Some(after) = after {
                let seen = |event: &Event| {
                    if filter.newest_first { key(event) >= after } else { key(event) <= after }
                };
                found.retain(|event| !seen(event));
            }
            let more = cut(&mut found, filter.limit);
            let next = found.last().filter(|_| more).map(|e| Cursor::new(&identity, &key(e)));
            Ok(EventPage { events: found, next })
        })
    }
}

fn key(event: &Event) -> (i64, ActionId, u32) {
    (event.at.millis(), event.action.clone(), event.sequence)
}

fn matches(event: &Event, filter: &EventFilter) -> bool {
    let version = |wanted: ImageVersion| event.image.version == wanted;
    filter.action.as_ref().is_none_or(|action| event.action == *action)
        && filter.kind.is_none_or(|kind| event.draft.event.action() == kind)
        && filter.uid.as_ref().is_none_or(|uid| event.image.uid == *uid)
        && filter.version.is_none_or(version)
        && filter.username.as_ref().is_none_or(|name| event.username == *name)
        && filter.from.is_none_or(|from| event.at >= from)
        && filter.to.is_none_or(|to| event.at < to)
}

fn open<K: serde::de::DeserializeOwned>(
    cursor: Option<&Cursor>,
    identity: &str,
) -> Result<Option<K>, PortError> {
    let key = cursor.map(|cursor| cursor.open(identity)).transpose();
    key.map_err(|fault| rejected(fault.to_string()))
}

/// Cuts a page and says whether more follows.
fn cut<T>(items: &mut Vec<T>, limit: u32) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > limit;
    items.truncate(limit);
    more
}
