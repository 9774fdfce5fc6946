//! Commits that are made while the push before them is under way.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use orbit_core::ActionId;
use orbit_core::intent::{Commit, CommitId};
use orbit_core::port::{GitOps as _, Kind, PortError};
use orbit_gitops::{Remote, RemoteSettings};
use tokio::task::{JoinHandle, JoinSet};

use crate::place::{DEPLOY_LIST, Place, setup};
use crate::sample::{action, check_refusal, commit, deploy, development, make, name, read};
use crate::servers::{Rule, git};

/// How long anything may take on a busy machine.
const AT_MOST: Duration = Duration::from_secs(60);

type Answer = Result<CommitId, PortError>;

/// A repository with application 1, whose second application is being pushed and goes no further.
struct Held {
    place: Place,
    repository: Arc<Remote>,
    since: CommitId,
    first: JoinHandle<Answer>,
    n_pushes: usize,
}

impl Held {
    async fn new() -> Self {
        Self::with(Rule::HoldPush, |_| ()).await
    }

    async fn with(rule: Rule, change: impl Fn(&mut RemoteSettings)) -> Self {
        let place = Place::new();
        let mut settings = place.settings();
        change(&mut settings);
        let repository = Arc::new(Remote::open(&settings, &setup()).unwrap());
        let since = make(&*repository, 1).await;
        let n_pushes = place.bare.n_pushes();
        place.proxy.take_seen();
        place.proxy.rule(rule);
        let mine = commit(2, &since, deploy(2, 2, None));
        let first = {
            let repository = Arc::clone(&repository);
            tokio::spawn(async move { repository.commit(&mine).await })
        };
        wait_until(|| place.proxy.seen().n_broken > 0).await;
        Self { place, repository, since, first, n_pushes }
    }

    /// Returns the commit of an action that deploys the application of its number.
    fn deployment(&self, n: u32) -> Commit {
        commit(n, &self.since, deploy(n, n, None))
    }

    /// Asks for commits, in their order.
    fn ask(&self, all: impl IntoIterator<Item = Commit>) -> JoinSet<(Commit, Answer)> {
        let mut tasks = JoinSet::new();
        for mine in all {
            let repository = Arc::clone(&self.repository);
            tasks.spawn(async move {
                let answer = repository.commit(&mine).await;
                (mine, answer)
            });
        }
        tasks
    }

    /// Returns the commits of actions that the clone holds, whether they were pushed or not.
    fn made(&self) -> BTreeMap<String, String> {
        let clone = self.place.cache("cache");
        let format = "--batch-check=%(objecttype) %(objectname)";
        let objects = git(&clone, &["cat-file", "--batch-all-objects", format]);
        let commits: Vec<_> =
            objects.lines().filter_map(|line| line.strip_prefix("commit ")).collect();
        let format = "--format=%(trailers:key=Orbit-Action,valueonly,separator=) %H";
        let log = git(&clone, &[&["log", "--no-walk", format], commits.as_slice()].concat());
        let carried = log.lines().filter_map(|line| line.split_once(' '));
        carried.map(|(action, id)| (action.to_owned(), id.to_owned())).collect()
    }

    /// Waits until the clone holds the commits of these actions, which were not pushed, and returns
    /// them as they are.
    async fn ahead(&self, numbers: &[u32]) -> Vec<Ahead> {
        let is_made = || {
            let made = self.made();
            numbers.iter().all(|n| made.contains_key(action(*n).as_str()))
        };
        wait_until(is_made).await;
        let made = self.made();
        let ahead = numbers.iter().map(|n| Ahead::new(self, &made[action(*n).as_str()]));
        ahead.collect()
    }

    /// Lets the push go on, and waits for its answer.
    async fn let_go(&mut self) {
        self.place.proxy.rule(Rule::Pass);
        (&mut self.first).await.unwrap().unwrap();
    }

    fn n_more_pushes(&self) -> usize {
        self.place.bare.n_pushes() - self.n_pushes
    }

    /// Checks that so many actions have a commit each.
    fn check_arrived(&self, n_actions: usize) -> BTreeMap<String, String> {
        let arrived = self.place.bare.actions();
        assert_eq!(arrived.len(), n_actions);
        let different: BTreeMap<_, _> = arrived.into_iter().collect();
        assert_eq!(different.len(), n_actions, "an action has two commits");
        self.place.bare.fsck();
        different
    }
}

/// A commit in the clone, whose file is made to look old: git writes no object twice, but notes that
/// it was to be written again.
struct Ahead {
    id: String,
    file: PathBuf,
}

impl Ahead {
    fn new(held: &Held, id: &str) -> Self {
        let file = held.place.cache("cache").join("objects").join(&id[..2]).join(&id[2..]);
        File::open(&file).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        Self { id: id.to_owned(), file }
    }

    fn was_made_once(&self) -> bool {
        fs::metadata(&self.file).unwrap().modified().unwrap() == SystemTime::UNIX_EPOCH
    }

    /// Checks that it is what was answered, and that nobody made it again.
    #[track_caller]
    fn check_used(&self, answer: Answer) {
        assert_eq!(answer.unwrap().0, self.id);
        assert!(self.was_made_once(), "{} was made again", self.id);
    }
}

/// Waits for all answers, and returns them by their actions.
async fn in_order(tasks: JoinSet<(Commit, Answer)>) -> Vec<(Commit, Answer)> {
    let mut answers = tasks.join_all().await;
    answers.sort_by(|(one, _), (other, _)| one.action.cmp(&other.action));
    answers
}

async fn wait_until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < AT_MOST, "it does not come to that");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn what_comes_while_a_push_is_under_way_is_made_until_it_is_over() {
    let mut held = Held::new().await;
    let tasks = held.ask((3..=6).map(|n| held.deployment(n)));
    let ahead = held.ahead(&[3, 4, 5, 6]).await;
    assert_eq!(held.n_more_pushes(), 0);
    held.let_go().await;
    for ((_, answer), ahead) in in_order(tasks).await.into_iter().zip(&ahead) {
        ahead.check_used(answer);
    }
    held.check_arrived(6);
    assert_eq!(held.n_more_pushes(), 2);
}

#[tokio::test]
async fn no_more_is_made_than_goes_into_the_next_push() {
    for (commits_per_push, n_first) in [(1, 1), (2, 2)] {
        let mut held = Held::with(Rule::HoldPush, |settings| {
            settings.commits_per_push = commits_per_push;
        })
        .await;
        let tasks = held.ask((3..=6).map(|n| held.deployment(n)));
        let ahead = held.ahead(&[3, 4][..n_first]).await;
        held.let_go().await;
        for (_, answer) in tasks.join_all().await {
            answer.unwrap();
        }
        assert!(ahead.iter().all(Ahead::was_made_once), "{commits_per_push} in a push");
        held.check_arrived(6);
        assert_eq!(held.n_more_pushes(), 1 + 4 / commits_per_push);
    }
}

#[tokio::test]
async fn what_was_made_on_a_push_that_comes_too_late_is_forgotten() {
    let mut held = Held::new().await;
    let tasks = held.ask((3..=6).map(|n| held.deployment(n)));
    let ahead = held.ahead(&[3, 4, 5, 6]).await;
    let theirs = held.place.writer().edit(DEPLOY_LIST, |text| format!("# theirs\n{text}"));
    held.let_go().await;
    for (mine, answer) in tasks.join_all().await {
        let id = answer.unwrap().0;
        assert!(ahead.iter().all(|ahead| ahead.id != id), "{} follows what is gone", mine.action);
    }
    held.check_arrived(6);
    assert!(held.place.bare.show(DEPLOY_LIST).starts_with("# theirs\n"));
    held.place.bare.git(&["merge-base", "--is-ancestor", &theirs, "main"]);
    assert_eq!(read(&*held.repository).await.deploy.len(), 6);
}

#[tokio::test]
async fn what_is_made_on_a_push_whose_answer_is_lost_arrives_once() {
    // One is as many as are pushed, and must not be taken for it.
    for numbers in [3..=3, 3..=6] {
        let mut held = Held::with(Rule::HoldAnswer, |_| ()).await;
        let tasks = held.ask(numbers.clone().map(|n| held.deployment(n)));
        held.ahead(&numbers.collect::<Vec<_>>()).await;
        held.place.proxy.rule(Rule::LoseAnswer);
        let first = (&mut held.first).await.unwrap();
        let mut answers = tasks.join_all().await;
        answers.push((held.deployment(2), first));
        let arrived = held.check_arrived(1 + answers.len());
        for (mine, answer) in answers {
            assert_eq!(answer.unwrap().0, arrived[mine.action.as_str()]);
        }
        assert_eq!(held.n_more_pushes(), 2);
    }
}

#[tokio::test]
async fn what_does_not_fit_on_a_push_under_way_fails_alone() {
    let mut held = Held::new().await;
    let odd = [deploy(1, 90, None), deploy(2, 91, Some(9))];
    let odd = odd.into_iter().zip(90..).map(|(intent, by)| commit(by, &held.since, intent));
    let fine = [3, 4].map(|n| held.deployment(n));
    let tasks = held.ask(odd.chain(fine));
    let ahead = held.ahead(&[3, 4]).await;
    held.let_go().await;
    let mut answers = in_order(tasks).await;
    let unfit = answers.split_off(2);
    for ((_, answer), ahead) in answers.into_iter().zip(&ahead) {
        ahead.check_used(answer);
    }
    for ((_, answer), n) in unfit.into_iter().zip([1, 2]) {
        check_refusal(answer, Kind::Conflict, &[name(n).as_str(), "expected"]);
    }
    held.check_arrived(4);
    assert_eq!(held.n_more_pushes(), 2);
}

#[tokio::test]
async fn an_action_that_is_being_pushed_and_is_asked_for_again_is_one_commit() {
    let mut held = Held::new().await;
    let tasks = held.ask([2, 3, 2, 3].map(|n| held.deployment(n)));
    let ahead = held.ahead(&[3]).await;
    held.let_go().await;
    let answers = tasks.join_all().await;
    let arrived = held.check_arrived(3);
    for (mine, answer) in answers {
        assert_eq!(answer.unwrap().0, arrived[mine.action.as_str()]);
    }
    assert!(ahead[0].was_made_once());
    assert_eq!(held.n_more_pushes(), 2);
}

#[tokio::test]
async fn who_reads_meanwhile_sees_what_was_pushed_and_keeps_nothing_from_being_used() {
    let mut held = Held::new().await;
    let mut tasks = held.ask([held.deployment(3)]);
    let reading = {
        let repository = Arc::clone(&held.repository);
        tokio::spawn(async move { repository.read(&development()).await })
    };
    tokio::task::yield_now().await;
    let second = held.deployment(4);
    let repository = Arc::clone(&held.repository);
    tasks.spawn(async move {
        let answer = repository.commit(&second).await;
        (second, answer)
    });
    let ahead = held.ahead(&[3, 4]).await;
    held.let_go().await;
    assert_eq!(reading.await.unwrap().unwrap().deploy.len(), 2);
    for ((_, answer), ahead) in in_order(tasks).await.into_iter().zip(&ahead) {
        ahead.check_used(answer);
    }
    held.check_arrived(4);
}

/// Returns a hook that refuses whatever has the commit of an action.
fn refusing(action: &ActionId) -> String {
    format!(
        "while read -r old new _; do\n\
         git log --format=%B \"$old..$new\" | grep -q {action} || continue\n\
         echo 'not this one' >&2; exit 1\n\
         done"
    )
}

#[tokio::test]
async fn what_was_made_on_a_push_that_is_refused_is_forgotten() {
    let mut held = Held::new().await;
    held.place.bare.hook("pre-receive", &refusing(&action(2)));
    let tasks = held.ask((3..=6).map(|n| held.deployment(n)));
    held.ahead(&[3, 4, 5, 6]).await;
    held.place.proxy.rule(Rule::Pass);
    check_refusal((&mut held.first).await.unwrap(), Kind::Rejected, &["not this one"]);
    for (_, answer) in tasks.join_all().await {
        answer.unwrap();
    }
    assert!(!held.check_arrived(5).contains_key(action(2).as_str()));
    assert_eq!(held.n_more_pushes(), 1);
}

#[tokio::test]
async fn a_commit_that_the_server_refuses_is_parted_from_those_made_with_it() {
    let mut held = Held::new().await;
    held.place.bare.hook("pre-receive", &refusing(&action(4)));
    let tasks = held.ask((3..=6).map(|n| held.deployment(n)));
    held.ahead(&[3, 4, 5, 6]).await;
    held.let_go().await;
    for (mine, answer) in tasks.join_all().await {
        if mine.action == action(4) {
            check_refusal(answer, Kind::Rejected, &["not this one"]);
        } else {
            answer.unwrap();
        }
    }
    held.check_arrived(5);
}
