//! Whether every port answers.

use std::time::Duration;

use futures_util::future::try_join_all;
use hyper::StatusCode;
use orbit_core::place::{RecordTable, Shelf, Slot};
use orbit_core::port::{ActionFilter, EventFilter, Kind, PortError, Ports, RecordKey};
use orbit_core::{ActionId, ImageId, ImageVersion, Timestamp};
use serde_json::json;
use tokio::time::timeout;

use crate::app::App;
use crate::reply::{self, Part, Problem, Reply};

/// How long a port may take to answer.
const MAX_ANSWER: Duration = Duration::from_secs(5);

/// Answers `GET /readyz`: 200 if every port that can be asked answers, else 503 with those that do
/// not. Each is asked about all that it keeps apart: a bucket or a table can be missing alone.
pub(crate) async fn ready(app: &App) -> Reply {
    let (ports, environments) = (&app.orbit.ports, &app.orbit.settings.environments);
    let nobody = nobody();
    let shelves = || Shelf::lasting(environments);
    let entropy = async { ports.entropy.fill(&mut [0]) };
    let answers = tokio::join!(
        ask(Part::Images, images(ports, shelves().chain([Shelf::Temporary]))),
        ask(Part::Charts, charts(ports, shelves())),
        ask(Part::Catalog, ports.catalog.find(&nobody)),
        ask(Part::Log, log(ports)),
        ask(Part::Records, records(ports)),
        ask(Part::Repository, ports.gitops.read(&environments.first().name)),
        ask(Part::Entropy, entropy),
    );
    let answers: [Option<Part>; 7] = answers.into();
    let down: Vec<_> = answers.into_iter().flatten().map(Part::as_str).collect();
    if down.is_empty() {
        return reply::json(StatusCode::OK, &json!({ "status": "ready" }));
    }
    let detail = format!("these do not answer: {}", down.join(", "));
    Problem::of("port-unavailable", detail).reply()
}

async fn images(ports: &Ports, shelves: impl Iterator<Item = Shelf>) -> Result<(), PortError> {
    let slots: Vec<_> = shelves.map(|shelf| Slot { shelf, image: nobody() }).collect();
    try_join_all(slots.iter().map(|slot| ports.images.find(slot))).await.map(drop)
}

async fn charts(ports: &Ports, shelves: impl Iterator<Item = Shelf>) -> Result<(), PortError> {
    let (shelves, nobody): (Vec<_>, _) = (shelves.collect(), nobody());
    try_join_all(shelves.iter().map(|shelf| ports.charts.list(shelf, &nobody))).await.map(drop)
}

async fn log(ports: &Ports) -> Result<(), PortError> {
    let no_action = ActionId::new(Timestamp::from_millis(0), [0; 10]);
    let actions = ActionFilter { limit: 1, ..ActionFilter::default() };
    // Every kind of action has a table of its own for its events.
    let events =
        EventFilter { action: Some(no_action.clone()), limit: 1, ..EventFilter::default() };
    tokio::try_join!(
        ports.log.load(&no_action),
        ports.audit.actions(&actions),
        ports.audit.events(&events),
    )
    .map(drop)
}

async fn records(ports: &Ports) -> Result<(), PortError> {
    let key = |table| RecordKey { table, partition: "nobody".to_owned(), sort: "none".to_owned() };
    let keys = RecordTable::ALL.map(key);
    try_join_all(keys.iter().map(|key| ports.records.find(key))).await.map(drop)
}

/// Asks a port, and returns its name if it does not answer.
async fn ask<T>(
    part: Part,
    question: impl Future<Output = Result<T, PortError>> + Send,
) -> Option<Part> {
    match timeout(MAX_ANSWER, question).await {
        Ok(Ok(_)) => None,
        Ok(Err(error)) if error.kind() != Kind::Unavailable => None,
        Ok(Err(error)) => {
            let part_name = part.as_str();
            tracing::error!(part = part_name, error = %error.chain(), "The {part_name} is down");
            Some(part)
        }
        Err(_) => Some(part),
    }
}

/// Returns an image that nobody has.
fn nobody() -> ImageId {
    let uid = "0".repeat(60).parse().expect("60 digits are a UID");
    ImageId { uid, version: ImageVersion::new(0, 0, 0) }
}
