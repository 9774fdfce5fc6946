//! Edits a deploy list with another editor, and says how long that takes.
//!
//! ```sh
//! orbit-peers <yamlpatch|yaml-edit> <list.yaml> <changes.json> <result.yaml>
//! ```
//!
//! Measured is text to text in this process: reading, editing and writing, no files. Prints the median
//! and the shortest run in nanoseconds, the number of runs and the peak of this process's memory in KiB.

#![expect(
    clippy::disallowed_methods,
    reason = "a bench measures time, and its harness reads the machine's clock"
)]

use std::error::Error;
use std::process::ExitCode;
use std::str::FromStr as _;
use std::time::{Duration, Instant};
use std::{env, fs};

use serde::Deserialize;
use yaml_edit::{MappingBuilder, ScalarValue, YamlFile};
use yamlpatch::{Op, Patch};
use yamlpath::{Component, Route};

/// The median of more runs would say no more.
const MOST_RUNS: usize = 301;
/// The fewest runs that have a median worth the name.
const FEWEST_RUNS: usize = 3;
/// There are no more runs after this time, if there were [`FEWEST_RUNS`].
const ENOUGH: Duration = Duration::from_secs(1);
/// There are no more runs after this time at all.
const TOO_LONG: Duration = Duration::from_secs(6);

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A change to the entry at an index of the list as it is read, the last entry first.
///
/// That the index is known spares the editors the search for the name, which Orbit does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "op")]
enum Change {
    Update { index: usize, fields: Vec<(String, String)> },
    Insert { index: usize, fields: Vec<(String, String)> },
    Remove { index: usize },
}

fn main() -> ExitCode {
    match measure() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn measure() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [tool, list, changes, result] = arguments.as_slice() else {
        return Err("expected a tool, a list, changes and a place for the result".into());
    };
    let edit = match tool.as_str() {
        "yamlpatch" => with_yamlpatch,
        "yaml-edit" => with_yaml_edit,
        _ => return Err(format!("unknown tool {tool}").into()),
    };
    let list = fs::read_to_string(list)?;
    let changes: Vec<Change> = serde_json::from_str(&fs::read_to_string(changes)?)?;
    let mut times = Vec::new();
    let start = Instant::now();
    loop {
        let begin = Instant::now();
        let text = edit(&list, &changes)?;
        times.push(begin.elapsed());
        if times.len() == 1 {
            fs::write(result, text)?;
        }
        let is_enough = times.len() >= FEWEST_RUNS && start.elapsed() > ENOUGH;
        if is_enough || times.len() == MOST_RUNS || start.elapsed() > TOO_LONG {
            break;
        }
    }
    times.sort();
    let nanos = |at: usize| times.get(at).map_or(0, Duration::as_nanos);
    println!("{} {} {} {}", nanos(times.len() / 2), nanos(0), times.len(), peak()?);
    Ok(())
}

/// Edits with yamlpatch: one document, and all patches in one call.
///
/// It cannot insert at a place, so a new entry is appended.
fn with_yamlpatch(list: &str, changes: &[Change]) -> Outcome<String> {
    let document = yamlpath::Document::new(list)?;
    let mut patches = Vec::new();
    for change in changes {
        match change {
            Change::Update { index, fields } => {
                patches.extend(fields.iter().map(|(key, value)| Patch {
                    route: Route::from(vec![
                        Component::from(*index),
                        Component::from(key.as_str()),
                    ]),
                    operation: Op::Replace(value.as_str().into()),
                }));
            }
            Change::Insert { index: _, fields } => {
                let pairs =
                    fields.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into()));
                let value = yaml_serde::Value::Mapping(pairs.collect());
                patches.push(Patch { route: Route::default(), operation: Op::Append { value } });
            }
            Change::Remove { index } => {
                let route = Route::from(vec![Component::from(*index)]);
                patches.push(Patch { route, operation: Op::Remove });
            }
        }
    }
    Ok(yamlpatch::apply_yaml_patches(&document, &patches)?.source().to_owned())
}

/// Edits with yaml-edit's syntax tree, which is read once and written once.
///
/// A file that begins with a comment is a [`YamlFile`] to it, not a `Document`.
fn with_yaml_edit(list: &str, changes: &[Change]) -> Outcome<String> {
    let file = YamlFile::from_str(list)?;
    let document = file.document().ok_or("no document")?;
    let sequence = document.as_sequence().ok_or("no list")?;
    for change in changes {
        match change {
            Change::Update { index, fields } => {
                let item = sequence.get(*index).ok_or("no such entry")?;
                let mapping = item.as_mapping().ok_or("no mapping")?;
                for (key, value) in fields {
                    mapping.set(key.as_str(), ScalarValue::double_quoted(value));
                }
            }
            Change::Insert { index, fields } => {
                let builder = fields.iter().fold(MappingBuilder::new(), |builder, (key, value)| {
                    builder.pair(key, ScalarValue::double_quoted(value))
                });
                let entry = builder.build_document().as_mapping().ok_or("no mapping")?;
                sequence.insert(*index, entry);
            }
            Change::Remove { index } => {
                sequence.remove(*index).ok_or("no such entry")?;
            }
        }
    }
    Ok(file.to_string())
}

/// Returns the peak of this process's memory in KiB.
fn peak() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.and_then(|line| line.split_whitespace().next()).ok_or("no VmHWM")?;
    Ok(digits.parse()?)
}
