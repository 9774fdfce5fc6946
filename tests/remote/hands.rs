//! What others write by hand between Orbit's commits.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use orbit_core::intent::Intent;
use orbit_core::list::{self, Change};
use orbit_core::port::{GitOps as _, Kind};

use crate::place::{DELETE_LIST, DEPLOY_LIST, Place};
use crate::sample::{
    action, check_refusal, commit, deploy, development, entry, make, read, tombstone,
};
use crate::servers::git;

#[tokio::test]
async fn edits_by_hand_between_commits_are_kept() {
    let place = Place::new();
    let repository = place.open();
    make(&repository, 1).await;
    let writer = place.writer();
    let theirs = entry(2, &action(99));
    writer.edit(DEPLOY_LIST, |text| {
        let text = format!("# Frozen until Monday: ask Jane\r\n{text}# the end");
        list::apply(&text, &[Change::put(&theirs)]).unwrap()
    });
    let by_hand = place.bare.show(DEPLOY_LIST);
    make(&repository, 3).await;
    let since = read(&repository).await.commit;
    let retire = |n: u32| Intent::Retire {
        tombstone: Box::new(tombstone(&entry(n, &action(n)), &action(10 + n))),
    };
    repository.commit(&commit(13, &since, retire(3))).await.unwrap();
    assert_eq!(place.bare.show(DEPLOY_LIST), by_hand, "what came and went again left no trace");
    repository.commit(&commit(11, &since, retire(1))).await.unwrap();
    assert_eq!(read(&repository).await.deploy, [theirs]);
    let list = place.bare.show(DEPLOY_LIST);
    assert!(list.starts_with("# Frozen until Monday: ask Jane\r\n"), "{list}");
    assert!(list.ends_with("# the end"), "{list}");
    place.bare.fsck();
}

#[tokio::test]
async fn an_entry_that_was_changed_by_hand_is_a_conflict() {
    let place = Place::new();
    let repository = place.open();
    let since = make(&repository, 1).await;
    let theirs = entry(1, &action(99));
    place.writer().edit(DEPLOY_LIST, |text| list::apply(&text, &[Change::put(&theirs)]).unwrap());
    let refused = repository.commit(&commit(2, &since, deploy(1, 2, Some(1)))).await;
    check_refusal(refused, Kind::Conflict, &[DEPLOY_LIST, action(99).as_str()]);
    assert_eq!(read(&repository).await.deploy, [theirs]);
}

#[tokio::test]
async fn a_list_that_was_broken_by_hand_is_named_with_its_place_and_nothing_is_pushed() {
    let place = Place::new();
    let repository = place.open();
    let since = make(&repository, 1).await;
    let before = place.bare.show(DEPLOY_LIST);
    let writer = place.writer();
    for (broken, words) in [
        (format!("{before}- name: x\n  digest: 1.20\n"), "deploy-list.yaml: line 12, column 11"),
        ("# one\n# two\n- [\n".to_owned(), "deploy-list.yaml: line 3"),
        (String::new(), DEPLOY_LIST),
    ] {
        writer.edit(DEPLOY_LIST, |_| broken.clone());
        let head = place.bare.head();
        let refused = repository.commit(&commit(2, &since, deploy(2, 2, None))).await;
        check_refusal(refused, Kind::Rejected, &[words]);
        check_refusal(repository.read(&development()).await, Kind::Rejected, &[DEPLOY_LIST]);
        assert_eq!(place.bare.head(), head);
    }
    writer.edit(DEPLOY_LIST, |_| before.clone());
    make(&repository, 2).await;
    assert_eq!(read(&repository).await.deploy.len(), 2);
}

#[tokio::test]
async fn an_environment_whose_list_is_broken_does_not_hold_up_the_others() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.writer().edit("environments/production/deploy-list.yaml", |_| "- [\n".to_owned());
    repository.commit(&commit(1, &since, deploy(1, 1, None))).await.unwrap();
    assert_eq!(read(&repository).await.deploy.len(), 1);
    let production = "production".parse().unwrap();
    let refused = repository.read(&production).await;
    check_refusal(refused, Kind::Rejected, &["environments/production/deploy-list.yaml"]);
}

/// Checks that neither reading nor committing goes past what a foreign writer put in place of a list.
async fn check_refused(put: impl Fn(&Path), words: &str) {
    let place = Place::new();
    let repository = place.open();
    let since = make(&repository, 1).await;
    let head = place.writer().push(put);
    check_refusal(repository.read(&development()).await, Kind::Rejected, &[words]);
    let refused = repository.commit(&commit(2, &since, deploy(2, 2, None))).await;
    check_refusal(refused, Kind::Rejected, &[words]);
    assert_eq!(place.bare.head(), head);
    let another = place.try_open(&place.settings_with("another"));
    check_refusal(another, Kind::Rejected, &[words]);
}

#[tokio::test]
async fn a_list_that_is_a_symbolic_link_is_refused() {
    for list in [DEPLOY_LIST, DELETE_LIST] {
        let put = |work: &Path| {
            fs::remove_file(work.join(list)).unwrap();
            symlink("../../orbit.yaml", work.join(list)).unwrap();
        };
        check_refused(put, &format!("{list} is a symbolic link, expected a regular file")).await;
    }
}

#[tokio::test]
async fn a_list_that_is_a_submodule_is_refused() {
    let put = |work: &Path| {
        let path = work.join(DEPLOY_LIST);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        git(&path, &["init", "--quiet", "--initial-branch=main"]);
        git(&path, &["commit", "--quiet", "--allow-empty", "--message", "nested"]);
    };
    check_refused(put, &format!("{DEPLOY_LIST} is a submodule, expected a regular file")).await;
}

#[tokio::test]
async fn a_list_that_was_deleted_is_not_taken_for_an_empty_one() {
    let put = |work: &Path| fs::remove_file(work.join(DEPLOY_LIST)).unwrap();
    check_refused(put, &format!("{DEPLOY_LIST} is not in the repository")).await;
}
