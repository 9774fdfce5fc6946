//! Values for tests, each made from a number: the same number gives the same value.

use crate::action;
use crate::chart::form::ChartForm;
use crate::chart::{Chart, ChartRevision, DeploymentDetail};
use crate::event::{Event, EventDraft};
use crate::image::{Image, ImageLabels, Status};
use crate::place::{ChartPlace, Shelf, Slot};
use crate::port::{ActionRecord, Begin, ByteStream, Entry, Owner};
use crate::request::{Actor, Ask, Request};
use crate::saga::Fact;
use crate::testing::archives;
use crate::{ActionId, AppName, Digest, Environment, ImageId, ImageUid, ImageVersion, Timestamp};
use futures_util::{StreamExt as _, stream};

/// The time that samples are made at: 2025-01-25T10:00:00Z.
pub const NOW: Timestamp = Timestamp::from_millis(1_737_799_200_000);

/// Returns a UID.
#[expect(clippy::missing_panics_doc, reason = "60 digits are a UID")]
pub fn uid(n: u32) -> ImageUid {
    format!("{n:060}").parse().expect("60 digits are a UID")
}

/// Returns version `v0-0-<patch>` of UID `n`.
pub fn image_id(n: u32, patch: u32) -> ImageId {
    ImageId { uid: uid(n), version: ImageVersion::new(0, 0, patch) }
}

/// Returns an action's id; a greater number is a later action.
pub fn action_id(n: u32) -> ActionId {
    let mut random = [0; 10];
    for (byte, digit) in random.iter_mut().rev().zip(n.to_le_bytes()) {
        *byte = digit;
    }
    ActionId::new(NOW, random)
}

/// Returns the first environment's name.
pub fn development() -> Environment {
    crate::Environments::default().first().name.clone()
}

/// Returns a slot of the first environment.
pub fn slot(n: u32) -> Slot {
    Slot { shelf: Shelf::Live(development()), image: image_id(n, 1) }
}

/// Returns a chart of image `n`; each `replicas` gives another revision.
#[expect(clippy::missing_panics_doc, reason = "small counts are replicas")]
pub fn chart(n: u32, replicas: u32) -> Chart {
    let image = image_id(n, 1);
    let detail = DeploymentDetail {
        replicas: replicas.to_string().parse().expect("small counts are replicas"),
        ..DeploymentDetail::default()
    };
    Chart {
        app: AppName::of("Sample", &image.uid),
        image,
        image_name: "Sample".to_owned(),
        form: ChartForm::default(),
        detail,
    }
}

/// Returns the place of a chart on a shelf.
pub fn chart_place(shelf: Shelf, chart: &Chart) -> ChartPlace {
    let revision: ChartRevision = chart.revision();
    ChartPlace { shelf, image: chart.image.clone(), revision }
}

/// Returns a stored image, uploaded `n` milliseconds after [`NOW`].
pub fn image(n: u32, patch: u32) -> Image {
    let at = Timestamp::from_millis(NOW.millis() + i64::from(n));
    let id = image_id(n, patch);
    Image {
        app: AppName::of("Sample", &id.uid),
        labels: ImageLabels {
            name: format!("Sample {n}"),
            category: if n.is_multiple_of(2) { "Movie" } else { "Music" }.to_owned(),
            description: Some(format!("The {n}th sample, 100% real_")),
            part: (n.is_multiple_of(3)).then(|| "21117-1".to_owned()),
            tail: (n.is_multiple_of(5)).then(|| "G-AAAA".to_owned()),
            icao: None,
        },
        environment: development(),
        status: Status::Stored,
        report: None,
        digest: Digest::of(id.to_string().as_bytes()),
        size: 1024,
        chart: chart(n, 1).revision(),
        created: at,
        updated: at,
        id,
    }
}

/// Returns the user of the samples.
pub fn actor() -> Actor {
    Actor {
        username: "jamesbond".to_owned(),
        first_name: "James".to_owned(),
        last_name: "Bond".to_owned(),
        email: "jamesbond@k8or.com".to_owned(),
    }
}

/// Returns the begin of a scan of image `n` by action `id`.
pub fn begin(id: u32, n: u32, owner: &str) -> Begin {
    let request = Request { image: image_id(n, 1), ask: Ask::Scan };
    let at = Timestamp::from_millis(NOW.millis() + i64::from(id));
    let record =
        ActionRecord { id: action_id(id), request, actor: actor(), environment: development(), at };
    let event = event(&record, 1, action::first_event(&record.request), at);
    Begin { record, key: None, event, owner: Owner(owner.to_owned()) }
}

/// Returns an event of an action.
pub fn event(record: &ActionRecord, sequence: u32, draft: EventDraft, at: Timestamp) -> Event {
    Event {
        action: record.id.clone(),
        sequence,
        draft,
        at,
        username: record.actor.username.clone(),
        image: record.request.image.clone(),
        environment: record.environment.clone(),
    }
}

/// Returns an entry without events, written when the action began.
pub fn entry(record: &ActionRecord, number: u32, fact: Fact) -> Entry {
    Entry { number, fact, events: vec![], at: record.at }
}

/// Returns a stream of one chunk.
pub fn body(bytes: &[u8]) -> ByteStream {
    stream::iter([Ok(bytes::Bytes::copy_from_slice(bytes))]).boxed()
}

/// Returns a small image archive.
pub fn archive() -> Vec<u8> {
    archives::docker_archive(&archives::ImageSpec::default())
}

/// Returns what validation finds in [`archive`].
#[expect(clippy::missing_panics_doc, reason = "the sample is a valid archive")]
pub fn inspection() -> crate::archive::Inspection {
    let mut inspector = crate::archive::Inspector::new(crate::archive::Limits::default());
    inspector.feed(&archive()).expect("the sample is a valid archive");
    inspector.finish().expect("the sample is a valid archive")
}
