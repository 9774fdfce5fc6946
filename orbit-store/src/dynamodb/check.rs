//! Compares the tables that are there with those that have to be.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, IndexStatus, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TableDescription, TableStatus,
};
use orbit_core::port::{Kind, PortError};

use super::schema::{Index, Table};

/// What a table that is there still needs.
#[derive(Debug)]
pub(super) struct Found {
    /// Indexes that have to be made.
    pub(super) missing: Vec<Index>,
    /// What cannot be used yet: the table or one of its indexes, with its state.
    pub(super) coming: Option<String>,
    /// The attributes that its keys name.
    pub(super) attributes: Vec<AttributeDefinition>,
}

/// Compares a table with what it has to be.
///
/// # Errors
/// `Rejected` if it has another key, or an index of one of the names is another one.
pub(super) fn compare(table: &Table, there: &TableDescription) -> Result<Found, PortError> {
    let name = &table.name;
    let kinds = there.attribute_definitions();
    let kinds: BTreeMap<_, _> =
        kinds.iter().map(|known| (known.attribute_name(), known.attribute_type())).collect();
    let expected = table.key.each_ref().map(|key| format!("{} ({})", key.name, key.kind));
    let found = keys(there.key_schema(), &kinds);
    if found != expected {
        return Err(differs(name, "", "the key", &found, &expected));
    }
    let mut coming = (there.table_status() != Some(&TableStatus::Active))
        .then(|| format!("table {name} is {}", state(there.table_status())));
    let mut missing = Vec::new();
    for index in &table.indexes {
        let indexes = there.global_secondary_indexes();
        let Some(found) = indexes.iter().find(|one| one.index_name() == Some(index.name)) else {
            missing.push(index.clone());
            continue;
        };
        compare_index(name, index, found.key_schema(), found.projection(), &kinds)?;
        let status = found.index_status();
        // Servers that make indexes at once do not all say so.
        if status.is_some_and(|status| *status != IndexStatus::Active) {
            let status = state(status);
            coming = coming
                .or_else(|| Some(format!("index {} of table {name} is {status}", index.name)));
        }
    }
    Ok(Found { missing, coming, attributes: there.attribute_definitions().to_vec() })
}

fn compare_index(
    table: &str,
    index: &Index,
    found: &[KeySchemaElement],
    projection: Option<&Projection>,
    kinds: &BTreeMap<&str, &ScalarAttributeType>,
) -> Result<(), PortError> {
    let of = format!("index {} of ", index.name);
    let expected = [index.partition, index.sort].map(|name| format!("{name} (S)"));
    let found = keys(found, kinds);
    if found != expected {
        return Err(differs(table, &of, "the key", &found, &expected));
    }
    let shows_all = projection
        .is_some_and(|projection| projection.projection_type() == Some(&ProjectionType::All));
    let shown = projection.map(Projection::non_key_attributes).unwrap_or_default();
    if !shows_all && index.shown.iter().any(|name| shown.iter().all(|found| found != name)) {
        let expected: Vec<_> = index.shown.iter().map(|name| (*name).to_owned()).collect();
        return Err(differs(table, &of, "the attributes", shown, &expected));
    }
    Ok(())
}

/// Returns a key, the partition key first, each with its type.
fn keys(schema: &[KeySchemaElement], kinds: &BTreeMap<&str, &ScalarAttributeType>) -> Vec<String> {
    let of_type = |wanted: KeyType| {
        let found = schema.iter().filter(move |key| *key.key_type() == wanted);
        found.map(|key| {
            let kind = kinds.get(key.attribute_name()).map_or("?", |kind| kind.as_str());
            format!("{} ({kind})", key.attribute_name())
        })
    };
    of_type(KeyType::Hash).chain(of_type(KeyType::Range)).collect()
}

fn state<T: std::fmt::Display>(status: Option<&T>) -> String {
    status.map_or_else(|| "in an unknown state".to_owned(), ToString::to_string)
}

fn differs(table: &str, of: &str, what: &str, found: &[String], expected: &[String]) -> PortError {
    let say = |names: &[String]| {
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    let (found, expected) = (say(found), say(expected));
    let message = format!("{of}table {table} has {what} {found}, expected {expected}");
    PortError::new(Kind::Rejected, message)
}

/// The failure of tables that were never made.
pub(super) fn missing(names: &[String]) -> PortError {
    let message =
        format!("there is no table {}, expected it; `orbit setup` creates it", names.join(", "));
    PortError::new(Kind::Rejected, message)
}

/// The failure of a table whose items expire by another attribute.
pub(super) fn expiry(table: &str, found: &str, expected: &str) -> PortError {
    let message = format!("items of table {table} expire by {found}, expected by {expected}");
    PortError::new(Kind::Rejected, message)
}

/// Returns whether every table is there and can be used.
///
/// # Errors
/// `Rejected` if a setup has to be made, `Unavailable` if one is under way.
pub(super) fn all(tables: &[Table], found: &[Option<Found>]) -> Result<(), PortError> {
    let pairs = || tables.iter().zip(found);
    let absent = pairs().filter(|(_, found)| found.is_none());
    let absent: Vec<_> = absent.map(|(table, _)| table.name.clone()).collect();
    if !absent.is_empty() {
        return Err(missing(&absent));
    }
    for (table, found) in pairs().filter_map(|(table, found)| Some((table, found.as_ref()?))) {
        if let Some(index) = found.missing.first() {
            let (index, table) = (index.name, &table.name);
            let message = format!("table {table} has no index {index}, expected one from a setup");
            return Err(PortError::new(Kind::Rejected, message));
        }
        if let Some(coming) = &found.coming {
            let message = format!("{coming}, expected to be ACTIVE");
            return Err(PortError::new(Kind::Unavailable, message));
        }
    }
    Ok(())
}
