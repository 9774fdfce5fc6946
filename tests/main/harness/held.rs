//! An upload that stays open for as long as a test wants it to.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use serde_json::Value;

use super::form::{CONTENT_TYPE, Form};
use super::program::Server;

/// An upload that has begun, and whose client holds part of its archive back.
pub(crate) struct HeldUpload {
    connection: TcpStream,
    rest: Vec<u8>,
    /// The action that runs.
    pub(crate) action: Value,
}

impl HeldUpload {
    /// Sends an upload up to the middle of its archive, and returns once its action runs.
    pub(crate) fn begin(server: &Server, metadata: &Value, archive: &[u8]) -> Self {
        let form = Form::of(metadata);
        let body = form.body(archive);
        let (now, later) = body.split_at(form.head().len() + archive.len() / 2);
        let mut connection = TcpStream::connect(server.address()).unwrap();
        let head = format!(
            "POST /v1/images?wait=60 HTTP/1.1\r\nHost: localhost\r\nContent-Type: {CONTENT_TYPE}\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        connection.write_all(&[head.as_bytes(), now].concat()).unwrap();
        Self { connection, rest: later.to_vec(), action: running(server) }
    }

    /// Sends the rest, and returns the status and the body of the answer.
    pub(crate) fn finish(mut self) -> (u16, Value) {
        self.connection.write_all(&self.rest).unwrap();
        self.answer()
    }

    /// Cuts the upload off, and returns the status and the body of the answer.
    pub(crate) fn cut(mut self) -> (u16, Value) {
        self.connection.shutdown(Shutdown::Write).unwrap();
        self.answer()
    }

    /// Sends nothing more, and returns the status and the body of the answer.
    pub(crate) fn fall_silent(mut self) -> (u16, Value) {
        self.answer()
    }

    fn answer(&mut self) -> (u16, Value) {
        let mut answer = String::new();
        self.connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }
}

/// Returns the only action that runs, once it does.
fn running(server: &Server) -> Value {
    for _ in 0..10_000 {
        let page = server.get("/v1/actions?state=running").expect(200);
        if let [action] = page["items"].as_array().unwrap().as_slice() {
            return action.clone();
        }
    }
    panic!("the upload does not begin");
}
