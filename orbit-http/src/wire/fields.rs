//! Reading the fields of one JSON object.

use std::fmt::Display;
use std::str::FromStr;

use serde_json::{Map, Value};

use super::text::Rule;
use super::{Faults, suggestion};

/// One object of a request. Fields are taken out of it, and what is left at its end is unknown.
pub(crate) struct Fields<'f> {
    pointer: String,
    object: Map<String, Value>,
    known: Vec<&'static str>,
    faults: &'f Faults,
}

impl<'f> Fields<'f> {
    /// Opens a value that must be an object.
    pub(crate) fn of(value: Value, pointer: impl Into<String>, faults: &'f Faults) -> Self {
        let pointer = pointer.into();
        let object = match value {
            Value::Object(object) => object,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                faults.note(pointer.clone(), format!("is {}, expected an object", kind(&value)));
                Map::new()
            }
        };
        Self { pointer, object, known: Vec::new(), faults }
    }

    /// Takes a field; null is the same as none.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Value> {
        self.known.push(name);
        self.object.remove(name).filter(|value| !value.is_null())
    }

    /// Renames a field that is sent in another spelling; both at once are a fault.
    pub(crate) fn also(&mut self, spelling: &'static str, name: &'static str) {
        let Some(value) = self.object.remove(spelling) else { return };
        if self.object.contains_key(name) {
            self.note(spelling, format!("is given as {name} too"));
        } else {
            self.object.insert(name.to_owned(), value);
        }
    }

    /// Takes a field that is an object, an empty one if there is none.
    pub(crate) fn object(&mut self, name: &'static str) -> Self {
        let value = self.take(name).unwrap_or_else(|| Value::Object(Map::new()));
        Self::of(value, self.pointer_to(name), self.faults)
    }

    /// Takes a field that is a list of objects.
    pub(crate) fn list(&mut self, name: &'static str) -> Vec<Self> {
        let pointer = self.pointer_to(name);
        let Some(value) = self.take(name) else { return Vec::new() };
        let found = kind(&value);
        let Value::Array(items) = value else {
            self.faults.note(pointer, format!("is {found}, expected a list"));
            return Vec::new();
        };
        let fields = items.into_iter().enumerate();
        fields
            .map(|(index, item)| Self::of(item, format!("{pointer}/{index}"), self.faults))
            .collect()
    }

    /// Takes a text as it is.
    pub(crate) fn raw(&mut self, name: &'static str) -> Option<String> {
        let value = self.take(name)?;
        let found = kind(&value);
        let Value::String(text) = value else {
            self.note(name, format!("is {found}, expected a text"));
            return None;
        };
        Some(text)
    }

    /// Takes a number or a text that may hold one.
    pub(crate) fn number_or_text(&mut self, name: &'static str) -> Option<String> {
        let value = self.take(name)?;
        let found = kind(&value);
        match value {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) => Some(text),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                self.note(name, format!("is {found}, expected a number or a text"));
                None
            }
        }
    }

    /// Takes a text that keeps a rule; a blank one is the same as none.
    pub(crate) fn text(&mut self, name: &'static str, rule: Rule) -> Option<String> {
        let text = self.raw(name)?;
        self.keeping(rule, name, text)
    }

    /// Takes a text that keeps a rule and may be sent as a number.
    pub(crate) fn text_or_number(&mut self, name: &'static str, rule: Rule) -> Option<String> {
        let text = self.number_or_text(name)?;
        self.keeping(rule, name, text)
    }

    fn keeping(&self, rule: Rule, name: &str, text: String) -> Option<String> {
        if text.trim().is_empty() {
            return None;
        }
        match rule.check(&text) {
            Ok(()) => Some(text),
            Err(detail) => {
                self.note(name, detail);
                None
            }
        }
    }

    /// Takes a text that must be there and keep a rule.
    pub(crate) fn required(&mut self, name: &'static str, rule: Rule) -> Option<String> {
        if self.is_absent(name) {
            self.known.push(name);
            self.object.remove(name);
            self.note(name, "is missing");
            return None;
        }
        self.text(name, rule)
    }

    /// Takes a value of a type that is read from a text.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, name: &'static str) -> Option<T> {
        let text = self.text(name, Rule::WORD)?;
        text.parse().map_err(|fault: T::Err| self.note(name, fault.to_string())).ok()
    }

    /// Takes a value that must be there, of a type that is read from a text.
    pub(crate) fn required_parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Option<T> {
        let text = self.required(name, Rule::WORD)?;
        text.parse().map_err(|fault: T::Err| self.note(name, fault.to_string())).ok()
    }

    /// Notes a fault of a field.
    pub(crate) fn note(&self, name: &str, detail: impl Into<String>) {
        self.faults.note(self.pointer_to(name), detail);
    }

    /// Returns the faults that this object notes its own in.
    pub(crate) fn faults(&self) -> &'f Faults {
        self.faults
    }

    /// Notes every field that nobody took.
    pub(crate) fn end(self) {
        for name in self.object.keys() {
            let near = suggestion(name, self.known.iter().copied());
            self.note(name, format!("is not a known field{near}"));
        }
    }

    fn is_absent(&self, name: &str) -> bool {
        match self.object.get(name) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => false,
        }
    }

    fn pointer_to(&self, name: &str) -> String {
        let name = name.replace('~', "~0").replace('/', "~1");
        let name: String = name.chars().take(100).collect();
        format!("{}/{name}", self.pointer)
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
