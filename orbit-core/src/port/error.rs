//! The one error of every port.

use std::error::Error;
use std::fmt;

/// What the caller can do about a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// What was asked for is not there.
    NotFound,
    /// Something else lies where the call expected something, or nothing.
    Conflict,
    /// The call will never succeed as it is.
    Rejected,
    /// The call may succeed later; it may or may not have taken effect.
    Unavailable,
}

/// A failed call of a port: what the caller can do, a message for people, and the adapter's own
/// error beneath it.
pub struct PortError {
    kind: Kind,
    message: String,
    error_type: Option<&'static str>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl PortError {
    /// Returns an error without a source.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), error_type: None, source: None }
    }

    /// Returns an error that something beneath the port caused.
    pub fn caused(
        kind: Kind,
        message: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let source = Some(source.into());
        Self { kind, message: message.into(), error_type: None, source }
    }

    /// Returns the error with a stable name of the situation, in kebab case, which an action that
    /// fails by it reports as its `errorType`.
    #[must_use]
    pub const fn typed(mut self, error_type: &'static str) -> Self {
        self.error_type = Some(error_type);
        self
    }

    /// Returns the stable name of the situation, if the port knows one.
    pub const fn error_type(&self) -> Option<&'static str> {
        self.error_type
    }

    /// Returns what the caller can do.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the message and those of all sources, joined by colons, for a log or an answer. A source
    /// that the error above it has told already is not told again.
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// Returns an error's text and those of all beneath it, joined by colons. What the error above has told
/// already is not told again: some libraries repeat their sources.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let beneath = error.to_string();
        if !text.ends_with(&beneath) {
            text.push_str(": ");
            text.push_str(&beneath);
        }
        source = error.source();
    }
    text
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.chain())
    }
}

impl Error for PortError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.source.as_deref()?;
        Some(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        source: Option<Box<Self>>,
    }

    #[test]
    fn a_source_that_was_told_already_is_not_told_again() {
        let inner = Layer { text: "1045: denied", source: None };
        let repeats = Layer { text: "the server says 1045: denied", source: Some(Box::new(inner)) };
        let error = PortError::caused(Kind::Unavailable, "the database failed", repeats);
        assert_eq!(error.chain(), "the database failed: the server says 1045: denied");
    }
}
