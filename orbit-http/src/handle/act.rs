//! Beginning actions and answering for them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, TRANSFER_ENCODING};
use hyper::{Method, StatusCode};
use orbit_core::action::Refusal;
use orbit_core::event::ActionKind;
use orbit_core::port::{ActionRecord, BeginKey};
use orbit_core::request::{Ask, Request};
use orbit_core::saga::Outcome;
use orbit_core::{
    Accepted, ActionId, Digest, ImageId, LoggedError, NotBegun, Orbit, Timestamp, Until,
};
use serde_json::json;

use crate::app::{App, Call};
use crate::inflow::{BodyFault, Inflow};
use crate::reply::{self, Part, Problem, Reply};
use crate::wire::{self, ActionView, Asked, Fault, request};
use crate::worker::Held;

/// How long an idempotency key is remembered: 24 hours.
const KEY_LIFE_MS: i64 = 24 * 60 * 60 * 1000;
/// The longest idempotency key.
const MAX_KEY: usize = 255;

/// Answers `POST …/deploy`, `transfer`, `scan`, `delete` and `restore`.
///
/// # Errors
/// Every problem of the API.
pub(crate) async fn post(
    app: &App,
    call: Call,
    kind: ActionKind,
    image: ImageId,
) -> Result<Reply, Problem> {
    let Call { method, path, mut query, headers, body } = call;
    let wait = query.wait();
    query.end().map_err(Problem::invalid)?;
    let said = json_body(&headers, body, app.limits.json_bytes).await?;
    let asked = read(app, kind, image, &said).map_err(Problem::invalid)?;
    let scope = Scope { method: &method, path: &path, username: &asked.actor.username };
    let key = begin_key(&app.orbit, &headers, &scope, &said)?;
    match begin(app, asked, key).await? {
        Begun::New(held, request) => match planned(app, held.action()).await {
            Some(outcome) => end(app, held, &request, outcome).await,
            None => go_on(app, held, &request, wait).await,
        },
        Begun::Earlier(action) => earlier(app, &action, wait).await,
    }
}

/// Plans an action, so that its refusal can be told at once.
///
/// If a port fails, the action is accepted all the same: the worker plans it later.
async fn planned(app: &App, action: &ActionId) -> Option<Outcome> {
    app.orbit.drive(action, Until::Planned).await.unwrap_or_else(|error| {
        tracing::warn!(action.id = %action, error = %error.chain(), "An action is planned later");
        None
    })
}

/// What a request began.
pub(super) enum Begun {
    /// An action of its own.
    New(Held, Request),
    /// The action that it began before.
    Earlier(ActionId),
}

/// Begins an action, and logs its refusal.
///
/// # Errors
/// Why it did not begin.
pub(super) async fn begin(
    app: &App,
    asked: Asked,
    key: Option<BeginKey>,
) -> Result<Begun, Problem> {
    let Asked { request, actor } = asked;
    let username = actor.username.clone();
    match app.orbit.begin(request.clone(), actor, key).await {
        Ok(Accepted::New(action, lease)) => Ok(Begun::New(app.worker.hold(action, lease), request)),
        Ok(Accepted::Earlier(action)) => Ok(Begun::Earlier(action)),
        Err(NotBegun::Port(error)) => Err(Problem::port(Part::Stores, &error)),
        Err(NotBegun::Refused(refusal)) => {
            log_refusal(&app.orbit, &request, &username, &refusal).await;
            let problem = Problem::of(refusal.error_type(), refusal.to_string());
            Err(problem.action(named_action(&refusal), request.kind()))
        }
    }
}

/// Returns the action that stands in the way, if one does.
const fn named_action(refusal: &Refusal) -> Option<&ActionId> {
    match refusal {
        Refusal::ActionInProgress { running: action } | Refusal::KeyReused { earlier: action } => {
            Some(action)
        }
        Refusal::NoSuchImage(_)
        | Refusal::NoSuchEnvironment(_)
        | Refusal::ImageDeleted(_)
        | Refusal::NotDeleted(_)
        | Refusal::LastEnvironment(_)
        | Refusal::WrongEnvironment { .. }
        | Refusal::WrongCluster { .. }
        | Refusal::VersionNotGreater { .. }
        | Refusal::NameTaken { .. }
        | Refusal::Unusable { .. }
        | Refusal::Damaged { .. }
        | Refusal::Missing { .. } => None,
    }
}

async fn log_refusal(orbit: &Orbit, request: &Request, username: &str, refusal: &Refusal) {
    let (error_type, message) = (refusal.error_type(), refusal.to_string());
    let error = LoggedError { request, username, action: None, error_type, message: &message };
    if let Err(error) = orbit.log_error(&error).await {
        tracing::error!(error = %error.chain(), "A refusal was not put into the error log");
    }
}

/// Answers for an action that ended while its request was there.
///
/// # Errors
/// The problem that it failed by.
pub(super) async fn end(
    app: &App,
    held: Held,
    request: &Request,
    outcome: Outcome,
) -> Result<Reply, Problem> {
    let action = held.action().clone();
    held.end();
    match outcome {
        Outcome::Done(_) => shown(app, &action).await,
        Outcome::Unchanged { earlier } => shown(app, &earlier).await,
        Outcome::Failed(failure) => {
            let problem = Problem::of(failure.error_type, failure.message);
            Err(problem.action(Some(&action), request.kind()))
        }
    }
}

/// Lets the worker go on with an action, and answers for it: after its end, if it comes in time.
///
/// # Errors
/// `port-unavailable`.
pub(super) async fn go_on(
    app: &App,
    held: Held,
    request: &Request,
    wait: Option<Duration>,
) -> Result<Reply, Problem> {
    let action = held.action().clone();
    drop(held);
    match wait {
        None => Ok(accepted(&action, request)),
        Some(wait) => waited(app, &action, wait).await,
    }
}

/// Answers for the action that the same request began before: as it was answered then, but for a
/// failure that is known by now.
///
/// # Errors
/// `port-unavailable`, and the problem that the action failed by.
pub(super) async fn earlier(
    app: &App,
    action: &ActionId,
    wait: Option<Duration>,
) -> Result<Reply, Problem> {
    let history = app.history(action).await?;
    match (ActionView::of(&history).outcome(), wait) {
        (Some(Outcome::Unchanged { earlier }), _) => shown(app, earlier).await,
        (Some(Outcome::Failed(failure)), None) => {
            let kind = history.record.request.kind();
            let problem = Problem::of(failure.error_type.clone(), failure.message.clone());
            Err(problem.action(Some(action), kind))
        }
        (_, Some(wait)) => waited(app, action, wait).await,
        (_, None) => Ok(accepted(action, &history.record.request)),
    }
}

async fn waited(app: &App, action: &ActionId, wait: Duration) -> Result<Reply, Problem> {
    let history = app.history_after(action, wait).await?;
    let view = ActionView::of(&history);
    let ActionRecord { request, .. } = view.record;
    match view.outcome() {
        None => Ok(accepted(action, request)),
        Some(Outcome::Unchanged { earlier }) => shown(app, earlier).await,
        Some(Outcome::Done(_) | Outcome::Failed(_)) => {
            Ok(reply::about(reply::json(StatusCode::OK, &view.json()), action))
        }
    }
}

async fn shown(app: &App, action: &ActionId) -> Result<Reply, Problem> {
    let history = app.history(action).await?;
    let body = ActionView::of(&history).json();
    Ok(reply::about(reply::json(StatusCode::OK, &body), action))
}

fn accepted(action: &ActionId, request: &Request) -> Reply {
    let kind = request.kind();
    let body = json!({
        "PID": kind.first_pid(),
        "status": "accepted",
        "message": format!("the {kind} of image {} is under way", request.image),
        "actionId": action,
        "imageUID": request.image.uid,
        "imageVersion": request.image.version,
    });
    reply::about(reply::json(StatusCode::ACCEPTED, &body), action)
}

fn read(app: &App, kind: ActionKind, image: ImageId, said: &[u8]) -> Result<Asked, Vec<Fault>> {
    let body = if said.is_empty() { json!({}) } else { wire::parse(said)? };
    let environments = &app.orbit.settings.environments;
    match kind {
        ActionKind::Deploy => request::deploy(image, body),
        ActionKind::Transfer => request::transfer(image, body, environments),
        ActionKind::Restore => request::restore(image, body, environments),
        ActionKind::Scan => request::plain(image, body, Ask::Scan),
        ActionKind::Delete => request::plain(image, body, Ask::Delete),
        ActionKind::Upload => Err(vec![Fault::new("", "an upload has no image to go by")]),
    }
}

/// Reads a JSON body to its end; a request without a body is taken for an empty one.
async fn json_body(headers: &HeaderMap, mut body: Inflow, max: usize) -> Result<Bytes, Problem> {
    if is_empty(headers, &body) {
        return Ok(Bytes::new());
    }
    if media_type(headers) != Some("application/json") {
        let detail = "the body must be sent as application/json";
        return Err(Problem::of("media-type-unsupported", detail));
    }
    let over = || {
        let detail = format!("the body is larger than limits.json_bytes, {max} bytes");
        Problem::of("limit-exceeded", detail)
    };
    if body.least() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(over());
    }
    let mut said = Vec::new();
    while let Some(chunk) = body.next().await {
        said.extend_from_slice(&chunk.map_err(|fault| body_problem(&fault))?);
        if said.len() > max {
            return Err(over());
        }
    }
    Ok(said.into())
}

fn is_empty(headers: &HeaderMap, body: &Inflow) -> bool {
    let has_length = headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0");
    body.is_over() || (!has_length && !headers.contains_key(TRANSFER_ENCODING) && body.least() == 0)
}

/// Returns the media type of a body without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    value.split(';').next().map(str::trim)
}

/// Returns the problem of a body that did not come to its end.
pub(super) fn body_problem(fault: &BodyFault) -> Problem {
    match fault {
        BodyFault::Silent(_) | BodyFault::Slow(_) => {
            Problem::of("body-too-slow", fault.to_string())
        }
        BodyFault::Shapeless(_) => Problem::of("limit-exceeded", fault.to_string()),
        BodyFault::Broken(_) => Problem::of("body-incomplete", fault.to_string()),
    }
}

/// What an idempotency key is good for.
pub(super) struct Scope<'a> {
    /// The method.
    pub(super) method: &'a Method,
    /// The path.
    pub(super) path: &'a str,
    /// Who asks.
    pub(super) username: &'a str,
}

/// Returns the request's idempotency key, if it has one.
///
/// # Errors
/// `invalid-request`.
pub(super) fn begin_key(
    orbit: &Orbit,
    headers: &HeaderMap,
    scope: &Scope<'_>,
    said: &[u8],
) -> Result<Option<BeginKey>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=MAX_KEY).contains(&key.len()));
    let key = key.ok_or_else(|| {
        let detail = format!("expected 1 to {MAX_KEY} visible ASCII characters");
        Problem::invalid(vec![Fault::new("Idempotency-Key:", detail)])
    })?;
    let now = orbit.ports.clock.now();
    Ok(Some(BeginKey {
        scope: format!("{}\n{} {}\n{key}", scope.username, scope.method, scope.path),
        fingerprint: Digest::of(said),
        expired_before: Timestamp::from_millis(now.millis().saturating_sub(KEY_LIFE_MS)),
    }))
}
