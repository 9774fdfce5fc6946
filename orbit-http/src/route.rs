//! From a method and a path to the handler that answers.

use hyper::header::{ACCEPT, HeaderMap};
use hyper::{Method, StatusCode};
use orbit_core::event::ActionKind;
use orbit_core::{ActionId, Environment, ImageId, ImageUid};
use serde_json::json;

use crate::app::{App, Call};
use crate::handle::environments::Which;
use crate::handle::{act, actions, audit, chart, environments, health, images, stream, upload};
use crate::reply::{self, Problem, Reply};
use crate::wire::Query;

const GET: &str = "GET, HEAD";
const POST: &str = "POST";
const GET_POST: &str = "GET, HEAD, POST";

/// What a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route<'p> {
    Alive,
    Ready,
    Images,
    Versions(&'p str),
    Image([&'p str; 2], OfImage),
    Actions,
    Action(&'p str),
    ActionEvents(&'p str),
    Events,
    Errors,
    Environments,
    List(&'p str, Which),
}

/// What of an image a path names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OfImage {
    Itself,
    Act(ActionKind),
    Scan,
    Chart,
    Events,
}

impl<'p> Route<'p> {
    fn of(path: &'p str) -> Option<Self> {
        let segments: Vec<_> = path.strip_prefix('/')?.split('/').collect();
        Some(match segments.as_slice() {
            ["healthz"] => Self::Alive,
            ["readyz"] => Self::Ready,
            ["v1", "images"] => Self::Images,
            ["v1", "images", uid] => Self::Versions(uid),
            ["v1", "images", uid, version] => Self::Image([uid, version], OfImage::Itself),
            ["v1", "images", uid, version, what] => Self::Image([uid, version], OfImage::of(what)?),
            ["v1", "actions"] => Self::Actions,
            ["v1", "actions", id] => Self::Action(id),
            ["v1", "actions", id, "events"] => Self::ActionEvents(id),
            ["v1", "events"] => Self::Events,
            ["v1", "errors"] => Self::Errors,
            ["v1", "environments"] => Self::Environments,
            ["v1", "environments", name, "deploy-list"] => Self::List(name, Which::Deploy),
            ["v1", "environments", name, "delete-list"] => Self::List(name, Which::Delete),
            _ => return None,
        })
    }

    /// Returns the methods of the path, as `Allow` has them.
    const fn allow(self) -> &'static str {
        match self {
            Self::Image(_, OfImage::Act(_)) => POST,
            Self::Images | Self::Image(_, OfImage::Scan) => GET_POST,
            Self::Alive
            | Self::Ready
            | Self::Versions(_)
            | Self::Image(_, OfImage::Itself | OfImage::Chart | OfImage::Events)
            | Self::Actions
            | Self::Action(_)
            | Self::ActionEvents(_)
            | Self::Events
            | Self::Errors
            | Self::Environments
            | Self::List(..) => GET,
        }
    }
}

impl OfImage {
    fn of(segment: &str) -> Option<Self> {
        Some(match segment {
            "deploy" => Self::Act(ActionKind::Deploy),
            "transfer" => Self::Act(ActionKind::Transfer),
            "delete" => Self::Act(ActionKind::Delete),
            "restore" => Self::Act(ActionKind::Restore),
            "scan" => Self::Scan,
            "chart" => Self::Chart,
            "events" => Self::Events,
            _ => return None,
        })
    }
}

/// Says whether a request is an upload, which may take its time.
pub(crate) fn is_upload(method: &Method, path: &str) -> bool {
    method == Method::POST && Route::of(path) == Some(Route::Images)
}

/// Answers a request.
///
/// # Errors
/// The problem that the answer is.
pub(crate) async fn answer(app: &App, call: Call) -> Result<Reply, Problem> {
    let path = call.path.clone();
    let route = Route::of(&path)
        .ok_or_else(|| Problem::of("path-not-found", "there is nothing at this path"))?;
    let allow = route.allow();
    let method = if call.method == Method::HEAD { &Method::GET } else { &call.method };
    if !allow.split(", ").any(|allowed| allowed == method.as_str()) {
        return Err(Problem::method(allow));
    }
    if *method == Method::POST { post(app, call, route).await } else { get(app, call, route).await }
}

async fn post(app: &App, call: Call, route: Route<'_>) -> Result<Reply, Problem> {
    match route {
        Route::Images => upload::post(app, call).await,
        Route::Image(image, OfImage::Act(kind)) => {
            act::post(app, call, kind, image_id(image)?).await
        }
        Route::Image(image, OfImage::Scan) => {
            act::post(app, call, ActionKind::Scan, image_id(image)?).await
        }
        Route::Alive
        | Route::Ready
        | Route::Versions(_)
        | Route::Image(_, OfImage::Itself | OfImage::Chart | OfImage::Events)
        | Route::Actions
        | Route::Action(_)
        | Route::ActionEvents(_)
        | Route::Events
        | Route::Errors
        | Route::Environments
        | Route::List(..) => Err(Problem::method(route.allow())),
    }
}

async fn get(app: &App, call: Call, route: Route<'_>) -> Result<Reply, Problem> {
    let query = call.query;
    match route {
        Route::Alive => Ok(reply::json(StatusCode::OK, &json!({ "status": "alive" }))),
        Route::Ready => Ok(health::ready(app).await),
        Route::Images => images::search(app, query).await,
        Route::Versions(uid) => images::versions(app, query, &image_uid(uid)?).await,
        Route::Image(image, what) => get_image(app, query, image_id(image)?, what).await,
        Route::Actions => actions::list(app, query).await,
        Route::Action(id) => actions::one(app, query, &action_id(id)?).await,
        Route::ActionEvents(id) => follow(app, query, &call.headers, action_id(id)?).await,
        Route::Events => audit::events(app, query).await,
        Route::Errors => audit::errors(app, query).await,
        Route::Environments => environments::list(app, query),
        Route::List(name, which) => {
            environments::list_of(app, query, environment(name)?, which).await
        }
    }
}

async fn follow(
    app: &App,
    query: Query,
    headers: &HeaderMap,
    id: ActionId,
) -> Result<Reply, Problem> {
    if wants_stream(headers) {
        stream::open(app, query, headers, id).await
    } else {
        audit::action_events(app, query, id).await
    }
}

async fn get_image(app: &App, query: Query, id: ImageId, what: OfImage) -> Result<Reply, Problem> {
    match what {
        OfImage::Itself => images::one(app, query, &id).await,
        OfImage::Scan => images::scan(app, query, &id).await,
        OfImage::Chart => chart::get(app, query, &id).await,
        OfImage::Events => audit::image_events(app, query, id).await,
        OfImage::Act(_) => Err(Problem::method(POST)),
    }
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|range| {
        let media_type = range.split(';').next().unwrap_or_default();
        media_type.trim().eq_ignore_ascii_case("text/event-stream")
    })
}

fn image_uid(text: &str) -> Result<ImageUid, Problem> {
    text.parse().map_err(|fault| not_found("image", &fault))
}

fn image_id([uid, version]: [&str; 2]) -> Result<ImageId, Problem> {
    let version = version.parse().map_err(|fault| not_found("image", &fault))?;
    Ok(ImageId { uid: image_uid(uid)?, version })
}

fn action_id(text: &str) -> Result<ActionId, Problem> {
    text.parse().map_err(|fault| not_found("action", &fault))
}

fn environment(text: &str) -> Result<Environment, Problem> {
    text.parse().map_err(|fault| not_found("environment", &fault))
}

fn not_found(what: &str, fault: &dyn std::fmt::Display) -> Problem {
    Problem::of(format!("{what}-not-found"), format!("there is no such {what}: {fault}"))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn every_path_of_the_api_has_its_methods() {
        let cases = [
            ("/healthz", Some(GET)),
            ("/readyz", Some(GET)),
            ("/v1/images", Some(GET_POST)),
            ("/v1/images/u", Some(GET)),
            ("/v1/images/u/v", Some(GET)),
            ("/v1/images/u/v/deploy", Some(POST)),
            ("/v1/images/u/v/transfer", Some(POST)),
            ("/v1/images/u/v/delete", Some(POST)),
            ("/v1/images/u/v/restore", Some(POST)),
            ("/v1/images/u/v/scan", Some(GET_POST)),
            ("/v1/images/u/v/chart", Some(GET)),
            ("/v1/images/u/v/events", Some(GET)),
            ("/v1/actions", Some(GET)),
            ("/v1/actions/a", Some(GET)),
            ("/v1/actions/a/events", Some(GET)),
            ("/v1/events", Some(GET)),
            ("/v1/errors", Some(GET)),
            ("/v1/environments", Some(GET)),
            ("/v1/environments/e/deploy-list", Some(GET)),
            ("/v1/environments/e/delete-list", Some(GET)),
            ("/", None),
            ("", None),
            ("/v1", None),
            ("/v1/images/u/v/upload", None),
            ("/v1/images/u/v/scan/", None),
            ("/v2/images", None),
        ];
        for (path, expected) in cases {
            assert_eq!(Route::of(path).map(Route::allow), expected, "{path}");
        }
    }

    #[test]
    fn a_stream_is_sent_only_when_asked_for() {
        for (accept, expected) in [
            ("text/event-stream", true),
            ("application/json, Text/Event-Stream;q=0.9", true),
            ("*/*", false),
            ("application/json", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(wants_stream(&headers), expected, "{accept}");
        }
        assert!(!wants_stream(&HeaderMap::new()));
    }

    #[test]
    fn a_name_in_a_path_that_cannot_be_is_not_found() {
        let problem = image_id(["x", "v0-0-01"]).unwrap_err();
        assert_eq!(problem.error_type(), "image-not-found");
        let problem = action_id("x").unwrap_err();
        assert_eq!(problem.error_type(), "action-not-found");
    }
}
