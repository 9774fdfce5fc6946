//! The next entry of an action.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, TransactWriteItem, Update};
use orbit_core::ActionId;
use orbit_core::port::{Entry, Kind, Owner, PortError, State};
use orbit_core::saga::{Fact, Outcome};

use super::{
    ACTION, DynamoLog, ENTRY, OUTCOME, ROUNDS, action_key, crowded, ended, entry_key,
    idempotency_key, is_of, is_running, lease_of, lock_key, missing, put,
};
use crate::dynamodb::body::{Parcel, Room};
use crate::dynamodb::call::Written;
use crate::dynamodb::item::{Draft, Item, number, number_of, parsed, text, text_of};
use crate::dynamodb::schema::{ACTION_KEY, BY_STATE, TIME};
use crate::record;

/// The most events that an entry may have: with action, entry, lock and key they are the 100 items
/// of a transaction.
const MAX_EVENTS: usize = 96;

/// What is written when an action ends.
struct End {
    state: State,
    outcome: AttributeValue,
}

impl DynamoLog {
    /// Appends an entry, unless it is there, or the action's log says that it cannot be the next one.
    pub(super) async fn append_entry(
        &self,
        action: &ActionId,
        owner: &Owner,
        entry: &Entry,
    ) -> Result<(), PortError> {
        let n_events = entry.events.len();
        if n_events > MAX_EVENTS {
            let number = entry.number;
            let message = format!(
                "entry {number} of action {action} has {n_events} events, expected at most {MAX_EVENTS}"
            );
            return Err(rejected(message));
        }
        let mut parcel = Parcel::new()?;
        let (puts, end) = self.parts(action, entry, &mut parcel).await?;
        self.0.send(&parcel).await?;
        for _ in 0..ROUNDS {
            let items = self.changes((action, owner), entry, end.as_ref()).await?;
            let written = match items {
                Some(items) => self.0.transact([items, puts.clone()].concat()).await?,
                None => Written::Refused,
            };
            if written == Written::Yes {
                return Ok(());
            }
            match self.judge((action, owner), entry, &parcel).await {
                Ok(Some(is_ours)) if is_ours => return Ok(()),
                Ok(Some(_)) => {
                    self.0.recall(&parcel).await;
                    return Ok(());
                }
                Ok(None) => {}
                Err(error) => {
                    // An answer about what lies there says that this entry does not.
                    if error.kind() != Kind::Unavailable {
                        self.0.recall(&parcel).await;
                    }
                    return Err(error);
                }
            }
        }
        self.0.recall(&parcel).await;
        Err(crowded(action))
    }

    /// Returns the puts of the entry and its events, and what is written if it is the end.
    async fn parts(
        &self,
        action: &ActionId,
        entry: &Entry,
        parcel: &mut Parcel,
    ) -> Result<(Vec<TransactWriteItem>, Option<End>), PortError> {
        let what = format!("entry {} of action {action}", entry.number);
        let body = parcel.pack(&what, record::write(entry), Room::Shared).await?;
        let item = Draft::new(entry_key(action, entry.number), entry.at)
            .text("actionId", action)
            .text("fact", entry.fact.name())
            .text("parcel", parcel.name())
            .value(ENTRY, body);
        let mut puts = vec![put(self.table(), item.done(), Some(ACTION_KEY[0]))];
        puts.extend(self.event_puts(&entry.events, parcel).await?);
        let Fact::Ended(outcome) = &entry.fact else { return Ok((puts, None)) };
        let what = format!("the outcome of action {action}");
        let outcome_body = parcel.pack(&what, record::write(outcome), Room::Shared).await?;
        Ok((puts, Some(End { state: State::of(Some(outcome)), outcome: outcome_body })))
    }

    /// Returns the change of the action, and at its end those of its lock and its key; `None` if the
    /// entry does not fit anyway.
    async fn changes(
        &self,
        (action, owner): (&ActionId, &Owner),
        entry: &Entry,
        end: Option<&End>,
    ) -> Result<Option<Vec<TransactWriteItem>>, PortError> {
        let first = entry.events.first().map(|event| event.sequence);
        let in_sequence = (first.unwrap_or(1)..).zip(&entry.events);
        if entry.number == 0 || !in_sequence.into_iter().all(|(n, event)| event.sequence == n) {
            return Ok(None);
        }
        let update = advance((action, owner), entry, &self.table());
        let Some(end) = end else { return Ok(Some(vec![transact(update)])) };
        let Some(there) = self.action(action).await? else { return Ok(None) };
        let time = text_of(&there, TIME)?;
        let state = end.state.as_str();
        let list = format!("actions/{state}");
        let begun = super::begun(time)?;
        self.0.use_month(&list, begun).await?;
        let partition = format!("{state}#{}", super::month(begun));
        let update = finish(update, end, &partition, entry);
        let lock = lock_key(&parsed(&there, "imageUID")?);
        let mut changes = vec![transact(update), self.removal(lock, action)];
        changes.extend(self.key_removal(action, entry, &there).await?);
        Ok(Some(changes))
    }

    /// Returns the removal of the key of an action that was refused: asked again, it may be accepted.
    /// A key that has expired may stand for another action by now, and stays.
    async fn key_removal(
        &self,
        action: &ActionId,
        entry: &Entry,
        there: &Item,
    ) -> Result<Option<TransactWriteItem>, PortError> {
        let Fact::Ended(Outcome::Failed(failure)) = &entry.fact else { return Ok(None) };
        let (true, Ok(scope)) = (failure.refused, text_of(there, "scope")) else {
            return Ok(None);
        };
        let key = idempotency_key(scope);
        let found = self.0.get(&self.table(), key.clone()).await?;
        Ok(found.filter(|found| is_of(found, action)).map(|_| self.removal(key, action)))
    }

    fn removal(&self, key: Item, action: &ActionId) -> TransactWriteItem {
        let delete = Delete::builder().table_name(self.table()).set_key(Some(key));
        let delete = delete
            .condition_expression("#action = :action")
            .expression_attribute_names("#action", "actionId")
            .expression_attribute_values(":action", text(action));
        let delete = delete.build().expect("it has a table and a key");
        TransactWriteItem::builder().delete(delete).build()
    }

    /// Says what became of an entry whose transaction was refused: it is there, by this very call or
    /// not, or it cannot be the next, or nothing is in its way any more.
    async fn judge(
        &self,
        (action, owner): (&ActionId, &Owner),
        entry: &Entry,
        parcel: &Parcel,
    ) -> Result<Option<bool>, PortError> {
        let there = self.action(action).await?.ok_or_else(|| missing(action))?;
        let number = entry.number;
        if let Some(item) = self.0.get(&self.table(), entry_key(action, number)).await? {
            let earlier: Entry = self.0.read(&item, ENTRY).await?;
            if earlier != *entry {
                let message = format!("action {action} has another entry {number}");
                return Err(conflict(message));
            }
            return Ok(Some(text_of(&item, "parcel")? == parcel.name()));
        }
        if !is_running(&there)? {
            return Err(ended(action));
        }
        let holder = lease_of(&there)?.owner;
        if holder != *owner {
            let message = format!("{holder} holds the lease of action {action}, not {owner}");
            return Err(conflict(message));
        }
        let n_entries: u32 = number_of(&there, "entries")?;
        if (1..=n_entries).contains(&number) {
            // The action counts an entry that cannot be seen yet.
            return Ok(None);
        }
        let next = n_entries.saturating_add(1);
        if number != next {
            let message = format!("entry {number} of action {action} is not the next, {next}");
            return Err(conflict(message));
        }
        let n_before: u32 = number_of(&there, "events")?;
        for (next, event) in (n_before.saturating_add(1)..).zip(&entry.events) {
            let found = event.sequence;
            if found != next {
                let message = format!("event {found} of action {action} is not the next, {next}");
                return Err(rejected(message));
            }
        }
        Ok(None)
    }
}

type UpdateBuilder = aws_sdk_dynamodb::types::builders::UpdateBuilder;

/// Returns the change of an action by an entry, on the condition that it is the next one.
fn advance((action, owner): (&ActionId, &Owner), entry: &Entry, table: &str) -> UpdateBuilder {
    let mut condition = "#state = :running AND #owner = :owner AND #entries = :before".to_owned();
    let mut set = "SET #entries = :number".to_owned();
    let mut update = Update::builder().table_name(table);
    update = update
        .set_key(Some(action_key(action, ACTION)))
        .expression_attribute_names("#state", "state")
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_names("#entries", "entries")
        .expression_attribute_values(":running", text(State::Running.as_str()))
        .expression_attribute_values(":owner", text(owner))
        .expression_attribute_values(":before", number(entry.number.saturating_sub(1)))
        .expression_attribute_values(":number", number(entry.number));
    if let (Some(first), Some(last)) = (entry.events.first(), entry.events.last()) {
        condition.push_str(" AND #events = :known");
        set.push_str(", #events = :events");
        update = update
            .expression_attribute_names("#events", "events")
            .expression_attribute_values(":known", number(i64::from(first.sequence) - 1))
            .expression_attribute_values(":events", number(last.sequence));
    }
    update.condition_expression(condition).update_expression(set)
}

/// Adds the end of the action.
fn finish(update: UpdateBuilder, end: &End, partition: &str, entry: &Entry) -> UpdateBuilder {
    let set = update.get_update_expression().clone().unwrap_or_default();
    let set =
        format!("{set}, #state = :state, #stateMonth = :stateMonth, #out = :out, #end = :end");
    update
        .update_expression(set)
        .expression_attribute_names("#stateMonth", BY_STATE.partition)
        .expression_attribute_names("#out", OUTCOME)
        .expression_attribute_names("#end", "ended")
        .expression_attribute_values(":state", text(end.state.as_str()))
        .expression_attribute_values(":stateMonth", text(partition))
        .expression_attribute_values(":out", end.outcome.clone())
        .expression_attribute_values(":end", number(entry.at.millis()))
}

fn transact(update: UpdateBuilder) -> TransactWriteItem {
    let update = update.build().expect("it has a table, a key and an expression");
    TransactWriteItem::builder().update(update).build()
}

fn conflict(message: String) -> PortError {
    PortError::new(Kind::Conflict, message)
}

fn rejected(message: String) -> PortError {
    PortError::new(Kind::Rejected, message)
}
