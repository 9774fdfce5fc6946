//! The entries of a list, for people and for programs.

use std::path::Path;

use orbit_core::list::{Item, SHOWN, shown};

use super::Refusal;
use super::file::Text;

/// The keys that a person wants to see; the rest is in the file.
const COLUMNS: [&str; 7] =
    ["name", "imageVersion", "imageName", "digest", "deploymentId", "deletedAt", "deletedBy"];
/// `sha256:` and as many digits as tell digests apart.
const SHORT_DIGEST: usize = 19;

/// Returns the first layer as a JSON list of objects.
pub(super) fn json(file: &Path) -> Result<String, Refusal> {
    let file = Text::read(file)?;
    let list = file.document()?;
    serde_json::to_string_pretty(&list).map_err(|error| Refusal::Output(error.into()))
}

/// Returns the entries as a table.
pub(super) fn table(file: &Path) -> Result<String, Refusal> {
    let file = Text::read(file)?;
    let list = file.document()?;
    let is_used = |key: &&&str| list.items().any(|item| item.field(key).is_some());
    let columns: Vec<&str> = COLUMNS.iter().filter(is_used).copied().collect();
    let mut rows = vec![columns.iter().map(|&key| key.to_owned()).collect::<Vec<_>>()];
    rows.extend(list.items().map(|item| columns.iter().map(|key| cell(&item, key)).collect()));
    if rows.len() == 1 {
        return Ok("no entries".to_owned());
    }
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}  "));
        cells.collect::<String>().trim_end().to_owned()
    };
    Ok(rows.iter().map(line).collect::<Vec<_>>().join("\n"))
}

fn cell(item: &Item<'_>, key: &str) -> String {
    let Some(field) = item.field(key) else {
        return "-".to_owned();
    };
    let n_shown = if key == "digest" { SHORT_DIGEST } else { SHOWN };
    let mut text = shown(&field.value, n_shown);
    if key == "digest" {
        text.truncate(text.trim_end_matches('…').len());
    }
    text
}
