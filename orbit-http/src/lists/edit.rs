//! Entries added and removed by hand.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr;

use orbit_core::AppName;
use orbit_core::list::{self, Change, Document, Fields, Finding, KEYS, ListFault, ListFile, shown};

use super::file::{Edited, Place, Text};
use super::sides::{self, Lists, Side};
use super::{Refusal, named};

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

/// Puts an entry into a list if it makes nothing wrong, and returns what to say of it.
pub(super) fn add(path: &Path, pairs: &[Pair]) -> Result<String, Refusal> {
    let (name, fields) = fields(pairs)?;
    let edited = Edited::begin(path)?;
    let file = Text::read(path)?;
    let list = file.document()?;
    let was_there = list.items().any(|item| item.name() == name.as_str());
    let after = list.apply(&[Change::Put(fields)]).map_err(|error| Refusal::read(path, &error))?;
    if after == file.text()? {
        return Ok(format!("{name} unchanged in {}", named(path)));
    }
    let findings = added_faults(path, &list, &after, &name, pairs)?;
    if !findings.is_empty() {
        return Err(Refusal::Unsound { file: path.to_owned(), findings });
    }
    edited.replace(path, &after)?;
    let done = if was_there { "changed in" } else { "added to" };
    Ok(format!("{name} {done} {}", named(path)))
}

/// Takes entries out of a list, and returns what to say of it.
pub(super) fn remove(path: &Path, names: &[String]) -> Result<String, Refusal> {
    let edited = Edited::begin(path)?;
    let file = Text::read(path)?;
    let list = file.document()?;
    let listed: BTreeSet<String> = list.items().map(|item| item.name().into_owned()).collect();
    if let Some(name) = names.iter().find(|name| !listed.contains(*name)) {
        return Err(Refusal::NotListed { file: path.to_owned(), name: name.clone() });
    }
    let changes: Vec<Change> = names.iter().cloned().map(Change::Remove).collect();
    let after = list.apply(&changes).map_err(|error| Refusal::read(path, &error))?;
    edited.replace(path, &after)?;
    let names: Vec<String> = names.iter().map(|name| shown(name, list::SHOWN)).collect();
    Ok(format!("{} removed from {}", names.join(", "), named(path)))
}

fn fields(pairs: &[Pair]) -> Result<(AppName, Fields), Refusal> {
    let refuse = |key: &str, reason: String| Refusal::Key { key: key.to_owned(), reason };
    for Pair { key, .. } in pairs {
        if let Some(reason) = mistake(key) {
            return Err(refuse(key, reason));
        }
    }
    let named = pairs.iter().find(|pair| pair.key == "name").ok_or(Refusal::NoName)?;
    let name: AppName = named.value.parse().map_err(|fault| refuse("name", format!("{fault}")))?;
    let mut fields = Fields::new(&name);
    for pair in pairs.iter().filter(|pair| !std::ptr::eq(*pair, named)) {
        let with = fields.with(&pair.key, &pair.value);
        fields = with.map_err(|fault| refuse(&pair.key, fault.to_string()))?;
    }
    Ok((name, fields))
}

/// Returns what is wrong with a key that a list may have, and that nobody means.
fn mistake(key: &str) -> Option<String> {
    if key.is_empty() {
        return Some("key is empty, expected KEY=VALUE".to_owned());
    }
    if key.trim() != key || key.chars().any(char::is_control) {
        return Some("key has blanks around it or control characters".to_owned());
    }
    let meant = KEYS.into_iter().find(|known| known.eq_ignore_ascii_case(key) && *known != key)?;
    Some(format!("no such key, {meant} is meant"))
}

/// Returns the faults that an entry has after an edit, and did not have before or was given now.
fn added_faults(
    path: &Path,
    before: &Document<'_>,
    after: &str,
    name: &AppName,
    pairs: &[Pair],
) -> Result<Vec<String>, Refusal> {
    let place = Place::of(path);
    let mut lists = Lists::default();
    lists.complete(&place)?;
    let environment = place.named.as_deref().map_or(Ok(None), sides::environment);
    let unsound = |finding| Refusal::Unsound { file: path.to_owned(), findings: vec![finding] };
    let environment = environment.map_err(unsound)?;
    lists.missing().map_or(Ok(()), |finding| Err(unsound(finding)))?;

    let text = Text { path: path.to_owned(), text: Ok(after.to_owned()) };
    *lists.side_mut(place.kind) = Side::Read(text);
    let empty = Document::read(b"[]").map_err(|error| Refusal::read(path, &error))?;
    let beside = lists.side(sides::other(place.kind)).read().map(Text::document).transpose()?;
    let beside = beside.as_ref().unwrap_or(&empty);
    let own = Document::read(after.as_bytes()).map_err(|error| Refusal::read(path, &error))?;
    let check = |own: &Document<'_>| {
        let (deploy, delete) = match place.kind {
            ListFile::Deploy => (own, beside),
            ListFile::Delete => (beside, own),
        };
        list::check_entry(place.kind, [deploy, delete], name.as_str(), environment.as_ref())
    };
    let known: Vec<Finding> = check(before);
    let item = own.items().find(|item| item.name() == name.as_str());
    let is_given = |finding: &Finding| {
        let mut given = pairs.iter().filter(|pair| pair.key != "name");
        let at = |pair: &Pair| Some(item.as_ref()?.field(&pair.key)?.position());
        finding.file == place.kind && given.any(|pair| at(pair) == Some(finding.error.position()))
    };
    let mut findings = check(&own);
    findings.retain(|finding| is_given(finding) || !known.iter().any(|old| is_same(old, finding)));
    Ok(findings.iter().map(|finding| lists.line(finding)).collect())
}

/// Tells whether a fault is one that was there before, maybe in another line.
fn is_same(old: &Finding, new: &Finding) -> bool {
    match (&old.error.kind, &new.error.kind) {
        (ListFault::InBoth { .. }, ListFault::InBoth { .. }) => true,
        (old, new) => old == new,
    }
}
