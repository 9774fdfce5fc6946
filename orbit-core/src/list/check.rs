//! What must hold of the two lists of an environment before they are pushed.

use std::collections::HashMap;

use super::both::{Finding, in_delete, in_deploy};
use super::document::{Document, Item};
use super::entry::{Entry, Listed, Tombstone};
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
    let (deploy, delete) = (scan::scan(deploy, MAX_BYTES), scan::scan(delete, MAX_BYTES));
    let first = || first_environment(&deploy.document, &delete.document);
    let environment = environment.cloned().or_else(first);
    let environment = environment.as_ref();
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(faults_of::<Entry>(&deploy, environment).into_iter().map(in_deploy));
    findings.extend(faults_of::<Tombstone>(&delete, environment).into_iter().map(in_delete));
    findings.extend(in_both(&deploy.document, &delete.document).map(in_delete));
    findings.sort_by_key(|finding| (finding.file, finding.error.position()));
    if findings.is_empty() { Ok(()) } else { Err(findings) }
}

/// Returns the faults of one list.
fn faults_of<T: Listed>(
    scan: &scan::Scan<'_>,
    environment: Option<&Environment>,
) -> Vec<ListError> {
    let mut faults = scan.faults.clone();
    if !scan.is_whole {
        return faults;
    }
    let mut of_fields = Vec::new();
    for item in scan.document.items() {
        if of_fields.len() >= scan::MAX_FAULTS {
            break;
        }
        T::read(&item, &mut of_fields);
        formless(&item, &mut of_fields);
        overwritten(&item, &mut of_fields);
        if let Some(environment) = environment {
            misplaced(&item, environment, &mut of_fields);
        }
    }
    // What is wrong with a text is said once: an unquoted number is no version either.
    let known: Vec<Position> = faults.iter().map(ListError::position).collect();
    let is_absent =
        |kind: &ListFault| matches!(kind, ListFault::Missing { field } if *field != "name");
    of_fields
        .retain(|fault| is_absent(&fault.kind) || known.binary_search(&fault.position()).is_err());
    faults.append(&mut of_fields);
    faults
}

/// Returns the first environment that an entry names.
fn first_environment(deploy: &Document<'_>, delete: &Document<'_>) -> Option<Environment> {
    let mut named = deploy.items().chain(delete.items()).filter_map(|i| i.field("environment"));
    named.find_map(|field| field.value.parse().ok())
}

/// Finds what is wrong with the fields that are read as any text.
fn formless(item: &Item<'_>, faults: &mut Vec<ListError>) {
    type Rule = (&'static str, fn(&str) -> bool, &'static str);
    const RULES: [Rule; 3] = [
        ("image", is_repository, "not a repository without tag and digest, such as docker.io/a/b"),
        ("namespace", is_label, "not a DNS label: at most 63 of a-z, 0-9 and '-' between those"),
        ("deploymentId", |text| !text.is_empty(), "empty"),
    ];
    for (field, has_form, reason) in RULES {
        if let Some(found) = item.field(field).filter(|found| !has_form(&found.value)) {
            let kind = ListFault::Invalid { field, reason: reason.to_owned() };
            faults.push(ListError::new(found.position(), kind));
        }
    }
}

fn is_repository(text: &str) -> bool {
    let is_sign = |c: char| c.is_ascii_graphic() && c != '@';
    let (host, path) = text.split_once('/').unwrap_or(("", text));
    host.chars().chain(path.chars()).all(is_sign)
        && !path.contains(':')
        && path.split('/').all(|part| !part.is_empty())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn overwritten(item: &Item<'_>, faults: &mut Vec<ListError>) {
    for field in item.fields().filter(|field| OVERWRITTEN.contains(&&*field.key)) {
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
    }

    #[test]
    fn a_repository_has_neither_tag_nor_digest() {
        for text in ["docker.io/k8or/a", "localhost:5000/a", "a", "a.b/c__d/e-f"] {
            assert!(is_repository(text), "{text}");
        }
        for text in
            ["", "a:1", "a/b:1", "a/b@sha256:0", "a//b", "a/", "/a", "a b", "h:1/a:1", "é/a"]
        {
            assert!(!is_repository(text), "{text}");
        }
    }
}
