//! A proxy that cuts answers off. It passes every byte on as it is, so that signatures stay valid.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::servers::Server;

/// Answers that are cut off.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    /// What the first line of the request has in it; a `*` stands for anything.
    pub(crate) of: &'static str,
    /// How many answers are.
    pub(crate) times: u32,
    /// After how many bytes, those of the head among them.
    pub(crate) after: usize,
}

pub(crate) struct Cutter {
    port: u16,
    /// The cuts, and how many of each are left.
    cuts: Arc<Mutex<Vec<(Cut, u32)>>>,
}

impl Cutter {
    /// Starts a proxy before a server. It ends with the program.
    pub(crate) fn start(server: &Server, cuts: &[Cut]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (port, upstream) = (listener.local_addr().unwrap().port(), server.port());
        let cuts = cuts.iter().map(|cut| (*cut, cut.times)).collect();
        let cuts = Arc::new(Mutex::new(cuts));
        let shared = Arc::clone(&cuts);
        thread::spawn(move || {
            for client in listener.incoming() {
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, upstream)).unwrap();
                pass(client.unwrap(), server, &shared);
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
fn pass(mut client: TcpStream, mut server: TcpStream, cuts: &Arc<Mutex<Vec<(Cut, u32)>>>) {
    // How many more bytes of the answer pass, or all of them.
    let left: Arc<Mutex<Option<usize>>> = Arc::default();
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), server.try_clone().unwrap());
    let (cuts, limit) = (Arc::clone(cuts), Arc::clone(&left));
    thread::spawn(move || {
        let mut bytes = [0; 1 << 16];
        while let Ok(n @ 1..) = from_client.read(&mut bytes) {
            // A client that has no answer yet does not ask again, so a request begins a packet.
            if let Some(after) = cut_of(&bytes[..n], &cuts) {
                *limit.lock().unwrap() = Some(after);
            }
            if to_server.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        drop(to_server.shutdown(Shutdown::Write));
    });
    thread::spawn(move || {
        let mut bytes = [0; 1 << 16];
        while let Ok(n @ 1..) = server.read(&mut bytes) {
            let passed = match &mut *left.lock().unwrap() {
                Some(left) => {
                    let passed = n.min(*left);
                    *left -= passed;
                    passed
                }
                None => n,
            };
            if client.write_all(&bytes[..passed]).is_err() || passed < n {
                break;
            }
        }
        drop(client.shutdown(Shutdown::Both));
        drop(server.shutdown(Shutdown::Both));
    });
}

/// Returns after how many bytes the answer to this request is cut off, if it is.
fn cut_of(request: &[u8], cuts: &Mutex<Vec<(Cut, u32)>>) -> Option<usize> {
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
    Some(cut.after)
}
