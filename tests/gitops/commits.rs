//! What a commit of an action is, and that there is only one.

use orbit_core::intent::{Commit, CommitId, Intent};
use orbit_core::port::{GitOps as _, Kind};
use orbit_core::{ActionId, Timestamp};
use orbit_gitops::Repository;
use tokio::task::JoinSet;

use crate::place::{DEPLOY_LIST, Place};
use crate::sample::{
    action, check_refusal, clear, commit, deploy, entry, files, make, name, read, retire, tombstone,
};

const CONFLICT: Option<&str> = Some("repository-conflict");

fn directory(n: u8) -> String {
    format!("environments/development/apps/{}", name(n))
}

#[tokio::test]
async fn a_deployment_is_one_commit_with_the_entry_and_its_directory() {
    let place = Place::new();
    let repository = place.open();
    let before = place.git(&["rev-parse", "main"]);
    let id = make(&repository, &action(1), deploy(1, &action(1), None)).await;
    let lists = read(&repository).await;
    assert_eq!((lists.commit, lists.deploy), (id.clone(), vec![entry(1, &action(1))]));
    assert_eq!(place.git(&["rev-parse", "main^"]), before);
    for (path, text) in files(1, &action(1)) {
        assert_eq!(place.show(&format!("{}/{path}", directory(1))), text);
    }
    let changed = place.git(&["diff", "--name-only", "main^", "main"]);
    assert_eq!(changed.lines().count(), 4, "{changed}");
    place.fsck();
}

#[tokio::test]
async fn git_shows_the_trailers_dates_and_identity_of_the_plan() {
    let place = Place::new();
    make(&place.open(), &action(1), deploy(1, &action(1), None)).await;
    let show =
        |format: &str| place.git(&["log", "-1", "--date=raw", &format!("--format={format}")]);
    let trailers = format!("Orbit-Action: {}\nOrbit-Actor: jamesbond\n\n", action(1));
    assert_eq!(show("%(trailers)"), trailers);
    assert_eq!(show("%s"), format!("test(development): {} v0-0-01\n", name(1)));
    let who = "Orbit orbit@k8or.com 1737800000 +0000";
    assert_eq!(show("%an %ae %ad,%cn %ce %cd"), format!("{who},{who}\n"));
}

#[tokio::test]
async fn a_deployment_replaces_the_directory_as_a_whole() {
    let place = Place::new();
    let repository = place.open();
    make(&repository, &action(1), deploy(1, &action(1), None)).await;
    make(&repository, &action(2), deploy(2, &action(2), None)).await;
    let mut next = deploy(1, &action(3), Some(&action(1)));
    if let Intent::Deploy { files, .. } = &mut next {
        *files = [("only.yaml".to_owned(), "new\n".to_owned())].into();
    }
    make(&repository, &action(3), next).await;
    assert_eq!(place.files(&directory(1)), [format!("{}/only.yaml", directory(1))]);
    assert_eq!(place.files(&directory(2)).len(), 3);
    place.fsck();
}

#[tokio::test]
async fn a_directory_outlives_its_entry_until_it_is_cleared() {
    let place = Place::new();
    let repository = place.open();
    make(&repository, &action(1), deploy(1, &action(1), None)).await;
    make(&repository, &action(2), retire(1, &action(1), &action(2))).await;
    let lists = read(&repository).await;
    assert_eq!(lists.deploy, []);
    assert_eq!(lists.delete, [tombstone(1, &action(1), &action(2))]);
    assert_eq!(place.files(&directory(1)).len(), 3);
    make(&repository, &action(3), clear(1, &action(2))).await;
    let lists = read(&repository).await;
    assert_eq!((lists.deploy, lists.delete), (vec![], vec![]));
    assert_eq!(place.files("environments/development/apps"), Vec::<String>::new());
    assert_eq!(place.show(DEPLOY_LIST).lines().last(), Some("[]"));
    place.fsck();
}

#[tokio::test]
async fn a_deployment_takes_the_tombstone_of_its_name_away() {
    let place = Place::new();
    let repository = place.open();
    make(&repository, &action(1), deploy(1, &action(1), None)).await;
    make(&repository, &action(2), retire(1, &action(1), &action(2))).await;
    make(&repository, &action(3), deploy(1, &action(3), None)).await;
    let lists = read(&repository).await;
    assert_eq!((lists.deploy, lists.delete), (vec![entry(1, &action(3))], vec![]));
}

#[tokio::test]
async fn a_commit_that_is_repeated_arrives_once() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    let id = repository.commit(&mine).await.unwrap();
    assert_eq!(repository.commit(&mine).await.unwrap(), id);
    let newer = make(&repository, &action(2), deploy(2, &action(2), None)).await;
    make(&repository, &action(3), retire(1, &action(1), &action(3))).await;
    make(&repository, &action(4), clear(1, &action(3))).await;
    let head = read(&repository).await.commit;
    assert_eq!(repository.commit(&mine).await.unwrap(), id, "late, and all it did was undone");
    assert_eq!(place.open().commit(&mine).await.unwrap(), id, "by another process");
    assert_eq!(read(&repository).await.commit, head);
    assert_ne!(head, newer);
}

#[tokio::test]
async fn the_same_commit_on_the_same_head_has_the_same_id() {
    let (one, other) = (Place::new(), Place::new());
    let made = make(&one.open(), &action(1), deploy(1, &action(1), None)).await;
    assert_eq!(make(&other.open(), &action(1), deploy(1, &action(1), None)).await, made);
}

#[tokio::test]
async fn an_intent_that_finds_something_else_changes_nothing() {
    let place = Place::new();
    let repository = place.open();
    let head = make(&repository, &action(1), deploy(1, &action(1), None)).await;
    for intent in [
        deploy(1, &action(2), None),
        deploy(1, &action(2), Some(&action(9))),
        deploy(2, &action(2), Some(&action(1))),
        retire(1, &action(9), &action(2)),
        retire(2, &action(1), &action(2)),
        clear(1, &action(1)),
    ] {
        let refused = repository.commit(&commit(&action(2), &head, intent)).await;
        check_refusal(refused, Kind::Conflict, CONFLICT, "expected");
    }
    assert_eq!(read(&repository).await.commit, head);
}

#[tokio::test]
async fn an_intent_that_would_change_nothing_is_a_conflict() {
    let place = Place::new();
    let repository = place.open();
    let head = make(&repository, &action(1), deploy(1, &action(1), None)).await;
    let again = deploy(1, &action(1), Some(&action(1)));
    let refused = repository.commit(&commit(&action(2), &head, again)).await;
    check_refusal(refused, Kind::Conflict, CONFLICT, "would change nothing");
    assert_eq!(place.n_commits(), 2);
}

#[tokio::test]
async fn a_message_of_more_than_its_lines_is_refused() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let plain = commit(&action(1), &since, deploy(1, &action(1), None));
    let actor = format!("x\nOrbit-Action: {}", action(2));
    let with_actor = |key: &str, value: &str| {
        let trailers = [&plain.trailers[..], &[(key.to_owned(), value.to_owned())]].concat();
        Commit { trailers, ..plain.clone() }
    };
    for (odd, words) in [
        (with_actor("Orbit-Actor", &actor), "Orbit-Actor of the commit holds '\\n'"),
        (with_actor("Orbit\nActor", "x"), "holds '\\n'"),
        (Commit { subject: actor.clone(), ..plain.clone() }, "subject of the commit holds '\\n'"),
        (Commit { trailers: vec![], ..plain.clone() }, "do not name action"),
    ] {
        check_refusal(repository.commit(&odd).await, Kind::Rejected, None, words);
    }
    assert_eq!(place.n_commits(), 1);
}

async fn deploy_once(repository: Repository, n: u8, since: CommitId) -> (ActionId, CommitId) {
    let mine = commit(&action(n), &since, deploy(n, &action(n), None));
    let id = repository.commit(&mine).await.unwrap();
    assert_eq!(repository.commit(&mine).await.unwrap(), id);
    (action(n), id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn commits_made_at_once_all_arrive_once() {
    let place = Place::new();
    let since = read(&place.open()).await.commit;
    let mut tasks = JoinSet::new();
    for n in 0..8 {
        // Two tasks share a handle, the others race through git's lock as processes would.
        let repository = place.open();
        tasks.spawn(deploy_once(repository.clone(), n, since.clone()));
        tasks.spawn(deploy_once(repository, n, since.clone()));
    }
    let mut arrived = tasks.join_all().await;
    arrived.sort();
    arrived.dedup();
    let log = place.git(&["log", "--format=%(trailers:key=Orbit-Action,valueonly,separator=) %H"]);
    let mut logged: Vec<_> = log
        .lines()
        .filter_map(|line| line.split_once(' ').filter(|(action, _)| !action.is_empty()))
        .map(|(action, id)| (action.parse().unwrap(), CommitId(id.to_owned())))
        .collect();
    logged.sort();
    assert_eq!(arrived, logged);
    assert_eq!(arrived.len(), 8);
    assert_eq!(read(&place.open()).await.deploy.len(), 8);
    place.fsck();
}

#[tokio::test]
async fn a_locked_branch_is_unavailable_and_then_takes_the_commit() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    let lock = place.path().join("refs/heads/main.lock");
    std::fs::write(&lock, "").unwrap();
    check_refusal(repository.commit(&mine).await, Kind::Unavailable, None, "locked by others");
    std::fs::remove_file(&lock).unwrap();
    repository.commit(&mine).await.unwrap();
    assert_eq!(place.n_commits(), 2);
}

#[tokio::test]
async fn the_lock_of_a_killed_writer_is_removed() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let lock = std::fs::File::create(place.path().join("refs/heads/main.lock")).unwrap();
    lock.set_modified(std::time::UNIX_EPOCH).unwrap();
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    repository.commit(&mine).await.unwrap();
    assert_eq!(place.n_commits(), 2);
    place.fsck();
}

#[tokio::test]
async fn a_list_that_argo_cd_could_not_work_with_is_not_committed_to() {
    let place = Place::new();
    let repository = place.open();
    let head = make(&repository, &action(1), deploy(1, &action(1), None)).await;
    place.edit(DEPLOY_LIST, |list| format!("{list}  path: \"elsewhere\"\n"));
    let mine = commit(&action(2), &head, deploy(2, &action(2), None));
    let refused = repository.commit(&mine).await;
    check_refusal(refused, Kind::Rejected, Some("list-not-editable"), "deploy-list.yaml:11:3");
    assert_eq!(place.n_commits(), 3);
}

#[tokio::test]
async fn a_date_is_in_utc_and_cut_to_seconds() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let mine = Commit {
        date: Timestamp::from_millis(999),
        ..commit(&action(1), &since, deploy(1, &action(1), None))
    };
    repository.commit(&mine).await.unwrap();
    assert_eq!(place.git(&["log", "-1", "--format=%ad %cd", "--date=raw"]), "0 +0000 0 +0000\n");
}
