//! What Kubernetes, Linux and the tools between take in a form's rows.

use std::collections::HashSet;

use super::{Faults, FormFault, Pair};

/// The most rows of one list. Kubernetes sets no limit but the size of the object.
const MAX_ROWS: usize = 1_000;
/// Linux refuses an argument or an entry of the environment from 128 KiB on (`MAX_ARG_STRLEN`).
const MAX_TEXT: usize = 131_071;
/// Linux refuses paths from 4096 bytes on, their end included (`PATH_MAX`).
const MAX_PATH: usize = 4_095;
/// The longest `ConfigMap` key and the longest prefix of a label, a DNS subdomain.
const MAX_NAME: usize = 253;
/// The longest name and value of a label.
const MAX_LABEL: usize = 63;
/// Kubernetes refuses a larger `ConfigMap` (`MaxSecretSize`).
const MAX_CONFIG_MAP: usize = 1_048_576;
/// The labels that the base template sets: Services and Deployments select by them.
const OWN_LABELS: [&str; 2] = ["app", "release"];
/// The domains whose labels mean something to Orbit, to Kubernetes or to Argo CD.
const RESERVED_DOMAINS: [&str; 4] = ["orbit.k8or.com", "kubernetes.io", "k8s.io", "argoproj.io"];

/// Returns the rows, after noting every fault in them.
pub(super) fn env_vars(rows: &[Pair], faults: &mut Faults) -> Vec<Pair> {
    let size = rows.iter().map(|row| row.key.len() + row.value.len()).sum();
    faults.note("envVars", at_most(size, MAX_CONFIG_MAP));
    let mut seen = HashSet::new();
    each("envVars", rows, faults, |row| {
        let key = config_key(&row.key).and_then(|()| once(&mut seen, &row.key));
        let entry = row.key.len() + "=".len() + row.value.len();
        [key, text(&row.value).and_then(|()| at_most(entry, MAX_TEXT))]
    })
}

/// Returns the rows, after noting every fault in them.
pub(super) fn volumes(rows: &[Pair], faults: &mut Faults) -> Vec<Pair> {
    let mut seen = HashSet::new();
    each("volumes", rows, faults, |row| {
        let value =
            mount_path(&row.value).and_then(|()| once(&mut seen, &one_spelling(&row.value)));
        [path(&row.key), value]
    })
}

/// Returns the rows, after noting every fault in them.
pub(super) fn labels(rows: &[Pair], faults: &mut Faults) -> Vec<Pair> {
    let mut seen = HashSet::new();
    each("imageLabels", rows, faults, |row| {
        let key = label_key(&row.key).and_then(|()| once(&mut seen, &row.key));
        [key, label_value(&row.value)]
    })
}

/// Returns the directory that a container runs in.
pub(super) fn directory(text: &str) -> Result<String, FormFault> {
    path(text).map(|()| text.to_owned())
}

/// Checks a text that the container is started with.
///
/// Refused are NUL, which ends a text in Linux, and the characters that kustomize loses: it fails on
/// U+007F to U+009F, U+FFFE and U+FFFF, and makes a space of U+0085.
pub(super) fn text(text: &str) -> Result<(), FormFault> {
    let lost = |c: &char| matches!(c, '\0' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    match text.chars().find(lost) {
        Some(found) => Err(FormFault::Character { found }),
        None => at_most(text.len(), MAX_TEXT),
    }
}

fn each(
    field: &str,
    rows: &[Pair],
    faults: &mut Faults,
    mut check: impl FnMut(&Pair) -> [Result<(), FormFault>; 2],
) -> Vec<Pair> {
    if rows.len() > MAX_ROWS {
        let fault = FormFault::Entries { found: rows.len(), max: MAX_ROWS };
        faults.note::<()>(field, Err(fault));
        return Vec::new();
    }
    for (position, row) in rows.iter().enumerate() {
        let [key, value] = check(row);
        faults.note(&format!("{field}/{position}/key"), key);
        faults.note(&format!("{field}/{position}/value"), value);
    }
    rows.to_vec()
}

fn once(seen: &mut HashSet<String>, key: &str) -> Result<(), FormFault> {
    if seen.insert(key.to_owned()) {
        return Ok(());
    }
    Err(FormFault::Twice { found: excerpt(key) })
}

fn at_most(found: usize, max: usize) -> Result<(), FormFault> {
    if found > max { Err(FormFault::Length { found, max }) } else { Ok(()) }
}

/// Checks a key as Kubernetes' `IsConfigMapKey` does.
fn config_key(key: &str) -> Result<(), FormFault> {
    let is_sound = (1..=MAX_NAME).contains(&key.len())
        && key.bytes().all(is_name_byte)
        && key != "."
        && !key.starts_with("..");
    let expected =
        "1 to 253 letters A-Z, a-z, digits, '-', '_' and '.', not '.' and not beginning with '..'";
    expect(is_sound, "environment variable", key, expected)
}

/// Checks a path of the host or of the container.
fn path(path: &str) -> Result<(), FormFault> {
    let is_sound = path.starts_with('/')
        && path.split('/').all(|part| part != "..")
        && !path.chars().any(char::is_control);
    expect(is_sound, "path", path, "an absolute path without '..' and control characters")?;
    text(path).and_then(|()| at_most(path.len(), MAX_PATH))
}

/// Checks a place in the container: Kubernetes refuses a colon, and nothing starts under a mounted root.
fn mount_path(place: &str) -> Result<(), FormFault> {
    path(place)?;
    let is_sound = !place.contains(':') && !one_spelling(place).is_empty();
    expect(is_sound, "container path", place, "a path below / without ':'")
}

/// Returns the path of which `/data/`, `//data` and `/./data` are other spellings.
fn one_spelling(path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    parts.collect::<Vec<_>>().join("/")
}

fn label_key(key: &str) -> Result<(), FormFault> {
    let (prefix, name) =
        key.split_once('/').map_or((None, key), |(left, right)| (Some(left), right));
    let is_sound = !name.is_empty() && is_label(name) && prefix.is_none_or(is_subdomain);
    let expected = "at most 63 letters A-Z, a-z, digits, '-', '_' and '.' between letters or digits, \
                    optionally after a domain and '/'";
    expect(is_sound, "label", key, expected)?;
    let is_reserved = match prefix {
        None => OWN_LABELS.contains(&name),
        Some(domain) => RESERVED_DOMAINS.iter().any(|reserved| is_within(domain, reserved)),
    };
    if is_reserved { Err(FormFault::Reserved { found: excerpt(key) }) } else { Ok(()) }
}

fn label_value(value: &str) -> Result<(), FormFault> {
    let expected =
        "at most 63 letters A-Z, a-z, digits, '-', '_' and '.' between letters or digits";
    expect(is_label(value), "label value", value, expected)
}

/// Returns whether `domain` is `parent` or a part of it.
fn is_within(domain: &str, parent: &str) -> bool {
    domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_label(text: &str) -> bool {
    let is_edge_sound = |edge: Option<char>| edge.is_none_or(|c| c.is_ascii_alphanumeric());
    text.len() <= MAX_LABEL
        && text.bytes().all(is_name_byte)
        && is_edge_sound(text.chars().next())
        && is_edge_sound(text.chars().last())
}

fn is_subdomain(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= MAX_NAME && text.split('.').all(is_part)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

fn expect(
    is_sound: bool,
    what: &'static str,
    found: &str,
    expected: &'static str,
) -> Result<(), FormFault> {
    if is_sound { Ok(()) } else { Err(FormFault::Form { what, found: excerpt(found), expected }) }
}

/// Returns the beginning of a text, which may be of any length, for a message.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}
