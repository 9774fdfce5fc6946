//! The tables of an installation, and the calls that the stores make of them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue, TransactWriteItem};
use orbit_core::Timestamp;
use orbit_core::place::Names;
use orbit_core::port::{Clock, Kind, PortError};

use super::call::{self, Miss, Written, failed, pause, persist};
use super::item::{Draft, Item, key, month, text, text_of};
use super::schema::ACTION_KEY;
use crate::aws::Failure;

/// How many keys one `BatchGetItem` may name.
const MAX_BATCH: usize = 100;
/// How often the rest of a batch is asked for while none of it comes.
const BATCH_TRIES: u32 = 10;

/// The tables of an installation.
#[derive(Clone)]
pub(super) struct Tables {
    pub(super) client: Client,
    pub(super) names: Names,
    pub(super) clock: Arc<dyn Clock>,
    /// How long one call of a port may take.
    patience: Duration,
    /// The months that are known to be on the list of months.
    months: Arc<Mutex<HashSet<String>>>,
}

/// An equality that an item must fulfil: the attribute's name and its value.
pub(super) type Equal = (&'static str, AttributeValue);

impl Tables {
    /// Returns the tables behind a client.
    pub(super) fn new(
        client: Client,
        names: Names,
        clock: Arc<dyn Clock>,
        patience: Duration,
    ) -> Self {
        Self { client, names, clock, patience, months: Arc::default() }
    }

    /// Returns what comes of a port's call, unless it takes longer than one may.
    pub(super) async fn within<T>(
        &self,
        call: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        tokio::time::timeout(self.patience, call).await.unwrap_or_else(|_| {
            let message = format!("DynamoDB did not finish a call within {:?}", self.patience);
            Err(PortError::new(Kind::Unavailable, message))
        })
    }

    /// Returns an item as it is now.
    pub(super) async fn get(&self, table: &str, key: Item) -> Result<Option<Item>, PortError> {
        let get = self.client.get_item().table_name(table).set_key(Some(key)).consistent_read(true);
        let answer = get.send().await;
        let answer = answer.map_err(|error| failed(table, Failure::of("GetItem", &error)))?;
        Ok(answer.item)
    }

    /// Puts an item, whatever lies there.
    pub(super) async fn put(&self, table: &str, item: &Item) -> Result<(), PortError> {
        let call = || async {
            let put = self.client.put_item().table_name(table).set_item(Some(item.clone()));
            put.send().await.map_err(|error| Miss::of("PutItem", table, &error))
        };
        persist(call).await.map(drop)
    }

    /// Puts an item where there is none.
    pub(super) async fn put_new(
        &self,
        table: &str,
        partition: &str,
        item: &Item,
    ) -> Result<Written, PortError> {
        let call = || async {
            let put = self.client.put_item().table_name(table).set_item(Some(item.clone()));
            let put = put.condition_expression("attribute_not_exists(#p)");
            let put = put.expression_attribute_names("#p", partition);
            put.send().await.map_err(|error| Miss::of("PutItem", table, &error))
        };
        Ok(persist(call).await?.map_or(Written::Refused, |_| Written::Yes))
    }

    /// Removes an item that its writer put and returns it; no item is success, another writer's item
    /// is not.
    pub(super) async fn remove(
        &self,
        table: &str,
        key: &Item,
        writer: &str,
    ) -> Result<Option<Option<Item>>, PortError> {
        let call = || async {
            let delete = self.client.delete_item().table_name(table).set_key(Some(key.clone()));
            let delete = delete
                .condition_expression("attribute_not_exists(#w) OR #w = :w")
                .expression_attribute_names("#w", "writer")
                .expression_attribute_values(":w", text(writer))
                .return_values(ReturnValue::AllOld);
            let answer = delete.send().await;
            answer.map_err(|error| Miss::of("DeleteItem", table, &error))
        };
        Ok(persist(call).await?.map(|answer| answer.attributes))
    }

    /// Makes a transaction, all of it or nothing.
    pub(super) async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
    ) -> Result<Written, PortError> {
        call::transact(&self.client, &self.names.action_table(), items).await
    }

    /// Returns the items of a partition whose sort key begins so, as they are now, in order.
    pub(super) async fn partition(
        &self,
        table: &str,
        [partition, sort]: [&'static str; 2],
        [value, beginning]: [&str; 2],
    ) -> Result<Vec<Item>, PortError> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let mut query = self.client.query().table_name(table).consistent_read(true);
            query = query
                .expression_attribute_names("#p", partition)
                .expression_attribute_values(":p", text(value))
                .set_exclusive_start_key(start);
            query = if beginning.is_empty() {
                query.key_condition_expression("#p = :p")
            } else {
                query
                    .key_condition_expression("#p = :p AND begins_with(#s, :s)")
                    .expression_attribute_names("#s", sort)
                    .expression_attribute_values(":s", text(beginning))
            };
            let answer = query.send().await;
            let answer = answer.map_err(|error| failed(table, Failure::of("Query", &error)))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }

    /// Returns the items with these keys as they are now, each in the place of its key.
    pub(super) async fn batch(
        &self,
        keys: Vec<(String, Item)>,
    ) -> Result<Vec<Option<Item>>, PortError> {
        let mut found: HashMap<String, Vec<Item>> = HashMap::new();
        for chunk in keys.chunks(MAX_BATCH) {
            self.chunk(chunk, &mut found).await?;
        }
        let is_of = |key: &Item, item: &Item| key.iter().all(|(name, v)| item.get(name) == Some(v));
        let take = |(table, key): &(String, Item)| {
            let items = found.get_mut(table)?;
            let position = items.iter().position(|item| is_of(key, item))?;
            Some(items.swap_remove(position))
        };
        Ok(keys.iter().map(take).collect())
    }

    async fn chunk(
        &self,
        keys: &[(String, Item)],
        found: &mut HashMap<String, Vec<Item>>,
    ) -> Result<(), PortError> {
        let mut asked: HashMap<String, Vec<Item>> = HashMap::new();
        for (table, key) in keys {
            asked.entry(table.clone()).or_default().push(key.clone());
        }
        let mut rest = HashMap::new();
        for (table, keys) in asked {
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            rest.insert(table, keys.build().expect("a chunk of keys is not empty"));
        }
        let mut n_tries = 0;
        while !rest.is_empty() {
            let batch = self.client.batch_get_item().set_request_items(Some(rest)).send();
            let answer = batch.await.map_err(|error| {
                failed(&self.names.action_table(), Failure::of("BatchGetItem", &error))
            })?;
            let mut is_empty = true;
            for (table, items) in answer.responses.unwrap_or_default() {
                is_empty &= items.is_empty();
                found.entry(table).or_default().extend(items);
            }
            rest = answer.unprocessed_keys.unwrap_or_default();
            // An answer holds 16 MB; only one without anything means that there is too much to do.
            if is_empty && !rest.is_empty() {
                n_tries += 1;
                if n_tries == BATCH_TRIES {
                    let message = "DynamoDB left a batch of reads unprocessed";
                    return Err(PortError::new(Kind::Unavailable, message));
                }
                pause(n_tries).await;
            }
        }
        Ok(())
    }

    /// Makes sure that a month is on a list before something is written in it.
    pub(super) async fn use_month(&self, list: &str, at: Timestamp) -> Result<(), PortError> {
        let entry = format!("{list}#{}", month(at));
        if self.months.lock().unwrap_or_else(PoisonError::into_inner).contains(&entry) {
            return Ok(());
        }
        let item = Draft::new(key(ACTION_KEY, [MONTHS, &entry]), self.clock.now()).done();
        self.put(&self.names.action_table(), &item).await?;
        self.months.lock().unwrap_or_else(PoisonError::into_inner).insert(entry);
        Ok(())
    }

    /// Returns the months of every list whose name begins so, oldest first.
    pub(super) async fn months(
        &self,
        beginning: &str,
    ) -> Result<BTreeMap<String, Vec<String>>, PortError> {
        let table = self.names.action_table();
        let items = self.partition(&table, ACTION_KEY, [MONTHS, beginning]).await?;
        let mut lists: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for item in &items {
            if let Some((list, month)) = text_of(item, "sk")?.split_once('#') {
                lists.entry(list.to_owned()).or_default().push(month.to_owned());
            }
        }
        Ok(lists)
    }
}

/// The partition of the action table that lists which months hold something.
const MONTHS: &str = "months";
