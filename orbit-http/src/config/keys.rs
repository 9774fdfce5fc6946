//! The values that were given for keys.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use toml::{Table, Value};

use super::known::{KEYS, NEEDS, Use};
use super::{ConfigFault, Secret};
use crate::wire::suggestion;

/// What the variables of Orbit begin with.
const PREFIX: &str = "ORBIT_";
/// The key of the list of environments, which only a file can hold.
const ENVIRONMENTS: &str = "environments";
/// The key of the own names of buckets and tables, which only a file can hold.
const NAMES: &str = "names";

/// The values that were given, each with its place.
#[derive(Debug, Default)]
pub(super) struct Keys {
    place: String,
    values: BTreeMap<&'static str, (Value, String)>,
    environments: Option<Vec<Self>>,
    names: BTreeMap<String, String>,
}

impl Keys {
    /// Adds what a file says.
    pub(super) fn add_file(&mut self, place: &str, table: &Table) -> Result<(), ConfigFault> {
        place.clone_into(&mut self.place);
        self.add_table(place, "", table)
    }

    /// Adds the variables of Orbit over what a file says: `ORBIT_GIT__BRANCH` is `git.branch`.
    pub(super) fn add_variables(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), ConfigFault> {
        let top = || KEYS.iter().filter(|(key, _)| !key.starts_with("environments."));
        for (name, value) in variables {
            let Some(rest) = name.strip_prefix(PREFIX) else { continue };
            let key = rest.to_ascii_lowercase().replace("__", ".");
            let Some((key, usage)) = top().find(|(known, _)| *known == key) else {
                let known: Vec<_> = top().map(|(key, _)| variable(key)).collect();
                let near = suggestion(&name, known.iter().map(String::as_str));
                let place = "the environment".to_owned();
                return Err(ConfigFault::UnknownKey { key: name, place, near });
            };
            self.add(key, *usage, Value::String(value), name)?;
        }
        Ok(())
    }

    /// Takes a text.
    pub(super) fn text(&mut self, key: &'static str) -> Result<Option<String>, ConfigFault> {
        self.read(key, "a text that is not empty", |value| {
            value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
        })
    }

    /// Takes a part of an image reference: what may stand there, and nothing that ends it.
    pub(super) fn reference(
        &mut self,
        key: &'static str,
        expected: &str,
        more: &[char],
    ) -> Result<Option<String>, ConfigFault> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || more.contains(&c);
        let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        self.read(key, expected, |value| {
            let text = value.as_str()?;
            let fits = text.chars().all(is_plain)
                && text.starts_with(is_end)
                && text.ends_with(is_end)
                && !text.contains("//");
            fits.then(|| text.to_owned())
        })
    }

    /// Takes a secret: from its variable, else from the file that the other key names.
    pub(super) fn secret(
        &mut self,
        key: &'static str,
        file: &'static str,
    ) -> Result<Option<Secret>, ConfigFault> {
        Ok(self.secret_in(key, file)?.map(|(secret, _)| secret))
    }

    /// Takes a secret as [`secret`](Self::secret) does, and the file that it was read from, if any.
    pub(super) fn secret_in(
        &mut self,
        key: &'static str,
        file: &'static str,
    ) -> Result<Option<(Secret, Option<PathBuf>)>, ConfigFault> {
        // Who mixes both keys up must not find the secret in a log.
        let path = self.read(file, "the path of a file", |value| {
            value
                .as_str()
                .filter(|path| !path.is_empty() && !path.contains("://"))
                .map(str::to_owned)
        })?;
        if let Some(text) = self.text(key)? {
            return Ok(Some((Secret(text), None)));
        }
        let Some(path) = path.map(PathBuf::from) else { return Ok(None) };
        let read = std::fs::read_to_string(&path).and_then(|text| match text.trim() {
            "" => Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty")),
            secret => Ok(Secret(secret.to_owned())),
        });
        match read {
            Ok(secret) => Ok(Some((secret, Some(path)))),
            Err(source) => Err(ConfigFault::Unreadable { what: file.to_owned(), path, source }),
        }
    }

    /// Takes the address of a service.
    pub(super) fn endpoint(&mut self, key: &'static str) -> Result<Option<String>, ConfigFault> {
        let expected = "an address such as http://127.0.0.1:8333, without user and path";
        self.read(key, expected, |value| {
            let text = value.as_str()?;
            let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
            let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-:[]".contains(c);
            let fits = !rest.is_empty() && rest.chars().all(is_plain);
            fits.then(|| text.to_owned())
        })
    }

    /// Takes a number above zero and below another.
    pub(super) fn number_below(
        &mut self,
        key: &'static str,
        bound: Duration,
        expected: &str,
    ) -> Result<Option<Duration>, ConfigFault> {
        self.read(key, expected, |value| {
            let seconds = Duration::from_secs(number(value)?);
            (seconds < bound).then_some(seconds)
        })
    }

    /// Takes `true` or `false`, as TOML has them or as a text.
    pub(super) fn flag(&mut self, key: &'static str) -> Result<Option<bool>, ConfigFault> {
        self.read(key, "true or false", |value| match value.as_str() {
            Some(text) => text.parse().ok(),
            None => value.as_bool(),
        })
    }

    /// Takes one of some words.
    pub(super) fn one_of(
        &mut self,
        key: &'static str,
        words: &[&str],
    ) -> Result<Option<String>, ConfigFault> {
        self.read(key, &words.join(" or "), |value| {
            value.as_str().filter(|text| words.contains(text)).map(str::to_owned)
        })
    }

    /// Takes a value that is read from a text.
    pub(super) fn parsed<T: FromStr>(
        &mut self,
        key: &'static str,
        expected: &str,
    ) -> Result<Option<T>, ConfigFault> {
        self.read(key, expected, |value| value.as_str()?.parse().ok())
    }

    /// Takes a number above zero.
    pub(super) fn number(&mut self, key: &'static str) -> Result<Option<u64>, ConfigFault> {
        self.read(key, "a whole number above 0", number)
    }

    /// Takes a number of things that there can be in memory.
    pub(super) fn count(&mut self, key: &'static str) -> Result<Option<usize>, ConfigFault> {
        // More than that is as good as without a limit.
        let most = 1_000_000_000;
        let number = self.number(key)?.map(|number| number.min(most));
        Ok(number.map(|number| usize::try_from(number).unwrap_or(usize::MAX)))
    }

    /// Takes the environments, if the file lists them.
    pub(super) fn environments(&mut self) -> Option<Vec<Self>> {
        self.environments.take()
    }

    /// Takes the own names of buckets and tables.
    pub(super) fn names(&mut self) -> BTreeMap<String, String> {
        std::mem::take(&mut self.names)
    }

    fn place(&self) -> String {
        if self.place.is_empty() { "the environment".to_owned() } else { self.place.clone() }
    }

    /// Returns the fault of an own name of nothing.
    pub(super) fn unknown_name(&self, name: &str, near: String) -> ConfigFault {
        let (key, place) = (format!("{NAMES}.{name}"), self.place.clone());
        ConfigFault::UnknownKey { key, place, near }
    }

    /// Returns the fault of own names that would have no effect.
    pub(super) fn unused_names(&self, needs: &'static str) -> ConfigFault {
        self.unused(NAMES, needs)
    }

    /// Returns the fault of a key that has no effect without another.
    pub(super) fn unused(&self, key: &str, needs: &'static str) -> ConfigFault {
        ConfigFault::Unused { key: key.to_owned(), place: self.place(), needs }
    }

    /// Refuses a value that nothing has asked for.
    pub(super) fn expect_all_used(&self) -> Result<(), ConfigFault> {
        for (key, (_, place)) in &self.values {
            if let Some((_, needs)) = NEEDS.iter().find(|(section, _)| key.starts_with(section)) {
                let (key, place) = ((*key).to_owned(), place.clone());
                return Err(ConfigFault::Unused { key, place, needs });
            }
        }
        Ok(())
    }

    /// Returns the fault of a key that must be there.
    pub(super) fn missing(&self, key: &str) -> ConfigFault {
        ConfigFault::Value {
            key: key.to_owned(),
            place: self.place(),
            found: "nothing".to_owned(),
            expected: "a text".to_owned(),
        }
    }

    fn add_table(&mut self, place: &str, prefix: &str, table: &Table) -> Result<(), ConfigFault> {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            let entries = value.as_array().filter(|_| path == ENVIRONMENTS);
            let section = value.as_table().filter(|_| path != ENVIRONMENTS && is_section(&path));
            let names = value.as_table().filter(|_| path == NAMES);
            if let Some(names) = names {
                self.add_names(place, names)?;
            } else if let Some(entries) = entries {
                let keys = entries.iter().map(|entry| Self::of_entry(place, entry));
                self.environments = Some(keys.collect::<Result<_, _>>()?);
            } else if let Some(section) = section {
                self.add_table(place, &format!("{path}."), section)?;
            } else {
                self.add_value(place, &path, value)?;
            }
        }
        Ok(())
    }

    fn add_names(&mut self, place: &str, names: &Table) -> Result<(), ConfigFault> {
        for (mission, own) in names {
            let Some(own) = own.as_str() else {
                return Err(ConfigFault::Value {
                    key: format!("{NAMES}.{mission}"),
                    place: place.to_owned(),
                    found: own.to_string(),
                    expected: "a text".to_owned(),
                });
            };
            self.names.insert(mission.clone(), own.to_owned());
        }
        Ok(())
    }

    fn of_entry(place: &str, entry: &Value) -> Result<Self, ConfigFault> {
        let mut keys = Self { place: place.to_owned(), ..Self::default() };
        match entry.as_table() {
            Some(table) => keys.add_table(place, "environments.", table)?,
            None => keys.add_value(place, ENVIRONMENTS, entry)?,
        }
        Ok(keys)
    }

    fn add_value(&mut self, place: &str, path: &str, value: &Value) -> Result<(), ConfigFault> {
        if let Some((key, usage)) = KEYS.iter().find(|(known, _)| *known == path) {
            return self.add(key, *usage, value.clone(), place.to_owned());
        }
        if is_section(path) {
            let expected = if path == ENVIRONMENTS { "[[environments]]" } else { "a table" };
            let (key, place) = (path.to_owned(), place.to_owned());
            let (found, expected) = (shown(value), expected.to_owned());
            return Err(ConfigFault::Value { key, place, found, expected });
        }
        let near = suggestion(path, KEYS.iter().map(|(key, _)| *key));
        Err(ConfigFault::UnknownKey { key: path.to_owned(), place: place.to_owned(), near })
    }

    fn add(
        &mut self,
        key: &'static str,
        usage: Use,
        value: Value,
        place: String,
    ) -> Result<(), ConfigFault> {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match usage {
            Use::Secret if place == self.place => {
                let variable = variable(key);
                return Err(ConfigFault::SecretInFile { key: key.to_owned(), place, variable });
            }
            Use::Text | Use::Number | Use::Secret => {
                self.values.insert(key, (value, place));
            }
            Use::Only(only, _) if text == only => {}
            Use::Only(_, reason) | Use::Later(reason) => {
                return Err(ConfigFault::Unsupported { key: key.to_owned(), place, reason });
            }
        }
        Ok(())
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<Option<T>, ConfigFault> {
        let Some((value, place)) = self.values.remove(key) else { return Ok(None) };
        let fault = || ConfigFault::Value {
            key: key.to_owned(),
            place,
            found: shown(&value),
            expected: expected.to_owned(),
        };
        read(&value).map(Some).ok_or_else(fault)
    }
}

/// Reads a number above zero.
fn number(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Integer(number) => u64::try_from(*number).ok(),
        Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_)
        | Value::Table(_) => None,
    }
    .filter(|number| *number > 0)
}

/// Returns a value as it may be shown: without the user and the password of an address.
fn shown(value: &Value) -> String {
    let text = value.to_string();
    let secret = text.find("://").map(|scheme| scheme + 3).zip(text.rfind('@'));
    match secret.and_then(|(begin, end)| Some((text.get(..begin)?, text.get(end..)?))) {
        Some((scheme, host)) if scheme.len() + host.len() <= text.len() => {
            format!("{scheme}<redacted>{host}")
        }
        Some(_) | None => text,
    }
}

/// Returns the variable of a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

fn is_section(path: &str) -> bool {
    path == NAMES
        || KEYS
            .iter()
            .any(|(key, _)| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}
