//! What an edit writes of one entry.

use std::borrow::Cow;

use super::check::OVERWRITTEN;
use super::fault::ListFault;
use crate::AppName;

/// The keys and values of one entry as they are written, the name first.
///
/// Those of an [`Entry`](super::Entry) come from [`Change::put`](super::Change::put); a list that has
/// keys of its own is edited with fields that are put together here.
///
/// ```
/// use orbit_core::list::{Change, Fields, apply};
/// let fields = Fields::new(&"trolls".parse()?).with("team", "film: \"A\"")?;
/// assert_eq!(
///     apply("# nothing yet\n[]\n", &[Change::Put(fields)])?,
///     "# nothing yet\n- name: \"trolls\"\n  team: \"film: \\\"A\\\"\"\n",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    name: String,
    others: Vec<(Cow<'static, str>, String)>,
}

impl Fields {
    /// The longest key in bytes, each of which may become an escape of four when it is written.
    pub const MAX_KEY: usize = super::scan::MAX_KEY / 5;

    /// Returns the fields of an entry that has a name and nothing else.
    pub fn new(name: &AppName) -> Self {
        Self { name: name.to_string(), others: Vec::new() }
    }

    /// Returns these fields and one more, which is written last.
    ///
    /// # Errors
    /// [`ListFault::DuplicateKey`] for a key that is there already, [`ListFault::MergeKey`],
    /// [`ListFault::LongKey`] and [`ListFault::Forbidden`] for one that no list may have.
    pub fn with(mut self, key: &str, value: &str) -> Result<Self, ListFault> {
        if key == "<<" {
            return Err(ListFault::MergeKey);
        }
        let (found, limit) = (key.len(), Self::MAX_KEY);
        if found > limit {
            return Err(ListFault::LongKey { found, limit });
        }
        if OVERWRITTEN.contains(&key) {
            return Err(ListFault::Forbidden { key: key.to_owned() });
        }
        if self.iter().any(|(other, _)| other == key) {
            return Err(ListFault::DuplicateKey { key: key.to_owned() });
        }
        self.others.push((Cow::Owned(key.to_owned()), value.to_owned()));
        Ok(self)
    }

    /// Adds one of Orbit's own keys, which differ from each other and need no quotes.
    pub(super) fn push(&mut self, key: &'static str, value: &impl ToString) {
        self.others.push((Cow::Borrowed(key), value.to_string()));
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the keys and values in the order in which they are written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let others = self.others.iter().map(|(key, value)| (&**key, value.as_str()));
        std::iter::once(("name", self.name.as_str())).chain(others)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::list::{Change, Document, apply};

    fn named() -> Fields {
        Fields::new(&"trolls".parse().unwrap())
    }

    #[test]
    fn any_key_that_a_list_may_have_is_written_so_that_it_is_read_again() {
        for key in
            ["", "team", "x y", "on", "1", "a: b", "# no", "é", "\n", "\u{2028}", "- a", "null"]
        {
            let fields = named().with(key, "v").unwrap();
            let text = apply("[]", &[Change::Put(fields)]).unwrap();
            let list = Document::read(text.as_bytes()).unwrap();
            assert_eq!(list.items().next().unwrap().field(key).unwrap().value, "v", "{text}");
        }
        let longest = "\u{7f}".repeat(Fields::MAX_KEY);
        let text = apply("[]", &[Change::Put(named().with(&longest, "v").unwrap())]).unwrap();
        assert!(Document::read(text.as_bytes()).is_ok());
    }

    #[test]
    fn a_key_that_no_list_may_have_is_refused() {
        let long = "a".repeat(Fields::MAX_KEY + 1);
        for key in ["<<", "path", "values", "name", long.as_str()] {
            assert!(named().with(key, "v").is_err(), "{key}");
        }
        assert!(named().with("a", "1").unwrap().with("a", "2").is_err());
    }
}
