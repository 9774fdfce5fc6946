//! Creates the tables, completes them, and says whether all is there.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, ContinuousBackupsStatus, CreateGlobalSecondaryIndexAction,
    GlobalSecondaryIndex, GlobalSecondaryIndexUpdate, KeySchemaElement, KeyType,
    PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, Projection, ProjectionType,
    SseSpecification, TableDescription, TimeToLiveSpecification, TimeToLiveStatus,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use orbit_core::port::{Kind, PortError};
use serde_json::{Map, Value};

use super::call::{Written, failed};
use super::check::{self, Found};
use super::item::{Draft, key, text_of};
use super::offer::{is_done, offered, patiently};
use super::schema::{self, ACTION_KEY, Attribute, Index, Table};
use super::{DynamoDb, template};
use crate::aws::Failure;
use crate::{SharedStore, Step};

/// How many tables are looked at or made at once: more is of no use, and accounts have limits.
const AT_ONCE: usize = 5;
/// How long a table and its indexes may take to come about. An index of a large table takes longer;
/// another setup then goes on where this one gave up.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long to wait before a table is looked at again.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Where the action table says which installation it belongs to.
const INSTALLATION: [&str; 2] = ["installation", "installation"];

#[async_trait]
impl SharedStore for DynamoDb {
    async fn installation(&self) -> Result<Option<String>, PortError> {
        self.tables.within(self.joined()).await
    }

    async fn join(&self, installation: &str) -> Result<String, PortError> {
        self.tables.within(self.join_one(installation)).await
    }

    async fn setup(&self) -> Result<Vec<Step>, PortError> {
        let tables = schema::tables(&self.tables.names);
        let setups: Vec<_> = tables.iter().map(|table| self.complete(table)).collect();
        let steps: Vec<Vec<Step>> = stream::iter(setups).buffered(AT_ONCE).try_collect().await?;
        Ok(steps.concat())
    }

    async fn ready(&self) -> Result<(), PortError> {
        self.tables.within(self.all_there()).await
    }

    fn template(&self) -> Map<String, Value> {
        template::resources(&schema::tables(&self.tables.names))
    }
}

impl DynamoDb {
    async fn joined(&self) -> Result<Option<String>, PortError> {
        let table = self.tables.names.action_table();
        if self.describe(&table).await?.is_none() {
            return Err(check::missing(&[table]));
        }
        let item = self.tables.get(&table, key(ACTION_KEY, INSTALLATION)).await?;
        item.map(|item| text_of(&item, "installation").map(str::to_owned)).transpose()
    }

    async fn join_one(&self, installation: &str) -> Result<String, PortError> {
        if let Some(joined) = self.joined().await? {
            return Ok(joined);
        }
        let item = Draft::new(key(ACTION_KEY, INSTALLATION), self.tables.clock.now())
            .text("installation", installation)
            .done();
        let table = self.tables.names.action_table();
        if self.tables.put_new(&table, ACTION_KEY[0], &item).await? == Written::Yes {
            return Ok(installation.to_owned());
        }
        self.joined().await?.ok_or_else(|| {
            let message = format!("the installation of table {table} was removed meanwhile");
            PortError::new(Kind::Unavailable, message)
        })
    }

    async fn all_there(&self) -> Result<(), PortError> {
        let tables = schema::tables(&self.tables.names);
        let looks = tables.iter().map(|table| async move {
            let found = self.describe(&table.name).await?;
            found.map(|found| check::compare(table, &found)).transpose()
        });
        let looks: Vec<_> = looks.collect();
        let found: Vec<_> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        check::all(&tables, &found)
    }

    /// Creates a table or what is missing of it, and returns once it can be used.
    async fn complete(&self, table: &Table) -> Result<Vec<Step>, PortError> {
        let resource = format!("table {}", table.name);
        let step = |done: &str| Step::new(resource.clone(), done);
        let mut steps = Vec::new();
        if self.describe(&table.name).await?.is_none() && self.create(table).await? {
            steps.push(step("created"));
        }
        loop {
            let found = self.settled(table).await?;
            // DynamoDB makes one index after the other.
            let Some(index) = found.missing.first() else { break };
            if self.add_index(table, &found, index).await? {
                steps.push(step(&format!("added index {}", index.name)));
            }
        }
        if self.keep_backups(&table.name).await? {
            steps.push(step("turned point-in-time recovery on"));
        }
        if let Some(attribute) = table.expires
            && self.expire(&table.name, attribute).await?
        {
            steps.push(step("turned time to live on"));
        }
        Ok(steps)
    }

    async fn describe(&self, table: &str) -> Result<Option<TableDescription>, PortError> {
        match self.tables.client.describe_table().table_name(table).send().await {
            Ok(answer) => Ok(answer.table),
            Err(error) => {
                let failure = Failure::of("DescribeTable", &error);
                let is_missing = failure.code() == Some("ResourceNotFoundException");
                if is_missing { Ok(None) } else { Err(failed(table, failure)) }
            }
        }
    }

    /// Creates a table, unless somebody else does.
    async fn create(&self, table: &Table) -> Result<bool, PortError> {
        let indexes =
            (!table.indexes.is_empty()).then(|| table.indexes.iter().map(index).collect());
        let encryption = SseSpecification::builder().enabled(true).build();
        let create = self.tables.client.create_table().table_name(&table.name);
        let create = create
            .set_attribute_definitions(Some(table.attributes().iter().map(definition).collect()))
            .set_key_schema(Some(keys(table.key.each_ref().map(|attribute| attribute.name))))
            .set_global_secondary_indexes(indexes)
            .billing_mode(BillingMode::PayPerRequest)
            .sse_specification(encryption);
        is_done(&table.name, "CreateTable", || create.clone().send()).await
    }

    async fn add_index(
        &self,
        table: &Table,
        found: &Found,
        missing: &Index,
    ) -> Result<bool, PortError> {
        // An attribute that no key names would be refused.
        let mut attributes = found.attributes.clone();
        for attribute in table.attributes() {
            let is_key = [missing.partition, missing.sort].contains(&attribute.name);
            let is_known = attributes.iter().any(|known| known.attribute_name() == attribute.name);
            if is_key && !is_known {
                attributes.push(definition(&attribute));
            }
        }
        let action = CreateGlobalSecondaryIndexAction::builder()
            .index_name(missing.name)
            .set_key_schema(Some(keys([missing.partition, missing.sort])))
            .projection(projection(missing))
            .build()
            .expect("it has a name, keys and a projection");
        let update = GlobalSecondaryIndexUpdate::builder().create(action).build();
        let call = self.tables.client.update_table().table_name(&table.name);
        let call =
            call.set_attribute_definitions(Some(attributes)).global_secondary_index_updates(update);
        is_done(&table.name, "UpdateTable", || call.clone().send()).await
    }

    /// Waits until a table and its indexes can be used.
    async fn settled(&self, table: &Table) -> Result<Found, PortError> {
        let look = async {
            loop {
                let described = self.describe(&table.name).await?;
                if let Some(found) = described.map(|found| check::compare(table, &found)) {
                    let found = found?;
                    if found.coming.is_none() {
                        return Ok(found);
                    }
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(PATIENCE, look).await.unwrap_or_else(|_| {
            let message = format!("table {} is not active after {PATIENCE:?}", table.name);
            Err(PortError::new(Kind::Unavailable, message))
        })
    }

    /// Turns point-in-time recovery on, unless it is on.
    async fn keep_backups(&self, table: &str) -> Result<bool, PortError> {
        let describe = self.tables.client.describe_continuous_backups().table_name(table).send();
        let Some(answer) = offered(table, "DescribeContinuousBackups", describe.await)? else {
            return Ok(false);
        };
        let backups = answer.continuous_backups_description;
        let recovery = backups.and_then(|backups| {
            (backups.continuous_backups_status == ContinuousBackupsStatus::Enabled)
                .then_some(backups.point_in_time_recovery_description?)
        });
        let status = recovery.and_then(|recovery| recovery.point_in_time_recovery_status);
        if status == Some(PointInTimeRecoveryStatus::Enabled) {
            return Ok(false);
        }
        let on = PointInTimeRecoverySpecification::builder().point_in_time_recovery_enabled(true);
        let on = on.build().expect("it says whether");
        let update = self.tables.client.update_continuous_backups().table_name(table);
        let update = || update.clone().point_in_time_recovery_specification(on.clone()).send();
        let call = "UpdateContinuousBackups";
        // A new table refuses for a while: its backups are being prepared.
        let answer = patiently("ContinuousBackupsUnavailableException", update).await;
        Ok(offered(table, call, answer)?.is_some())
    }

    /// Turns time to live on, unless it is on.
    async fn expire(&self, table: &str, attribute: &str) -> Result<bool, PortError> {
        let describe = self.tables.client.describe_time_to_live().table_name(table).send().await;
        let Some(answer) = offered(table, "DescribeTimeToLive", describe)? else {
            return Ok(false);
        };
        let there = answer.time_to_live_description.filter(|there| {
            let on = [TimeToLiveStatus::Enabled, TimeToLiveStatus::Enabling];
            there.time_to_live_status().is_some_and(|status| on.contains(status))
        });
        if let Some(there) = there {
            let found = there.attribute_name.unwrap_or_default();
            return if found == attribute {
                Ok(false)
            } else {
                Err(check::expiry(table, &found, attribute))
            };
        }
        let on = TimeToLiveSpecification::builder().enabled(true).attribute_name(attribute);
        let on = on.build().expect("it has an attribute and says whether");
        let update = self.tables.client.update_time_to_live().table_name(table);
        let answer =
            offered(table, "UpdateTimeToLive", update.time_to_live_specification(on).send().await)?;
        Ok(answer.is_some())
    }
}

fn definition(attribute: &Attribute) -> AttributeDefinition {
    let Attribute { name, kind } = attribute;
    let definition = AttributeDefinition::builder().attribute_name(*name);
    definition.attribute_type(kind.clone()).build().expect("it has a name and a type")
}

fn keys([partition, sort]: [&str; 2]) -> Vec<KeySchemaElement> {
    let key = |name, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("it has a name and a type")
    };
    vec![key(partition, KeyType::Hash), key(sort, KeyType::Range)]
}

fn projection(index: &Index) -> Projection {
    if index.shown.is_empty() {
        return Projection::builder().projection_type(ProjectionType::KeysOnly).build();
    }
    let shown = index.shown.iter().map(|name| (*name).to_owned()).collect();
    let projection = Projection::builder().projection_type(ProjectionType::Include);
    projection.set_non_key_attributes(Some(shown)).build()
}

fn index(index: &Index) -> GlobalSecondaryIndex {
    GlobalSecondaryIndex::builder()
        .index_name(index.name)
        .set_key_schema(Some(keys([index.partition, index.sort])))
        .projection(projection(index))
        .build()
        .expect("it has a name, keys and a projection")
}
