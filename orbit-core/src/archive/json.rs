//! JSON documents of an archive, read so that every reader would see the same in them.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::Digest;

use super::fault::{ArchiveFault, Excerpt, Place, Situation};
use super::limits::{Limits, length, within};

/// Reads a document, refusing what is nested too deeply or too large, and keys that occur twice.
pub(crate) fn parse(bytes: &[u8], limits: &Limits) -> Result<Value, Situation> {
    let (levels, values) = measure(bytes);
    within("levels of JSON", levels, length(limits.json_depth))?;
    within("values in JSON", values, length(limits.json_values))?;
    let text = std::str::from_utf8(bytes).map_err(|_| Situation::Json("it is not UTF-8".into()))?;
    let mut duplicate = None;
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = Strict { duplicate: &mut duplicate }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    match duplicate {
        Some(key) => Err(Situation::DuplicateKey(key)),
        None => value.map_err(|fault| Situation::Json(fault.to_string().as_str().into())),
    }
}

/// Returns how many arrays and objects lie within each other, and at most how many values there are.
fn measure(bytes: &[u8]) -> (u64, u64) {
    let (mut depth, mut deepest, mut values) = (0_u64, 0, 1);
    let (mut text, mut escaped) = (false, false);
    for &byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if text => escaped = true,
            b'"' => text = !text,
            _ if text => {}
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
                values += 1;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
    }
    (deepest, values)
}

/// Reads a value in which no object has a key twice.
struct Strict<'a> {
    duplicate: &'a mut Option<Excerpt>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(Strict { duplicate: self.duplicate })? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(Strict { duplicate: self.duplicate })?;
            if object.contains_key(&key) {
                self.duplicate.get_or_insert(key.as_str().into());
            }
            object.insert(key, value);
        }
        Ok(object.into())
    }
}

/// A value in a document, with the place that a fault in it names.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    document: &'a str,
    path: String,
    value: &'a Value,
}

impl<'a> Node<'a> {
    pub(crate) fn root(document: &'a str, value: &'a Value) -> Self {
        Self { document, path: String::new(), value }
    }

    pub(crate) fn place(&self) -> Place {
        Place::field(self.document, &self.path)
    }

    pub(crate) fn fault(&self, situation: Situation) -> ArchiveFault {
        situation.at(self.place())
    }

    /// Returns the field of that name, if it is there and not null.
    ///
    /// The tools of this world read keys in any case, so the same key in another case is refused.
    pub(crate) fn get(&self, key: &str) -> Result<Option<Self>, ArchiveFault> {
        let object = self.value.as_object();
        let object = object.ok_or_else(|| self.fault(Situation::Field("an object")))?;
        if let Some(other) = object.keys().find(|other| *other != key && fold(other) == fold(key)) {
            return Err(self.fault(Situation::DuplicateKey(other.as_str().into())));
        }
        let value = object.get(key).filter(|value| !value.is_null());
        let gap = if self.path.is_empty() { "" } else { "." };
        let path = format!("{}{gap}{key}", self.path);
        Ok(value.map(|value| Self { document: self.document, path, value }))
    }

    /// Returns the field of that name, which must be there.
    pub(crate) fn field(&self, key: &str) -> Result<Self, ArchiveFault> {
        self.get(key)?.ok_or_else(|| {
            let gap = if self.path.is_empty() { "" } else { "." };
            let path = format!("{}{gap}{key}", self.path);
            Situation::Field("a value").at(Place::field(self.document, &path))
        })
    }

    /// Returns the elements of an array.
    pub(crate) fn items(&self) -> Result<Vec<Self>, ArchiveFault> {
        let items = self.value.as_array();
        let items = items.ok_or_else(|| self.fault(Situation::Field("an array")))?;
        let node = |(index, value)| {
            let path = format!("{}[{index}]", self.path);
            Self { document: self.document, path, value }
        };
        Ok(items.iter().enumerate().map(node).collect())
    }

    pub(crate) fn text(&self) -> Result<&'a str, ArchiveFault> {
        self.value.as_str().ok_or_else(|| self.fault(Situation::Field("a text")))
    }

    pub(crate) fn number(&self) -> Result<u64, ArchiveFault> {
        self.value.as_u64().ok_or_else(|| self.fault(Situation::Field("a number of 0 or more")))
    }

    pub(crate) fn digest(&self) -> Result<Digest, ArchiveFault> {
        let text = self.text()?;
        text.parse().map_err(|fault| self.fault(Situation::Digest { found: text.into(), fault }))
    }
}

/// Returns a key without its case, with the two letters beyond ASCII that fold to ASCII ones.
fn fold(key: &str) -> String {
    key.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}
