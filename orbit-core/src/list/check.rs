//! What must hold of the two lists of an environment before they are pushed.

use std::collections::HashMap;

use super::both::{Finding, ListFile, in_delete, in_deploy};
use super::document::{Document, Item};
use super::entry::{DeleteList, DeployList, Entry, List, Listed, Tombstone};
use super::fault::{ListError, ListFault, Position};
use super::{MAX_BYTES, scan};
use crate::Environment;
use crate::environment::is_label;

/// Keys of an item that Argo CD's generator overwrites.
pub(super) const OVERWRITTEN: [&str; 2] = ["path", "values"];

/// Checks the two lists of an environment, as they are before they are pushed.
///
/// Beyond what reading refuses: every field of every entry has its form, no entry has a key that Argo
/// CD overwrites, every entry is for this environment, and no name is in both lists. Where the
/// environment is not known, that of the first entry is the others' too.
///
/// # Errors
/// Every fault, in the order of its place, or about the first 1,000 of each list; a text that cannot be
/// read to its end has none behind the place where reading stopped.
pub fn check(
    deploy: &str,
    delete: &str,
    environment: Option<&Environment>,
) -> Result<(), Vec<Finding>> {
    read_sound(deploy, delete, environment).map(drop)
}

/// Reads the two lists of an environment, if [`check`] finds nothing wrong with them.
///
/// # Errors
/// As of [`check`].
pub fn read_sound(
    deploy: &str,
    delete: &str,
    environment: Option<&Environment>,
) -> Result<(DeployList, DeleteList), Vec<Finding>> {
    let (deploy, delete) = (scan::scan(deploy, MAX_BYTES), scan::scan(delete, MAX_BYTES));
    let first = || first_environment(deploy.document.items().chain(delete.document.items()));
    let environment = environment.cloned().or_else(first);
    let environment = environment.as_ref();
    let (entries, of_deploy) = read::<Entry>(&deploy, environment);
    let (tombstones, of_delete) = read::<Tombstone>(&delete, environment);
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(of_deploy.into_iter().map(in_deploy));
    findings.extend(of_delete.into_iter().map(in_delete));
    findings.extend(in_both(&deploy.document, &delete.document).map(in_delete));
    findings.sort_by_key(|finding| (finding.file, finding.error.position()));
    if findings.is_empty() { Ok((entries, tombstones)) } else { Err(findings) }
}

/// Checks one entry, by its name, in one of the two lists of an environment.
///
/// The lists are the deploy list and the delete list. What holds of all entries is looked for in this
/// one only, so that nothing is left out however much is wrong with the others. Where the environment is
/// not known, that of the first other entry counts. A name that the list has not has no faults.
///
/// Returns every fault, in the order of its place.
pub fn check_entry(
    file: ListFile,
    lists: [&Document<'_>; 2],
    name: &str,
    environment: Option<&Environment>,
) -> Vec<Finding> {
    let [deploy, delete] = lists;
    let list = match file {
        ListFile::Deploy => deploy,
        ListFile::Delete => delete,
    };
    let Some(item) = list.items().find(|item| item.name() == name) else {
        return Vec::new();
    };
    let others = || deploy.items().chain(delete.items()).filter(|item| item.name() != name);
    let environment = environment.cloned().or_else(|| first_environment(others()));
    let mut faults = Vec::new();
    match file {
        ListFile::Deploy => drop(read_item::<Entry>(&item, environment.as_ref(), &mut faults)),
        ListFile::Delete => drop(read_item::<Tombstone>(&item, environment.as_ref(), &mut faults)),
    }
    let own = faults.into_iter().map(|error| Finding { file, error });
    let both = in_both(deploy, delete).filter(
        |error| matches!(&error.kind, ListFault::InBoth { name: both, .. } if both == name),
    );
    let mut findings: Vec<Finding> = own.chain(both.map(in_delete)).collect();
    findings.sort_by_key(|finding| (finding.file, finding.error.position()));
    findings
}

/// Returns the entries of one list that could be read, and its faults.
fn read<T: Listed>(
    scan: &scan::Scan<'_>,
    environment: Option<&Environment>,
) -> (List<T>, Vec<ListError>) {
    let (mut faults, mut entries) = (scan.faults.clone(), Vec::new());
    if !scan.is_whole {
        if faults.len() >= scan::MAX_FAULTS {
            push_more(&mut faults);
        }
        return (List::new(entries), faults);
    }
    let mut of_fields = Vec::new();
    for item in scan.document.items() {
        if of_fields.len() >= scan::MAX_FAULTS {
            break;
        }
        entries.extend(read_item::<T>(&item, environment, &mut of_fields));
    }
    let is_cut = [&faults, &of_fields].into_iter().any(|found| found.len() >= scan::MAX_FAULTS);
    // What is wrong with a text is said once: an unquoted number is no version either.
    let known: Vec<Position> = faults.iter().map(ListError::position).collect();
    let is_absent =
        |kind: &ListFault| matches!(kind, ListFault::Missing { field } if *field != "name");
    of_fields
        .retain(|fault| is_absent(&fault.kind) || known.binary_search(&fault.position()).is_err());
    faults.append(&mut of_fields);
    if is_cut {
        push_more(&mut faults);
    }
    (List::new(entries), faults)
}

/// Adds, as the last of so many faults, that there may be more.
fn push_more(faults: &mut Vec<ListError>) {
    let last = faults.iter().map(ListError::position).max();
    let at = last.unwrap_or(Position { line: 1, column: 1 });
    faults.push(ListError::new(at, ListFault::More { shown: faults.len() }));
}

/// Reads one entry, and finds what is wrong with it.
fn read_item<T: Listed>(
    item: &Item<'_>,
    environment: Option<&Environment>,
    faults: &mut Vec<ListError>,
) -> Option<T> {
    let entry = T::read(item, faults);
    formless(item, faults);
    overwritten(item, faults);
    if let Some(environment) = environment {
        misplaced(item, environment, faults);
    }
    entry
}

/// Returns the first environment that an entry names.
fn first_environment<'d>(items: impl Iterator<Item = Item<'d>>) -> Option<Environment> {
    let mut named = items.filter_map(|item| item.field("environment"));
    named.find_map(|field| field.value.parse().ok())
}

/// Finds what is wrong with the fields that are read as any text.
fn formless(item: &Item<'_>, faults: &mut Vec<ListError>) {
    type Rule = (&'static str, fn(&str) -> bool, &'static str);
    const RULES: [Rule; 3] = [
        ("image", is_repository, "not a repository without tag and digest, such as docker.io/a/b"),
        ("namespace", is_label, "not a DNS label: at most 63 of a-z, 0-9 and '-' between those"),
        ("deploymentId", |text| !text.trim().is_empty(), "empty or blank"),
    ];
    for (field, has_form, reason) in RULES {
        if let Some(found) = item.field(field).filter(|found| !has_form(&found.value)) {
            let kind = ListFault::Invalid { field, reason: reason.to_owned() };
            faults.push(ListError::new(found.position(), kind));
        }
    }
}

/// Tells whether a text is a repository as registries name them, perhaps behind a host and its port.
fn is_repository(text: &str) -> bool {
    let is_path = |path: &str| path.split('/').all(is_component);
    is_path(text) || text.split_once('/').is_some_and(|(host, path)| is_host(host) && is_path(path))
}

/// Tells whether a text is lower-case letters and digits, parted by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    // Between two letters there is nothing, or a separator.
    let mut between = text.split(is_letter);
    let is_separator =
        |part: &str| matches!(part, "" | "." | "_" | "__") || part.bytes().all(|b| b == b'-');
    text.starts_with(is_letter) && text.ends_with(is_letter) && between.all(is_separator)
}

/// Tells whether a text is a host, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let is_label = |label: &str| {
        let is_outer = |c: char| c.is_ascii_alphanumeric();
        let is_inner = |c: char| is_outer(c) || c == '-';
        label.starts_with(is_outer) && label.ends_with(is_outer) && label.chars().all(is_inner)
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

fn overwritten(item: &Item<'_>, faults: &mut Vec<ListError>) {
    for field in OVERWRITTEN.into_iter().filter_map(|key| item.field(key)) {
        let kind = ListFault::Forbidden { key: field.key.to_string() };
        faults.push(ListError::new(field.key_position(), kind));
    }
}

fn misplaced(item: &Item<'_>, environment: &Environment, faults: &mut Vec<ListError>) {
    let Some(field) = item.field("environment") else {
        return;
    };
    // A text that is no environment at all is a fault already.
    if field.value != environment.as_str() && field.value.parse::<Environment>().is_ok() {
        let expected = environment.to_string();
        let kind = ListFault::Environment { found: field.value.to_string(), expected };
        faults.push(ListError::new(field.position(), kind));
    }
}

/// Returns a fault for every name of the second list that is in the first.
fn in_both<'d>(
    deploy: &'d Document<'_>,
    delete: &'d Document<'_>,
) -> impl Iterator<Item = ListError> + use<'d> {
    let lines: HashMap<_, _> =
        deploy.items().map(|item| (item.name(), item.position().line)).collect();
    delete.items().filter_map(move |item| {
        let field = item.name_field()?;
        let line = *lines.get(&field.value)?;
        let kind = ListFault::InBoth { name: field.value.to_string(), line };
        Some(ListError::new(field.position(), kind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_nothing_but_faults_is_told_in_part() {
        let faults = "- name: 1\n".repeat(5000);
        let found = check(&faults, "[]\n", None).unwrap_err();
        assert!((1000..2100).contains(&found.len()), "{}", found.len());
        let last = found.last().unwrap();
        assert_eq!(last.error.kind, ListFault::More { shown: found.len() - 1 });
        let few = check(&"- name: 1\n".repeat(9), "[]\n", None).unwrap_err();
        assert!(few.iter().all(|few| !matches!(few.error.kind, ListFault::More { .. })));
    }

    #[test]
    fn a_key_that_argo_cd_overwrites_is_told_however_it_is_quoted() {
        let list = "- name: \"a\"\n  'values': \"x\"\n  \"path\": \"x\"\n";
        let found = check(list, "[]", None).unwrap_err();
        let is_told = |line, key: &str| {
            let kind = ListFault::Forbidden { key: key.to_owned() };
            found.iter().any(|finding| finding.error.line == line && finding.error.kind == kind)
        };
        assert!(is_told(2, "values") && is_told(3, "path"), "{found:?}");
    }

    #[test]
    fn a_key_that_is_no_string_is_told_in_every_entry() {
        let list = "- name: \"a\"\n  on: \"x\"\n- name: \"b\"\n  on: \"x\"\n";
        let found = check(list, "[]", None).unwrap_err();
        let is_key = |found: &&Finding| matches!(found.error.kind, ListFault::Ambiguous { .. });
        let lines = found.iter().filter(is_key).map(|found| found.error.line);
        assert_eq!(lines.collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn an_entry_whose_reading_stopped_lacks_no_name() {
        let values: String = (0..scan::MAX_FAULTS).map(|n| format!("  a{n}: 1\n")).collect();
        let list = format!("- b: \"\"\n{values}  name: \"c\"\n");
        let found = check(&list, "[]", None).unwrap_err();
        assert_eq!(found.len(), scan::MAX_FAULTS + 1);
        let missing = ListFault::Missing { field: "name" };
        assert!(found.iter().all(|found| found.error.kind != missing));
    }

    #[test]
    fn a_repository_has_neither_tag_nor_digest() {
        for text in [
            "docker.io/k8or/a",
            "localhost:5000/a",
            "a",
            "a.b/c__d/e--f",
            "Reg.io/a_b",
            "a-b.c:1/d.e",
        ] {
            assert!(is_repository(text), "{text}");
        }
        for text in [
            "",
            "a:1",
            "a/b:1",
            "a/b@sha256:0",
            "a//b",
            "a/",
            "/a",
            "a b",
            "h:1/a:1",
            "é/a",
            "a/B",
            "A",
            "h:/a",
            "h:x/a",
            "a/-b",
            "a/b-",
            "a/b._c",
            "a/b___c",
            "a/b..c",
            "-h/a",
            "h./a",
            "a/b$c",
            "a/(b)",
        ] {
            assert!(!is_repository(text), "{text}");
        }
    }
}
