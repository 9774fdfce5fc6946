//! The environments an image is promoted through.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::IdentFault;
use crate::ident::text_type;

/// The longest name of a Kubernetes namespace.
const MAX_LABEL: usize = 63;

/// The name of an environment, in lower case: `development`.
///
/// Any case is read; labels are shown with a capital, paths and keys use the lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Environment(String);
text_type!(Environment, IdentFault);

impl Environment {
    /// Returns the lower-case name, as it stands in paths.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the label that answers carry, `Development`.
    pub fn label(&self) -> String {
        let mut letters = self.0.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_ascii_uppercase().to_string() + letters.as_str()
        })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Environment {
    type Err = IdentFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let what = "environment";
        if text.is_empty() || text.len() > 30 {
            return Err(IdentFault::Length { what, found: text.len(), expected: "1 to 30" });
        }
        let name = text.to_ascii_lowercase();
        let bad = name.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-'));
        let first = name.chars().next().filter(|c| !c.is_ascii_lowercase());
        let last = name.chars().last().filter(|&c| c == '-');
        if let Some(found) = bad.or(first).or(last) {
            return Err(IdentFault::Character {
                what,
                found,
                expected: "letters, digits and '-', beginning with a letter",
            });
        }
        Ok(Self(name))
    }
}

/// What the configuration says about one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvironmentSpec {
    /// Its name.
    pub name: Environment,
    /// The cluster that it deploys to, `K3s Development Cluster`.
    pub cluster: String,
    /// The Kubernetes namespace of its applications.
    pub namespace: String,
    /// The suffix of its buckets and tables, `k8d`.
    pub suffix: String,
    /// The secret that its pods pull images with.
    pub image_pull_secret: Option<String>,
}

/// The environments in the order an image is promoted through them; there is at least one.
///
/// ```
/// use orbit_core::Environments;
/// let environments = Environments::default();
/// let development = environments.first();
/// assert_eq!(development.name.label(), "Development");
/// assert_eq!(environments.after(&development.name).unwrap().name.as_str(), "testing");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<EnvironmentSpec>", into = "Vec<EnvironmentSpec>")]
pub struct Environments(Vec<EnvironmentSpec>);

/// Why a list of environments cannot be worked with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentsFault {
    /// The list is empty.
    #[error("no environment is configured")]
    Empty,
    /// Two environments share a name or a suffix, and so would share buckets and lists.
    #[error("{0} is configured twice")]
    Twice(String),
    /// Kubernetes would refuse the namespace.
    #[error("namespace {0:?} is not a DNS label: 1 to 63 of a-z, 0-9 and '-' between those")]
    Namespace(String),
}

/// Tells whether a text is a DNS label (RFC 1123), as Kubernetes names a namespace.
pub(crate) fn is_label(text: &str) -> bool {
    let is_inner = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    let is_outer = |c: char| is_inner(c) && c != '-';
    text.len() <= MAX_LABEL
        && text.chars().all(is_inner)
        && text.starts_with(is_outer)
        && text.ends_with(is_outer)
}

impl Environments {
    /// Checks and returns the environments in their order.
    ///
    /// # Errors
    /// [`EnvironmentsFault`], of every kind.
    pub fn new(specs: Vec<EnvironmentSpec>) -> Result<Self, EnvironmentsFault> {
        if specs.is_empty() {
            return Err(EnvironmentsFault::Empty);
        }
        for (position, spec) in specs.iter().enumerate() {
            if !is_label(&spec.namespace) {
                return Err(EnvironmentsFault::Namespace(spec.namespace.clone()));
            }
            for other in specs.iter().skip(position + 1) {
                if other.name == spec.name {
                    return Err(EnvironmentsFault::Twice(format!("environment {}", spec.name)));
                }
                if other.suffix == spec.suffix {
                    return Err(EnvironmentsFault::Twice(format!("suffix {}", spec.suffix)));
                }
            }
        }
        Ok(Self(specs))
    }

    /// Returns the environment that uploads go to.
    #[expect(clippy::missing_panics_doc, reason = "the constructor refuses an empty list")]
    pub fn first(&self) -> &EnvironmentSpec {
        self.0.first().expect("the constructor refuses an empty list")
    }

    /// Returns an environment's settings, or `None` if it is not configured.
    pub fn find(&self, name: &Environment) -> Option<&EnvironmentSpec> {
        self.0.iter().find(|spec| spec.name == *name)
    }

    /// Returns the environment that a transfer moves an image to, or `None` from the last one.
    pub fn after(&self, name: &Environment) -> Option<&EnvironmentSpec> {
        let here = self.0.iter().position(|spec| spec.name == *name)?;
        self.0.get(here + 1)
    }

    /// Returns all of them, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, EnvironmentSpec> {
        self.0.iter()
    }
}

impl<'a> IntoIterator for &'a Environments {
    type Item = &'a EnvironmentSpec;
    type IntoIter = std::slice::Iter<'a, EnvironmentSpec>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Default for Environments {
    /// Returns development, testing and production.
    fn default() -> Self {
        let spec = |name: &str, suffix: &str| {
            let name: Environment = name.parse().expect("a constant in the right form");
            EnvironmentSpec {
                cluster: format!("K3s {} Cluster", name.label()),
                namespace: name.to_string(),
                suffix: suffix.to_owned(),
                image_pull_secret: None,
                name,
            }
        };
        Self(vec![spec("development", "k8d"), spec("testing", "k8t"), spec("production", "k8p")])
    }
}

impl TryFrom<Vec<EnvironmentSpec>> for Environments {
    type Error = EnvironmentsFault;

    fn try_from(specs: Vec<EnvironmentSpec>) -> Result<Self, Self::Error> {
        Self::new(specs)
    }
}

impl From<Environments> for Vec<EnvironmentSpec> {
    fn from(environments: Environments) -> Self {
        environments.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_order_is_the_missions() {
        let environments = Environments::default();
        let names: Vec<_> = environments.iter().map(|spec| spec.name.label()).collect();
        assert_eq!(names, ["Development", "Testing", "Production"]);
        let production = "Production".parse().unwrap();
        assert_eq!(environments.after(&production), None);
    }

    #[test]
    fn a_name_is_read_in_any_case_and_kept_in_lower_case() {
        assert_eq!("DEVELOPMENT".parse::<Environment>().unwrap().as_str(), "development");
        for text in ["", "-a", "a-", "a/b", "..", "ä", "1a"] {
            assert!(text.parse::<Environment>().is_err(), "{text}");
        }
    }

    #[test]
    fn two_environments_never_share_a_name_or_suffix() {
        let mut specs: Vec<EnvironmentSpec> = Environments::default().into();
        specs[1].suffix = "k8d".to_owned();
        assert!(matches!(Environments::new(specs), Err(EnvironmentsFault::Twice(_))));
        assert_eq!(Environments::new(vec![]), Err(EnvironmentsFault::Empty));
    }

    #[test]
    fn a_namespace_is_a_dns_label() {
        for text in ["development", "0", "a-1"] {
            assert!(is_label(text), "{text}");
        }
        for text in ["", "-a", "a-", "A", "a.b", "a_b", &"a".repeat(64)] {
            assert!(!is_label(text), "{text}");
        }
    }
}
