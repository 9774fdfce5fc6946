//! A proxy between Orbit and a server, which sees every byte and can break what it sees.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// What becomes of the bytes that come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// They are passed on.
    Pass,
    /// They are passed on later: a round trip takes this much longer.
    Delay(Duration),
    /// Nothing is passed on, and connections stay open.
    Hang,
    /// The next push over HTTP is cut after this many bytes of its request, and then all is passed.
    CutPush { after: usize },
    /// The next push over HTTP is passed on, but its answer is not: the connection ends. Then all is
    /// passed.
    LoseAnswer,
    /// The next push over HTTP is held back until there is another rule.
    HoldPush,
    /// The answer to the next push over HTTP is held back until there is another rule.
    HoldAnswer,
    /// Every connection is cut after this many bytes from the client.
    CutAll { after: usize },
}

/// What went through.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) n_connections: usize,
    /// Every request over HTTP: its first line, and whether it says who asks.
    pub(crate) requests: Vec<(String, bool)>,
    /// How often a rule has cut, held or swallowed something.
    pub(crate) n_broken: usize,
    /// Every connection over HTTP, where they come one after the other: when it was opened, when the
    /// first byte came from the client, and when the last one went to it.
    pub(crate) connections: Vec<[Instant; 3]>,
    pub(crate) n_bytes_up: usize,
    pub(crate) n_bytes_down: usize,
}

impl Seen {
    /// Returns the number of pushes that were begun over HTTP.
    pub(crate) fn n_pushes(&self) -> usize {
        self.requests.iter().filter(|(line, _)| is_push(line.as_bytes())).count()
    }
}

struct State {
    upstream: AtomicU16,
    rule: Mutex<Rule>,
    ruled: Condvar,
    seen: Mutex<Seen>,
    broke: Condvar,
}

/// A proxy on a port of its own.
pub(crate) struct Proxy {
    port: u16,
    state: Arc<State>,
}

impl Proxy {
    pub(crate) fn start(upstream: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            upstream: AtomicU16::new(upstream),
            rule: Mutex::new(Rule::Pass),
            ruled: Condvar::new(),
            seen: Mutex::default(),
            broke: Condvar::new(),
        });
        let own = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if own.upstream.load(Ordering::SeqCst) == 0 {
                    return;
                }
                own.seen.lock().unwrap().n_connections += 1;
                connect(&own, client);
            }
        });
        Self { port, state }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn rule(&self, rule: Rule) {
        *self.state.rule.lock().unwrap() = rule;
        self.state.ruled.notify_all();
    }

    /// Returns what went through since this was asked last.
    pub(crate) fn take_seen(&self) -> Seen {
        std::mem::take(&mut self.state.seen.lock().unwrap())
    }

    pub(crate) fn seen(&self) -> Seen {
        self.state.seen.lock().unwrap().clone()
    }

    /// Waits until a rule has cut, held or swallowed something.
    pub(crate) fn wait_until_broken(&self) {
        let seen = self.state.seen.lock().unwrap();
        let patience = Duration::from_secs(60);
        let (_seen, waited) =
            self.state.broke.wait_timeout_while(seen, patience, |seen| seen.n_broken == 0).unwrap();
        assert!(!waited.timed_out(), "nothing went through that a rule breaks");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.rule(Rule::Pass);
        self.state.upstream.store(0, Ordering::SeqCst);
        // The thread that waits for connections ends with the next one.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
    }
}

/// One connection, seen from one of its four threads.
#[derive(Clone)]
struct Line {
    state: Arc<State>,
    client: Arc<TcpStream>,
    server: Arc<TcpStream>,
    /// How many bytes of a push have come, if there is one on this connection.
    push: Arc<Mutex<Option<usize>>>,
    opened: Instant,
}

fn connect(state: &Arc<State>, client: TcpStream) {
    let upstream = state.upstream.load(Ordering::SeqCst);
    // Without a server, the client's connection ends as soon as it is made.
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)) else { return };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let line = Line {
        state: Arc::clone(state),
        client: Arc::new(client),
        server: Arc::new(server),
        push: Arc::default(),
        opened: Instant::now(),
    };
    for is_up in [true, false] {
        let (chunks, queue) = mpsc::channel();
        let (reader, writer) = (line.clone(), line.clone());
        thread::spawn(move || reader.read(is_up, &chunks));
        thread::spawn(move || writer.write(is_up, &queue));
    }
}

/// Bytes, and when they go on.
type Chunk = (Instant, Vec<u8>);

impl Line {
    fn read(&self, is_up: bool, chunks: &mpsc::Sender<Chunk>) {
        let mut source: &TcpStream = if is_up { &self.client } else { &self.server };
        let mut buffer = vec![0; 64 << 10];
        while let Ok(n @ 1..) = source.read(&mut buffer) {
            let chunk = buffer[..n].to_vec();
            let now = Instant::now();
            let due = match *self.state.rule.lock().unwrap() {
                // A client cannot send anything before the server has taken its connection.
                Rule::Delay(trip) => (now + trip / 2).max(self.opened + trip + trip / 2),
                Rule::Pass
                | Rule::Hang
                | Rule::CutPush { .. }
                | Rule::LoseAnswer
                | Rule::HoldPush
                | Rule::HoldAnswer
                | Rule::CutAll { .. } => now,
            };
            if is_up {
                self.note(&chunk, now);
            }
            if chunks.send((due, chunk)).is_err() {
                return;
            }
        }
    }

    /// Notes what a client sends.
    fn note(&self, chunk: &[u8], now: Instant) {
        let mut seen = self.state.seen.lock().unwrap();
        seen.n_bytes_up += chunk.len();
        if is_request(chunk) {
            if seen.connections.last().is_none_or(|[opened, ..]| *opened != self.opened) {
                seen.connections.push([self.opened, now, now]);
            }
            let head = String::from_utf8_lossy(chunk);
            let says_who = head.to_ascii_lowercase().contains("\r\nauthorization: basic ");
            seen.requests.push((head.lines().next().unwrap().to_owned(), says_who));
        }
    }

    fn write(&self, is_up: bool, queue: &mpsc::Receiver<Chunk>) {
        let mut target: &TcpStream = if is_up { &self.server } else { &self.client };
        let mut n_before = 0;
        for (due, chunk) in queue {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let n_passed = self.judge(is_up, n_before, &chunk);
            n_before += chunk.len();
            let passed = &chunk[..n_passed.unwrap_or(chunk.len())];
            if !is_up && !passed.is_empty() {
                let mut seen = self.state.seen.lock().unwrap();
                if let Some([.., last]) = seen.connections.last_mut() {
                    *last = Instant::now();
                }
                seen.n_bytes_down += passed.len();
            }
            if target.write_all(passed).is_err() || n_passed.is_some() {
                return self.end();
            }
        }
        // What the other side has closed in one direction may still be open in the other.
        drop(target.shutdown(Shutdown::Write));
    }

    /// Returns how much of a chunk is passed before the connection is cut, or `None` if all is well.
    fn judge(&self, is_up: bool, n_before: usize, chunk: &[u8]) -> Option<usize> {
        let mut push = self.push.lock().unwrap();
        if is_up && is_request(chunk) {
            *push = is_push(chunk).then_some(0);
        }
        let mut rule = self.state.rule.lock().unwrap();
        let is_of_push = push.is_some();
        let held = |rule: &mut Rule| match *rule {
            Rule::Hang => true,
            Rule::HoldPush => is_up && is_of_push,
            Rule::HoldAnswer => !is_up && is_of_push,
            Rule::Pass
            | Rule::Delay(_)
            | Rule::CutPush { .. }
            | Rule::LoseAnswer
            | Rule::CutAll { .. } => false,
        };
        if held(&mut rule) {
            self.broke();
            rule = self.state.ruled.wait_while(rule, held).unwrap();
        }
        let cut = match (*rule, push.as_mut()) {
            (Rule::CutPush { after }, Some(n_of_push)) if is_up => {
                let n_passed = after.saturating_sub(*n_of_push);
                *n_of_push += chunk.len();
                (n_passed < chunk.len()).then_some(n_passed)
            }
            (Rule::LoseAnswer, Some(_)) if !is_up => Some(0),
            (Rule::CutAll { after }, _) if is_up => {
                let n_passed = after.saturating_sub(n_before);
                (n_passed < chunk.len()).then_some(n_passed)
            }
            _ => None,
        }?;
        if !matches!(*rule, Rule::CutAll { .. }) {
            *rule = Rule::Pass;
        }
        self.broke();
        Some(cut)
    }

    fn broke(&self) {
        self.state.seen.lock().unwrap().n_broken += 1;
        self.state.broke.notify_all();
    }

    fn end(&self) {
        drop(self.client.shutdown(Shutdown::Both));
        drop(self.server.shutdown(Shutdown::Both));
    }
}

fn is_request(chunk: &[u8]) -> bool {
    chunk.starts_with(b"GET ") || chunk.starts_with(b"POST ")
}

fn is_push(chunk: &[u8]) -> bool {
    let line = chunk.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.starts_with(b"POST ") && line.windows(18).any(|part| part == b"/git-receive-pack ")
}
