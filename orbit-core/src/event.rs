//! The event vocabulary: every event an action records, and the process id it carries.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::process::Pid;
use crate::{ActionId, Environment, ImageId, Timestamp};

/// What a user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionKind {
    /// Store a new image or a new version of one.
    Upload,
    /// Deploy an image to the cluster of its environment.
    Deploy,
    /// Move an image to the next environment.
    Transfer,
    /// Report packages and vulnerabilities.
    Scan,
    /// Mark an image deleted and set its data aside.
    Delete,
    /// Bring a deleted image back.
    Restore,
}

impl ActionKind {
    /// All kinds, in the order of the mission.
    pub const ALL: [Self; 6] =
        [Self::Upload, Self::Deploy, Self::Transfer, Self::Scan, Self::Delete, Self::Restore];

    /// Returns the lower-case word, as JSON and paths carry it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "upload",
            Self::Deploy => "deploy",
            Self::Transfer => "transfer",
            Self::Scan => "scan",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }

    /// Returns the PID under which a failure of this kind stands in the error log.
    pub fn error_pid(self) -> Pid {
        pid(match self {
            Self::Upload => "c12bms09-c20bre24-e85",
            Self::Deploy => "c8bms15-c20bre24-911",
            Self::Transfer => "c8bms18-c20bre24-911",
            Self::Scan => "c8bms21-c20bre24-911",
            Self::Delete => "c8bms27-c20bre24-911",
            Self::Restore => "c8bms33-c20bre24-911",
        })
    }

    /// Returns the PID of the user's own step, with which an action is accepted.
    pub fn first_pid(self) -> Pid {
        pid(match self {
            Self::Upload => "c2usr03-c8fms03-e20",
            Self::Deploy => "c2usr12-c8fms06-e05",
            Self::Transfer => "c2usr09-c8fms06-e05",
            Self::Scan => "c2usr15-c8fms06-e05",
            Self::Delete => "c2usr21-c8fms06-e05",
            Self::Restore => "c2usr24-c8fms06-e05",
        })
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn pid(text: &'static str) -> Pid {
    text.parse().expect("the table's texts are PIDs, as a test shows")
}

/// Which environment's resources a PID's last number is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Resource {
    /// The table's number stands.
    Fixed,
    /// The bucket of the environment the image is in.
    Bucket,
    /// The bucket of the environment the image goes to.
    NextBucket,
    /// The chart table of the environment the image is in.
    Charts,
    /// The chart table of the environment the image goes to.
    NextCharts,
}

/// Declares an event: its variant, its name, its PID and where the PID's last number comes from.
macro_rules! events {
    ($($kind:ident { $($variant:ident $name:literal $pid:literal $resource:ident,)+ })+) => {
        /// An event of an action, told apart by action: two actions may share a name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is the event's name, which says it all")]
        pub enum EventType { $($($variant,)+)+ }

        impl EventType {
            /// Every event, action by action, in the order the mission lists them.
            pub const ALL: &[Self] = &[$($(Self::$variant,)+)+];

            /// Returns the event's name in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $($(Self::$variant => $name,)+)+ }
            }

            /// Returns the action that records the event.
            pub const fn action(self) -> ActionKind {
                match self { $($(Self::$variant => ActionKind::$kind,)+)+ }
            }

            const fn row(self) -> (&'static str, Resource) {
                match self { $($(Self::$variant => ($pid, Resource::$resource),)+)+ }
            }
        }
    };
}

events! {
    Upload {
        UploadInitiated "upload-initiated" "c2usr03-c8fms03-e20" Fixed,
        UploadImageReceived "image-received" "c8fms03-c12bms03-e25" Fixed,
        UploadTemporaryImageStored "temporary-image-stored" "c12bms03-c16bre03-e30" Fixed,
        UploadImageValidationStarted "image-validation-started" "c12bms03-c16bre03-e30" Fixed,
        UploadImageValidated "image-validated" "c12bms03-c16bre03-e30" Fixed,
        UploadImageStored "image-stored" "c12bms03-c16bre06-e35" Bucket,
        UploadUserDataSaved "user-data-saved" "c12bms06-c20bre12-e50" Fixed,
        UploadImageMetadataSaved "image-metadata-saved" "c12bms06-c20bre15-e55" Fixed,
        UploadUserInputSaved "user-input-saved" "c12bms06-c20bre06-e45" Fixed,
        UploadKustomizationStarted "kustomization-started" "c8fms03-c12bms09-e60" Fixed,
        UploadKustomizationCompleted "kustomization-completed" "c12bms09-c20bre09-e75" Charts,
        UploadDatabaseUpdateStarted "database-update-started" "c8fms03-c8bms06-e90" Fixed,
        UploadDatabaseUpdated "database-updated" "c8bms06-c32bre03-e95" Fixed,
        UploadCompleted "upload-completed" "c8bms06-c32bre03-e95" Fixed,
    }
    Deploy {
        DeploymentInitiated "deployment-initiated" "c2usr12-c8fms06-e05" Fixed,
        DeploymentDetailReceived "deployment-detail-received" "c8fms06-c8bms15-e10" Fixed,
        DeployImageRetrievalStarted "image-retrieval-started" "c56bms03-c16bre06-e50" Bucket,
        DeployImageRetrieved "image-retrieved" "c56bms03-c16bre06-e50" Bucket,
        DeployImagePushStarted "image-push-started" "c56bms03-c96bre03-e60" Fixed,
        DeployImagePushed "image-pushed" "c56bms03-c96bre03-e60" Fixed,
        DeployManifestRetrievalStarted "manifest-retrieval-started" "c56bms03-c20bre09-e70" Charts,
        DeployManifestRetrieved "manifest-retrieved" "c56bms03-c20bre09-e70" Charts,
        DeployManifestPushStarted "manifest-push-started" "c56bms03-c100bms03-e80" Fixed,
        DeployManifestPushed "manifest-pushed" "c56bms03-c100bms03-e80" Fixed,
        DeployListUpdateStarted "deploy-list-update-started" "c56bms03-c100bms03-e90" Fixed,
        DeployListUpdated "deploy-list-updated" "c56bms03-c100bms03-e90" Fixed,
        DeploymentStatusUpdated "deployment-status-updated" "c8bms15-c32bre03-e175" Fixed,
        DeploymentCompleted "deployment-completed" "c8bms15-c20bre21-e190" Fixed,
        DeploymentFailed "deployment-failed" "c8bms15-c20bre21-e190" Fixed,
    }
    Transfer {
        TransferInitiated "transfer-initiated" "c2usr09-c8fms06-e05" Fixed,
        TransferDetailReceived "transfer-detail-received" "c8fms06-c8bms18-e10" Fixed,
        TransferImageRetrievalStarted "image-retrieval-started" "c8bms18-c16bre06-e40" Bucket,
        TransferImageRetrieved "image-retrieved" "c8bms18-c16bre06-e40" Bucket,
        TransferImageUploadStarted "image-upload-started" "c8bms18-c16bre09-e50" NextBucket,
        TransferImageUploaded "image-uploaded" "c8bms18-c16bre09-e50" NextBucket,
        TransferManifestRetrievalStarted "manifest-retrieval-started" "c8bms18-c20bre09-e60" Charts,
        TransferManifestRetrieved "manifest-retrieved" "c8bms18-c20bre09-e60" Charts,
        TransferManifestSaveStarted "manifest-save-started" "c8bms18-c20bre30-e70" NextCharts,
        TransferManifestSaved "manifest-saved" "c8bms18-c20bre30-e70" NextCharts,
        TransferDeleteListUpdateStarted "delete-list-update-started" "c8bms18-c100bms03-e75" Fixed,
        TransferDeleteListUpdated "delete-list-updated" "c8bms18-c100bms03-e75" Fixed,
        TransferDatabaseUpdateStarted "database-update-started" "c8bms30-c32bre03-e85" Fixed,
        TransferDatabaseUpdated "database-updated" "c8bms30-c32bre03-e85" Fixed,
        TransferCompleted "transfer-completed" "c8bms18-c20bre21-e95" Fixed,
    }
    Scan {
        ScanInitiated "scan-initiated" "c2usr15-c8fms06-e05" Fixed,
        ScanDetailReceived "scan-detail-received" "c8fms06-c8bms21-e10" Fixed,
        ScanImageRetrievalStarted "image-retrieval-started" "c8bms21-c16bre06-e20" Bucket,
        ScanImageRetrieved "image-retrieved" "c8bms21-c16bre06-e20" Bucket,
        ScanImageScanStarted "image-scan-started" "c8bms21-c16bre06-e20" Bucket,
        ScanImageScanned "image-scanned" "c8bms21-c16bre06-e20" Bucket,
        ScanReportSaved "scan-report-saved" "c8bms21-c20bre21-e15" Fixed,
        ScanDatabaseUpdateStarted "database-update-started" "c8bms21-c32bre03-e25" Fixed,
        ScanDatabaseUpdated "database-updated" "c8bms21-c32bre03-e25" Fixed,
        ScanCompleted "scan-completed" "c8bms21-c20bre21-e30" Fixed,
    }
    Delete {
        DeletionInitiated "deletion-initiated" "c2usr21-c8fms06-e05" Fixed,
        DeletionDetailReceived "deletion-detail-received" "c8fms06-c8bms27-e10" Fixed,
        DeleteImageArchiveStarted "image-archive-started" "c8bms27-c16bre06-e40" Bucket,
        DeleteImageArchived "image-archived" "c8bms27-c16bre06-e40" Bucket,
        DeleteManifestArchiveStarted "manifest-archive-started" "c8bms27-c20bre09-e45" Charts,
        DeleteManifestArchived "manifest-archived" "c8bms27-c20bre09-e45" Charts,
        DeleteListUpdateStarted "delete-list-update-started" "c8bms27-c100bms03-e20" Fixed,
        DeleteListUpdated "delete-list-updated" "c8bms27-c100bms03-e20" Fixed,
        DeleteDatabaseUpdateStarted "database-update-started" "c8bms27-c32bre03-e30" Fixed,
        DeleteDatabaseUpdated "database-updated" "c8bms27-c32bre03-e35" Fixed,
        DeletionCompleted "deletion-completed" "c8bms27-c20bre21-e55" Fixed,
    }
    Restore {
        RestoreInitiated "restore-initiated" "c2usr24-c8fms06-e05" Fixed,
        RestoreDetailReceived "restore-detail-received" "c8fms06-c8bms33-e10" Fixed,
        RestoreImageStarted "image-restore-started" "c8bms33-c16bre06-e20" Bucket,
        RestoreImageRestored "image-restored" "c8bms33-c16bre06-e20" Bucket,
        RestoreManifestStarted "manifest-restore-started" "c8bms33-c20bre09-e25" Charts,
        RestoreManifestRestored "manifest-restored" "c8bms33-c20bre09-e25" Charts,
        RestoreDeleteListUpdateStarted "delete-list-update-started" "c8bms33-c100bms03-e25" Fixed,
        RestoreDeleteListUpdated "delete-list-updated" "c8bms33-c100bms03-e25" Fixed,
        RestoreDatabaseUpdateStarted "database-update-started" "c8bms33-c32bre03-e30" Fixed,
        RestoreDatabaseUpdated "database-updated" "c8bms33-c32bre03-e30" Fixed,
        RestoreCompleted "restore-completed" "c8bms33-c20bre21-e35" Fixed,
    }
}

/// The numbers that the resources of an environment have in PIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceNumbers {
    /// The bucket's, 6 in `c16bre06`.
    pub bucket: u16,
    /// The chart table's, 9 in `c20bre09`.
    pub charts: u16,
}

impl EventType {
    /// Returns the PID of the step the event reports, with the resources of the environment the
    /// image is in (`here`) and of the one it goes to (`next`, the same where it stays).
    pub fn pid(self, here: ResourceNumbers, next: ResourceNumbers) -> Pid {
        let (text, resource) = self.row();
        match resource {
            Resource::Fixed => pid(text),
            Resource::Bucket => pid(text).with_end_number(here.bucket),
            Resource::NextBucket => pid(text).with_end_number(next.bucket),
            Resource::Charts => pid(text).with_end_number(here.charts),
            Resource::NextCharts => pid(text).with_end_number(next.charts),
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An event that a step of a plan will record, before it has a number and a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDraft {
    /// What happened.
    pub event: EventType,
    /// The step it reports.
    pub pid: Pid,
    /// What else there is to say; an object, or null.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
}

/// An event as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The action that recorded it.
    pub action: ActionId,
    /// Its place in the action: 1, 2, 3, …
    pub sequence: u32,
    /// What happened, with its process id.
    #[serde(flatten)]
    pub draft: EventDraft,
    /// When it was recorded; an action's events never go back in time.
    pub at: Timestamp,
    /// Who asked for the action.
    pub username: String,
    /// The image.
    pub image: ImageId,
    /// The environment the image was in.
    pub environment: Environment,
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const HERE: ResourceNumbers = ResourceNumbers { bucket: 12, charts: 33 };

    #[test]
    fn every_pid_in_the_tables_is_well_formed() {
        for event in EventType::ALL {
            event.pid(HERE, HERE);
        }
        for kind in ActionKind::ALL {
            kind.error_pid();
            kind.first_pid();
        }
    }

    #[test]
    fn an_event_name_is_unique_within_its_action() {
        let names: HashSet<_> =
            EventType::ALL.iter().map(|event| (event.action(), event.as_str())).collect();
        assert_eq!(names.len(), EventType::ALL.len());
    }

    #[test]
    fn resources_follow_the_environment() {
        let pid = EventType::DeployImageRetrieved.pid(HERE, HERE);
        assert_eq!(pid.to_string(), "c56bms03-c16bre12-e50");
        let next = ResourceNumbers { bucket: 9, charts: 30 };
        let pid = EventType::TransferManifestSaved.pid(HERE, next);
        assert_eq!(pid.to_string(), "c8bms18-c20bre30-e70");
    }
}
