//! What the tests of the embedded stores put into them.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use orbit_core::chart::form::ChartForm;
use orbit_core::chart::{Chart, DeploymentDetail};
use orbit_core::event::{ActionKind, Event, EventDraft, EventType};
use orbit_core::place::{Shelf, Slot};
use orbit_core::port::{ActionRecord, Begin, ByteStream, Owner, PortError};
use orbit_core::request::{Actor, Ask, Request};
use orbit_core::{
    ActionId, AppName, Digest, Environment, Environments, Image, ImageId, ImageLabels, ImageUid,
    Status, Timestamp,
};
use serde_json::Value;
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _, Sqlite};
use tempfile::TempDir;

use super::Embedded;

/// Opens a new data directory, which is removed with the first of the two values.
pub(super) async fn stores() -> (TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    let stores = open(&dir).await;
    (dir, stores)
}

/// Opens a data directory again.
pub(super) async fn open(dir: &TempDir) -> Embedded {
    Embedded::open(dir.path(), &Environments::default()).await.unwrap()
}

/// Returns by which index SQLite answers a query, as it says itself.
pub(super) async fn plan(stores: &Embedded, sql: &QueryBuilder<Sqlite>) -> String {
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.sql().as_str()));
    let steps = sqlx::raw_sql(explain).fetch_all(stores.database().read()).await.unwrap();
    let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
    steps.join("; ")
}

/// Returns the action number `n`, which began `n` milliseconds after the epoch.
pub(super) fn action(n: u8) -> ActionId {
    ActionId::new(Timestamp::from_millis(n.into()), [n; 10])
}

/// Returns a UID that ends in `n`.
pub(super) fn uid(n: u32) -> ImageUid {
    format!("{n:0>60}").parse().unwrap()
}

/// Returns version `v0-0-01` of the UID that ends in `n`.
pub(super) fn id(n: u32) -> ImageId {
    ImageId { uid: uid(n), version: "v0-0-01".parse().unwrap() }
}

/// Returns the environment of uploads.
pub(super) fn development() -> Environment {
    "development".parse().unwrap()
}

/// Returns the slot of image `n` among those of the first environment.
pub(super) fn slot(n: u32) -> Slot {
    Slot { shelf: Shelf::Live(development()), image: id(n) }
}

/// Returns a stored image, uploaded at the epoch.
pub(super) fn image(n: u32, name: &str) -> Image {
    let id = id(n);
    Image {
        app: AppName::of(name, &id.uid),
        labels: ImageLabels {
            name: name.to_owned(),
            category: "Movie".to_owned(),
            description: None,
            part: None,
            tail: None,
            icao: None,
        },
        environment: development(),
        status: Status::Stored,
        report: None,
        digest: Digest::of(name.as_bytes()),
        size: 1,
        chart: chart(n).revision(),
        created: Timestamp::from_millis(0),
        updated: Timestamp::from_millis(0),
        id,
    }
}

/// Returns a chart of image `n`.
pub(super) fn chart(n: u32) -> Chart {
    Chart {
        app: AppName::of("Trolls", &uid(n)),
        image: id(n),
        image_name: "Trolls".to_owned(),
        form: ChartForm::default(),
        detail: DeploymentDetail::default(),
    }
}

/// Returns the begin of a scan of image `n`, by action `n_action`.
pub(super) fn begin(n_action: u8, n: u32) -> Begin {
    let id = action(n_action);
    let request = Request { image: self::id(n), ask: Ask::Scan };
    let username = "ada".to_owned();
    let (first_name, last_name, email) = (String::new(), String::new(), String::new());
    let actor = Actor { username, first_name, last_name, email };
    let at = Timestamp::from_millis(n_action.into());
    let event = event(&id, 1, n);
    let record = ActionRecord { id, request, actor, environment: development(), at };
    Begin { record, key: None, event, owner: owner("first") }
}

/// Returns an event of a scan of image `n`.
pub(super) fn event(action: &ActionId, sequence: u32, n: u32) -> Event {
    let pid = ActionKind::Scan.first_pid();
    Event {
        action: action.clone(),
        sequence,
        draft: EventDraft { event: EventType::ScanInitiated, pid, detail: Value::Null },
        at: Timestamp::from_millis(1_737_799_200_123),
        username: "ada".to_owned(),
        image: id(n),
        environment: development(),
    }
}

/// Returns a driver's name.
pub(super) fn owner(name: &str) -> Owner {
    Owner(name.to_owned())
}

/// Returns a stream of these bytes, in chunks.
pub(super) fn body(bytes: &[u8]) -> ByteStream {
    let chunks: Vec<_> =
        bytes.chunks(100_000).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    stream::iter(chunks).boxed()
}

/// Reads a stream to its end.
pub(super) async fn all(stream: ByteStream) -> Result<Vec<u8>, PortError> {
    let chunks: Vec<Bytes> = stream.try_collect().await?;
    Ok(chunks.concat())
}
