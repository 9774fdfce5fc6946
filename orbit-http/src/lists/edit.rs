//! Entries added and removed by hand.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use orbit_core::AppName;
use orbit_core::list::{Change, Document, Fields, ListFault};

use super::Refusal;
use super::file::{self, Lists, Text};

/// `KEY=VALUE`.
#[derive(Debug, Clone)]
pub(crate) struct Pair {
    key: String,
    value: String,
}

impl FromStr for Pair {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
        Ok(Self { key: key.to_owned(), value: value.to_owned() })
    }
}

/// Puts an entry into a list if nothing is wrong with it, and returns what to say of it.
pub(super) fn add(path: &Path, pairs: &[Pair]) -> Result<String, Refusal> {
    let file = Text::read(path)?;
    let list = read(&file)?;
    let (name, fields) = fields(pairs)?;
    let was_there = list.items().any(|item| item.name() == name.as_str());
    let after = list.apply(&[Change::Put(fields)]).map_err(|error| Refusal::read(path, &error))?;
    if after == file.text()? {
        return Ok(format!("{name} is in {} as it should be", path.display()));
    }
    let findings = faults_of_entry(path, &after, &name);
    if !findings.is_empty() {
        return Err(Refusal::Unsound { file: path.to_owned(), findings });
    }
    file::replace(path, &after)?;
    let done = if was_there { "changed in" } else { "added to" };
    Ok(format!("{name} {done} {}", path.display()))
}

/// Takes entries out of a list, and returns what to say of it.
pub(super) fn remove(path: &Path, names: &[AppName]) -> Result<String, Refusal> {
    let file = Text::read(path)?;
    let list = read(&file)?;
    let listed: BTreeSet<String> = list.items().map(|item| item.name().into_owned()).collect();
    if let Some(name) = names.iter().find(|name| !listed.contains(name.as_str())) {
        return Err(Refusal::NotListed { file: path.to_owned(), name: name.clone() });
    }
    let changes: Vec<Change> = names.iter().cloned().map(Change::Remove).collect();
    let after = list.apply(&changes).map_err(|error| Refusal::read(path, &error))?;
    file::replace(path, &after)?;
    let names: Vec<&str> = names.iter().map(AppName::as_str).collect();
    Ok(format!("{} removed from {}", names.join(", "), path.display()))
}

fn read(file: &Text) -> Result<Document<'_>, Refusal> {
    Document::read(file.text()?.as_bytes()).map_err(|error| Refusal::read(&file.path, &error))
}

fn fields(pairs: &[Pair]) -> Result<(AppName, Fields), Refusal> {
    let named = pairs.iter().find(|pair| pair.key == "name").ok_or(Refusal::NoName)?;
    let refuse = |key: &str, reason: String| Refusal::Key { key: key.to_owned(), reason };
    let name: AppName = named.value.parse().map_err(|fault| refuse("name", format!("{fault}")))?;
    let mut fields = Fields::new(&name);
    for pair in pairs.iter().filter(|pair| !std::ptr::eq(*pair, named)) {
        let with = fields.with(&pair.key, &pair.value);
        fields = with.map_err(|fault| refuse(&pair.key, fault.to_string()))?;
    }
    Ok((name, fields))
}

/// Returns what is wrong with one entry of a list that is not written yet.
fn faults_of_entry(path: &Path, text: &str, name: &AppName) -> Vec<String> {
    let mut lists = Lists::default();
    let (kind, _) = file::kind(path);
    *lists.side(kind) = Some(Text { path: path.to_owned(), text: Ok(text.to_owned()) });
    lists.complete();
    let own = Document::read(text.as_bytes()).ok();
    let item = own.as_ref().and_then(|list| list.items().find(|item| item.name() == name.as_str()));
    let lines: BTreeSet<usize> =
        item.iter().flat_map(|item| item.fields().map(|field| field.position().line)).collect();
    let mut findings = lists.findings(file::environment(path).as_ref());
    findings.retain(|finding| {
        if let ListFault::InBoth { name: other, .. } = &finding.error.kind {
            return other == name.as_str();
        }
        finding.file == kind && lines.contains(&finding.error.line)
    });
    findings.iter().map(|finding| lists.line(finding)).collect()
}
