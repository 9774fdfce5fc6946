//! Others push to the branch between Orbit's commits.

use orbit_core::list::{self, Change};
use orbit_core::port::{GitOps as _, Kind};

use crate::place::{DEPLOY_LIST, Place};
use crate::sample::{
    action, check_refusal, commit, deploy, development, entry, make, name, read, retire,
};

#[tokio::test]
async fn a_comment_that_was_edited_by_hand_survives() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.edit(DEPLOY_LIST, |text| format!("# Frozen until Monday: ask Jane\n{text}"));
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    repository.commit(&mine).await.unwrap();
    make(&repository, &action(2), retire(1, &action(1), &action(2))).await;
    let expected = "# Frozen until Monday: ask Jane\n\
                    # Orbit deploy list, environment development. Comments are kept.\n\
                    []\n";
    assert_eq!(place.show(DEPLOY_LIST), expected);
    assert_eq!(place.n_commits(), 4);
}

#[tokio::test]
async fn an_entry_that_was_added_by_hand_is_kept() {
    let place = Place::new();
    let repository = place.open();
    make(&repository, &action(1), deploy(1, &action(1), None)).await;
    let theirs = entry(2, &action(99));
    place.edit(DEPLOY_LIST, |text| list::apply(&text, &[Change::put(&theirs)]).unwrap());
    make(&repository, &action(3), deploy(3, &action(3), None)).await;
    make(&repository, &action(4), retire(1, &action(1), &action(4))).await;
    let deployed = read(&repository).await.deploy;
    assert_eq!(deployed.len(), 2);
    assert!(deployed.contains(&theirs) && deployed.contains(&entry(3, &action(3))));
}

#[tokio::test]
async fn an_entry_that_was_changed_by_hand_is_a_conflict() {
    let place = Place::new();
    let repository = place.open();
    let since = make(&repository, &action(1), deploy(1, &action(1), None)).await;
    let theirs = entry(1, &action(99));
    place.edit(DEPLOY_LIST, |text| list::apply(&text, &[Change::put(&theirs)]).unwrap());
    let mine = commit(&action(2), &since, deploy(1, &action(2), Some(&action(1))));
    let words = format!("{} in {DEPLOY_LIST} is of \"{}\"", name(1), action(99));
    let refused = repository.commit(&mine).await;
    check_refusal(refused, Kind::Conflict, Some("repository-conflict"), &words);
    assert_eq!(read(&repository).await.deploy, [theirs]);
}

#[tokio::test]
async fn a_list_that_others_broke_is_refused_with_its_place() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.edit(DEPLOY_LIST, |_| "# one\n# two\n- [\n".to_owned());
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    let (kind, error_type) = (Kind::Rejected, Some("list-not-editable"));
    let words = format!("{DEPLOY_LIST}: line 3");
    check_refusal(repository.commit(&mine).await, kind, error_type, &words);
    check_refusal(repository.read(&development()).await, kind, error_type, &words);
}

#[tokio::test]
async fn a_commit_that_others_reverted_does_not_come_back() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    let id = repository.commit(&mine).await.unwrap();
    place.push(|work| {
        crate::place::git(work, &["revert", "--no-commit", "HEAD"]);
    });
    assert_eq!(repository.commit(&mine).await.unwrap(), id);
    assert_eq!(read(&repository).await.deploy, []);
}

#[tokio::test]
async fn a_commit_is_found_where_others_rewrote_its_history() {
    let place = Place::new();
    let repository = place.open();
    let first = read(&repository).await.commit;
    place.edit(DEPLOY_LIST, |text| format!("# theirs\n{text}"));
    let since = read(&repository).await.commit;
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    repository.commit(&mine).await.unwrap();
    // Theirs is dropped from the history, and the commit of the action put upon what was before.
    let tree = place.git(&["rev-parse", "main^{tree}"]);
    let message = place.git(&["log", "-1", "--format=%B", "main"]);
    let moved = place.git(&["commit-tree", tree.trim(), "-p", &first.0, "-m", message.trim_end()]);
    place.git(&["update-ref", "refs/heads/main", moved.trim()]);
    assert_eq!(repository.commit(&mine).await.unwrap().0, moved.trim());
    assert_eq!(read(&repository).await.commit.0, moved.trim());
}

#[tokio::test]
async fn a_repository_that_git_packed_is_read_and_committed_to() {
    let place = Place::new();
    let repository = place.open();
    make(&repository, &action(1), deploy(1, &action(1), None)).await;
    place.git(&["gc", "--quiet", "--prune=now"]);
    make(&repository, &action(2), deploy(2, &action(2), None)).await;
    assert_eq!(read(&place.open()).await.deploy.len(), 2);
    place.fsck();
}
