//! Every place that something is kept in: shelves, slots, buckets, tables.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::chart::ChartRevision;
use crate::event::{ActionKind, ResourceNumbers};
use crate::{Environment, Environments, ImageId};

/// Where an image and its charts can lie.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shelf {
    /// An upload that is not validated yet.
    Temporary,
    /// The images of an environment.
    Live(Environment),
    /// What left an environment by transfer or delete.
    Deleted(Environment),
}

impl fmt::Display for Shelf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temporary => f.write_str("temporary"),
            Self::Live(environment) => write!(f, "live/{environment}"),
            Self::Deleted(environment) => write!(f, "deleted/{environment}"),
        }
    }
}

/// The place of one image's archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The shelf.
    pub shelf: Shelf,
    /// The image.
    pub image: ImageId,
}

impl Slot {
    /// Returns the object's key in its bucket: `<imageUID>-<imageVersion>.tar`, prefixed with the
    /// environment it left (`development/…`) in the deleted bucket.
    pub fn key(&self) -> String {
        let image = &self.image;
        match &self.shelf {
            Shelf::Temporary | Shelf::Live(_) => format!("{image}.tar"),
            Shelf::Deleted(left) => format!("{left}/{image}.tar"),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.shelf, self.image)
    }
}

/// The place of one revision of an image's chart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChartPlace {
    /// The shelf.
    pub shelf: Shelf,
    /// The image.
    pub image: ImageId,
    /// The content's address.
    pub revision: ChartRevision,
}

impl ChartPlace {
    /// Returns the partition key: the UID, prefixed with the environment it left in the deleted table.
    pub fn partition(&self) -> String {
        let uid = &self.image.uid;
        match &self.shelf {
            Shelf::Temporary | Shelf::Live(_) => uid.to_string(),
            Shelf::Deleted(left) => format!("{left}/{uid}"),
        }
    }

    /// Returns the sort key, `<imageVersion>#<revision>`.
    pub fn sort(&self) -> String {
        format!("{}#{}", self.image.version, self.revision)
    }
}

impl fmt::Display for ChartPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.shelf, self.image, self.revision)
    }
}

/// The tables of plain records: what Orbit keeps beside images, charts and the event log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordTable {
    /// What a user typed for the manifests, by `(imageUID, imageVersion)`.
    UserInput,
    /// Who uploaded what, by `(username, actionId)`.
    UserData,
    /// An image's metadata and what validation found, by `(imageUID, imageVersion)`.
    ImageMetadata,
    /// One record per Kubernetes resource of a deployment, by `(actionId, resource)`.
    DeploymentLog,
    /// Every refused or failed action, by `(username, errorId)`.
    ErrorLog,
    /// Scan reports, by `(actionId, "report")`.
    ScanReport,
}

/// The names of buckets, tables and the database, by the mission's convention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    environments: Environments,
}

impl Names {
    /// Returns the names for these environments.
    pub fn new(environments: &Environments) -> Self {
        Self { environments: environments.clone() }
    }

    /// Returns the bucket of a shelf.
    pub fn bucket(&self, shelf: &Shelf) -> String {
        match shelf {
            Shelf::Temporary => "temporary-app-image-1203-bkt-k8d-aws".to_owned(),
            Shelf::Deleted(_) => "deleted-image-bucket".to_owned(),
            Shelf::Live(environment) => {
                let number = self.numbers(environment).bucket;
                format!("app-image-12{number:02}-bkt-{}-aws", self.suffix(environment))
            }
        }
    }

    /// Returns the chart table of a shelf; nothing is ever kept on the temporary one.
    pub fn chart_table(&self, shelf: &Shelf) -> String {
        match shelf {
            Shelf::Temporary => "temporary-kustomize-1600-tbl-k8d-aws".to_owned(),
            Shelf::Deleted(_) => "deleted-helm-chart".to_owned(),
            Shelf::Live(environment) => {
                let number = self.numbers(environment).charts;
                format!("k8or-kustomize-16{number:02}-tbl-{}-aws", self.suffix(environment))
            }
        }
    }

    /// Returns the event table of a kind of action.
    pub fn event_table(&self, kind: ActionKind) -> String {
        format!("{kind}-image-event-log-1621-tbl-k8d-aws")
    }

    /// Returns the name of a table of records.
    pub const fn record_table(&self, table: RecordTable) -> &'static str {
        match table {
            RecordTable::UserInput => "user-input-manifest-1606-tbl-k8d-aws",
            RecordTable::UserData => "user-data-1612-tbl-k8d-aws",
            RecordTable::ImageMetadata => "app-image-metadata-1615-tbl-k8d-aws",
            RecordTable::DeploymentLog => "deployment-event-log-1618-tbl-k8d-aws",
            RecordTable::ErrorLog => "user-error-log-1624-tbl-k8d-aws",
            RecordTable::ScanReport => "scan-report-1636-tbl-k8d-aws",
        }
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

    fn suffix(&self, environment: &Environment) -> &str {
        self.environments.find(environment).map_or("k8x", |spec| spec.suffix.as_str())
    }
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
