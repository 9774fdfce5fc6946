//! What is wrong with lists, before a pipeline lets them be pushed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use orbit_core::Environment;
use orbit_core::list::{Finding, ListFault, ListFile};

use super::Refusal;
use super::file::{self, Lists, Text};

/// Returns `file:line:column: message` for all that is wrong with the named files.
///
/// The list beside a named one is read too, for names that are in both.
pub(super) fn findings(
    files: &[PathBuf],
    environment: Option<&Environment>,
) -> Result<Vec<String>, Refusal> {
    let mut by_folder: BTreeMap<PathBuf, Lists> = BTreeMap::new();
    for path in files {
        let (kind, is_named) = file::kind(path);
        // Lists of other names have no list beside them.
        let folder = if is_named { path.parent().unwrap_or(Path::new("")) } else { path };
        *by_folder.entry(folder.to_owned()).or_default().side(kind) = Some(Text::read(path)?);
    }
    Ok(by_folder.into_values().flat_map(|lists| of_environment(lists, environment)).collect())
}

fn of_environment(mut lists: Lists, environment: Option<&Environment>) -> Vec<String> {
    let (deploy, delete) = (lists.deploy.is_some(), lists.delete.is_some());
    let environment = environment.cloned().or_else(|| {
        let mut named = [&lists.deploy, &lists.delete].into_iter().flatten();
        named.find_map(|list| file::environment(&list.path))
    });
    lists.complete();
    let is_asked = |finding: &Finding| {
        let is_in_named = match finding.file {
            ListFile::Deploy => deploy,
            ListFile::Delete => delete,
        };
        is_in_named || matches!(finding.error.kind, ListFault::InBoth { .. })
    };
    let mut findings = lists.findings(environment.as_ref());
    findings.retain(is_asked);
    findings.iter().map(|finding| lists.line(finding)).collect()
}
