//! How fast a deploy list is read, checked and edited, beside four YAML editors on the same files.
//!
//! ```sh
//! cargo bench -p orbit-core --bench lists            # needs a C compiler, python3 with venv, and git
//! cargo bench -p orbit-core --bench lists -- orbit   # Orbit alone
//! ```
//!
//! Every edit is text to text in the process that measures: reading, editing and writing, no files and
//! no start of a process. Each result is read by a YAML reader that none of the editors uses, and is
//! "wrong" if its entries are not those that were asked for.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures time, prints it, and fails by panicking"
)]

#[path = "lists/data.rs"]
mod data;
#[path = "lists/memory.rs"]
mod memory;
#[path = "lists/peers.rs"]
mod peers;
#[path = "lists/verify.rs"]
mod verify;

use std::fmt;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use data::Kind;
use orbit_core::list::{self, Change, DeployList, Document, MAX_BYTES};
use peers::Peer;

/// Ten times what 100,000 entries need; [`MAX_BYTES`] would refuse them.
const NO_LIMIT: usize = 512 << 20;
/// The median of more runs would say no more.
const MOST_RUNS: usize = 301;
/// The fewest runs that have a median worth the name.
const FEWEST_RUNS: usize = 3;
/// There are no more runs after this time, if there were [`FEWEST_RUNS`].
const ENOUGH: Duration = Duration::from_secs(1);

fn main() {
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--memory", work, file] => memory::child(work, file),
        [] => run(&Peer::all()),
        ["orbit"] => run(&[]),
        _ => panic!("expected nothing or `orbit`, found {arguments:?}"),
    }
}

fn run(peers: &[Peer]) {
    println!("machine's load before: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
    for n_entries in [1_000, 10_000, 100_000] {
        reads(n_entries);
    }
    for (n_entries, kinds) in [
        (100, &[Kind::Update, Kind::Insert, Kind::Remove][..]),
        (1_000, &[Kind::Update, Kind::Insert, Kind::Remove, Kind::Hundred]),
        (10_000, &[Kind::Update, Kind::Insert, Kind::Remove, Kind::Hundred]),
        (100_000, &[Kind::Update, Kind::Hundred]),
    ] {
        for &kind in kinds {
            edits(n_entries, kind, peers);
        }
    }
    for n_entries in [1_000, 10_000, 100_000] {
        memory::report(n_entries);
    }
    println!("machine's load after: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
}

/// Measures reading and checking, on the list to edit and on one whose entries are Orbit's own.
fn reads(n_entries: usize) {
    let seven = data::text(n_entries, |_| false);
    let nine = data::text(n_entries, |_| true);
    println!(
        "\n{n_entries} entries: {} bytes with seven keys, {} with nine",
        seven.len(),
        nine.len()
    );
    for (name, text) in [("seven", &seven), ("nine", &nine)] {
        let took = measure(|| Document::read_within(text.as_bytes(), NO_LIMIT).unwrap());
        println!("  Document::read, {name} keys: {took}");
    }
    let typed = measure(|| {
        DeployList::of(&Document::read_within(nine.as_bytes(), NO_LIMIT).unwrap()).unwrap()
    });
    println!("  DeployList::read, nine keys: {typed}");
    let update = data::changes(&data::edits(n_entries, Kind::Update));
    println!("  one edit, nine keys: {}", measure(|| apply(&nine, &update)));
    if nine.len() <= MAX_BYTES {
        let development = data::environment();
        let took = measure(|| list::check(&nine, "[]\n", Some(&development)).unwrap());
        println!("  check, nine keys: {took}");
    } else {
        println!("  check, nine keys: refused, over {MAX_BYTES} bytes");
    }
}

/// Measures one kind of edit with every tool.
fn edits(n_entries: usize, kind: Kind, peers: &[Peer]) {
    let edits = data::edits(n_entries, kind);
    let text = data::text_for(n_entries, &edits);
    let (expected, n_necessary) = data::expected(n_entries, &edits);
    if n_entries == 100 {
        verify::verify(&text, &text, &expected).expect_err("the list as it was is a wrong result");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lists-{n_entries}-{kind:?}"));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("list.yaml");
    fs::write(&file, &text).unwrap();
    println!(
        "\n{kind} in {n_entries} entries, {} bytes; necessary: {n_necessary} lines",
        text.len()
    );

    let say = |name: &str, outcome: Result<String, String>, result: &Path| {
        let verdict = outcome.and_then(|took| {
            let found = fs::read_to_string(result).unwrap();
            let comments = verify::verify(&text, &found, &expected)?;
            // The slow part of a comparison is of no use for the other sizes.
            let lines = (n_entries == 1_000)
                .then(|| format!(", {} lines changed", verify::changed_lines(&file, result)));
            Ok(format!("{took}, {comments}{}", lines.unwrap_or_default()))
        });
        println!("  {name:<12} {}", verdict.unwrap_or_else(|reason| reason));
    };

    let changes = data::changes(&edits);
    let result = folder.join("orbit.yaml");
    fs::write(&result, apply(&text, &changes)).unwrap();
    say("orbit", Ok(measure(|| apply(&text, &changes)).to_string()), &result);
    let asked = folder.join("changes.json");
    fs::write(&asked, data::json(&edits)).unwrap();
    for peer in peers {
        let result = folder.join(format!("{}.yaml", peer.name()));
        say(peer.name(), peer.run(&file, &asked, &result), &result);
    }
}

/// Edits as Orbit does: by [`list::apply`], and with another limit where that refuses.
fn apply(text: &str, changes: &[Change]) -> String {
    if text.len() <= MAX_BYTES / 2 {
        return list::apply(text, changes).unwrap();
    }
    Document::read_within(text.as_bytes(), NO_LIMIT).unwrap().apply(changes).unwrap()
}

/// What a number of runs took.
struct Took {
    median: Duration,
    shortest: Duration,
    n_runs: usize,
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (median, shortest) = (ms(self.median), ms(self.shortest));
        write!(f, "{median:.3} ms (shortest {shortest:.3}, {} runs)", self.n_runs)
    }
}

fn measure<T>(work: impl Fn() -> T) -> Took {
    let start = Instant::now();
    let mut times = Vec::new();
    while times.len() < MOST_RUNS && (times.len() < FEWEST_RUNS || start.elapsed() < ENOUGH) {
        let begin = Instant::now();
        // What comes out is dropped after the clock is read, for every tool.
        let result = black_box(work());
        times.push(begin.elapsed());
        drop(result);
    }
    times.sort();
    let median = times.get(times.len() / 2).copied().unwrap();
    Took { median, shortest: times.first().copied().unwrap(), n_runs: times.len() }
}
