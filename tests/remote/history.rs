//! Long histories, and ones that others rewrote.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use orbit_core::intent::CommitId;
use orbit_core::port::GitOps as _;

use crate::place::{DEPLOY_LIST, Place};
use crate::sample::{action, commit, deploy, make, read};
use crate::servers::Bare;

/// Puts commits by others on top of the branch, each with a file of random text.
fn grow(bare: &Bare, n_commits: usize, n_bytes: usize) {
    let mut stream = String::new();
    let mut noise = 1_u64;
    for number in 0..n_commits {
        let mut text = String::new();
        while text.len() < n_bytes {
            noise = noise
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            write!(text, "{noise:016x}").unwrap();
        }
        let at = 1_737_800_001 + number;
        writeln!(stream, "commit refs/heads/main").unwrap();
        writeln!(stream, "committer Jane <jane@example.com> {at} +0000").unwrap();
        writeln!(stream, "data 7\nby hand").unwrap();
        if number == 0 {
            writeln!(stream, "from refs/heads/main^0").unwrap();
        }
        writeln!(stream, "M 644 inline noise/{}.txt", number % 10).unwrap();
        writeln!(stream, "data {}\n{text}", text.len()).unwrap();
    }
    let mut import = Command::new("git");
    import.current_dir(bare.path()).args(["fast-import", "--quiet"]).stdin(Stdio::piped());
    let mut import = import.spawn().unwrap();
    import.stdin.take().unwrap().write_all(stream.as_bytes()).unwrap();
    assert!(import.wait().unwrap().success());
}

#[tokio::test]
async fn a_commit_that_lies_deep_in_the_history_is_found_by_a_fresh_clone() {
    let place = Place::new();
    let first = place.open();
    let since = read(&first).await.commit;
    let mine = commit(1, &since, deploy(1, 1, None));
    let id = first.commit(&mine).await.unwrap();
    grow(&place.bare, 1_500, 1_000);
    place.proxy.take_seen();
    let fresh = place.open_another("fresh");
    let n_bytes = place.proxy.take_seen().n_bytes_down;
    assert!(n_bytes < 200_000, "{n_bytes} bytes to open a clone, of a history of 1.5 MB");
    assert_eq!(fresh.find(&action(1), &since).await.unwrap(), Some(id.clone()));
    assert_eq!(fresh.find(&action(2), &since).await.unwrap(), None);
    assert_eq!(fresh.find(&action(1), &id).await.unwrap(), None, "it lies not after itself");
    let head = place.bare.head();
    assert_eq!(place.open_another("fresher").commit(&mine).await.unwrap(), id);
    assert_eq!(place.bare.head(), head);
    // What undid it since does not bring it back.
    let newest = make(&fresh, 2).await;
    assert_eq!(fresh.commit(&mine).await.unwrap(), id);
    assert_eq!(place.bare.head(), newest.0);
    place.bare.fsck();
}

#[tokio::test]
async fn a_since_in_the_middle_of_a_long_history_is_enough() {
    let place = Place::new();
    grow(&place.bare, 300, 100);
    let since = CommitId(place.bare.head());
    let mine = commit(1, &since, deploy(1, 1, None));
    let id = place.open_another("one").commit(&mine).await.unwrap();
    grow(&place.bare, 300, 100);
    let other = place.open_another("two");
    assert_eq!(other.find(&action(1), &since).await.unwrap(), Some(id.clone()));
    assert_eq!(other.commit(&mine).await.unwrap(), id);
    other.commit(&commit(2, &since, deploy(2, 2, None))).await.unwrap();
    assert_eq!(place.bare.actions().len(), 2);
}

#[tokio::test]
async fn a_commit_of_a_merged_branch_is_found() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let mine = commit(1, &since, deploy(1, 1, None));
    let id = repository.commit(&mine).await.unwrap();
    // Theirs is the first parent of a merge, so that a walk along first parents misses Orbit's.
    let writer = place.writer();
    place.bare.git(&["update-ref", "refs/heads/main", &since.0]);
    writer.edit(DEPLOY_LIST, |text| format!("# theirs\n{text}"));
    let theirs = place.bare.head();
    let tree = place.bare.git(&["merge-tree", "--write-tree", &theirs, &id.0]);
    let merge = ["commit-tree", tree.trim(), "-p", &theirs, "-p", &id.0, "-m", "merge"];
    let merge = place.bare.git(&merge);
    place.bare.git(&["update-ref", "refs/heads/main", merge.trim()]);
    for repository in [repository, place.open_another("fresh")] {
        assert_eq!(repository.find(&action(1), &since).await.unwrap(), Some(id.clone()));
        assert_eq!(repository.commit(&mine).await.unwrap(), id);
    }
    assert_eq!(place.bare.head(), merge.trim());
}

#[tokio::test]
async fn a_commit_is_found_where_a_force_push_moved_it() {
    let place = Place::new();
    let repository = place.open();
    let first = read(&repository).await.commit;
    place.writer().edit(DEPLOY_LIST, |text| format!("# theirs\n{text}"));
    let since = read(&repository).await.commit;
    let mine = commit(1, &since, deploy(1, 1, None));
    repository.commit(&mine).await.unwrap();
    // Theirs is dropped from the history, and the commit of the action put upon what was before.
    let message = place.bare.git(&["log", "-1", "--format=%B", "main"]);
    let moved = ["commit-tree", "main^{tree}", "-p", &first.0, "-m", message.trim_end()];
    let moved = place.bare.git(&moved).trim().to_owned();
    place.bare.git(&["update-ref", "refs/heads/main", &moved]);
    for repository in [repository, place.open_another("fresh")] {
        assert_eq!(repository.commit(&mine).await.unwrap().0, moved);
        assert_eq!(read(&repository).await.commit.0, moved);
    }
}

#[tokio::test]
async fn a_commit_that_a_force_push_took_away_is_made_again() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let mine = commit(1, &since, deploy(1, 1, None));
    repository.commit(&mine).await.unwrap();
    place.bare.git(&["update-ref", "refs/heads/main", &since.0]);
    place.writer().edit(DEPLOY_LIST, |text| format!("# theirs\n{text}"));
    assert_eq!(read(&repository).await.deploy, []);
    let id = repository.commit(&mine).await.unwrap();
    assert_eq!(place.bare.actions(), [(action(1).to_string(), id.0)]);
    assert!(place.bare.show(DEPLOY_LIST).starts_with("# theirs\n"));
    place.bare.fsck();
}

#[tokio::test]
async fn a_branch_that_is_taken_away_is_not_made_again() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.bare.git(&["update-ref", "-d", "refs/heads/main"]);
    let mine = commit(1, &since, deploy(1, 1, None));
    let error = repository.commit(&mine).await.unwrap_err();
    assert!(error.chain().contains("main"), "{error:?}");
    assert_eq!(place.bare.git(&["for-each-ref"]), "");
    place.bare.git(&["update-ref", "refs/heads/main", &since.0]);
    repository.commit(&mine).await.unwrap();
}
