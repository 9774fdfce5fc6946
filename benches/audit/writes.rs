//! How fast actions are written to the log: begin, and every entry with its events.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use orbit_core::port::{Begun, EventLog};

use super::history::{Action, History};
use super::{AT_ONCE, percentiles};

/// Each measurement takes about so long.
const TIME: Duration = Duration::from_secs(10);

/// What one loop wrote.
#[derive(Default)]
struct Written {
    n_actions: u32,
    n_entries: u32,
    n_events: u32,
    /// How long each entry took.
    appends: Vec<Duration>,
}

/// Measures one action after the other, and then sixteen at once. `first` is the number of the first
/// action that is not in the log.
pub(crate) async fn measure(log: &dyn EventLog, history: &History, first: u32) {
    let begun = Instant::now();
    let alone = write(log, history, first, 1).await;
    report("one after the other", begun.elapsed(), &[alone]);
    let begun = Instant::now();
    let loops = (0..AT_ONCE).map(|n| {
        let first = first + 500_000 + u32::try_from(n).unwrap();
        write(log, history, first, AT_ONCE)
    });
    let all = join_all(loops).await;
    report("16 at once", begun.elapsed(), &all);
}

/// Writes every `step`th action from `first` on, until the time is over.
async fn write(log: &dyn EventLog, history: &History, first: u32, step: usize) -> Written {
    let begun = Instant::now();
    let mut written = Written::default();
    for n in (first..).step_by(step) {
        let action = history.action(n);
        carry_out(log, history, &action, &mut written).await;
        if begun.elapsed() > TIME {
            break;
        }
    }
    written
}

async fn carry_out(log: &dyn EventLog, history: &History, action: &Action, written: &mut Written) {
    let begin = history.begin(action, "bench");
    let entries = history.entries(action);
    assert!(matches!(log.begin(&begin).await.unwrap(), Begun::New(_)));
    written.n_events += 1;
    for entry in &entries {
        let begun = Instant::now();
        log.append(&action.record.id, &begin.owner, entry).await.unwrap();
        written.appends.push(begun.elapsed());
        written.n_entries += 1;
        written.n_events += u32::try_from(entry.events.len()).unwrap();
    }
    written.n_actions += 1;
}

fn report(how: &str, elapsed: Duration, all: &[Written]) {
    let sum = |count: fn(&Written) -> u32| f64::from(all.iter().map(count).sum::<u32>());
    let a_second = |count| sum(count) / elapsed.as_secs_f64();
    let appends = all.iter().flat_map(|written| written.appends.clone()).collect();
    println!(
        "{how:22} {:6.0} actions/s {:6.0} entries/s {:6.0} events/s; ms an entry: {}",
        a_second(|written| written.n_actions),
        a_second(|written| written.n_entries),
        a_second(|written| written.n_events),
        percentiles(appends),
    );
}
