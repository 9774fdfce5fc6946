//! Uploads: metadata first, then the archive, streamed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use multer::{Field, Multipart};
use orbit_core::Until;
use orbit_core::port::{ByteStream, Kind, PortError};
use orbit_core::request::Request;

use super::act::{self, Begun, Scope, begin_key, body_problem, media_type};
use crate::app::{App, Call};
use crate::inflow::{BodyFault, Inflow};
use crate::reply::{Part, Problem, Reply};
use crate::wire::{self, Fault, request};
use crate::worker::Held;

/// Answers `POST /v1/images`.
///
/// Faults of the metadata are answered before there is an action; the archive is read only once its
/// action is planned.
///
/// # Errors
/// Every problem of the API.
pub(crate) async fn post(app: &App, call: Call) -> Result<Reply, Problem> {
    let Call { method, path, mut query, headers, body } = call;
    let wait = query.wait();
    query.end().map_err(Problem::invalid)?;
    let bound = u64::try_from(app.limits.json_bytes).unwrap_or(u64::MAX).saturating_add(AROUND);
    let allowance = Allowance::new(bound);
    let mut parts = Multipart::new(allowance.limit(body), boundary(&headers)?);
    let Ok(permit) = app.uploads.try_acquire() else {
        let detail = format!("{} uploads run already", app.limits.uploads_at_once);
        return Err(Problem::of("too-many-uploads", detail));
    };
    let said = metadata(&mut parts, app.limits.json_bytes).await?;
    let asked = wire::parse(&said).and_then(request::upload);
    let asked = asked.map_err(|faults| Problem::invalid(in_metadata(faults)))?;
    let field = image_part(&mut parts).await?;
    allowance.lift();
    let uid = match asked.uid.clone() {
        Some(uid) => uid,
        None => {
            let drawn = app.orbit.draw_uid().await;
            drawn.map_err(|error| Problem::port(Part::Stores, &error))?
        }
    };
    let asked = asked.of(uid);
    let scope = Scope { method: &method, path: &path, username: &asked.actor.username };
    let key = begin_key(&app.orbit, &headers, &scope, &said)?;
    let reply = match act::begin(app, asked, key).await? {
        Begun::Earlier(action) => return act::earlier(app, &action, wait).await,
        Begun::New(held, request) => {
            let archive = archive(parts, field, allowance, app.limits.archive_bytes);
            receive(app, held, &request, archive).await?
        }
    };
    drop(permit);
    match reply {
        Received::Stored(held, request) => act::go_on(app, held, &request, wait).await,
        Received::Over(reply) => Ok(reply),
    }
}

/// Bytes that may stand around the parts of a body: boundaries, headers, and what one read brings
/// beyond them.
const AROUND: u64 = 1 << 20;

/// How many bytes of a body may still be read. The parser keeps all that comes before a part in memory.
#[derive(Clone)]
struct Allowance {
    left: Arc<AtomicU64>,
    bound: u64,
}

impl Allowance {
    fn new(bound: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(bound)), bound }
    }

    fn set(&self, bound: u64) {
        self.left.store(bound, Ordering::Relaxed);
    }

    /// Lets any number of bytes come, which somebody else counts.
    fn lift(&self) {
        self.set(u64::MAX);
    }

    /// Returns the body, which breaks off where more comes than is allowed.
    fn limit(&self, body: Inflow) -> impl Stream<Item = Result<Bytes, BodyFault>> + use<> {
        let allowance = self.clone();
        body.map(move |chunk| chunk.and_then(|chunk| allowance.take(chunk)))
    }

    fn take(&self, chunk: Bytes) -> Result<Bytes, BodyFault> {
        let left = self.left.load(Ordering::Relaxed);
        let n_bytes = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        match left.checked_sub(n_bytes) {
            Some(_) if left == u64::MAX => Ok(chunk),
            Some(rest) => {
                self.set(rest);
                Ok(chunk)
            }
            None => Err(BodyFault::Shapeless(self.bound)),
        }
    }
}

/// What came of the bytes.
enum Received {
    /// They are kept.
    Stored(Held, Request),
    /// The action is over.
    Over(Reply),
}

async fn receive(
    app: &App,
    held: Held,
    request: &Request,
    archive: ByteStream,
) -> Result<Received, Problem> {
    let (orbit, action) = (&app.orbit, held.action().clone());
    let unavailable = |error: &PortError| {
        Problem::port(Part::Stores, error).action(Some(&action), request.kind())
    };
    let planned = orbit.drive(&action, Until::Planned).await;
    let outcome = match planned.map_err(|error| unavailable(&error))? {
        Some(outcome) => Some(outcome),
        None => {
            let received = orbit.receive(&action, archive).await;
            received.map_err(|error| unavailable(&error))?
        }
    };
    match outcome {
        Some(outcome) => Ok(Received::Over(act::end(app, held, request, outcome).await?)),
        None => Ok(Received::Stored(held, request.clone())),
    }
}

fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = media_type(headers) == Some("multipart/form-data");
    let boundary = content_type.filter(|_| is_form).and_then(|c| multer::parse_boundary(c).ok());
    boundary.ok_or_else(|| {
        let detail = "an upload must be sent as multipart/form-data with a boundary";
        Problem::of("media-type-unsupported", detail)
    })
}

/// Reads the first part.
async fn metadata(parts: &mut Multipart<'_>, max: usize) -> Result<Vec<u8>, Problem> {
    let first = parts.next_field().await.map_err(|error| part_problem(&error))?;
    let mut field = first.filter(|field| field.name() == Some("metadata")).ok_or_else(|| {
        let detail = "must be the first part, before the part image";
        Problem::invalid(vec![Fault::new("/metadata", detail)])
    })?;
    let mut said = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| part_problem(&error))? {
        said.extend_from_slice(&chunk);
        if said.len() > max {
            let detail = format!("the metadata is larger than limits.json_bytes, {max} bytes");
            return Err(Problem::of("limit-exceeded", detail));
        }
    }
    Ok(said)
}

/// Opens the second part, without reading it.
async fn image_part(parts: &mut Multipart<'static>) -> Result<Field<'static>, Problem> {
    let second = parts.next_field().await.map_err(|error| part_problem(&error))?;
    second.filter(|field| field.name() == Some("image")).ok_or_else(|| {
        let detail = "must be the second part, after the part metadata";
        Problem::invalid(vec![Fault::new("/image", detail)])
    })
}

/// Says of faults without a place that they are in the metadata as a whole.
fn in_metadata(faults: Vec<Fault>) -> Vec<Fault> {
    let place = |fault: Fault| match fault.pointer.as_str() {
        "" => Fault::new("/metadata", fault.detail),
        _ => fault,
    };
    faults.into_iter().map(place).collect()
}

/// The archive while it is read.
struct Archive {
    parts: Multipart<'static>,
    field: Option<Field<'static>>,
    allowance: Allowance,
    left: u64,
    max: u64,
}

/// Returns the bytes of the image part; whatever is wrong with them ends the stream by an error that
/// names it.
fn archive(
    parts: Multipart<'static>,
    field: Field<'static>,
    allowance: Allowance,
    max: u64,
) -> ByteStream {
    let archive = Archive { parts, field: Some(field), allowance, left: max, max };
    stream::try_unfold(archive, Archive::next).boxed()
}

impl Archive {
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, PortError> {
        if let Some(field) = &mut self.field
            && let Some(chunk) = field.chunk().await.map_err(|error| part_error(&error))?
        {
            let n_bytes = u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            self.left = self.left.checked_sub(n_bytes).ok_or_else(|| over(self.max))?;
            return Ok(Some((chunk, self)));
        }
        // The parser lends one field at a time.
        drop(self.field.take());
        self.allowance.set(AROUND);
        match self.parts.next_field().await.map_err(|error| part_error(&error))? {
            None => Ok(None),
            Some(extra) => {
                let name: String = extra.name().unwrap_or_default().chars().take(64).collect();
                let message = format!("part {name:?} follows the part image, expected none");
                Err(PortError::new(Kind::Rejected, message).typed("part-unexpected"))
            }
        }
    }
}

fn over(max: u64) -> PortError {
    let message = format!("the archive is larger than limits.archive_bytes, {max} bytes");
    PortError::new(Kind::Rejected, message).typed("limit-exceeded")
}

/// Returns why the archive did not come, for the action that waits for it.
fn part_error(error: &multer::Error) -> PortError {
    let (error_type, message) = match body_fault(error) {
        Some(fault @ (BodyFault::Silent(_) | BodyFault::Slow(_))) => {
            ("upload-too-slow", fault.to_string())
        }
        Some(fault @ BodyFault::Shapeless(_)) => ("limit-exceeded", fault.to_string()),
        Some(BodyFault::Broken(_)) | None => {
            ("upload-incomplete", "the upload ended before all of its bytes had come".to_owned())
        }
    };
    PortError::new(Kind::Rejected, message).typed(error_type)
}

/// Returns the problem of a part that cannot be read, when there is no action yet.
fn part_problem(error: &multer::Error) -> Problem {
    match body_fault(error) {
        Some(fault) => body_problem(fault),
        None => Problem::invalid(vec![Fault::new("", format!("is not multipart: {error}"))]),
    }
}

fn body_fault(error: &multer::Error) -> Option<&BodyFault> {
    let multer::Error::StreamReadFailed(source) = error else { return None };
    source.downcast_ref()
}

#[cfg(test)]
mod tests;
