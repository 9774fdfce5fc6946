//! Answers: JSON, problem documents, and the status of every situation.

use std::borrow::Cow;
use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER};
use hyper::{Response, StatusCode};
use orbit_core::ActionId;
use orbit_core::event::ActionKind;
use orbit_core::port::{Kind, PortError};
use serde_json::{Value, json};

use crate::wire::Fault;

/// The body of every answer.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;
/// Every answer.
pub(crate) type Reply = Response<Body>;

/// How many faults an answer lists; it counts them all.
const MOST_FAULTS: usize = 100;

/// How long a client should wait before it asks a port that was down again, in seconds.
const RETRY_AFTER_S: &str = "5";

/// The action that an answer is about, for the log of requests.
#[derive(Debug, Clone)]
pub(crate) struct About(pub(crate) ActionId);

/// Returns an answer of some bytes.
pub(crate) fn bytes(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()).boxed_unsync());
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// Returns an answer of JSON.
pub(crate) fn json(status: StatusCode, body: &Value) -> Reply {
    bytes(status, "application/json", body.to_string())
}

/// Returns a list with the cursor of its next page.
pub(crate) fn list(items: Vec<Value>, next: Option<&str>) -> Reply {
    let body = Value::from_iter([("items", Value::Array(items)), ("nextCursor", json!(next))]);
    json(StatusCode::OK, &body)
}

/// Points an answer to the action that it is about.
pub(crate) fn about(mut reply: Reply, action: &ActionId) -> Reply {
    if let Ok(location) = HeaderValue::try_from(format!("/v1/actions/{action}")) {
        reply.headers_mut().insert(LOCATION, location);
    }
    reply.extensions_mut().insert(About(action.clone()));
    reply
}

/// A part of Orbit that a request asks, as answers call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Several of them, while an action is carried out.
    Stores,
    /// Image archives.
    Images,
    /// Charts.
    Charts,
    /// The rows of images.
    Catalog,
    /// Actions and events.
    Log,
    /// Plain records.
    Records,
    /// The repository.
    Repository,
    /// The random source.
    Entropy,
}

impl Part {
    /// Returns the word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Stores => "stores",
            Self::Images => "image store",
            Self::Charts => "chart store",
            Self::Catalog => "catalog",
            Self::Log => "event log",
            Self::Records => "records",
            Self::Repository => "GitOps repository",
            Self::Entropy => "random source",
        }
    }
}

/// A request that is not answered as it was meant: RFC 9457.
#[derive(Debug)]
pub(crate) struct Problem(Box<Parts>);

#[derive(Debug)]
struct Parts {
    status: StatusCode,
    error_type: Cow<'static, str>,
    detail: String,
    errors: Vec<Fault>,
    action: Option<ActionId>,
    kind: Option<ActionKind>,
    allow: Option<&'static str>,
}

impl Problem {
    /// Returns a problem with the status of its type.
    pub(crate) fn of(error_type: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        let error_type = error_type.into();
        Self(Box::new(Parts {
            status: status(&error_type),
            error_type,
            detail: detail.into(),
            errors: Vec::new(),
            action: None,
            kind: None,
            allow: None,
        }))
    }

    /// Returns the problem of a request with these faults.
    pub(crate) fn invalid(errors: Vec<Fault>) -> Self {
        let detail = match errors.as_slice() {
            [one] if one.pointer.is_empty() => format!("the body {}", one.detail),
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => format!("{} faults were found", many.len()),
        };
        let mut problem = Self::of("invalid-request", detail);
        problem.0.errors = errors;
        problem.0.errors.truncate(MOST_FAULTS);
        problem
    }

    /// Returns the problem of a method that a path does not have.
    pub(crate) fn method(allow: &'static str) -> Self {
        let mut problem = Self::of("method-not-allowed", format!("this path takes {allow}"));
        problem.0.allow = Some(allow);
        problem
    }

    /// Returns the problem of a failed call of a port, after logging what only operators may see.
    pub(crate) fn port(part: Part, error: &PortError) -> Self {
        let part = part.as_str();
        tracing::warn!(part, error = %error.chain(), "The {part} failed a request");
        match error.kind() {
            Kind::NotFound | Kind::Conflict | Kind::Rejected => {
                Self::of(error.error_type().unwrap_or("port-refused"), error.to_string())
            }
            Kind::Unavailable => {
                let detail = format!("the {part} did not answer; try again later");
                Self::of("port-unavailable", detail)
            }
        }
    }

    /// Returns the problem as one of an action.
    pub(crate) fn action(mut self, action: Option<&ActionId>, kind: ActionKind) -> Self {
        self.0.action = action.cloned();
        self.0.kind = Some(kind);
        self
    }

    /// Returns the stable name of the situation.
    #[cfg(test)]
    pub(crate) fn error_type(&self) -> &str {
        &self.0.error_type
    }

    /// Returns the document.
    pub(crate) fn document(&self) -> Value {
        let Parts { status, error_type, detail, errors, action, kind, allow: _ } = &*self.0;
        let mut document = json!({
            "type": format!("urn:orbit:{error_type}"),
            "title": title(error_type),
            "status": status.as_u16(),
            "detail": detail,
            "errorType": error_type,
        });
        let mut insert = |name: &str, value: Value| {
            if let Some(object) = document.as_object_mut() {
                object.insert(name.to_owned(), value);
            }
        };
        if !errors.is_empty() {
            insert("errors", errors.iter().map(Fault::json).collect());
        }
        if let Some(action) = action {
            insert("actionId", json!(action));
        }
        if let Some(kind) = kind {
            insert("PID", json!(kind.error_pid()));
        }
        document
    }

    /// Returns the answer.
    pub(crate) fn reply(self) -> Reply {
        let body = self.document().to_string();
        let Parts { status, action, allow, .. } = *self.0;
        let mut reply = bytes(status, "application/problem+json", body);
        let headers = reply.headers_mut();
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
        }
        if let Some(allow) = allow {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(action) = action {
            reply.extensions_mut().insert(About(action));
        }
        reply
    }
}

/// Returns the status of a situation. The faults of an archive, of which there are many, are what is
/// left: the content cannot be processed.
fn status(error_type: &str) -> StatusCode {
    match error_type {
        "upload-incomplete" | "body-incomplete" => StatusCode::BAD_REQUEST,
        "foreign-origin" => StatusCode::FORBIDDEN,
        "image-not-found"
        | "action-not-found"
        | "environment-not-found"
        | "chart-not-found"
        | "report-not-found"
        | "path-not-found" => StatusCode::NOT_FOUND,
        "method-not-allowed" => StatusCode::METHOD_NOT_ALLOWED,
        "upload-too-slow" | "body-too-slow" => StatusCode::REQUEST_TIMEOUT,
        "limit-exceeded" => StatusCode::PAYLOAD_TOO_LARGE,
        "media-type-unsupported" => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "too-many-uploads" => StatusCode::TOO_MANY_REQUESTS,
        "port-unavailable" => StatusCode::SERVICE_UNAVAILABLE,
        "environment-not-configured"
        | "image-deleted"
        | "image-not-deleted"
        | "last-environment"
        | "wrong-environment"
        | "wrong-cluster"
        | "version-not-greater"
        | "action-in-progress"
        | "name-taken"
        | "storage-incomplete"
        | "storage-damaged"
        | "storage-unusable"
        | "list-not-editable"
        | "list-missing" => StatusCode::CONFLICT,
        other if other.ends_with("-refused") => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// Returns `image-not-found` as `Image not found`.
fn title(error_type: &str) -> String {
    let mut letters = error_type.chars().map(|c| if c == '-' { ' ' } else { c });
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests;
