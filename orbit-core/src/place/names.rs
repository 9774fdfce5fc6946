//! The names of buckets and tables.

use std::collections::{BTreeMap, BTreeSet};

use super::{RecordTable, Shelf};
use crate::event::{ActionKind, ResourceNumbers};
use crate::{Environment, Environments};

/// The names of buckets and tables: the mission's, unless an installation has its own.
///
/// ```
/// use orbit_core::Environments;
/// use orbit_core::place::{Names, Naming, Shelf};
///
/// let mut naming = Naming { bucket_suffix: "-acme".to_owned(), ..Naming::default() };
/// naming.own.insert("deleted-image-bucket".to_owned(), "acme-orbit-trash".to_owned());
/// let names = Names::named(&Environments::default(), naming)?;
/// assert_eq!(names.bucket(&Shelf::Temporary), "temporary-app-image-1203-bkt-k8d-aws-acme");
/// assert_eq!(names.bucket(&Shelf::Deleted("testing".parse()?)), "acme-orbit-trash");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    environments: Environments,
    naming: Naming,
}

/// How an installation's names differ from the mission's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Naming {
    /// Ends the name of every bucket that has no name of its own: bucket names are global.
    pub bucket_suffix: String,
    /// Ends the name of every table that has no name of its own.
    pub table_suffix: String,
    /// Own names, by the mission's.
    pub own: BTreeMap<String, String>,
}

/// Why buckets or tables cannot be named so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamingFault {
    /// An own name for something that these environments do not have.
    #[error("{name:?} is no bucket or table of these environments")]
    Unknown {
        /// The name.
        name: String,
    },
    /// Not the name of a bucket.
    #[error(
        "{name:?} cannot name a bucket, expected 3 to 63 lower-case letters, digits, '-' and '.' \
         between letters or digits"
    )]
    Bucket {
        /// The name.
        name: String,
    },
    /// Not the name of a table.
    #[error("{name:?} cannot name a table, expected 3 to 255 letters, digits, '_', '-' and '.'")]
    Table {
        /// The name.
        name: String,
    },
    /// Two buckets, or two tables, with one name.
    #[error("{name:?} names two of the buckets or tables, expected a name for each")]
    Twice {
        /// The name.
        name: String,
    },
}

impl Names {
    /// Returns the mission's names for these environments.
    pub fn new(environments: &Environments) -> Self {
        Self { environments: environments.clone(), naming: Naming::default() }
    }

    /// Returns an installation's own names.
    ///
    /// # Errors
    /// Every variant of [`NamingFault`].
    pub fn named(environments: &Environments, naming: Naming) -> Result<Self, NamingFault> {
        let default = Self::new(environments);
        let known: BTreeSet<_> = default.buckets().into_iter().chain(default.tables()).collect();
        if let Some(name) = naming.own.keys().find(|name| !known.contains(*name)) {
            return Err(NamingFault::Unknown { name: name.clone() });
        }
        let names = Self { naming, ..default };
        let (buckets, tables) = (names.buckets(), names.tables());
        if let Some(name) = buckets.iter().find(|name| !is_bucket(name)) {
            return Err(NamingFault::Bucket { name: name.clone() });
        }
        if let Some(name) = tables.iter().find(|name| !is_table(name)) {
            return Err(NamingFault::Table { name: name.clone() });
        }
        match twice(&buckets).or_else(|| twice(&tables)) {
            Some(name) => Err(NamingFault::Twice { name }),
            None => Ok(names),
        }
    }

    /// Returns every bucket's name.
    pub fn buckets(&self) -> Vec<String> {
        let shelves = [Shelf::Temporary].into_iter().chain(Shelf::lasting(&self.environments));
        shelves.map(|shelf| self.bucket(&shelf)).collect()
    }

    /// Returns every table's name: charts, events, records, and the log of actions.
    pub fn tables(&self) -> Vec<String> {
        let shelves = Shelf::lasting(&self.environments);
        let charts = shelves.map(|shelf| self.chart_table(&shelf));
        let events = ActionKind::ALL.map(|kind| self.event_table(kind));
        let records = RecordTable::ALL.map(|table| self.record_table(table));
        charts.chain(events).chain(records).chain([self.action_table()]).collect()
    }

    /// Returns the bucket of what left an environment, whichever it was.
    pub fn deleted_bucket(&self) -> String {
        self.bucket(&Shelf::Deleted(self.environments.first().name.clone()))
    }

    /// Returns the bucket of a shelf.
    pub fn bucket(&self, shelf: &Shelf) -> String {
        self.own(&self.naming.bucket_suffix, self.mission_bucket(shelf))
    }

    /// Returns the chart table of a shelf; nothing is ever kept on the temporary one.
    pub fn chart_table(&self, shelf: &Shelf) -> String {
        self.table(self.mission_chart_table(shelf))
    }

    /// Returns the event table of a kind of action.
    pub fn event_table(&self, kind: ActionKind) -> String {
        self.table(format!("{kind}-image-event-log-1621-tbl-k8d-aws"))
    }

    /// Returns the name of a table of records.
    pub fn record_table(&self, table: RecordTable) -> String {
        let name = match table {
            RecordTable::UserInput => "user-input-manifest-1606-tbl-k8d-aws",
            RecordTable::UserData => "user-data-1612-tbl-k8d-aws",
            RecordTable::ImageMetadata => "app-image-metadata-1615-tbl-k8d-aws",
            RecordTable::DeploymentLog => "deployment-event-log-1618-tbl-k8d-aws",
            RecordTable::ErrorLog => "user-error-log-1624-tbl-k8d-aws",
            RecordTable::ScanReport => "scan-report-1636-tbl-k8d-aws",
        };
        self.table(name.to_owned())
    }

    /// Returns the name of the table of actions: their facts, locks, leases and idempotency keys.
    pub fn action_table(&self) -> String {
        self.table("action-log-1645-tbl-k8d-aws".to_owned())
    }

    /// Returns the numbers of an environment's bucket and chart table.
    ///
    /// They depend on its suffix alone, so that no change of the configuration renames a bucket. The
    /// mission's environments have one each; all others share one, and differ in the suffix.
    pub fn numbers(&self, environment: &Environment) -> ResourceNumbers {
        let (bucket, charts) = match self.suffix(environment) {
            "k8d" => (6, 9),
            "k8t" => (9, 30),
            "k8p" => (12, 33),
            "k8s" => (15, 39),
            _ => (18, 42),
        };
        ResourceNumbers { bucket, charts }
    }

    fn mission_bucket(&self, shelf: &Shelf) -> String {
        match shelf {
            Shelf::Temporary => "temporary-app-image-1203-bkt-k8d-aws".to_owned(),
            Shelf::Deleted(_) => "deleted-image-bucket".to_owned(),
            Shelf::Live(environment) => {
                let number = self.numbers(environment).bucket;
                format!("app-image-12{number:02}-bkt-{}-aws", self.suffix(environment))
            }
        }
    }

    fn mission_chart_table(&self, shelf: &Shelf) -> String {
        match shelf {
            Shelf::Temporary => "temporary-kustomize-1600-tbl-k8d-aws".to_owned(),
            Shelf::Deleted(_) => "deleted-helm-chart".to_owned(),
            Shelf::Live(environment) => {
                let number = self.numbers(environment).charts;
                format!("k8or-kustomize-16{number:02}-tbl-{}-aws", self.suffix(environment))
            }
        }
    }

    fn table(&self, mission: String) -> String {
        self.own(&self.naming.table_suffix, mission)
    }

    fn own(&self, suffix: &str, mission: String) -> String {
        self.naming.own.get(&mission).cloned().unwrap_or_else(|| mission + suffix)
    }

    fn suffix(&self, environment: &Environment) -> &str {
        self.environments.find(environment).map_or("k8x", |spec| spec.suffix.as_str())
    }
}

/// By the rules for general purpose buckets.
fn is_bucket(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=63).contains(&name.len())
        && name.chars().all(|c| is_plain(c) || c == '-' || c == '.')
        && name.starts_with(is_plain)
        && name.ends_with(is_plain)
        && !name.contains("..")
}

fn is_table(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ['_', '-', '.'].contains(&c);
    (3..=255).contains(&name.len()) && name.chars().all(is_plain)
}

fn twice(names: &[String]) -> Option<String> {
    let mut seen = BTreeSet::new();
    names.iter().find(|name| !seen.insert(*name)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EnvironmentSpec;

    fn live(name: &str) -> Shelf {
        Shelf::Live(name.parse().unwrap())
    }

    #[test]
    fn the_missions_names_are_used() {
        let names = Names::new(&Environments::default());
        assert_eq!(names.bucket(&live("development")), "app-image-1206-bkt-k8d-aws");
        assert_eq!(names.bucket(&live("testing")), "app-image-1209-bkt-k8t-aws");
        assert_eq!(names.bucket(&live("production")), "app-image-1212-bkt-k8p-aws");
        assert_eq!(names.chart_table(&live("development")), "k8or-kustomize-1609-tbl-k8d-aws");
        assert_eq!(names.chart_table(&live("testing")), "k8or-kustomize-1630-tbl-k8t-aws");
        assert_eq!(names.chart_table(&live("production")), "k8or-kustomize-1633-tbl-k8p-aws");
        assert_eq!(
            names.event_table(ActionKind::Restore),
            "restore-image-event-log-1621-tbl-k8d-aws"
        );
    }

    #[test]
    fn own_names_are_names_of_what_there_is() {
        let named = |pairs: &[(&str, &str)], bucket_suffix: &str| {
            let own = pairs.iter().map(|(mission, own)| ((*mission).into(), (*own).into()));
            let (own, bucket_suffix) = (own.collect(), bucket_suffix.to_owned());
            Names::named(
                &Environments::default(),
                Naming { bucket_suffix, own, ..Naming::default() },
            )
        };
        let names = named(&[("deleted-helm-chart", "Trash_1")], "-a").unwrap();
        assert_eq!(names.chart_table(&Shelf::Deleted("testing".parse().unwrap())), "Trash_1");
        assert_eq!(names.bucket(&live("testing")), "app-image-1209-bkt-k8t-aws-a");
        let say = |result: Result<Names, NamingFault>| result.unwrap_err().to_string();
        let unknown = say(named(&[("app-image-9999", "a-bucket")], ""));
        assert_eq!(unknown, "\"app-image-9999\" is no bucket or table of these environments");
        for bad in ["UPPER", "ab", "a..b", "-ab", "a_b", &"a".repeat(64)] {
            let fault = named(&[("deleted-image-bucket", bad)], "").unwrap_err();
            assert_eq!(fault, NamingFault::Bucket { name: bad.to_owned() });
        }
        let fault = named(&[("deleted-helm-chart", "a table")], "").unwrap_err();
        assert_eq!(fault, NamingFault::Table { name: "a table".to_owned() });
        let same = [("deleted-image-bucket", "app-image-1206-bkt-k8d-aws")];
        assert!(matches!(named(&same, "").unwrap_err(), NamingFault::Twice { .. }));
    }

    #[test]
    fn an_environment_that_comes_between_others_renames_nothing() {
        let mut specs: Vec<EnvironmentSpec> = Environments::default().into();
        for (name, suffix) in [("staging", "k8s"), ("acceptance", "k8a"), ("qa", "k8q")] {
            let mut spec = specs[1].clone();
            spec.name = name.parse().unwrap();
            spec.suffix = suffix.to_owned();
            specs.insert(2, spec);
        }
        let names = Names::new(&Environments::new(specs).unwrap());
        assert_eq!(names.bucket(&live("production")), "app-image-1212-bkt-k8p-aws");
        assert_eq!(names.bucket(&live("staging")), "app-image-1215-bkt-k8s-aws");
        assert_eq!(names.chart_table(&live("staging")), "k8or-kustomize-1639-tbl-k8s-aws");
        assert_eq!(names.bucket(&live("qa")), "app-image-1218-bkt-k8q-aws");
        assert_eq!(names.bucket(&live("acceptance")), "app-image-1218-bkt-k8a-aws");
    }
}
