//! The tables as resources of CloudFormation.

use serde_json::{Map, Value, json};

use super::schema::{Index, Table};

/// Returns one resource for each table. None is ever removed or replaced with its stack.
pub(super) fn resources(tables: &[Table]) -> Map<String, Value> {
    let mut resources = Map::new();
    for table in tables {
        let id = logical_id(&table.name);
        let mut free = id.clone();
        // Names that differ in '-', '_' and '.' alone have the same letters.
        let mut n = 2;
        while resources.contains_key(&free) {
            free = format!("{id}{n}");
            n += 1;
        }
        resources.insert(free, resource(table));
    }
    resources
}

fn resource(table: &Table) -> Value {
    let attributes = table.attributes();
    let attributes = attributes.iter().map(|attribute| {
        json!({ "AttributeName": attribute.name, "AttributeType": attribute.kind.as_str() })
    });
    let mut properties = json!({
        "TableName": table.name,
        "AttributeDefinitions": attributes.collect::<Vec<_>>(),
        "KeySchema": key_schema(table.key.each_ref().map(|attribute| attribute.name)),
        "BillingMode": "PAY_PER_REQUEST",
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
        "SSESpecification": { "SSEEnabled": true },
    });
    if let Some(properties) = properties.as_object_mut() {
        if !table.indexes.is_empty() {
            let indexes = table.indexes.iter().map(index).collect();
            properties.insert("GlobalSecondaryIndexes".to_owned(), indexes);
        }
        if let Some(name) = table.expires {
            let expiry = json!({ "AttributeName": name, "Enabled": true });
            properties.insert("TimeToLiveSpecification".to_owned(), expiry);
        }
    }
    json!({
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    })
}

fn index(index: &Index) -> Value {
    let projection = if index.shown.is_empty() {
        json!({ "ProjectionType": "KEYS_ONLY" })
    } else {
        json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": index.shown })
    };
    json!({
        "IndexName": index.name,
        "KeySchema": key_schema([index.partition, index.sort]),
        "Projection": projection,
    })
}

fn key_schema([partition, sort]: [&str; 2]) -> Value {
    json!([
        { "AttributeName": partition, "KeyType": "HASH" },
        { "AttributeName": sort, "KeyType": "RANGE" },
    ])
}

/// Returns the letters and digits of a table's name, each part with a capital letter, after `Table`.
fn logical_id(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let capital = |part: &str| {
        let (first, rest) = part.split_at(part.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    parts.fold("Table".to_owned(), |id, part| id + &capital(part))
}
