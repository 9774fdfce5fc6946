//! A small HTTP client.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use serde_json::Value;
use ureq::{Agent, Body, SendBody, http};

/// What the server answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} is no JSON", self.text()))
    }

    /// Returns a header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the JSON of an answer that must have this status.
    pub(crate) fn expect(&self, status: u16) -> Value {
        let json = self.json();
        assert_eq!(self.status, status, "{json:#}");
        json
    }
}

/// Asks one server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: Agent,
    base: String,
}

/// Longer than any request here takes, so that a test fails rather than hangs.
const PATIENCE: Duration = Duration::from_secs(90);

impl Client {
    pub(crate) fn new(address: &str) -> Self {
        let config =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
        Self { agent: config.build().into(), base: format!("http://{address}") }
    }

    /// Returns what the server answers to a whole request.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let answer = self.try_ask(method, path, headers, body);
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Returns what the server answers to a whole request, or why there is no answer.
    pub(crate) fn try_ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, ureq::Error> {
        let request = self.request(method, path, headers);
        if matches!(method, "GET" | "HEAD") {
            self.agent.run(request.body(()).unwrap()).and_then(whole)
        } else {
            self.agent.run(request.body(body).unwrap()).and_then(whole)
        }
    }

    /// Returns what the server answers to a request whose body is read while it is sent, or why
    /// there is no answer.
    pub(crate) fn stream(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &mut dyn Read,
    ) -> Result<Answer, ureq::Error> {
        let request = self.request("POST", path, headers);
        self.agent.run(request.body(SendBody::from_reader(body)).unwrap()).and_then(whole)
    }

    /// Returns a body that is read while it is sent.
    pub(crate) fn follow(&self, path: &str, headers: &[(&str, &str)]) -> impl BufRead + use<> {
        let request = self.request("GET", path, headers).body(()).unwrap();
        let answer = self.agent.run(request).unwrap();
        assert_eq!(answer.status(), 200);
        BufReader::new(answer.into_body().into_reader())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], &[])
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, &[], body)
    }

    pub(crate) fn post_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let json = ("content-type", "application/json");
        let headers: Vec<_> = headers.iter().copied().chain([json]).collect();
        self.ask("POST", path, &headers, body.to_string().as_bytes())
    }

    /// Returns the items of all pages of a list.
    pub(crate) fn all(&self, path: &str) -> Vec<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut items = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{path}{separator}limit=100{cursor}")).expect(200);
            items.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["nextCursor"].as_str() else { return items };
            cursor = format!("&cursor={}", encoded(next));
        }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> http::request::Builder {
        let request = http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
    }
}

fn whole(answer: http::Response<Body>) -> Result<Answer, ureq::Error> {
    let (head, mut body) = answer.into_parts();
    let body = body.with_config().limit(64 << 20).read_to_vec()?;
    Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
}

/// Returns a text as a query's value.
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
    }
    encoded
}
