//! Many commits at once, alone and against others.

use std::collections::BTreeSet;
use std::sync::Arc;

use orbit_core::intent::CommitId;
use orbit_core::port::{GitOps as _, Kind, PortError};
use orbit_gitops::Remote;
use tokio::task::JoinSet;

use crate::child::{Task, insist};
use crate::place::{DEPLOY_LIST, Place, setup};
use crate::sample::{action, check_refusal, commit, deploy, make, name, read};
use crate::servers::{Competitor, Rule};

/// Asks for deployments of applications by actions of the same numbers, all at once.
fn ask(
    repository: &Arc<Remote>,
    since: &CommitId,
    numbers: impl IntoIterator<Item = u32>,
) -> JoinSet<(u32, Result<CommitId, PortError>)> {
    let mut tasks = JoinSet::new();
    for n in numbers {
        let (repository, mine) = (Arc::clone(repository), commit(n, since, deploy(n, n, None)));
        tasks.spawn(async move { (n, repository.commit(&mine).await) });
    }
    tasks
}

/// Checks that all deployments succeeded, and that each is one commit on the branch.
fn check_all_arrived(place: &Place, answers: Vec<(u32, Result<CommitId, PortError>)>) -> usize {
    let ids: BTreeSet<_> = answers.into_iter().map(|(n, id)| (action(n), id.unwrap().0)).collect();
    let arrived = place.bare.actions();
    assert_eq!(arrived.len(), ids.len(), "an action has two commits, or none");
    for (action, id) in arrived {
        assert!(ids.contains(&(action.parse().unwrap(), id.clone())), "{action} is not {id}");
    }
    place.bare.fsck();
    ids.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_commits_at_once_are_one_commit_each_in_six_pushes() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let since = read(&*repository).await.commit;
    let before = place.bare.n_pushes();
    let n = check_all_arrived(&place, ask(&repository, &since, 0..100).join_all().await);
    assert_eq!((n, place.bare.n_commits()), (100, 101));
    let n_pushes = place.bare.n_pushes() - before;
    assert!(n_pushes <= 6, "{n_pushes} pushes, expected at most 20 commits in each");
    assert!(n_pushes >= 5, "{n_pushes} pushes, so one has more than 20 commits");
    assert_eq!(read(&*repository).await.deploy.len(), 100);
    for (action, id) in place.bare.actions() {
        let changed = place.bare.git(&["diff-tree", "--name-only", "-r", "--no-commit-id", &id]);
        assert_eq!(changed.lines().count(), 4, "{action} changes other files: {changed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_commits_arrive_once_while_another_writer_pushes_again_and_again() {
    let place = Place::new();
    let mut settings = place.settings();
    // So that there are ten pushes at least, and the other one comes in between again and again.
    settings.commits_per_push = 10;
    let repository = Arc::new(Remote::open(&settings, &setup()).unwrap());
    let since = read(&*repository).await.commit;
    let competitor = Competitor::start(&place.bare, DEPLOY_LIST);
    let (mut n_asked, mut answers) = (0, Vec::new());
    // However fast a machine is, the other one comes in between.
    while competitor.n_pushes() < 5 {
        assert!(n_asked < 5_000, "the other writer does not get to push");
        let mut tasks = JoinSet::new();
        for n in n_asked..n_asked + 100 {
            let (repository, mine) =
                (Arc::clone(&repository), commit(n, &since, deploy(n, n, None)));
            // Whoever is outrun too often asks again, as an action does.
            tasks.spawn(async move { (n, Ok(insist(&repository, &mine).await)) });
        }
        answers.extend(tasks.join_all().await);
        n_asked += 100;
    }
    let n_theirs = competitor.stop();
    check_all_arrived(&place, answers);
    place.bare.fsck();
    let list = place.bare.show(DEPLOY_LIST);
    let comments: Vec<_> = (0..n_theirs).rev().map(Competitor::comment).collect();
    let kept: Vec<_> = list.lines().filter(|line| line.starts_with("# note")).collect();
    assert_eq!(kept, comments, "the comments at the top are there, in order, each once");
    for number in 0..n_theirs {
        assert_eq!(place.bare.show(&Competitor::file(number)), Competitor::note(number));
    }
    let n_deployed = read(&*repository).await.deploy.len();
    assert_eq!(u32::try_from(n_deployed).unwrap(), n_asked);
}

#[tokio::test]
async fn a_commit_that_no_longer_fits_fails_alone_in_its_batch() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let since = make(&*repository, 1).await;
    let before = place.bare.n_pushes();
    // While the first is on its way, the others wait and become one batch.
    place.proxy.take_seen();
    place.proxy.rule(Rule::HoldPush);
    let first = ask(&repository, &since, [2]);
    let held = tokio::task::spawn_blocking(move || {
        place.proxy.wait_until_broken();
        place
    });
    let place = held.await.unwrap();
    let tasks = ask(&repository, &since, 3..12);
    let odd = [deploy(1, 90, None), deploy(1, 91, Some(9)), deploy(1, 92, Some(1))];
    let odd = odd.into_iter().zip(90..).map(|(intent, by)| commit(by, &since, intent));
    let odd: Vec<_> = odd.collect();
    let mut answers = JoinSet::new();
    for mine in odd {
        let repository = Arc::clone(&repository);
        answers.spawn(async move { (mine.action.clone(), repository.commit(&mine).await) });
    }
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
    place.proxy.rule(Rule::Pass);
    for (by, answer) in answers.join_all().await {
        if by == action(92) {
            answer.unwrap();
        } else {
            check_refusal(answer, Kind::Conflict, &[name(1).as_str(), "expected"]);
        }
    }
    let arrived = tasks.join_all().await.into_iter().chain(first.join_all().await);
    assert_eq!(arrived.map(|(_, id)| id.unwrap()).collect::<BTreeSet<_>>().len(), 10);
    assert_eq!(place.bare.actions().len(), 12);
    let n_pushes = place.bare.n_pushes() - before;
    assert_eq!(n_pushes, 2, "the first alone, and all the others together");
    place.bare.fsck();
}

#[tokio::test]
async fn one_action_that_is_asked_for_many_times_at_once_is_one_commit() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let since = read(&*repository).await.commit;
    let mut ids = ask(&repository, &since, [1; 30]).join_all().await;
    ids.dedup_by(|one, other| one.1.as_ref().unwrap() == other.1.as_ref().unwrap());
    assert_eq!((ids.len(), place.bare.n_commits()), (1, 2));
}

#[tokio::test]
async fn two_actions_of_one_name_at_once_are_decided_by_what_is_there() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let since = read(&*repository).await.commit;
    let mut answers = JoinSet::new();
    for by in 1..=10 {
        let (repository, mine) = (Arc::clone(&repository), commit(by, &since, deploy(1, by, None)));
        answers.spawn(async move { repository.commit(&mine).await });
    }
    let (made, refused): (Vec<_>, Vec<_>) =
        answers.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 9));
    for answer in refused {
        check_refusal(answer, Kind::Conflict, &["expected absent"]);
    }
    assert_eq!(place.bare.n_commits(), 2);
}

/// The test itself is the program of the three processes.
#[test]
fn three_processes_on_one_branch_lose_nothing() {
    if Task::run_if_child() {
        return;
    }
    let place = Place::new();
    let since = place.bare.head();
    let task = |process: u32| Task {
        port: place.proxy.port(),
        cache: place.cache(&format!("process-{process}")),
        since: since.clone(),
        first: process * 20,
        n_actions: 20,
    };
    let name = "at_once::three_processes_on_one_branch_lose_nothing";
    let children: Vec<_> = (0..3).map(|process| task(process).start(name)).collect();
    for child in children {
        child.expect_success();
    }
    let arrived = place.bare.actions();
    let different: BTreeSet<_> = arrived.iter().map(|(action, _)| action).collect();
    assert_eq!((arrived.len(), different.len()), (60, 60));
    place.bare.fsck();
}
