//! JSON and query strings in, typed requests out, with every fault at once; and the way back.

mod fields;
mod form;
mod query;
pub(crate) mod request;
pub(crate) mod show;
mod text;

use std::cell::RefCell;

use serde_json::{Value, json};

use fields::Fields;
pub(crate) use query::Query;
pub(crate) use request::Asked;
pub(crate) use show::ActionView;

/// One fault of a request, and the JSON pointer of what it is in; `?name` points to a parameter of
/// the query, `name:` to a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Where.
    pub(crate) pointer: String,
    /// What was found and what was expected.
    pub(crate) detail: String,
}

impl Fault {
    /// Returns a fault.
    pub(crate) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }

    /// Returns it as answers carry it.
    pub(crate) fn json(&self) -> Value {
        json!({ "pointer": self.pointer, "detail": self.detail })
    }
}

/// The faults found so far in one request.
#[derive(Debug, Default)]
pub(crate) struct Faults(RefCell<Vec<Fault>>);

impl Faults {
    /// Notes a fault.
    pub(crate) fn note(&self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.0.borrow_mut().push(Fault::new(pointer, detail));
    }

    /// Returns the value, or all faults if there are any.
    ///
    /// # Errors
    /// Every fault that was noted; a missing value that nobody noted is one of the whole request.
    pub(crate) fn none_or<T>(self, value: Option<T>) -> Result<T, Vec<Fault>> {
        let faults = self.0.into_inner();
        match value {
            Some(value) if faults.is_empty() => Ok(value),
            Some(_) => Err(faults),
            None if faults.is_empty() => Err(vec![Fault::new("", "is incomplete")]),
            None => Err(faults),
        }
    }
}

/// Parses a JSON document.
///
/// # Errors
/// One fault with line and column.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, Vec<Fault>> {
    serde_json::from_slice(bytes)
        .map_err(|error| vec![Fault::new("", format!("is not JSON: {error}"))])
}

/// Longer names are no slips; comparing takes time in proportion to their length.
const LONGEST_SLIP: usize = 40;

/// Returns ` (did you mean "imageName"?)` for the nearest of the names, if one is near enough to be
/// a slip.
pub(crate) fn suggestion<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    if found.len() > LONGEST_SLIP {
        return String::new();
    }
    let distance = |name: &&str| strsim::damerau_levenshtein(found, name);
    let nearest = known.into_iter().min_by_key(distance);
    let near = nearest.filter(|name| distance(name) <= 1 + name.len() / 4);
    near.map_or_else(String::new, |name| format!(" (did you mean {name:?}?)"))
}
