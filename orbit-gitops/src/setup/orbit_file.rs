//! `orbit.yaml`: whose repository it is, and what it has lists of.

use git2::{Repository, Tree};
use orbit_core::Environment;
use serde::Deserialize;

use crate::fault::Fault;
use crate::setup::Setup;
use crate::tree;

pub(crate) const PATH: &str = "orbit.yaml";
/// The schema of the repository; another one is not read.
const SCHEMA: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct OrbitFile {
    schema: u32,
    installation: String,
    pub(crate) environments: Vec<Environment>,
}

impl OrbitFile {
    /// Returns the file that a setup calls for.
    pub(crate) fn of(setup: &Setup) -> Result<Self, Fault> {
        let id = &setup.installation;
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Err(Fault::InstallationId { id: id.clone() });
        }
        let environments = setup.environments.iter().map(|spec| spec.name.clone()).collect();
        Ok(Self { schema: SCHEMA, installation: id.clone(), environments })
    }

    /// Reads the file of a tree.
    pub(crate) fn read(git: &Repository, tree: &Tree<'_>) -> Result<Self, Fault> {
        let file = tree::read(git, tree, PATH)?;
        let file = file.ok_or_else(|| Fault::Missing { path: PATH.to_owned() })?;
        serde_saphyr::from_str(&file).map_err(|error| {
            let place = error.location();
            let (line, column) = place.map_or((1, 1), |place| (place.line(), place.column()));
            Fault::OrbitFile { line, column, reason: error.without_snippet().to_string() }
        })
    }

    /// Returns the file's text.
    pub(crate) fn render(&self) -> String {
        let Self { schema, installation, environments } = self;
        let mut text = format!(
            "# What Orbit keeps of itself in this repository. Written by Orbit.\n\
             schema: {schema}\n\
             installation: \"{installation}\"\n\
             environments:\n"
        );
        for environment in environments {
            text += &format!("  - \"{environment}\"\n");
        }
        text
    }

    /// Returns the environments of `wanted` that are not in this file; there is no other difference.
    pub(crate) fn missing(&self, wanted: &Self) -> Result<Vec<Environment>, Fault> {
        if self.schema != wanted.schema {
            return Err(Fault::Schema { found: self.schema, expected: wanted.schema });
        }
        if self.installation != wanted.installation {
            let (found, expected) = (self.installation.clone(), wanted.installation.clone());
            return Err(Fault::Installation { found, expected });
        }
        let mut configured = wanted.environments.iter();
        let is_kept = self.environments.iter().all(|known| configured.any(|name| name == known));
        if !is_kept {
            let (recorded, configured) = (join(&self.environments), join(&wanted.environments));
            return Err(Fault::Environments { recorded, configured });
        }
        let is_new = |name: &&Environment| !self.environments.contains(name);
        Ok(wanted.environments.iter().filter(is_new).cloned().collect())
    }
}

/// Returns the names, joined by commas.
pub(crate) fn join(environments: &[Environment]) -> String {
    environments.iter().map(Environment::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::sample;

    fn wanted(installation: &str) -> Result<OrbitFile, Fault> {
        OrbitFile::of(&Setup { installation: installation.to_owned(), ..sample() })
    }

    #[test]
    fn what_is_rendered_is_read_back() {
        let file = wanted("01JCZX-a").unwrap();
        assert_eq!(serde_saphyr::from_str::<OrbitFile>(&file.render()).unwrap(), file);
    }

    #[test]
    fn an_installation_id_that_yaml_could_misread_is_refused() {
        for id in ["", "a\"", "a\nb", "a b", "ä", "a: b"] {
            let refused = wanted(id);
            assert!(matches!(refused, Err(Fault::InstallationId { .. })), "{id:?}: {refused:?}");
        }
    }
}
