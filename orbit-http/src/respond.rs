//! One request, one answer, one line in the log.

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Empty, StreamBody};
use hyper::body::{Body, Frame};
use hyper::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN,
};
use hyper::http::uri::Authority;
use hyper::{Method, Request};
use tokio::time::Instant;
use tracing::info;

use crate::app::{App, Call};
use crate::inflow::{Inflow, Pace};
use crate::reply::{About, Problem, Reply};
use crate::route;
use crate::wire::Query;

/// How much of a path is logged.
const MAX_LOGGED: usize = 200;

/// Answers a request, and logs it.
pub(crate) async fn respond<B>(app: &App, request: Request<B>) -> Reply
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    let begun = Instant::now();
    let (head, body) = request.into_parts();
    let (method, path) = (head.method, head.uri.path().to_owned());
    let idle = app.limits.idle;
    let whole = if route::is_upload(&method, &path) { app.limits.upload } else { idle };
    let body = Inflow::new(body, Pace { idle, whole });
    let waits = head.headers.contains_key(EXPECT);
    let call = Call {
        method: method.clone(),
        path: path.clone(),
        query: Query::of(head.uri.query()),
        headers: head.headers,
        body: body.clone(),
    };
    let reply = answer(app, call).await.unwrap_or_else(Problem::reply);
    let reply = if method == Method::HEAD { without_body(reply) } else { reply };
    let mut reply = if body.is_over() { reply } else { lingering(reply, body, waits) };
    let nosniff = HeaderName::from_static("x-content-type-options");
    reply.headers_mut().insert(nosniff, HeaderValue::from_static("nosniff"));
    log(&method, &path, &reply, begun);
    reply
}

async fn answer(app: &App, call: Call) -> Result<Reply, Problem> {
    if !is_from_here(&call.headers) {
        let detail = "without authentication only programs on this machine may ask, and pages that \
                      it serves itself";
        return Err(Problem::of("foreign-origin", detail));
    }
    route::answer(app, call).await
}

/// Says whether a request comes from this machine itself.
///
/// The server listens on loopback, but a browser on this machine asks whatever a page of another
/// site tells it to: such a request names the other site as its origin, or, if the site's name was
/// made to resolve to loopback, as its host.
fn is_from_here(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let (host, origin) = (text(HOST), text(ORIGIN));
    let is_host = host.is_none_or(is_loopback);
    let is_origin = origin.is_none_or(|origin| origin.strip_prefix("http://") == host);
    is_host && is_origin
}

fn is_loopback(authority: &str) -> bool {
    let Ok(authority) = authority.parse::<Authority>() else { return false };
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let is_address = host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    is_address || host.eq_ignore_ascii_case("localhost")
}

/// Returns the answer to `HEAD`: all that `GET` answers but the body.
fn without_body(mut reply: Reply) -> Reply {
    if let Some(length) = reply.body().size_hint().exact() {
        reply.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *reply.body_mut() = Empty::new().boxed_unsync();
    reply
}

/// Returns an answer that ends only once the rest of the request was read and dropped, up to a limit,
/// and then the connection: a client that is still sending would see a reset in place of the answer.
///
/// A client that waits to be told to go on was not told, and sends nothing.
fn lingering(reply: Reply, rest: Inflow, waits: bool) -> Reply {
    let (mut head, body) = reply.into_parts();
    head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if waits && !rest.is_begun() {
        return Reply::from_parts(head, body);
    }
    let content = body.into_data_stream().map_ok(Frame::data);
    let silence = stream::once(rest.drain()).filter_map(|()| async { None });
    Reply::from_parts(head, StreamBody::new(content.chain(silence)).boxed_unsync())
}

fn log(method: &Method, path: &str, reply: &Reply, begun: Instant) {
    let path: String = path.chars().take(MAX_LOGGED).collect();
    let status = reply.status().as_u16();
    let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let action = reply.extensions().get::<About>().map(|About(action)| action.as_str());
    info!(%method, path, status, duration_ms, actionId = action, "{method} {path} {status}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_of_other_sites_may_not_ask() {
        let cases = [
            (None, None, true),
            (Some("localhost:8080"), None, true),
            (Some("127.0.0.1:8080"), None, true),
            (Some("[::1]:8080"), None, true),
            (Some("localhost:8080"), Some("http://localhost:8080"), true),
            (Some("localhost:8080"), Some("http://localhost:3000"), false),
            (Some("localhost:8080"), Some("https://evil.example"), false),
            (Some("localhost:8080"), Some("null"), false),
            (Some("evil.example"), None, false),
            (Some("evil.example:8080"), Some("http://evil.example:8080"), false),
            (Some("127.0.0.1.evil.example"), None, false),
            (Some("localhost@evil.example"), None, false),
        ];
        for (host, origin, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(HOST, HeaderValue::from_static(host));
            }
            if let Some(origin) = origin {
                headers.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(is_from_here(&headers), expected, "{host:?} {origin:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_to_head_has_the_length_but_not_the_body() {
        let reply = without_body(Problem::of("path-not-found", "x").reply());
        assert!(reply.headers().contains_key(CONTENT_LENGTH));
        assert_eq!(reply.into_body().collect().await.unwrap().to_bytes(), "");
    }
}
