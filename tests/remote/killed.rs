//! A process that is killed while it commits, and one that goes on where it was.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use crate::child::Task;
use crate::place::Place;
use crate::servers::Rule;

/// More than can arrive while a test still kills: a push has 20 at most.
const N_ACTIONS: u32 = 70;
const N_KILLS: u64 = 12;
/// The longest that a process lives, in milliseconds; the shortest is no time at all.
const LONGEST_LIFE: u64 = 500;

fn task(place: &Place) -> Task {
    Task {
        port: place.proxy.port(),
        cache: place.cache("cache"),
        since: place.bare.head(),
        first: 0,
        n_actions: N_ACTIONS,
    }
}

/// Checks that every action of a task has one commit on the branch.
fn check_arrived_once(place: &Place, n_actions: u32) {
    let arrived = place.bare.actions();
    let different: BTreeSet<_> = arrived.iter().map(|(action, _)| action).collect();
    let n_actions = usize::try_from(n_actions).unwrap();
    assert_eq!((arrived.len(), different.len()), (n_actions, n_actions));
    assert_eq!(place.bare.n_commits(), n_actions + 1);
    place.bare.fsck();
}

#[test]
fn every_action_is_committed_once_however_often_the_process_is_killed() {
    if Task::run_if_child() {
        return;
    }
    let place = Place::new();
    let task = task(&place);
    let name = "killed::every_action_is_committed_once_however_often_the_process_is_killed";
    for round in 0..N_KILLS {
        // A push that goes on alone after the process is dead is one of the cases.
        let random = RandomState::new().build_hasher().finish();
        let life = Duration::from_millis((random % LONGEST_LIFE) * (round + 1) / N_KILLS);
        writeln!(io::stderr(), "killed: process {round} lives for {life:?}").unwrap();
        let process = task.start(name);
        thread::sleep(life);
        process.kill();
    }
    task.start(name).expect_success();
    check_arrived_once(&place, N_ACTIONS);
}

#[test]
fn a_process_that_is_killed_before_and_after_a_push_leaves_one_commit_of_each_action() {
    if Task::run_if_child() {
        return;
    }
    let place = Place::new();
    let task = task(&place);
    let name =
        "killed::a_process_that_is_killed_before_and_after_a_push_leaves_one_commit_of_each_action";
    for (held, released) in [
        // The commits are made, and never sent.
        (Rule::HoldPush, Rule::CutPush { after: 0 }),
        // The push is sent, and arrives when nobody waits for it.
        (Rule::HoldPush, Rule::Pass),
        // The push has arrived, and nobody has heard of it.
        (Rule::HoldAnswer, Rule::Pass),
        (Rule::HoldPush, Rule::CutPush { after: 100 }),
        (Rule::HoldAnswer, Rule::Pass),
    ] {
        place.proxy.take_seen();
        place.proxy.rule(held);
        let process = task.start(name);
        place.proxy.wait_until_broken();
        assert!(process.runs());
        process.kill();
        place.proxy.rule(released);
    }
    place.proxy.rule(Rule::Pass);
    task.start(name).expect_success();
    check_arrived_once(&place, N_ACTIONS);
}
