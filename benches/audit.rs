//! How fast actions and events are written, and how fast they are paged through, in SQLite and in
//! DynamoDB's tables; beside `OFFSET`, as one writes it first, on the same rows in SQLite.
//!
//! ```sh
//! cargo bench -p orbit-store --bench audit                     # 10,000,000 events in SQLite, 100,000 in DynamoDB
//! cargo bench -p orbit-store --bench audit -- 1000000 10000
//! cargo bench -p orbit-store --bench audit -- 10000000 0 keep
//! ```
//!
//! The first needs 16 GB of disk below `target/tmp` and ministack, which `scripts/tools.sh` installs. A
//! number of 0 leaves a store out, `keep` keeps what was filled for the next run. Every page that is
//! measured is compared with what must be on it.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::future_not_send,
    reason = "a bench measures time, prints it, and fails by panicking"
)]
#![allow(dead_code, reason = "what it shares with the tests does more")]

#[path = "audit/cases.rs"]
mod cases;
#[path = "../tests/stores/catalog/dice.rs"]
mod dice;
#[path = "audit/dynamodb.rs"]
mod dynamodb;
#[path = "audit/history.rs"]
mod history;
#[path = "../tests/support/servers.rs"]
mod servers;
#[path = "audit/sqlite.rs"]
mod sqlite;
#[path = "audit/writes.rs"]
mod writes;

use std::time::{Duration, Instant};
use std::{env, fs};

use cases::{Case, Key, PAGE, Question};
use history::History;
use orbit_core::port::Audit;
use orbit_core::query::Cursor;
use orbit_store::Embedded;
use serde::Serialize;

/// So many actions are written at once.
const AT_ONCE: usize = 16;
/// The pages of a case are no more than this time, or than [`MOST_RUNS`].
const ENOUGH: Duration = Duration::from_secs(3);
const MOST_RUNS: usize = 300;
/// From one deep place, so many pages are read one after the other, and more if it took long to get
/// there.
const PAGES: usize = 10;
const FAR: u64 = 100_000;
/// Of those, the pages with so many rows are compared with the peer's.
const COMPARED: u64 = 60;

/// The same rows, by other means.
trait Peer {
    /// Returns how many rows there are in all pages.
    async fn count(&mut self, question: &Question) -> u64;

    /// Reads a page behind so many rows, and returns how long it took if that means something.
    async fn page(&mut self, question: &Question, offset: u64) -> (Option<Duration>, Vec<Key>);
}

fn main() {
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let number = |n: usize, default| arguments.get(n).map_or(default, |n| n.parse().unwrap());
    let (in_sqlite, in_dynamodb) = (number(0, 10_000_000), number(1, 100_000));
    let is_kept = arguments.get(2).is_some_and(|argument| argument == "keep");
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    println!("load of the machine before: {}", load.trim());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(in_sqlite, in_dynamodb, is_kept));
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    println!("load of the machine after: {}", load.trim());
}

async fn run(in_sqlite: u32, in_dynamodb: u32, is_kept: bool) {
    if in_sqlite > 0 {
        sqlite(in_sqlite, is_kept).await;
    }
    if in_dynamodb > 0 {
        dynamodb(in_dynamodb).await;
    }
}

async fn sqlite(n_events: u32, is_kept: bool) {
    println!("\nSQLite");
    let history: &'static History = Box::leak(Box::new(History::of(n_events)));
    let mut filled = sqlite::open(history, n_events, is_kept).await;
    pages(&*filled.stores.audit(), history, &mut filled.peer).await;
    println!("\nThe log of a new data directory");
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let new = Embedded::open(dir.path(), &orbit_core::Environments::default()).await.unwrap();
    writes::measure(&*new.log(), history, history.n_actions).await;
    println!("peer: one row a transaction, ms: {}", sqlite::bare(dir.path(), history).await);
    // What is kept for the next run stays as it is.
    if !is_kept {
        println!("The log behind the history");
        writes::measure(&*filled.stores.log(), history, history.n_actions).await;
    }
}

async fn dynamodb(n_events: u32) {
    println!("\nDynamoDB on ministack");
    let history: &'static History = Box::leak(Box::new(History::of(n_events)));
    let mut filled = dynamodb::open(history).await;
    pages(&*filled.stores.audit(), history, &mut filled.peer).await;
    println!("The log behind the history");
    writes::measure(&*filled.stores.log(), history, history.n_actions).await;
}

async fn pages(audit: &dyn Audit, history: &'static History, peer: &mut impl Peer) {
    println!("milliseconds for a page of {PAGE}");
    for case in cases::all(history) {
        let (first, naive) = first(audit, &case, peer).await;
        println!("{:44} first: {first}   peer: {naive}", case.name);
        let (deep, naive) = deep(audit, &case, peer).await;
        println!("{:44}  deep: {deep}   peer: {naive}", case.name);
    }
}

/// Measures first pages.
async fn first(audit: &dyn Audit, case: &Case, peer: &mut impl Peer) -> (String, String) {
    let (mut times, mut naive) = (Vec::new(), Vec::new());
    let begun = Instant::now();
    for n in 0.. {
        let question = (case.question)(n);
        let (time, rows, _) = timed(audit, &question, None).await;
        times.push(time);
        let (time, expected) = peer.page(&question, 0).await;
        naive.extend(time);
        check(&case.name, &rows, &expected);
        if times.len() == MOST_RUNS || begun.elapsed() > 2 * ENOUGH {
            break;
        }
    }
    (percentiles(times), percentiles(naive))
}

/// Measures the pages behind half of all rows.
async fn deep(audit: &dyn Audit, case: &Case, peer: &mut impl Peer) -> (String, String) {
    let (mut times, mut naive) = (Vec::new(), Vec::new());
    let (mut spent, begun) = (Duration::ZERO, Instant::now());
    for n in 0.. {
        let question = (case.question)(n);
        let half = peer.count(&question).await / 2;
        if half >= u64::from(PAGE) {
            let mut cursor = walk(audit, &question, half).await;
            let n_pages = if half > FAR { MOST_RUNS } else { PAGES };
            for offset in (half..).step_by(usize::try_from(PAGE).unwrap()).take(n_pages) {
                let Some(here) = cursor.take() else { break };
                let (time, rows, next) = timed(audit, &question, Some(here)).await;
                times.push(time);
                spent += time;
                cursor = next;
                if offset < half + COMPARED {
                    let (time, expected) = peer.page(&question, offset).await;
                    naive.extend(time);
                    check(&case.name, &rows, &expected);
                }
            }
        }
        let is_enough = spent > ENOUGH || begun.elapsed() > 4 * ENOUGH;
        if is_enough || times.len() >= MOST_RUNS || n >= 300 {
            break;
        }
    }
    (percentiles(times), percentiles(naive))
}

/// Reads so many rows, and returns where it goes on.
async fn walk(audit: &dyn Audit, question: &Question, n_rows: u64) -> Option<Cursor> {
    let (mut cursor, mut left) = (None, n_rows);
    while left > 0 {
        let limit = u32::try_from(left.min(1_000)).unwrap();
        let (rows, next) = question.page(audit, cursor, limit).await;
        left -= u64::try_from(rows.len()).unwrap();
        cursor = Some(next?);
    }
    cursor
}

async fn timed(
    audit: &dyn Audit,
    question: &Question,
    cursor: Option<Cursor>,
) -> (Duration, Vec<Key>, Option<Cursor>) {
    let begun = Instant::now();
    let (rows, next) = question.page(audit, cursor, PAGE).await;
    (begun.elapsed(), rows, next)
}

fn check(name: &str, rows: &[Key], expected: &[Key]) {
    assert_eq!(rows, expected, "{name}");
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else { return "none".to_owned() };
    let at = |percent: usize| times[last * percent / 100].as_secs_f64() * 1_000.0;
    format!("p50 {:8.2} p99 {:8.2} (n {:3})", at(50), at(99), times.len())
}

/// Returns a value as the stores keep it.
fn json(value: &impl Serialize) -> String {
    format!(r#"{{"v":1,"data":{}}}"#, serde_json::to_string(value).unwrap())
}
