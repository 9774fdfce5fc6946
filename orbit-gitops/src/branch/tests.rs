use std::cell::Cell;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::setup::{self, sample};
use crate::tree;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("gitops.git");
    (directory, path)
}

fn open(path: &Path) -> Branch {
    setup::open(path, &sample()).unwrap()
}

fn content(branch: &Branch, message: &str) -> Content {
    let tree = tree::empty(&branch.git).unwrap().id();
    Content { tree, message: message.to_owned(), date: Timestamp::from_millis(0) }
}

/// Commits on top of the head, as another process would.
fn push(branch: &Branch, message: &str) -> Oid {
    branch.advance(|_| Ok(Next::Commit(content(branch, message)))).unwrap()
}

fn subjects(branch: &Branch) -> Vec<String> {
    let mut walk = branch.git.revwalk().unwrap();
    walk.push(branch.head().unwrap().id()).unwrap();
    let commits = walk.map(|id| branch.git.find_commit(id.unwrap()).unwrap());
    commits.map(|commit| commit.summary().unwrap().unwrap().to_owned()).collect()
}

fn action(n: u8) -> ActionId {
    ActionId::new(Timestamp::from_millis(0), [n; 10])
}

fn signed(n: u8) -> String {
    format!("deploy\n\nOrbit-Action: {}\n", action(n))
}

fn id(id: Oid) -> CommitId {
    CommitId(id.to_string())
}

#[test]
fn a_change_is_made_again_to_the_head_that_came_between() {
    let (_directory, path) = place();
    let (ours, theirs) = (open(&path), open(&path));
    let asked = Cell::new(0);
    let made = ours.advance(|_| {
        asked.set(asked.get() + 1);
        if asked.get() == 1 {
            push(&theirs, "theirs");
        }
        Ok(Next::Commit(content(&ours, "ours")))
    });
    assert_eq!(theirs.head().unwrap().id(), made.unwrap());
    assert_eq!(asked.get(), 2);
    let expected = ["ours", "theirs", "setup: development, testing, production"];
    assert_eq!(subjects(&theirs), expected);
}

#[test]
fn a_branch_that_never_stands_still_is_given_up() {
    let (_directory, path) = place();
    let (ours, theirs) = (open(&path), open(&path));
    let refused = ours.advance(|_| {
        push(&theirs, "theirs");
        Ok(Next::Commit(content(&ours, "ours")))
    });
    assert!(matches!(refused, Err(Fault::Busy { tries: TRIES, .. })), "{refused:?}");
    assert!(!subjects(&ours).contains(&"ours".to_owned()));
}

#[test]
fn an_action_is_found_after_the_head_of_its_plan_and_not_before() {
    let (_directory, path) = place();
    let branch = open(&path);
    let start = branch.head().unwrap().id();
    let first = push(&branch, &signed(1));
    let second = push(&branch, &signed(2));
    let head = branch.head().unwrap();
    let find = |n, since| branch.find(&action(n), &id(since), &head).unwrap();
    assert_eq!(find(1, start), Some(first));
    assert_eq!(find(2, first), Some(second));
    assert_eq!(find(1, first), None);
    assert_eq!(find(2, second), None);
    assert_eq!(find(3, start), None);
}

#[test]
fn an_action_is_found_where_the_head_of_its_plan_is_gone() {
    let (_directory, path) = place();
    let branch = open(&path);
    let content = content(&branch, "elsewhere");
    let elsewhere = branch.write(&content, None).unwrap();
    let made = push(&branch, &signed(1));
    let head = branch.head().unwrap();
    let zero = "0".repeat(40);
    for since in [elsewhere.to_string(), zero, String::new(), "no id".to_owned()] {
        assert_eq!(branch.find(&action(1), &CommitId(since), &head).unwrap(), Some(made));
        let unknown = CommitId("1".repeat(40));
        assert_eq!(branch.find(&action(2), &unknown, &head).unwrap(), None);
    }
}

#[test]
fn writes_are_synced_to_disk() {
    let (_directory, path) = place();
    let config = open(&path).git.config().unwrap();
    assert!(config.get_bool("core.fsyncObjectFiles").unwrap());
}

#[test]
fn a_branch_that_points_to_another_is_refused() {
    let (_directory, path) = place();
    let branch = open(&path);
    branch.git.reference_symbolic("refs/heads/alias", &branch.name, false, "").unwrap();
    let opened = Branch::open(&path, "refs/heads/alias".to_owned(), sample().identity);
    assert!(matches!(opened.map(drop), Err(Fault::NotDirect { .. })));
    let opened = Branch::open(&path, "refs/heads/none".to_owned(), sample().identity);
    assert!(matches!(opened.map(drop), Err(Fault::NoBranch { .. })));
}

#[test]
fn an_action_is_found_as_the_history_grows_and_not_where_it_was_taken_away() {
    let (_directory, path) = place();
    let branch = open(&path);
    let start = branch.head().unwrap().id();
    let find = |n| branch.find(&action(n), &id(start), &branch.head().unwrap()).unwrap();
    for n in 1..=5 {
        assert_eq!(find(n), None);
        let made = push(&branch, &signed(n));
        assert_eq!(find(n), Some(made));
        assert!(find(1).is_some());
    }
    branch.git.reference(&branch.name, start, true, "rewound").unwrap();
    assert_eq!(find(5), None);
    let other = push(&branch, "another history");
    assert_eq!((find(1), branch.head().unwrap().id()), (None, other));
    assert_eq!(find(1), None);
    let made = push(&branch, &signed(1));
    assert_eq!(find(1), Some(made));
}

#[test]
fn a_history_that_ends_too_early_is_no_proof_that_an_action_has_no_commit() {
    let (_directory, path) = place();
    let branch = open(&path);
    let start = branch.head().unwrap().id();
    push(&branch, &signed(1));
    let boundary = push(&branch, "the first commit of a shallow clone");
    push(&branch, &signed(2));
    fs::write(path.join("shallow"), format!("{boundary}\n")).unwrap();
    let flags = git2::RepositoryOpenFlags::BARE;
    let git = git2::Repository::open_ext(&path, flags, None::<&std::ffi::OsStr>).unwrap();
    let shallow = Branch::of(git, branch.name.clone(), sample().identity);
    let find = |n, since| shallow.find(&action(n), &id(since), &shallow.head().unwrap());
    assert!(find(2, start).unwrap().is_some());
    assert!(matches!(find(1, start), Err(Fault::Truncated { commit }) if commit == boundary));
    assert!(matches!(find(3, start), Err(Fault::Truncated { .. })));
    assert_eq!(find(1, boundary).unwrap(), None);
    assert!(find(2, boundary).unwrap().is_some());
}
