//! The tables are made once, completed, recognised, and described for CloudFormation.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use futures_util::future::join_all;
use orbit_core::event::ActionKind;
use orbit_core::port::{Begin, BeginKey, Kind};
use orbit_core::testing::samples::{NOW, action_id, begin};
use orbit_core::{Digest, Timestamp};
use orbit_store::{DynamoDb, SharedStore as _, Step};

use super::rig::{SERVERS, client, connect, items, names, tables, tables_named};
use crate::servers::{self, Server};

#[tokio::test]
async fn a_setup_makes_every_table_and_the_next_one_nothing() {
    for server in SERVERS {
        let names = names();
        let tables = connect(server(), &names).await;
        let error = tables.ready().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected);
        assert!(error.to_string().contains(&names.action_table()), "{error}");
        assert_eq!(tables.installation().await.unwrap_err().kind(), Kind::Rejected);
        let error = tables.log().load(&action_id(1)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert!(error.to_string().contains(&names.action_table()), "{error}");
        let steps = tables.setup().await.unwrap();
        let created: BTreeSet<_> = steps
            .iter()
            .filter(|step| step.done == "created")
            .map(|step| step.resource.clone())
            .collect();
        let expected = names.tables().into_iter().map(|name| format!("table {name}")).collect();
        assert_eq!(created, expected);
        let actions = format!("table {}", names.action_table());
        let expires = Step::new(actions, "turned time to live on");
        assert!(steps.contains(&expires), "{steps:?}");
        assert_eq!(tables.setup().await.unwrap(), []);
        tables.ready().await.unwrap();
    }
}

#[tokio::test]
async fn setups_at_once_make_one_set_of_tables() {
    let names = names();
    // On moto, two can create the same table at once.
    let tables = connect(servers::ministack(), &names).await;
    let steps = join_all((0..3).map(|_| tables.setup())).await;
    let steps: Vec<_> = steps.into_iter().flat_map(Result::unwrap).collect();
    let n_created = steps.iter().filter(|step| step.done == "created").count();
    assert_eq!(n_created, names.tables().len());
    tables.log().begin(&begin(1, 1, "a")).await.unwrap();
}

/// Makes a table by hand, with a key and no index.
async fn make(server: &Server, table: &str, key: [&str; 2], sort: ScalarAttributeType) {
    let attribute = |name: &str, kind| {
        AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build().unwrap()
    };
    let element = |name: &str, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
    };
    let create = client(server).await.create_table().table_name(table);
    let create = create
        .attribute_definitions(attribute(key[0], ScalarAttributeType::S))
        .attribute_definitions(attribute(key[1], sort))
        .key_schema(element(key[0], KeyType::Hash))
        .key_schema(element(key[1], KeyType::Range))
        .billing_mode(BillingMode::PayPerRequest);
    create.send().await.unwrap();
}

#[tokio::test]
async fn a_table_with_another_key_is_refused_in_a_sentence() {
    for server in SERVERS {
        let names = names();
        let table = names.event_table(ActionKind::Scan);
        make(server(), &table, ["actionId", "sequence"], ScalarAttributeType::S).await;
        let tables = connect(server(), &names).await;
        let error = tables.setup().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected);
        let expected = format!(
            "table {table} has the key actionId (S), sequence (S), expected actionId (S), sequence (N)"
        );
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn an_index_that_is_missing_is_added() {
    for server in SERVERS {
        let names = names();
        let table = names.event_table(ActionKind::Scan);
        make(server(), &table, ["actionId", "sequence"], ScalarAttributeType::N).await;
        let tables = connect(server(), &names).await;
        let steps = tables.setup().await.unwrap();
        let resource = format!("table {table}");
        let steps = steps.into_iter().filter(|step| step.resource == resource);
        let done: Vec<_> = steps.map(|step| step.done).collect();
        let added = ["by-time", "by-image", "by-user"].map(|index| format!("added index {index}"));
        assert_eq!(done[..3], added);
        assert_eq!(tables.setup().await.unwrap(), []);
        tables.ready().await.unwrap();
    }
}

#[tokio::test]
async fn a_table_that_goes_missing_is_named() {
    for server in SERVERS {
        let names = names();
        let tables = tables_named(server(), &names).await;
        let table = names.event_table(ActionKind::Restore);
        client(server()).await.delete_table().table_name(&table).send().await.unwrap();
        let error = tables.ready().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected);
        let expected = format!("there is no table {table}, expected it; `orbit setup` creates it");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_store_joins_one_installation_for_good() {
    for server in SERVERS {
        let tables = tables(server()).await;
        assert_eq!(tables.installation().await.unwrap(), None);
        let ids = ["one", "two", "three", "four"];
        let joined = join_all(ids.map(|id| tables.join(id))).await;
        let joined: BTreeSet<_> = joined.into_iter().map(Result::unwrap).collect();
        let only: Vec<_> = joined.into_iter().collect();
        assert_eq!(only.len(), 1, "{only:?}");
        assert_eq!(tables.join("another").await.unwrap(), only[0]);
        assert_eq!(tables.installation().await.unwrap(), Some(only[0].clone()));
    }
}

#[tokio::test]
async fn the_template_makes_what_the_setup_makes() {
    let server = SERVERS[0]();
    let names = names();
    let tables: DynamoDb = tables_named(server, &names).await;
    let (template, client) = (tables.template(), client(server).await);
    assert_eq!(template.len(), names.tables().len());
    for (id, resource) in &template {
        assert!(id.chars().all(|c| c.is_ascii_alphanumeric()), "{id}");
        assert_eq!(resource["Type"], "AWS::DynamoDB::Table");
        assert_eq!(resource["DeletionPolicy"], "Retain");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain");
        let properties = &resource["Properties"];
        let name = properties["TableName"].as_str().unwrap();
        let there = client.describe_table().table_name(name).send().await.unwrap().table.unwrap();
        let key: Vec<_> = there.key_schema().iter().map(KeySchemaElement::attribute_name).collect();
        let names = |schema: &serde_json::Value| -> Vec<String> {
            let elements = schema.as_array().unwrap().iter();
            elements.map(|one| one["AttributeName"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&properties["KeySchema"]), key, "{name}");
        let attributes: BTreeSet<_> = there
            .attribute_definitions()
            .iter()
            .map(|one| one.attribute_name().to_owned())
            .collect();
        let described: BTreeSet<_> =
            names(&properties["AttributeDefinitions"]).into_iter().collect();
        assert_eq!(described, attributes, "{name}");
        let indexes: BTreeSet<_> =
            there.global_secondary_indexes().iter().map(|one| one.index_name().unwrap()).collect();
        let described = properties["GlobalSecondaryIndexes"].as_array();
        let described = described.into_iter().flatten();
        let described: BTreeSet<_> =
            described.map(|one| one["IndexName"].as_str().unwrap()).collect();
        assert_eq!(described, indexes, "{name}");
    }
}

#[tokio::test]
async fn an_idempotency_key_goes_by_itself_and_nothing_else_does() {
    for server in SERVERS {
        let names = names();
        let tables = tables_named(server(), &names).await;
        let key = BeginKey {
            scope: "jamesbond POST /x 1".to_owned(),
            fingerprint: Digest::of(b"x"),
            expired_before: Timestamp::from_millis(NOW.millis() - 1000),
        };
        let begin = Begin { key: Some(key), ..begin(1, 1, "a") };
        tables.log().begin(&begin).await.unwrap();
        let items = items(server(), &names.action_table()).await;
        let expiring: Vec<_> = items.iter().filter(|item| item.contains_key("expires")).collect();
        let scopes: Vec<_> = expiring.iter().map(|item| item["scope"].as_s().unwrap()).collect();
        assert_eq!(scopes, ["jamesbond POST /x 1"]);
        let expires: i64 = expiring[0]["expires"].as_n().unwrap().parse().unwrap();
        assert!(expires > NOW.seconds(), "the key was to go at once: {expires}");
        let stamped = items.iter().all(|item| {
            item.contains_key("createdTimestampUTC") && item.contains_key("createdTimestampUnix")
        });
        assert!(stamped, "{items:?}");
    }
}
