//! The persisted form of everything that is kept as JSON: `{"v":1,"data":…}`.
//!
//! The version is there for the day the form changes: a program that does not know a version says
//! so, instead of reading what it half understands.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// The version that this program writes, and the only one it reads.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Written<'a, T> {
    v: u32,
    data: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    #[serde(rename = "v")]
    _version: Known,
    data: T,
}

#[derive(Deserialize)]
#[serde(try_from = "u32")]
struct Known;

impl TryFrom<u32> for Known {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        match version {
            VERSION => Ok(Self),
            other => Err(format!("record has version {other}, expected {VERSION}")),
        }
    }
}

/// Returns the text to keep.
pub(crate) fn write(data: &impl Serialize) -> String {
    serde_json::to_string(&Written { v: VERSION, data })
        .expect("what is kept is plain data with texts for keys")
}

/// Returns what a kept text says.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str::<Read<T>>(text).map(|record| record.data).map_err(Fault::Record)
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(write(&["a", "b"]), r#"{"v":1,"data":["a","b"]}"#);
        assert_eq!(read::<Vec<String>>(&write(&["a", "b"])).unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_record_of_a_later_version_is_refused_with_both_versions() {
        let fault = read::<u32>(r#"{"v":2,"data":7}"#).unwrap_err();
        let source = fault.source().unwrap().to_string();
        assert!(source.starts_with("record has version 2, expected 1"), "{source}");
    }
}
