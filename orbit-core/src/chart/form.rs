//! The manifest input of an upload: read once, every fault named with its place.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::words::words;
use crate::quantity::{Port, QuantityFault, text_of};

mod rules;

/// One row of a form's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// The left field.
    pub key: String,
    /// The right field.
    pub value: String,
}

impl Pair {
    /// Returns the row of these two texts.
    pub fn new(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), value: value.to_owned() }
    }
}

/// The manifest input of an upload as it is sent: texts, in the words of `imageMetadata`.
///
/// An absent text and a blank one are the same: not given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct FormText {
    /// The port that the image listens on; a number is read as its text.
    #[serde(deserialize_with = "number_or_text", skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
    /// The entries of the `ConfigMap`, which are the container's environment.
    pub env_vars: Vec<Pair>,
    /// Paths of the host and where the container sees them.
    pub volumes: Vec<Pair>,
    /// Labels of all objects and of the pods.
    pub image_labels: Vec<Pair>,
    /// What runs instead of the image's entrypoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entrypoint_override: Option<String>,
    /// What it is given instead of the image's command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_override: Option<String>,
    /// The directory that it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
}

fn number_or_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let value = Option::<Value>::deserialize(from)?;
    value.as_ref().map(text_of).transpose().map_err(serde::de::Error::custom)
}

/// The manifest input of an upload, checked: Kubernetes takes all of it.
///
/// It is stored as the [`FormText`] that would be read as it, and checked again when it is loaded.
///
/// ```
/// use orbit_core::chart::form::{ChartForm, FormText};
/// let text = FormText { command_override: Some("serve --on 'all'".into()), ..FormText::default() };
/// assert_eq!(ChartForm::read(&text)?.command(), ["serve", "--on", "all"]);
/// # Ok::<(), orbit_core::chart::form::FormFaults>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "FormText", into = "FormText")]
pub struct ChartForm {
    port: Option<Port>,
    env_vars: Vec<Pair>,
    volumes: Vec<Pair>,
    labels: Vec<Pair>,
    entrypoint: Vec<String>,
    command: Vec<String>,
    working_dir: Option<String>,
}

/// Why a field of a form cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormFault {
    /// A number or a limit is none.
    #[error(transparent)]
    Quantity(#[from] QuantityFault),
    /// The text is outside of the field's grammar.
    #[error("{what} is {found:?}, expected {expected}")]
    Form {
        /// What the text was read as.
        what: &'static str,
        /// The text, or its beginning.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// The text holds a character that is lost or refused on its way to the cluster.
    #[error("found the character {found:?}, which cannot be carried to a cluster")]
    Character {
        /// The first such character.
        found: char,
    },
    /// The text is longer than Linux takes.
    #[error("found {found} bytes, expected at most {max}")]
    Length {
        /// The bytes it has.
        found: usize,
        /// The bytes it may have.
        max: usize,
    },
    /// The list is longer than Orbit takes.
    #[error("found {found} entries, expected at most {max}")]
    Entries {
        /// The entries it has.
        found: usize,
        /// The entries it may have.
        max: usize,
    },
    /// An earlier row has the same key.
    #[error("{found:?} is given twice")]
    Twice {
        /// The key.
        found: String,
    },
    /// The label belongs to Orbit or to the cluster.
    #[error("label {found:?} is reserved")]
    Reserved {
        /// The label's key.
        found: String,
    },
    /// A quote in a command is not closed.
    #[error("found {quote} without its end")]
    OpenQuote {
        /// The quote, or a backslash at the end.
        quote: char,
    },
    /// A command is a JSON list with other things than texts in it.
    #[error("found a JSON list of mixed values, expected a list of texts")]
    NotTexts,
}

/// A fault and the field that it is in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {fault}")]
pub struct FieldFault {
    /// The JSON pointer of the field in the request, `/imageMetadata/envVars/0/key`.
    pub pointer: String,
    /// What is wrong with it.
    pub fault: FormFault,
}

/// All faults of a form, in the order of its fields; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct FormFaults(pub Vec<FieldFault>);

impl ChartForm {
    /// Checks every field and returns the form.
    ///
    /// # Errors
    /// [`FormFaults`] with every fault, not only the first.
    pub fn read(text: &FormText) -> Result<Self, FormFaults> {
        let mut faults = Faults::of("/imageMetadata");
        let form = Self {
            port: faults.parsed("port", text.port.as_deref()),
            env_vars: rules::env_vars(&text.env_vars, &mut faults),
            volumes: rules::volumes(&text.volumes, &mut faults),
            labels: rules::labels(&text.image_labels, &mut faults),
            entrypoint: command(
                "entrypointOverride",
                text.entrypoint_override.as_deref(),
                &mut faults,
            ),
            command: command("commandOverride", text.command_override.as_deref(), &mut faults),
            working_dir: faults.given("workingDir", text.working_dir.as_deref(), rules::directory),
        };
        faults.none_or(form)
    }

    /// Returns the port of the container and the Service.
    pub fn port(&self) -> Port {
        self.port.unwrap_or(Port::DEFAULT)
    }

    /// Returns the entries of the `ConfigMap`.
    pub fn env_vars(&self) -> &[Pair] {
        &self.env_vars
    }

    /// Returns the paths of the host and where the container sees them.
    pub fn volumes(&self) -> &[Pair] {
        &self.volumes
    }

    /// Returns the labels beside Orbit's own.
    pub fn labels(&self) -> &[Pair] {
        &self.labels
    }

    /// Returns the words that replace the image's entrypoint, none to keep it.
    pub fn entrypoint(&self) -> &[String] {
        &self.entrypoint
    }

    /// Returns the words that replace the image's command, none to keep it.
    pub fn command(&self) -> &[String] {
        &self.command
    }

    /// Returns the directory that the container runs in, if it is not the image's.
    pub fn working_dir(&self) -> Option<&str> {
        self.working_dir.as_deref()
    }
}

fn command(field: &str, text: Option<&str>, faults: &mut Faults) -> Vec<String> {
    let read = |text: &str| {
        let words = words(text)?;
        words.iter().try_for_each(|word| rules::text(word))?;
        Ok(words)
    };
    faults.given(field, text, read).unwrap_or_default()
}

impl TryFrom<FormText> for ChartForm {
    type Error = FormFaults;

    fn try_from(text: FormText) -> Result<Self, FormFaults> {
        Self::read(&text)
    }
}

impl From<ChartForm> for FormText {
    fn from(form: ChartForm) -> Self {
        let list = |words: Vec<String>| (!words.is_empty()).then(|| Value::from(words).to_string());
        Self {
            port: form.port.map(|port| port.to_string()),
            env_vars: form.env_vars,
            volumes: form.volumes,
            image_labels: form.labels,
            entrypoint_override: list(form.entrypoint),
            command_override: list(form.command),
            working_dir: form.working_dir,
        }
    }
}

/// The faults found so far in one object of a request.
pub(super) struct Faults {
    object: &'static str,
    found: Vec<FieldFault>,
}

impl Faults {
    pub(super) fn of(object: &'static str) -> Self {
        Self { object, found: Vec::new() }
    }

    /// Notes the fault of a field, if `result` is one.
    pub(super) fn note<T>(&mut self, field: &str, result: Result<T, FormFault>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(fault) => {
                let pointer = format!("{}/{field}", self.object);
                self.found.push(FieldFault { pointer, fault });
                None
            }
        }
    }

    /// Reads a field unless it is absent or blank.
    pub(super) fn given<T>(
        &mut self,
        field: &str,
        text: Option<&str>,
        read: impl FnOnce(&str) -> Result<T, FormFault>,
    ) -> Option<T> {
        let text = text.filter(|text| !text.trim().is_empty())?;
        self.note(field, read(text))
    }

    /// Reads a number or a limit unless it is absent or blank.
    pub(super) fn parsed<T: FromStr<Err = QuantityFault>>(
        &mut self,
        field: &str,
        text: Option<&str>,
    ) -> Option<T> {
        self.given(field, text, |text| Ok(text.parse()?))
    }

    pub(super) fn none_or<T>(self, value: T) -> Result<T, FormFaults> {
        if self.found.is_empty() { Ok(value) } else { Err(FormFaults(self.found)) }
    }
}

#[cfg(test)]
mod tests;
