//! Looking at the world before an action is planned.

use super::Orbit;
use crate::action::{self, Refusal, Seen};
use crate::archive::Inspection;
use crate::place::RecordTable;
use crate::port::{Kind, PortError, RecordKey};
use crate::request::Request;

/// Why there is nothing to plan from.
pub(super) enum Blind {
    /// The action is refused by what was seen already.
    Refused(Refusal),
    /// A port does not answer now.
    Unavailable(PortError),
}

impl From<Refusal> for Blind {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<PortError> for Blind {
    /// Takes what will not get better by waiting for a refusal: else the action would wait for ever.
    fn from(error: PortError) -> Self {
        match error.kind() {
            Kind::Unavailable => Self::Unavailable(error),
            Kind::NotFound | Kind::Conflict | Kind::Rejected => {
                let error_type = error.error_type().unwrap_or("storage-unusable");
                Self::Refused(Refusal::Unusable { error_type, message: error.chain() })
            }
        }
    }
}

/// Returns all that a request has to be planned from.
pub(super) async fn see(orbit: &Orbit, request: &Request) -> Result<Seen, Blind> {
    let ports = &orbit.ports;
    let versions = ports.catalog.versions(&request.image.uid).await?;
    let look = action::look(request, &versions, &orbit.settings)?;
    let mut seen = Seen { versions, ..Seen::default() };
    for slot in look.slots {
        let object = ports.images.find(&slot).await?;
        seen.objects.insert(slot, object);
    }
    for key in look.records {
        let writer = ports.records.find(&key).await?.map(|record| record.writer);
        seen.records.insert(key, writer);
    }
    for shelf in look.shelves {
        let charts = ports.charts.list(&shelf, &request.image).await?;
        seen.charts.insert(shelf, charts);
    }
    if let Some(environment) = look.lists {
        seen.lists = Some(ports.gitops.read(&environment).await?);
    }
    if look.inspection {
        seen.inspection = inspection(orbit, request).await?;
    }
    Ok(seen)
}

/// Returns what validation found in the image's archive, from its metadata record.
async fn inspection(orbit: &Orbit, request: &Request) -> Result<Option<Inspection>, Blind> {
    let key = RecordKey {
        table: RecordTable::ImageMetadata,
        partition: request.image.uid.to_string(),
        sort: request.image.version.to_string(),
    };
    let Some(record) = orbit.ports.records.find(&key).await? else { return Ok(None) };
    let inspection = record.body.get("inspection").cloned().map(serde_json::from_value);
    inspection.transpose().map_err(|_| {
        let what = format!("the inspection of {} in its metadata", request.image);
        Refusal::Damaged { what }.into()
    })
}
