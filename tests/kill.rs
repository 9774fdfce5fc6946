//! Promises 1, 2, 4, 5, 6 and 7 of the real program: it is killed again and again at random moments
//! while three clients ask for actions, and whatever was accepted ends once and leaves nothing.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, unused_imports, reason = "the harness serves the end-to-end tests as well")]
#[path = "main/harness.rs"]
mod harness;

#[path = "kill/checks.rs"]
mod checks;
#[path = "kill/clients.rs"]
mod clients;
#[path = "kill/dice.rs"]
mod dice;

use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use checks::Bar;
use clients::{Clients, Talk};
use dice::Dice;
use harness::Server;

const N_CLIENTS: u64 = 3;
const N_KILLS: u32 = 15;
/// The longest that the program lives until it is killed; the shortest is no time at all.
const LONGEST_LIFE_MS: u64 = 1_500;

#[test]
fn whatever_is_accepted_ends_once_however_often_the_program_is_killed() {
    let seed = dice::seed();
    writeln!(io::stderr(), "kill: the seed is {seed}").unwrap();
    let mut server = Server::start();
    let clients = &Clients::new();
    let talks = thread::scope(|scope| {
        let asking: Vec<_> = (0..N_CLIENTS)
            .map(|number| scope.spawn(move || clients.ask_on(Dice::new(seed).of(number))))
            .collect();
        kill_again_and_again(&mut server, clients, Dice::new(seed).of(N_CLIENTS));
        asking.into_iter().map(|client| client.join().unwrap()).collect::<Vec<Talk>>()
    });
    checks::wait_until_nothing_runs(&server);
    let n_put_off: usize = talks.iter().map(|talk| talk.n_put_off).sum();
    assert_eq!(n_put_off, 0, "the stores were there all the time");
    checks::check(&server, &talks, &Bar { n_succeeded: 10, failures: &[] });
    let files = server.files().into_iter().filter(|path| !path.starts_with("registry: "));
    checks::check_objects(&server, &files.collect());
    assert!(server.log().contains("Resumed action "), "no kill was in any action's way");
}

fn kill_again_and_again(server: &mut Server, clients: &Clients, mut dice: Dice) {
    let _ending = clients.ending();
    for _ in 0..N_KILLS {
        clients.meet(0, server);
        let life = Duration::from_millis(dice.below(LONGEST_LIFE_MS));
        clients.let_time_pass(life);
        server.program().kill();
        server.start_again();
    }
    clients.meet(0, server);
}
