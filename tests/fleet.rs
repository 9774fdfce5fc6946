//! Three processes on one S3, one `DynamoDB` and one `MariaDB`: they are killed again and again, and the
//! stores are stopped under them, while clients ask all of them for actions. Whatever was accepted
//! ends once and leaves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::duplicate_mod,
    reason = "the servers of git and of the stores are processes alike"
)]

#[expect(dead_code, unused_imports, reason = "the harness serves the end-to-end tests as well")]
#[path = "main/harness.rs"]
mod harness;

#[expect(dead_code, reason = "the proxy and the servers serve the tests of the stores as well")]
#[path = "support/cutter.rs"]
mod cutter;
#[expect(dead_code, reason = "the proxy and the servers serve the tests of the stores as well")]
#[path = "support/servers.rs"]
mod servers;

#[path = "kill/checks.rs"]
mod checks;
#[path = "kill/clients.rs"]
mod clients;
#[path = "kill/dice.rs"]
mod dice;
#[path = "fleet/fleet.rs"]
mod fleet;
#[path = "fleet/git.rs"]
mod git;
#[expect(
    dead_code,
    unused_imports,
    reason = "the servers serve the tests of the repository as well"
)]
#[path = "support/git_servers.rs"]
mod git_servers;
#[path = "fleet/mixed.rs"]
mod mixed;
#[path = "fleet/objects.rs"]
mod objects;
#[path = "fleet/slow.rs"]
mod slow;
#[path = "fleet/template.rs"]
mod template;

use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use checks::Bar;
use clients::{Clients, Talk};
use dice::Dice;
use fleet::{Fleet, Stores};

const N_PROCESSES: usize = 3;
const N_CLIENTS: u64 = 4;
const N_KILLS: u32 = 12;
/// The longest that all processes live until one is killed; the shortest is no time at all.
const LONGEST_LIFE_MS: u64 = 1_500;
/// So that what a dead process drove is soon taken over.
const SHORT_LEASES: &[(&str, &str)] =
    &[("ORBIT_LIMITS__LEASE_SECONDS", "6"), ("ORBIT_LIMITS__TICK_SECONDS", "1")];
/// Processes of a busy machine carry out few actions in the time. Between the look at an image and the
/// lock of it, another process can move it on.
const BAR: Bar = Bar { n_succeeded: 2, failures: &["wrong-environment"] };
/// How long clients ask without a store: several tries long.
const OUTAGE: Duration = Duration::from_secs(3);

#[test]
fn whatever_is_accepted_ends_once_however_often_processes_are_killed() {
    let stores = Stores::shared();
    let mut fleet = Fleet::start(&stores, ("killed", N_PROCESSES), SHORT_LEASES);
    let talks = under_load(&mut fleet, |fleet, clients, dice| {
        kill_again_and_again(fleet, clients, dice, N_KILLS);
    });
    let server = fleet.server(0);
    checks::wait_until_nothing_runs(server);
    checks::check(server, &talks, &BAR);
    let found = objects::all(&stores, fleet.suffix());
    checks::check_objects(server, &objects::without_late_writes(server, &found));
    let logs = fleet.logs();
    assert!(logs.contains("Resumed action "), "no kill was in any action's way");
    assert!(!logs.contains(servers::SECRET_OF_MARIADB), "a password is in a log");
}

#[test]
fn nothing_is_lost_while_stores_are_away() {
    let stores = Stores::own();
    let mut fleet = Fleet::start(&stores, ("outage", N_PROCESSES), SHORT_LEASES);
    let talks = under_load(&mut fleet, |fleet, clients, _| {
        let away: [(_, &[&str]); 3] = [
            (&stores.mysql, &["catalog"]),
            (&stores.dynamodb, &["chart store", "event log", "records"]),
            (&stores.s3, &["image store"]),
        ];
        for (store, parts) in away {
            clients.let_time_pass(Duration::from_millis(500));
            store.stop();
            clients.let_time_pass(OUTAGE);
            let answer = fleet.server(1).get("/readyz");
            let said = answer.expect(503)["detail"].as_str().unwrap().to_owned();
            assert_eq!(said, format!("these do not answer: {}", parts.join(", ")));
            assert_ne!(answer.header("retry-after"), "");
            store.start_again();
            fleet.wait_until_ready(1);
        }
        // A kill beside the outages, so that what they broke off is also taken over.
        fleet.kill_and_start_again(0);
        clients.meet(0, fleet.server(0));
    });
    let n_put_off: usize = talks.iter().map(|talk| talk.n_put_off).sum();
    assert!(n_put_off > 0, "no outage was in anybody's way");
    let server = fleet.server(2);
    checks::wait_until_nothing_runs(server);
    checks::check(server, &talks, &BAR);
    let found = objects::all(&stores, fleet.suffix());
    checks::check_objects(server, &objects::without_late_writes(server, &found));
}

fn kill_again_and_again(fleet: &mut Fleet, clients: &Clients, dice: &mut Dice, n_kills: u32) {
    for _ in 0..n_kills {
        clients.let_time_pass(Duration::from_millis(dice.below(LONGEST_LIFE_MS)));
        let place = usize::try_from(dice.below(3)).unwrap();
        fleet.kill_and_start_again(place);
        clients.meet(place, fleet.server(place));
    }
}

/// Does something to the fleet while clients ask all of it, and returns what they were told.
fn under_load(fleet: &mut Fleet, work: impl FnOnce(&mut Fleet, &Clients, &mut Dice)) -> Vec<Talk> {
    let seed = dice::seed();
    drop(writeln!(io::stderr(), "fleet: the seed is {seed}"));
    let clients = &Clients::new();
    for place in 0..N_PROCESSES {
        clients.meet(place, fleet.server(place));
    }
    thread::scope(|scope| {
        let asking: Vec<_> = (0..N_CLIENTS)
            .map(|number| scope.spawn(move || clients.ask_on(Dice::new(seed).of(number))))
            .collect();
        {
            let _ending = clients.ending();
            work(fleet, clients, &mut Dice::new(seed).of(N_CLIENTS));
        }
        asking.into_iter().map(|client| client.join().unwrap()).collect()
    })
}
