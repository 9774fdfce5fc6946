//! Questions about actions and events.

use async_trait::async_trait;
use futures_util::future::try_join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use orbit_core::event::{ActionKind, Event};
use orbit_core::port::{
    ActionFilter, ActionPage, ActionRecord, Audit, End, EventFilter, EventPage, Lease, PortError,
    State,
};
use orbit_core::query::Cursor;
use orbit_core::{ActionId, ImageUid, Timestamp};

use super::item::{Item, key_of, number_of, text_of};
use super::log::{
    ACTION, EVENT, OUTCOME, RECORD, action_key, action_of, action_position, event_position,
    is_running, lease_of, lock_key,
};
use super::schema::{
    ACTIONS_BY_IMAGE, BY_KIND, BY_STATE, BY_TIME, BY_USER, EVENT_KEY, EVENTS_BY_IMAGE, TIME,
};
use super::tables::Tables;
use super::walk::{self, Lane, Range, Row};
use crate::page;

/// How many bodies are read at once.
const AT_ONCE: usize = 8;

/// The audit of an installation.
pub(super) struct DynamoAudit(pub(super) Tables);

#[async_trait]
impl Audit for DynamoAudit {
    async fn actions(&self, filter: &ActionFilter) -> Result<ActionPage, PortError> {
        self.0.within(self.page_of_actions(filter)).await
    }

    async fn events(&self, filter: &EventFilter) -> Result<EventPage, PortError> {
        self.0.within(self.page_of_events(filter)).await
    }
}

/// An action with its lease and its end.
type Action = (ActionRecord, Lease, Option<End>);

impl DynamoAudit {
    async fn page_of_actions(&self, filter: &ActionFilter) -> Result<ActionPage, PortError> {
        let unpaged = ActionFilter { cursor: None, limit: 0, ..filter.clone() };
        let identity = format!("{unpaged:?}");
        let position = page::begin(filter.cursor.as_ref(), &identity)?;
        let range = Range::new(None, None, false).beyond(position);
        let (ids, next) = match (&filter.uid, filter.state) {
            (Some(uid), Some(State::Running)) if filter.limit > 0 => {
                (self.holder(uid).await?, None)
            }
            _ => {
                let lanes = self.action_lanes(filter, &range).await?;
                let (rows, next) = walk::page(&self.0, lanes, &range, filter.limit).await?;
                let ids = rows.iter().map(row_action).collect::<Result<_, _>>()?;
                (ids, next)
            }
        };
        let mut actions = self.read_actions(&ids).await?;
        // An index may be a moment behind what the action says by now.
        actions.retain(|(record, _, end)| {
            let state = State::of(end.as_ref().map(|(outcome, _)| outcome));
            filter.state.is_none_or(|wanted| wanted == state)
                && filter.kind.is_none_or(|wanted| wanted == record.request.kind())
                && range.has(&action_position(record.at, &record.id))
        });
        let next = next.map(|position| Cursor::new(&identity, &position));
        Ok(ActionPage { actions, next })
    }

    /// Returns the action that runs on a UID, which its lock names.
    async fn holder(&self, uid: &ImageUid) -> Result<Vec<ActionId>, PortError> {
        let lock = self.0.get(&self.0.names.action_table(), lock_key(uid)).await?;
        lock.iter().map(action_of).collect()
    }

    /// Returns the walks that look at the fewest actions.
    async fn action_lanes(
        &self,
        filter: &ActionFilter,
        range: &Range,
    ) -> Result<Vec<Lane>, PortError> {
        let table = self.0.names.action_table();
        let kind = filter.kind.map(|kind| kind.to_string());
        if let Some(uid) = &filter.uid {
            let state = filter.state.map(|state| state.as_str().to_owned());
            let equals = walk::equals([("kind", kind), ("state", state)]);
            return Ok(vec![Lane::one(table, ACTIONS_BY_IMAGE, uid.as_str(), equals)]);
        }
        if let Some(state) = filter.state {
            let equals = walk::equals([("kind", kind)]);
            if state == State::Running {
                return Ok(vec![Lane::one(table, BY_STATE, state.as_str(), equals)]);
            }
            let list = format!("actions/{}", state.as_str());
            let months = self.0.months(&format!("{list}#")).await?.remove(&list);
            let prefix = format!("{}#", state.as_str());
            let months = (prefix.as_str(), months.unwrap_or_default());
            return Ok(vec![Lane::monthly(table, BY_STATE, months, range, equals)]);
        }
        let mut lists = self.0.months("actions/").await?;
        let lanes = kinds(filter.kind).map(|kind| {
            let months = lists.remove(&format!("actions/{kind}")).unwrap_or_default();
            let months = (&*format!("{kind}#"), months);
            Lane::monthly(table.clone(), BY_KIND, months, range, vec![])
        });
        Ok(lanes.collect())
    }

    /// Reads actions as they are now.
    async fn read_actions(&self, ids: &[ActionId]) -> Result<Vec<Action>, PortError> {
        let table = self.0.names.action_table();
        let keys = ids.iter().flat_map(|id| [action_key(id, ACTION), action_key(id, RECORD)]);
        let items = self.0.batch(keys.map(|key| (table.clone(), key)).collect()).await?;
        let mut items = items.into_iter();
        let mut pairs = Vec::with_capacity(ids.len());
        while let (Some(action), Some(record)) = (items.next(), items.next()) {
            pairs.extend(action.zip(record));
        }
        let reads = pairs.iter().map(|(action, record)| self.read_action(action, record));
        let reads: Vec<_> = reads.collect();
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }

    async fn read_action(&self, action: &Item, record: &Item) -> Result<Action, PortError> {
        let record = self.0.read(record, RECORD).await?;
        let lease = lease_of(action)?;
        if is_running(action)? {
            return Ok((record, lease, None));
        }
        let ended = Timestamp::from_millis(number_of(action, "ended")?);
        Ok((record, lease, Some((self.0.read(action, OUTCOME).await?, ended))))
    }

    async fn page_of_events(&self, filter: &EventFilter) -> Result<EventPage, PortError> {
        let unpaged = EventFilter { cursor: None, limit: 0, ..filter.clone() };
        let identity = format!("{unpaged:?}");
        let position = page::begin(filter.cursor.as_ref(), &identity)?;
        let range = Range::new(filter.from, filter.to, !filter.newest_first).beyond(position);
        if let Some(action) = &filter.action {
            let mut events = self.of_action(action, filter, &range).await?;
            let last = page::cut(&mut events, filter.limit);
            let next = last.map(|event| Cursor::new(&identity, &event_position(event)));
            return Ok(EventPage { events, next });
        }
        let lanes = self.event_lanes(filter, &range).await?;
        let (rows, next) = walk::page(&self.0, lanes, &range, filter.limit).await?;
        let keys = rows.into_iter().map(|row| (row.table, key_of(&row.item, EVENT_KEY)));
        let items = self.0.batch(keys.collect()).await?;
        let events = self.read_events(items.iter().flatten()).await?;
        let next = next.map(|position| Cursor::new(&identity, &position));
        Ok(EventPage { events, next })
    }

    /// Returns the events of one action as they are now. An action has some dozens of them.
    async fn of_action(
        &self,
        action: &ActionId,
        filter: &EventFilter,
        range: &Range,
    ) -> Result<Vec<Event>, PortError> {
        let queries = kinds(filter.kind).map(|kind| {
            let table = self.0.names.event_table(kind);
            async move { self.0.partition(&table, EVENT_KEY, [action.as_str(), ""]).await }
        });
        let items = try_join_all(queries).await?.concat();
        let is_in_range = |item: &&Item| text_of(item, TIME).is_ok_and(|time| range.has(time));
        let mut events = self.read_events(items.iter().filter(is_in_range)).await?;
        events.retain(|event| {
            let version = event.image.version;
            filter.uid.as_ref().is_none_or(|uid| event.image.uid == *uid)
                && (filter.uid.is_none() || filter.version.is_none_or(|wanted| version == wanted))
                && filter.username.as_ref().is_none_or(|name| event.username == *name)
        });
        events.sort_by_cached_key(event_position);
        if filter.newest_first {
            events.reverse();
        }
        Ok(events)
    }

    /// Returns the walks that look at the fewest events.
    async fn event_lanes(
        &self,
        filter: &EventFilter,
        range: &Range,
    ) -> Result<Vec<Lane>, PortError> {
        let tables = kinds(filter.kind).map(|kind| (kind, self.0.names.event_table(kind)));
        if let Some(uid) = &filter.uid {
            let version = filter.version.map(|version| version.to_string());
            let username = filter.username.clone();
            let equals = walk::equals([("imageVersion", version), ("username", username)]);
            let lane = |table| Lane::one(table, EVENTS_BY_IMAGE, uid.as_str(), equals.clone());
            return Ok(tables.map(|(_, table)| lane(table)).collect());
        }
        if let Some(username) = &filter.username {
            let lane = |table| Lane::one(table, BY_USER, username, vec![]);
            return Ok(tables.map(|(_, table)| lane(table)).collect());
        }
        let mut lists = self.0.months("events/").await?;
        let lanes = tables.map(|(kind, table)| {
            let months = lists.remove(&format!("events/{kind}")).unwrap_or_default();
            Lane::monthly(table, BY_TIME, ("", months), range, vec![])
        });
        Ok(lanes.collect())
    }

    async fn read_events<'i>(
        &self,
        items: impl Iterator<Item = &'i Item> + Send,
    ) -> Result<Vec<Event>, PortError> {
        let reads: Vec<_> = items.map(|item| self.0.read(item, EVENT)).collect();
        stream::iter(reads).buffered(AT_ONCE).try_collect().await
    }
}

/// Returns the kinds that are asked for.
fn kinds(kind: Option<ActionKind>) -> impl Iterator<Item = ActionKind> {
    ActionKind::ALL.into_iter().filter(move |one| kind.is_none_or(|kind| *one == kind))
}

/// Returns the action that a row of an index is of.
fn row_action(row: &Row) -> Result<ActionId, PortError> {
    let id = row.position.split('#').nth(1).and_then(|id| id.parse().ok());
    id.ok_or_else(|| super::item::damaged(TIME))
}
