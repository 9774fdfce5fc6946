//! Servers that let one wait.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fs, thread};

use orbit_core::port::{GitOps as _, Kind};
use orbit_gitops::{Remote, RemoteSettings};
use tokio::time::timeout;

use crate::child::insist;
use crate::place::{Place, SshPlace, setup};
use crate::sample::{action, commit, deploy, development, make};
use crate::servers::Rule;

/// How long a call may take.
const SHORT: Duration = Duration::from_secs(2);
/// How long a call may really take on a busy machine.
const AT_MOST: Duration = Duration::from_secs(10);

/// Opens a repository whose calls end soon.
fn open_impatiently(mut settings: RemoteSettings) -> Remote {
    settings.call_timeout = SHORT;
    Remote::open(&settings, &setup()).unwrap()
}

async fn check_cut_off<T>(call: impl Future<Output = Result<T, orbit_core::port::PortError>>) {
    let begun = Instant::now();
    let error = call.await.map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
    assert!(begun.elapsed() < AT_MOST, "{:?}: {error:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_says_nothing_is_unavailable_in_time() {
    let place = Place::new();
    let repository = open_impatiently(place.settings());
    let since = make(&repository, 1).await;
    let mine = commit(2, &since, deploy(2, 2, None));
    place.proxy.rule(Rule::Hang);
    check_cut_off(repository.read(&development())).await;
    check_cut_off(repository.find(&action(9), &since)).await;
    check_cut_off(repository.commit(&mine)).await;
    let begun = Instant::now();
    let mut settings = place.settings_with("another");
    settings.call_timeout = SHORT;
    assert_eq!(Remote::open(&settings, &setup()).unwrap_err().kind(), Kind::Unavailable);
    assert!(begun.elapsed() < AT_MOST);
    place.proxy.rule(Rule::Pass);
    insist(&repository, &mine).await;
    assert_eq!(place.bare.actions().len(), 2);
}

#[tokio::test]
async fn a_server_over_ssh_that_says_nothing_is_unavailable_in_time() {
    let place = SshPlace::new();
    let repository = open_impatiently(place.settings());
    let since = make(&repository, 1).await;
    let mine = commit(2, &since, deploy(2, 2, None));
    place.proxy.rule(Rule::Hang);
    check_cut_off(repository.read(&development())).await;
    check_cut_off(repository.commit(&mine)).await;
    place.proxy.rule(Rule::Pass);
    insist(&repository, &mine).await;
    assert_eq!(place.bare.actions().len(), 2);
}

#[tokio::test]
async fn a_push_that_hangs_is_unavailable_in_time_and_arrives_once() {
    for rule in [Rule::HoldPush, Rule::HoldAnswer] {
        let place = Place::new();
        let repository = open_impatiently(place.settings());
        let since = make(&repository, 1).await;
        place.proxy.rule(rule);
        let mine = commit(2, &since, deploy(2, 2, None));
        check_cut_off(repository.commit(&mine)).await;
        place.proxy.rule(Rule::Pass);
        insist(&repository, &mine).await;
        assert_eq!(place.bare.actions().len(), 2, "{rule:?}");
        place.bare.fsck();
    }
}

/// Returns once no thread of this process works for a repository.
fn wait_for_all_threads() {
    let works = |task: fs::DirEntry| {
        fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name == "orbit-gitops\n")
    };
    let begun = Instant::now();
    while fs::read_dir("/proc/self/task").unwrap().flatten().any(works) {
        assert!(begun.elapsed() < AT_MOST, "a thread that was given up does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

/// In a process of its own, which no other test's threads are in.
#[tokio::test]
async fn who_was_given_up_begins_nothing_more() {
    const ALONE: &str = "ORBIT_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let test = "waiting::who_was_given_up_begins_nothing_more";
        let output = command.args(["--exact", test, "--nocapture"]).env(ALONE, "1").output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    let place = Place::new();
    let repository = open_impatiently(place.settings());
    let since = make(&repository, 1).await;
    place.proxy.rule(Rule::HoldPush);
    check_cut_off(repository.commit(&commit(2, &since, deploy(2, 2, None)))).await;
    // The push is refused when it goes on, and would be made again on the new head.
    let theirs = place.writer().push(|work| fs::write(work.join("theirs"), "theirs\n").unwrap());
    place.proxy.rule(Rule::Pass);
    wait_for_all_threads();
    assert_eq!(place.bare.actions().len(), 1);
    assert_eq!(place.bare.head(), theirs);
}

/// A hook that waits at a gate, and says which process waits for it.
const GATED: &str = "echo $PPID >waiting\nread -r _ <gate";

/// Opens the gate of a push that waits, and waits until it is over.
fn let_through(place: &Place) {
    let path = |name| place.bare.path().join(name);
    fs::write(path("gate"), "go\n").unwrap();
    let pid = fs::read_to_string(path("waiting")).unwrap();
    let begun = Instant::now();
    while Path::new("/proc").join(pid.trim()).exists() {
        assert!(begun.elapsed() < AT_MOST, "the push does not end");
        thread::sleep(Duration::from_millis(5));
    }
}

#[tokio::test]
async fn a_hook_that_takes_its_time_makes_a_commit_late_and_not_twice() {
    for is_through_first in [true, false] {
        let place = Place::new();
        let repository = open_impatiently(place.settings());
        let since = make(&repository, 1).await;
        let made = Command::new("mkfifo").arg(place.bare.path().join("gate")).status();
        assert!(made.unwrap().success());
        place.bare.hook("pre-receive", GATED);
        let mine = commit(2, &since, deploy(2, 2, None));
        check_cut_off(repository.commit(&mine)).await;
        place.bare.remove_hook("pre-receive");
        if is_through_first {
            let_through(&place);
        }
        let id = insist(&repository, &mine).await;
        if !is_through_first {
            let_through(&place);
        }
        assert_eq!(insist(&repository, &mine).await, id);
        insist(&repository, &commit(3, &since, deploy(3, 3, None))).await;
        assert_eq!(place.bare.actions().len(), 3);
        place.bare.fsck();
    }
}

#[tokio::test]
async fn who_waits_for_a_push_that_hangs_is_served_by_another_thread() {
    let place = Place::new();
    let repository = Arc::new(open_impatiently(place.settings()));
    let since = make(&*repository, 1).await;
    let made = Command::new("mkfifo").arg(place.bare.path().join("gate")).status();
    assert!(made.unwrap().success());
    place.bare.hook("pre-receive", GATED);
    let ask = |n| {
        let (repository, mine) = (Arc::clone(&repository), commit(n, &since, deploy(n, n, None)));
        tokio::spawn(async move { insist(&repository, &mine).await })
    };
    let hung = {
        let (repository, mine) = (Arc::clone(&repository), commit(2, &since, deploy(2, 2, None)));
        tokio::spawn(async move { check_cut_off(repository.commit(&mine)).await })
    };
    let begun = Instant::now();
    while !place.bare.path().join("waiting").exists() {
        assert!(begun.elapsed() < AT_MOST, "the push does not begin");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    place.bare.remove_hook("pre-receive");
    let others: Vec<_> = (3..=6).map(ask).collect();
    hung.await.unwrap();
    for other in others {
        let served = timeout(AT_MOST * 6, other).await;
        served.expect("no other thread serves who waits").unwrap();
    }
    assert_eq!(place.bare.actions().len(), 5);
    let_through(&place);
    ask(2).await.unwrap();
    assert_eq!(place.bare.actions().len(), 6);
    place.bare.fsck();
}

#[tokio::test]
async fn a_far_server_costs_few_round_trips() {
    let place = Place::new();
    let repository = place.open();
    make(&repository, 1).await;
    let since = make(&repository, 2).await;
    let trip = Duration::from_millis(100);
    place.proxy.rule(Rule::Delay(trip));
    let begun = Instant::now();
    repository.commit(&commit(3, &since, deploy(3, 3, None))).await.unwrap();
    let n_trips = begun.elapsed().as_secs_f64() / trip.as_secs_f64();
    assert!(n_trips < 10.0, "{n_trips:.1} round trips for one commit");
}
