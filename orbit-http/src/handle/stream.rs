//! The events of an action as they happen: server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use orbit_core::ActionId;
use orbit_core::event::Event;
use orbit_core::port::{Audit, EventFilter, EventLog, PortError};
use orbit_core::query::Cursor;
use tokio::time::{Instant, timeout_at};

use crate::announce::Listener;
use crate::app::App;
use crate::reply::{self, Problem, Reply};
use crate::stop::Stop;
use crate::wire::{ActionView, Fault, Query, show};

/// How many events are read at once.
const PAGE: u32 = 100;
/// How long to wait for news before looking whether another process has written any.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long a stream is silent before a comment is sent, so that nobody between cuts it off.
const SILENCE: Duration = Duration::from_secs(15);

/// Answers `GET /v1/actions/{actionId}/events` with a stream that ends with the action.
///
/// A client that comes back after the last event gets 204, which tells it to stop.
///
/// # Errors
/// `action-not-found`, `invalid-request`, `port-unavailable`.
pub(crate) async fn open(
    app: &App,
    query: Query,
    headers: &HeaderMap,
    action: ActionId,
) -> Result<Reply, Problem> {
    query.end().map_err(Problem::invalid)?;
    let last = last_event_id(headers)?;
    let listener = app.news.listen();
    let history = app.history(&action).await?;
    let has_ended = ActionView::of(&history).outcome().is_some();
    if has_ended && last >= history.n_events {
        let mut reply = reply::json(StatusCode::NO_CONTENT, &serde_json::Value::Null);
        *reply.body_mut() = http_body_util::Empty::new().boxed_unsync();
        reply.headers_mut().remove(CONTENT_TYPE);
        return Ok(reply);
    }
    let ports = &app.orbit.ports;
    let tail = Tail {
        log: Arc::clone(&ports.log),
        audit: Arc::clone(&ports.audit),
        stop: app.stop.clone(),
        listener,
        action,
        cursor: None,
        last,
        ready: VecDeque::new(),
        has_ended,
        spoken: Instant::now(),
    };
    let chunks = stream::unfold(tail, |mut tail| async move {
        let chunk = tail.next().await?;
        Some((Ok::<_, Infallible>(Frame::data(chunk)), tail))
    });
    let mut reply = Response::new(StreamBody::new(chunks).boxed_unsync());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(reply)
}

fn last_event_id(headers: &HeaderMap) -> Result<u32, Problem> {
    let Some(value) = headers.get("last-event-id") else { return Ok(0) };
    let last = value.to_str().ok().and_then(|text| text.parse().ok());
    last.ok_or_else(|| {
        let detail = "expected the sequence of an event, a number";
        Problem::invalid(vec![Fault::new("Last-Event-ID:", detail)])
    })
}

/// The end of an action's log, as a client follows it.
struct Tail {
    log: Arc<dyn EventLog>,
    audit: Arc<dyn Audit>,
    stop: Stop,
    listener: Listener,
    action: ActionId,
    /// Where the page begins that the next event will be on.
    cursor: Option<Cursor>,
    /// The last event that was read.
    last: u32,
    ready: VecDeque<Bytes>,
    has_ended: bool,
    spoken: Instant,
}

impl Tail {
    /// Returns the next piece of the stream, or `None` at its end.
    async fn next(&mut self) -> Option<Bytes> {
        while self.ready.is_empty() {
            // The end is looked for before the events, so that none comes after the last look.
            let had_ended = self.has_ended;
            let is_read = self.read().await.map_err(|error| warn(&error)).is_ok();
            if !self.ready.is_empty() {
                break;
            }
            if (had_ended && is_read) || self.stop.is_given() {
                return None;
            }
            if self.spoken.elapsed() >= SILENCE {
                self.ready.push_back(Bytes::from_static(b": still here\n\n"));
            } else {
                self.wait().await;
            }
        }
        self.spoken = Instant::now();
        self.ready.pop_front()
    }

    async fn wait(&mut self) {
        let until = Instant::now() + LOOK_EVERY;
        tokio::select! {
            () = self.stop.given() => {}
            // Whether there is news or not, the log is what tells.
            _ = timeout_at(until, self.listener.entry_of(&self.action)) => {}
        }
    }

    /// Reads what came since the last look.
    async fn read(&mut self) -> Result<(), PortError> {
        if !self.has_ended {
            let history = self.log.load(&self.action).await?;
            self.has_ended =
                history.is_none_or(|history| ActionView::of(&history).outcome().is_some());
        }
        loop {
            let filter = EventFilter {
                action: Some(self.action.clone()),
                cursor: self.cursor.clone(),
                limit: PAGE,
                ..EventFilter::default()
            };
            let page = self.audit.events(&filter).await?;
            for event in page.events.iter().filter(|event| event.sequence > self.last) {
                self.ready.push_back(framed(event));
            }
            self.last = page.events.last().map_or(self.last, |event| event.sequence.max(self.last));
            match page.next {
                Some(next) => self.cursor = Some(next),
                None => return Ok(()),
            }
        }
    }
}

fn warn(error: &PortError) {
    tracing::warn!(error = %error.chain(), "The events of a stream cannot be read");
}

/// Returns an event as the stream carries it. JSON has no line break in it.
fn framed(event: &Event) -> Bytes {
    let (id, name, data) = (event.sequence, event.draft.event.as_str(), show::event(event));
    Bytes::from(format!("id: {id}\nevent: {name}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use orbit_core::event::{EventDraft, EventType};
    use orbit_core::{ImageId, Timestamp};
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_one_frame_whatever_texts_are_in_it() {
        let event = Event {
            action: "01ARZ3NDEKTSV4RRFFQ69G5FAV".parse().unwrap(),
            sequence: 7,
            draft: EventDraft {
                event: EventType::UploadImageStored,
                pid: "c12bms03-c16bre06-e35".parse().unwrap(),
                detail: json!({ "note": "two\nlines\r\nid: 8" }),
            },
            at: Timestamp::from_millis(1_737_799_200_000),
            username: "ann\u{2028}".to_owned(),
            image: ImageId {
                uid: "a".repeat(60).parse().unwrap(),
                version: "v0-0-01".parse().unwrap(),
            },
            environment: "development".parse().unwrap(),
        };
        let frame = String::from_utf8(framed(&event).to_vec()).unwrap();
        let lines: Vec<_> = frame.split('\n').collect();
        let [id, name, data, "", ""] = lines.as_slice() else { panic!("{lines:?}") };
        assert_eq!((*id, *name), ("id: 7", "event: image-stored"));
        let data: serde_json::Value =
            serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(data, show::event(&event));
    }

    #[test]
    fn a_client_comes_back_after_the_event_it_saw_last() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("last-event-id", HeaderValue::from_static(value));
            last_event_id(&headers).ok()
        };
        assert_eq!(last_event_id(&HeaderMap::new()).ok(), Some(0));
        assert_eq!(with("12"), Some(12));
        assert_eq!(with("x"), None);
        assert_eq!(with("-1"), None);
    }
}
