//! Whether a result is what was asked for, and what else became of the list.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::data::Record;

/// Says what became of comments and order in a result with the expected entries.
///
/// # Errors
/// Says why the result is wrong.
pub(crate) fn verify(before: &str, found: &str, expected: &[Record]) -> Result<String, String> {
    let options = serde_saphyr::options! { budget: None };
    let read: Result<Vec<Record>, _> = serde_saphyr::from_str_with_options(found, options);
    let found_records = read.map_err(|fault| {
        let fault = fault.to_string();
        format!("wrong: cannot be read: {}", fault.lines().next().unwrap_or_default())
    })?;
    if by_name(&found_records) != by_name(expected) || found_records.len() != expected.len() {
        let n_found = found_records.len();
        return Err(format!(
            "wrong: {n_found} entries that are not the {} asked for",
            expected.len()
        ));
    }
    let (mut before, found) = (comments(before), comments(found));
    let n_comments = before.len();
    before.retain(|comment, entry| found.get(comment) == Some(entry));
    let order = if found_records == expected { "in order" } else { "not in the order of names" };
    Ok(format!("{order}, {} of {n_comments} comments at their entry", before.len()))
}

fn by_name(records: &[Record]) -> BTreeMap<Option<&String>, &Record> {
    records.iter().map(|record| (record.get("name"), record)).collect()
}

/// Returns each comment with the name of its entry: the next, or its line's.
fn comments(text: &str) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    let mut above = Vec::new();
    let mut name = "";
    for line in text.lines() {
        let line = line.trim();
        if let Some(value) = line.trim_start_matches("- ").strip_prefix("name: ") {
            name = value.trim_matches('"');
            found.extend(above.drain(..).map(|comment| (comment, name)));
        }
        if line.starts_with('#') {
            above.push(line);
        } else if let Some((_, comment)) = line.split_once(" #") {
            found.insert(comment, name);
        }
    }
    found
}

/// Returns the lines that a result adds and takes away, as `git` counts them.
pub(crate) fn changed_lines(before: &Path, after: &Path) -> usize {
    let diff = Command::new("git")
        .args(["diff", "--no-index", "--numstat"])
        .args([before, after])
        .output()
        .expect("git is installed");
    let text = String::from_utf8(diff.stdout).unwrap();
    text.split_whitespace().take(2).map(|number| number.parse::<usize>().unwrap()).sum()
}
