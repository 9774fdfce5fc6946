use orbit_core::intent::CommitId;
use orbit_core::list::{Deletion, Entry, Tombstone};
use orbit_core::{ActionId, Digest, ImageVersion, Timestamp};
use tempfile::TempDir;

use super::*;
use crate::remote::ahead::Ahead;
use crate::setup::{self, sample};

/// A repository with the first commit.
fn repository() -> (TempDir, Branch) {
    let directory = tempfile::tempdir().unwrap();
    let branch = setup::open(&directory.path().join("gitops.git"), &sample()).unwrap();
    (directory, branch)
}

fn action(n: u8) -> ActionId {
    ActionId::new(Timestamp::from_millis(0), [n; 10])
}

/// Returns the entry of application `n` that an action deploys.
fn entry(n: u8, by: u8) -> Entry {
    Entry {
        name: format!("app-{n}").parse().unwrap(),
        image_uid: format!("{n:060}").parse().unwrap(),
        image_version: ImageVersion::new(0, 0, 1),
        image_name: "Sample".to_owned(),
        environment: "development".parse().unwrap(),
        image: format!("docker.io/k8or-orbit-aws/app-{n}"),
        digest: Digest::of(&[n]),
        namespace: "development".to_owned(),
        deployment_id: action(by).to_string(),
    }
}

fn commit(by: u8, since: Oid, intent: Intent) -> Commit {
    Commit {
        action: action(by),
        environment: "development".parse().unwrap(),
        subject: format!("test: {}", intent.name()),
        trailers: vec![("Orbit-Action".to_owned(), action(by).to_string())],
        date: Timestamp::from_millis(1_737_800_000_000),
        since: CommitId(since.to_string()),
        intent,
    }
}

fn deploy(n: u8, by: u8) -> Intent {
    let files = [("kustomization.yaml".to_owned(), format!("# {n} by {by}\n"))].into();
    Intent::Deploy { entry: Box::new(entry(n, by)), files, replaces: None }
}

fn retire(n: u8, deployed_by: u8, by: u8) -> Intent {
    let deletion = Deletion {
        deleted_at: "2025-01-25T10:00:00.000Z".to_owned(),
        deleted_by: "jamesbond".to_owned(),
        action_id: action(by),
    };
    Intent::Retire { tombstone: Box::new(Tombstone { entry: entry(n, deployed_by), deletion }) }
}

/// Drafts a batch of commits that were planned at a head.
fn draft_all(branch: &Branch, head: Oid, commits: &[(u8, Intent)]) -> Draft {
    let commits: Vec<_> =
        commits.iter().map(|(by, intent)| Arc::new(commit(*by, head, intent.clone()))).collect();
    draft(branch, Draft::new(head), &commits).unwrap()
}

fn names(branch: &Branch, commit: Oid) -> Vec<String> {
    let tree = branch.git.find_commit(commit).unwrap().tree().unwrap();
    let environment = "development".parse().unwrap();
    let lists = branch.known.read(&branch.git, &tree, &environment).unwrap().lists;
    lists.deploy().entries().iter().map(|entry| entry.name.to_string()).collect()
}

#[test]
fn each_intent_is_a_commit_on_the_one_before() {
    let (_directory, branch) = repository();
    let head = branch.head().unwrap().id();
    let all = [(1, deploy(1, 1)), (2, deploy(2, 2)), (3, deploy(3, 3))];
    let draft = draft_all(&branch, head, &all);
    assert_eq!(draft.n_made(), 3);
    let mut tip = branch.git.find_commit(draft.tip).unwrap();
    for outcome in draft.outcomes.iter().rev() {
        assert!(matches!(outcome, Outcome::Made(id) if *id == tip.id()), "{outcome:?}");
        tip = tip.parent(0).unwrap();
    }
    assert_eq!(tip.id(), head);
    assert_eq!(names(&branch, draft.tip), ["app-1", "app-2", "app-3"]);
    assert_eq!(branch.head().unwrap().id(), head, "a draft moves nothing");
}

#[test]
fn the_same_batch_on_the_same_head_is_the_same_commits() {
    let (_directory, branch) = repository();
    let head = branch.head().unwrap().id();
    let all = [(1, deploy(1, 1)), (2, deploy(2, 2))];
    assert_eq!(draft_all(&branch, head, &all).tip, draft_all(&branch, head, &all).tip);
}

#[test]
fn an_intent_that_does_not_fit_is_left_out_alone() {
    let (_directory, branch) = repository();
    let head = branch.head().unwrap().id();
    let all = [(1, deploy(1, 1)), (2, deploy(1, 2)), (3, retire(9, 8, 3)), (4, deploy(2, 4))];
    let draft = draft_all(&branch, head, &all);
    assert_eq!(names(&branch, draft.tip), ["app-1", "app-2"]);
    let unfit: Vec<_> =
        draft.outcomes.iter().map(|outcome| matches!(outcome, Outcome::Unfit(_))).collect();
    assert_eq!(unfit, [false, true, true, false]);
}

#[test]
fn an_action_that_is_asked_for_twice_has_one_commit() {
    let (_directory, branch) = repository();
    let head = branch.head().unwrap().id();
    let draft = draft_all(&branch, head, &[(1, deploy(1, 1)), (1, deploy(1, 1))]);
    assert_eq!(draft.n_made(), 1);
    assert!(matches!(draft.outcomes[1], Outcome::There(id) if id == draft.tip));
    let again = draft_all(&branch, draft.tip, &[(1, deploy(1, 1))]);
    // Planned at the commit itself, an action that repeats it finds its name taken.
    assert!(matches!(again.outcomes[0], Outcome::Unfit(_)), "{:?}", again.outcomes);
}

/// Makes the commits of what comes on a commit.
fn make_ahead(branch: &Branch, tip: Oid, coming: &[Arc<Commit>]) -> Ahead {
    Ahead::make(branch, tip, |n| coming.get(n).cloned())
}

#[test]
fn a_batch_that_was_begun_ahead_ends_as_one_that_was_not() {
    let (_directory, branch) = repository();
    let head = branch.head().unwrap().id();
    // The second does not fit, and a name is put that the first has put.
    let all = [(1, deploy(1, 1)), (2, deploy(1, 2)), (3, deploy(3, 3)), (4, retire(1, 1, 4))];
    let all = all.map(|(by, intent)| Arc::new(commit(by, head, intent)));
    let whole = draft(&branch, Draft::new(head), &all).unwrap();
    let said = |draft: &Draft| format!("{:?}", draft.outcomes);
    for n_ahead in 0..=all.len() {
        let begun = make_ahead(&branch, head, &all[..n_ahead]).draft_of(head, &all).unwrap();
        assert_eq!((begun.base, begun.outcomes.len()), (head, n_ahead));
        let draft = draft(&branch, begun, &all).unwrap();
        assert_eq!((draft.tip, said(&draft)), (whole.tip, said(&whole)), "{n_ahead} made ahead");
    }
}

#[test]
fn what_was_made_ahead_is_used_where_it_was_made_and_for_whoever_asked() {
    let (_directory, branch) = repository();
    let head = branch.head().unwrap().id();
    let all = [1, 2, 3].map(|n| Arc::new(commit(n, head, deploy(n, n))));
    let tip = draft(&branch, Draft::new(head), &all[..1]).unwrap().tip;
    let is_used = |at, asked: &[&Arc<Commit>]| {
        let asked: Vec<_> = asked.iter().copied().cloned().collect();
        make_ahead(&branch, tip, &all[1..]).draft_of(at, &asked).is_some()
    };
    let [first, second, third] = &all;
    assert!(is_used(tip, &[second, third]));
    assert!(is_used(tip, &[second, third, first]));
    assert!(!is_used(head, &[second, third]), "on another commit");
    assert!(!is_used(tip, &[second]), "more than was asked for");
    assert!(!is_used(tip, &[third, second]), "in another order");
    let again = Arc::new(Commit::clone(third));
    assert!(!is_used(tip, &[second, &again]), "for another who asked");
}

#[test]
fn an_entry_leaves_the_list_only_where_its_retirement_is_in_the_batch() {
    let (_directory, branch) = repository();
    let head = branch.head().unwrap().id();
    let two = draft_all(&branch, head, &[(1, deploy(1, 1)), (2, deploy(2, 2))]).tip;
    let retired = draft_all(&branch, two, &[(3, retire(1, 1, 3))]);
    assert_eq!(names(&branch, retired.tip), ["app-2"]);
    // The same step from two entries to one, as if a deployment had made it.
    let deployed = commit(4, two, deploy(3, 4));
    let outcomes = vec![Outcome::Made(retired.tip)];
    let forged = Draft { base: two, tip: retired.tip, outcomes };
    let refused = check_vanished(&branch, &forged, &[Arc::new(deployed)]);
    let Err(Fault::Remote(RemoteFault::Vanished { path, names })) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        (path.as_str(), names.as_str()),
        ("environments/development/deploy-list.yaml", "app-1")
    );
}
