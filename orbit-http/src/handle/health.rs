//! Whether every port answers.

use std::time::Duration;

use hyper::StatusCode;
use orbit_core::place::{Shelf, Slot};
use orbit_core::port::{ActionFilter, Kind, PortError, RecordFilter};
use orbit_core::{ActionId, ImageId, ImageVersion, Timestamp};
use serde_json::json;
use tokio::time::timeout;

use crate::app::App;
use crate::reply::{self, Part, Problem, Reply};

/// How long a port may take to answer.
const MAX_ANSWER: Duration = Duration::from_secs(5);

/// Answers `GET /readyz`: 200 if every port that can be asked answers, else 503 with those that do
/// not.
pub(crate) async fn ready(app: &App) -> Reply {
    let (ports, first) = (&app.orbit.ports, &app.orbit.settings.environments.first().name);
    let (nobody, no_action) = (nobody(), ActionId::new(Timestamp::from_millis(0), [0; 10]));
    let shelf = Shelf::Live(first.clone());
    let slot = Slot { shelf: shelf.clone(), image: nobody.clone() };
    let actions = ActionFilter { limit: 1, ..ActionFilter::default() };
    let errors = RecordFilter {
        table: orbit_core::place::RecordTable::ErrorLog,
        partition: None,
        writer: None,
        from: None,
        to: None,
        cursor: None,
        limit: 1,
    };
    let entropy = async { ports.entropy.fill(&mut [0]) };
    let log = async {
        ports.log.load(&no_action).await?;
        ports.audit.actions(&actions).await
    };
    let answers = tokio::join!(
        ask(Part::Images, ports.images.find(&slot)),
        ask(Part::Charts, ports.charts.list(&shelf, &nobody)),
        ask(Part::Catalog, ports.catalog.find(&nobody)),
        ask(Part::Log, log),
        ask(Part::Records, ports.records.query(&errors)),
        ask(Part::Repository, ports.gitops.read(first)),
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
