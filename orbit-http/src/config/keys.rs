//! The keys that are known, and the values that were given for them.

use std::collections::BTreeMap;
use std::str::FromStr;

use toml::{Table, Value};

use super::ConfigFault;
use crate::wire::suggestion;

/// What Orbit does with a key.
#[derive(Debug, Clone, Copy)]
enum Use {
    /// Takes a text.
    Text,
    /// Takes a number above zero.
    Number,
    /// Takes one value; the others are for later.
    Only(&'static str, &'static str),
    /// Is for later.
    Later(&'static str),
}

const FILES: &str = "images are kept in the data directory";
const TABLES: &str = "tables are kept in orbit.db in the data directory";
const REGISTRY: &str = "images are pushed to the data directory";
const REPOSITORY: &str = "deployments are committed to the repository in the data directory";
const NO_CLUSTER: &str = "no cluster is attached";

/// Every key of the configuration. Those of an environment are under `environments`.
const KEYS: [(&str, Use); 39] = [
    ("data_dir", Use::Text),
    ("listen", Use::Text),
    ("log", Use::Text),
    ("cluster_timeout", Use::Later(NO_CLUSTER)),
    ("images.store", Use::Only("directory", FILES)),
    ("images.endpoint", Use::Later(FILES)),
    ("images.region", Use::Later(FILES)),
    ("images.bucket_suffix", Use::Later(FILES)),
    ("tables.store", Use::Only("sqlite", TABLES)),
    ("catalog.store", Use::Only("sqlite", TABLES)),
    ("catalog.url_file", Use::Later(TABLES)),
    ("registry.store", Use::Only("directory", REGISTRY)),
    ("registry.host", Use::Text),
    ("registry.organisation", Use::Text),
    ("registry.username", Use::Later(REGISTRY)),
    ("registry.password", Use::Later(REGISTRY)),
    ("registry.password_file", Use::Later(REGISTRY)),
    ("git.url", Use::Later(REPOSITORY)),
    ("git.branch", Use::Text),
    ("git.username", Use::Later(REPOSITORY)),
    ("git.token", Use::Later(REPOSITORY)),
    ("git.token_file", Use::Later(REPOSITORY)),
    ("sync.mode", Use::Only("none", NO_CLUSTER)),
    ("environments.name", Use::Text),
    ("environments.cluster", Use::Text),
    ("environments.namespace", Use::Text),
    ("environments.suffix", Use::Text),
    ("environments.image_pull_secret", Use::Text),
    ("environments.protected", Use::Only("false", "there are no roles to protect it from")),
    ("limits.archive_bytes", Use::Number),
    ("limits.json_bytes", Use::Number),
    ("limits.header_bytes", Use::Number),
    ("limits.connections", Use::Number),
    ("limits.uploads_at_once", Use::Number),
    ("limits.actions_at_once", Use::Number),
    ("limits.idle_seconds", Use::Number),
    ("limits.upload_seconds", Use::Number),
    ("limits.shutdown_seconds", Use::Number),
    ("catalog.url", Use::Later(TABLES)),
];

/// What the variables of Orbit begin with.
const PREFIX: &str = "ORBIT_";
/// The key of the list of environments, which only a file can hold.
const ENVIRONMENTS: &str = "environments";

/// The values that were given, each with its place.
#[derive(Debug, Default)]
pub(super) struct Keys {
    place: String,
    values: BTreeMap<&'static str, (Value, String)>,
    environments: Option<Vec<Self>>,
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
        self.read(key, "a whole number above 0", |value| match value {
            Value::String(text) => text.parse().ok().filter(|number| *number > 0),
            Value::Integer(number) => u64::try_from(*number).ok().filter(|number| *number > 0),
            Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Array(_)
            | Value::Table(_) => None,
        })
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

    /// Returns the fault of a key that must be there.
    pub(super) fn missing(&self, key: &str) -> ConfigFault {
        ConfigFault::Value {
            key: key.to_owned(),
            place: self.place.clone(),
            found: "nothing".to_owned(),
            expected: "a text".to_owned(),
        }
    }

    fn add_table(&mut self, place: &str, prefix: &str, table: &Table) -> Result<(), ConfigFault> {
        for (name, value) in table {
            let path = format!("{prefix}{name}");
            let entries = value.as_array().filter(|_| path == ENVIRONMENTS);
            let section = value.as_table().filter(|_| path != ENVIRONMENTS && is_section(&path));
            if let Some(entries) = entries {
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
            let (found, expected) = (value.to_string(), expected.to_owned());
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
            Use::Text | Use::Number => {
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
            found: value.to_string(),
            expected: expected.to_owned(),
        };
        read(&value).map(Some).ok_or_else(fault)
    }
}

/// Returns the variable of a key.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

fn is_section(path: &str) -> bool {
    KEYS.iter().any(|(key, _)| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}
