//! A proxy that is slow, and cuts answers off. It passes every byte on as it is, so that signatures stay
//! valid.

#![expect(clippy::indexing_slicing, reason = "a proxy that breaks down fails its test")]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::servers::Server;

/// Answers that are cut off.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    /// What the first line of the request has in it; a `*` stands for anything.
    pub(crate) of: &'static str,
    /// How many answers are.
    pub(crate) times: u32,
    /// After how many bytes of the body; nothing of the head is sent if it is none.
    pub(crate) after: usize,
    /// Whether the head says that this is all.
    pub(crate) looks_whole: bool,
}

impl Cut {
    /// Returns a cut by which the whole answer to one request is lost.
    pub(crate) fn lost(of: &'static str) -> Self {
        Self { of, times: 1, after: 0, looks_whole: false }
    }
}

pub(crate) struct Cutter {
    port: u16,
    /// The cuts, and how many of each are left.
    cuts: Arc<Mutex<Vec<(Cut, u32)>>>,
}

impl Cutter {
    /// Starts a proxy before a server. It ends with the program.
    pub(crate) fn start(server: &Server, cuts: &[Cut]) -> Self {
        Self::start_slow(server, cuts, Duration::ZERO)
    }

    /// Starts a proxy before a server that lets every piece of an answer wait for that long.
    pub(crate) fn start_slow(server: &Server, cuts: &[Cut], delay: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (port, upstream) = (listener.local_addr().unwrap().port(), server.port());
        let cuts = cuts.iter().map(|cut| (*cut, cut.times)).collect();
        let cuts = Arc::new(Mutex::new(cuts));
        let shared = Arc::clone(&cuts);
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).unwrap();
                pass(client.unwrap(), server, &shared, delay);
            }
        });
        Self { port, cuts }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Returns how many answers were cut off.
    pub(crate) fn n_cuts(&self) -> u32 {
        self.cuts.lock().unwrap().iter().map(|(cut, left)| cut.times - left).sum()
    }
}

/// Passes on what the two say, until one ends or an answer is cut off.
fn pass(client: TcpStream, server: TcpStream, cuts: &Arc<Mutex<Vec<(Cut, u32)>>>, delay: Duration) {
    let cut: Arc<Mutex<Option<Cut>>> = Arc::default();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (cuts, noted) = (Arc::clone(cuts), Arc::clone(&cut));
    thread::spawn(move || {
        let mut bytes = [0; 1 << 16];
        while let Ok(n @ 1..) = from_client.read(&mut bytes) {
            // A client that has no answer yet does not ask again, so a request begins a packet.
            if let Some(cut) = cut_of(&bytes[..n], &cuts) {
                *noted.lock().unwrap() = Some(cut);
            }
            if to_server.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        drop(to_server.shutdown(Shutdown::Write));
    });
    thread::spawn(move || {
        answer(&client, &server, &cut, delay);
        drop(client.shutdown(Shutdown::Both));
        drop(server.shutdown(Shutdown::Both));
    });
}

/// Passes answers on, until one is cut off.
fn answer(
    mut client: &TcpStream,
    mut server: &TcpStream,
    cut: &Mutex<Option<Cut>>,
    delay: Duration,
) {
    let (mut bytes, mut left) = ([0; 1 << 16], None);
    while let Ok(n @ 1..) = server.read(&mut bytes) {
        thread::sleep(delay);
        let (mut head, mut body) = (Vec::new(), &bytes[..n]);
        if let Some(cut) = cut.lock().unwrap().take() {
            let end = body.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap() + 4;
            let text = std::str::from_utf8(&body[..end]).unwrap();
            (head, body) = (head_of(text, cut).into_bytes(), &body[end..]);
            left = Some(cut.after);
        }
        let passed = left.unwrap_or(body.len()).min(body.len());
        left = left.map(|left| left - passed);
        let sent = client.write_all(&head).and_then(|()| client.write_all(&body[..passed]));
        if sent.is_err() || left == Some(0) {
            return;
        }
    }
}

/// Returns the head of an answer that is cut off.
fn head_of(head: &str, cut: Cut) -> String {
    if cut.after == 0 {
        return String::new();
    }
    let lines = head.split_inclusive("\r\n").map(|line| {
        let is_length = line.to_ascii_lowercase().starts_with("content-length:");
        if cut.looks_whole && is_length {
            format!("Content-Length: {}\r\n", cut.after)
        } else {
            line.to_owned()
        }
    });
    lines.collect()
}

/// Returns how the answer to this request is cut off, if it is.
fn cut_of(request: &[u8], cuts: &Mutex<Vec<(Cut, u32)>>) -> Option<Cut> {
    let line = request.split(|byte| *byte == b'\r').next()?;
    let line = std::str::from_utf8(line).ok().filter(|line| line.ends_with(" HTTP/1.1"))?;
    let mut cuts = cuts.lock().unwrap();
    let is_of = |cut: &Cut| {
        let mut rest = line;
        cut.of.split('*').all(|text| match rest.split_once(text) {
            Some((_, after)) => {
                rest = after;
                true
            }
            None => false,
        })
    };
    let (cut, left) = cuts.iter_mut().find(|(cut, left)| *left > 0 && is_of(cut))?;
    *left -= 1;
    Some(*cut)
}
