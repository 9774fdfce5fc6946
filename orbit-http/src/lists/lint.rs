//! What is wrong with lists, before a pipeline lets them be pushed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use orbit_core::Environment;
use orbit_core::list::{Document, Finding, ListFault, ListFile};

use super::file::{Place, Text};
use super::sides::{self, Lists, Side};
use super::{Refusal, named};

/// What was found, and what could not be looked at.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// `file:line:column: message` for all that is wrong.
    pub(crate) findings: Vec<String>,
    /// The files that could not be read.
    pub(crate) unread: Vec<Refusal>,
}

/// The named lists of one folder.
#[derive(Debug, Default)]
struct Group {
    lists: Lists,
    places: Vec<Place>,
}

/// Returns all that is wrong with the named files.
///
/// The list beside a named one is read too, for names that are in both.
pub(super) fn report(files: &[PathBuf], environment: Option<&Environment>) -> Report {
    let mut report = Report::default();
    let mut groups: BTreeMap<PathBuf, Group> = BTreeMap::new();
    for path in files {
        let place = Place::of(path);
        let group = groups.entry(key(path, &place)).or_default();
        // The same list by another spelling.
        if !matches!(group.lists.side(place.kind), Side::None) {
            continue;
        }
        *group.lists.side_mut(place.kind) = match Text::read(path) {
            Ok(text) => {
                group.places.push(place.clone());
                Side::Read(text)
            }
            Err(refusal) => {
                report.unread.push(refusal);
                Side::Unread
            }
        };
    }
    for group in groups.into_values() {
        group.report(environment, &mut report);
    }
    report
}

/// Returns what lists that are checked together have in common, however they are spelled.
fn key(path: &Path, place: &Place) -> PathBuf {
    let whole = match &place.named {
        Some(named) => sides::folder(named),
        // Lists of other names have no list beside them.
        None => fs::canonicalize(path),
    };
    whole.unwrap_or_else(|_| path.to_owned())
}

impl Group {
    fn report(mut self, environment: Option<&Environment>, report: &mut Report) {
        let mut environment = environment.cloned();
        for place in &self.places {
            report.unread.extend(self.lists.complete(place).err());
        }
        let first = self.places.first().and_then(|place| place.named.as_deref());
        if let (Some(path), None) = (first, &environment) {
            match sides::environment(path) {
                Ok(known) => environment = known,
                Err(finding) => report.findings.push(finding),
            }
        }
        report.findings.extend(self.lists.missing());
        report.findings.extend(self.incomparable());
        let mut findings = self.lists.findings(environment.as_ref());
        findings.retain(|finding| {
            let is_in_both = matches!(finding.error.kind, ListFault::InBoth { .. });
            self.is_named(finding) || is_in_both
        });
        report.findings.extend(findings.iter().map(|finding| self.lists.line(finding)));
    }

    fn is_named(&self, finding: &Finding) -> bool {
        self.places.iter().any(|place| place.kind == finding.file)
    }

    /// Returns what to say of a list that nobody named and that cannot be compared with.
    fn incomparable(&self) -> Option<String> {
        let [Place { kind, named: Some(_) }] = self.places.as_slice() else {
            return None;
        };
        let (list, beside): (ListFile, ListFile) = (*kind, sides::other(*kind));
        let (list, beside) = (self.lists.side(list).read()?, self.lists.side(beside).read()?);
        let error = match &beside.text {
            Ok(text) => Document::read(text.as_bytes()).err()?,
            Err(error) => error.clone(),
        };
        let fault = error.in_file(&beside.path.display().to_string());
        Some(format!("{fault}; {} cannot be compared with it", named(&list.path)))
    }
}
