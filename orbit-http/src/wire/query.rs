//! Query strings.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use orbit_core::query::Cursor;

use super::text::Rule;
use super::{Fault, Faults, suggestion};

/// How many items a page has that does not say how many.
const DEFAULT_LIMIT: u32 = 20;
/// How many items a page has at most.
const MAX_LIMIT: u32 = 100;
/// How long a request may wait for the end of an action, in seconds.
const MAX_WAIT_S: u64 = 60;

/// The parameters of a query. They are taken out of it, and what is left at its end is unknown.
#[derive(Debug)]
pub(crate) struct Query {
    pairs: Vec<(String, String)>,
    known: Vec<&'static str>,
    faults: Faults,
}

impl Query {
    /// Reads a query string; a parameter that is given twice is a fault.
    pub(crate) fn of(text: Option<&str>) -> Self {
        let faults = Faults::default();
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decoded(name), decoded(value)) {
                (Some(name), Some(value)) if pairs.iter().all(|(other, _)| *other != name) => {
                    pairs.push((name, value));
                }
                (Some(name), Some(_)) => faults.note(format!("?{name}"), "is given twice"),
                (Some(_), None) | (None, _) => {
                    faults.note("?", format!("{pair:?} is not percent-encoded UTF-8"));
                }
            }
        }
        Self { pairs, known: Vec::new(), faults }
    }

    /// Takes a text; an empty one is the same as none.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        let text = self.take(name)?;
        match Rule::SEARCH.check(&text) {
            Ok(()) => Some(text),
            Err(detail) => {
                self.note(name, detail);
                None
            }
        }
    }

    /// Takes a value of a type that is read from a text.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let text = self.take(name)?;
        text.parse().map_err(|fault: T::Err| self.note(name, fault.to_string())).ok()
    }

    /// Takes one of some words.
    pub(crate) fn one_of<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let text = self.take(name)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            self.note(name, format!("expected one of {}", words.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    /// Takes a truth value.
    pub(crate) fn truth(&mut self, name: &'static str) -> Option<bool> {
        self.one_of(name, &[("true", true), ("false", false)])
    }

    /// Takes the size of a page.
    pub(crate) fn limit(&mut self) -> u32 {
        self.number("limit", 1, u64::from(MAX_LIMIT))
            .and_then(|limit| u32::try_from(limit).ok())
            .unwrap_or(DEFAULT_LIMIT)
    }

    /// Takes the place where a page begins.
    pub(crate) fn cursor(&mut self) -> Option<Cursor> {
        self.take("cursor").map(Cursor::from)
    }

    /// Takes how long to wait for the end of an action.
    pub(crate) fn wait(&mut self) -> Option<Duration> {
        self.number("wait", 1, MAX_WAIT_S).map(Duration::from_secs)
    }

    /// Notes a fault of a parameter.
    pub(crate) fn note(&self, name: &str, detail: impl Into<String>) {
        self.faults.note(format!("?{name}"), detail);
    }

    /// Ends the query.
    ///
    /// # Errors
    /// Every fault, among them the parameters that nobody took.
    pub(crate) fn end(self) -> Result<(), Vec<Fault>> {
        for (name, _) in &self.pairs {
            let near = suggestion(name, self.known.iter().copied());
            self.note(name, format!("is not a known parameter{near}"));
        }
        self.faults.none_or(Some(()))
    }

    fn take(&mut self, name: &'static str) -> Option<String> {
        self.known.push(name);
        let index = self.pairs.iter().position(|(other, _)| other == name)?;
        let (_, value) = self.pairs.remove(index);
        Some(value).filter(|value| !value.is_empty())
    }

    fn number(&mut self, name: &'static str, min: u64, max: u64) -> Option<u64> {
        let text = self.take(name)?;
        let number = text.parse().ok().filter(|number| (min..=max).contains(number));
        if number.is_none() {
            self.note(name, format!("expected a number from {min} to {max}"));
        }
        number
    }
}

/// Decodes `%20` and `+`.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex(bytes.next()?)? * 16 + hex(bytes.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(query: Query) -> Vec<String> {
        let faults = query.end().err().unwrap_or_default();
        faults.into_iter().map(|fault| format!("{}: {}", fault.pointer, fault.detail)).collect()
    }

    #[test]
    fn parameters_are_decoded() {
        let mut query = Query::of(Some("q=G%2DAAAA+%C3%BC&scanned=true&tail="));
        assert_eq!(query.text("q").as_deref(), Some("G-AAAA ü"));
        assert_eq!(query.parsed::<bool>("scanned"), Some(true));
        assert_eq!(query.text("tail"), None);
        assert_eq!(query.limit(), 20);
        assert_eq!(query.end(), Ok(()));
    }

    #[test]
    fn every_fault_of_a_query_is_named_at_once() {
        let mut query = Query::of(Some("limit=101&wait=0&qq=x&sort=size&a=%zz&q=1&q=2&q=%00"));
        query.limit();
        query.wait();
        query.one_of("sort", &[("up", 1), ("down", 2)]);
        query.text("q");
        assert_eq!(
            faults(query),
            [
                "?: \"a=%zz\" is not percent-encoded UTF-8",
                "?q: is given twice",
                "?q: is given twice",
                "?limit: expected a number from 1 to 100",
                "?wait: expected a number from 1 to 60",
                "?sort: expected one of up, down",
                "?qq: is not a known parameter (did you mean \"q\"?)",
            ]
        );
    }

    #[test]
    fn a_wait_is_counted_in_seconds() {
        assert_eq!(Query::of(Some("wait=30")).wait(), Some(Duration::from_secs(30)));
        for text in ["wait=61", "wait=-1", "wait=1.5", "wait=soon"] {
            let mut query = Query::of(Some(text));
            assert_eq!(query.wait(), None);
            assert_eq!(faults(query), ["?wait: expected a number from 1 to 60"]);
        }
    }
}
