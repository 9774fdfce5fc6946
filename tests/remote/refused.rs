//! What a server refuses, for good and for now, by its own hooks.

use std::sync::Arc;

use orbit_core::port::{GitOps as _, Kind};
use tokio::task::JoinSet;

use crate::place::{Place, SshPlace};
use crate::sample::{action, check_refusal, commit, deploy, make, read};

/// What GitLab's own hook prints.
const PROTECTED: &str =
    "GitLab: You are not allowed to push code to protected branches on this project.";

#[tokio::test]
async fn a_protected_branch_is_refused_for_good_with_what_the_server_says() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.bare.hook("pre-receive", &format!("echo '{PROTECTED}' >&2; exit 1"));
    place.proxy.take_seen();
    let mine = commit(1, &since, deploy(1, 1, None));
    let refused = repository.commit(&mine).await;
    check_refusal(refused, Kind::Rejected, &[PROTECTED, "main", "pre-receive hook declined"]);
    assert_eq!(place.proxy.seen().n_pushes(), 1, "a refusal for good is not tried again");
    assert_eq!((place.bare.n_commits(), place.bare.n_pushes()), (1, 1));
    place.bare.remove_hook("pre-receive");
    repository.commit(&mine).await.unwrap();
    assert_eq!(place.bare.n_commits(), 2);
}

#[tokio::test]
async fn a_refusal_over_ssh_says_what_the_server_says() {
    let place = SshPlace::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.bare.hook("pre-receive", &format!("echo '{PROTECTED}' >&2; exit 1"));
    let refused = repository.commit(&commit(1, &since, deploy(1, 1, None))).await;
    check_refusal(refused, Kind::Rejected, &[PROTECTED, "main", "pre-receive hook declined"]);
    assert_eq!(place.bare.n_commits(), 1);
}

#[tokio::test]
async fn a_policy_that_refuses_the_branch_is_refused_for_good() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.bare.hook("update", "echo \"policy: $1 needs a ticket\" >&2; exit 1");
    let refused = repository.commit(&commit(1, &since, deploy(1, 1, None))).await;
    let words = ["policy: refs/heads/main needs a ticket", "hook declined"];
    check_refusal(refused, Kind::Rejected, &words);
    assert_eq!(place.bare.n_commits(), 1);
}

#[tokio::test]
async fn what_a_server_says_is_shown_short_and_without_control_characters() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let script = "printf '\\033[31mred\\033[0m \\007bell\\n' >&2\n\
                  i=0; while [ $i -lt 3000 ]; do echo 'the same again and again' >&2; i=$((i+1)); done\n\
                  exit 1";
    place.bare.hook("pre-receive", script);
    let refused = repository.commit(&commit(1, &since, deploy(1, 1, None))).await;
    let said = refused.unwrap_err().chain();
    assert!(said.contains("red") && said.contains("hook declined"), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains('\u{7}'), "{said:?}");
    assert!(said.len() < 8_000, "{} bytes: {said:.100}", said.len());
}

#[tokio::test]
async fn a_batch_that_is_refused_is_refused_for_each_and_nothing_arrives() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let since = read(&*repository).await.commit;
    place.bare.hook("pre-receive", &format!("echo '{PROTECTED}' >&2; exit 1"));
    let mut answers = JoinSet::new();
    for n in 0..10 {
        let (repository, mine) = (Arc::clone(&repository), commit(n, &since, deploy(n, n, None)));
        answers.spawn(async move { repository.commit(&mine).await });
    }
    for answer in answers.join_all().await {
        check_refusal(answer, Kind::Rejected, &[PROTECTED]);
    }
    assert_eq!(place.bare.n_commits(), 1);
    place.bare.remove_hook("pre-receive");
    make(&*repository, 1).await;
}

/// A hook in which another writer is faster once: it moves the branch after the server has taken the
/// push and before it moves the branch itself.
const RACE: &str = "test -e raced && exit 0\n\
                    touch raced\n\
                    theirs=$(git commit-tree \"$2^{tree}\" -p \"$2\" -m theirs)\n\
                    git update-ref refs/heads/main \"$theirs\" \"$2\"";

#[tokio::test]
async fn a_push_that_loses_a_race_on_the_server_is_made_again() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let race = RACE.replace("git commit-tree", "git -c user.name=J -c user.email=j@x commit-tree");
    place.bare.hook("update", &race);
    let id = repository.commit(&commit(1, &since, deploy(1, 1, None))).await.unwrap();
    assert!(place.bare.path().join("raced").exists());
    assert_eq!(place.bare.actions(), [(action(1).to_string(), id.0)]);
    assert_eq!(place.bare.n_commits(), 3);
    place.bare.fsck();
}

/// Returns a line of git's protocol, as `printf` takes it; its last character is one escape.
fn packet(line: &str) -> String {
    let (text, _escape) = line.rsplit_once('\\').unwrap();
    format!("{:04x}{line}", 4 + text.len() + 1)
}

#[tokio::test]
async fn a_push_that_gitlab_answers_with_an_incorrect_old_value_is_made_again() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.bare.git(&["config", "receive.procReceiveRefs", "refs/heads/"]);
    // The first push is answered as GitLab does that lost a race, the next ones are taken.
    let version = packet("version=1\\000") + "0000";
    let refused = packet("ng refs/heads/main incorrect old value provided\\n");
    let taken = packet("ok refs/heads/main\\n") + &packet("option fall-through\\n");
    let hook = format!(
        "printf '{version}'\n\
         if test -e answered; then printf '{taken}0000'; else printf '{refused}0000'; fi\n\
         touch answered; cat >/dev/null"
    );
    place.bare.hook("proc-receive", &hook);
    place.proxy.take_seen();
    let id = repository.commit(&commit(1, &since, deploy(1, 1, None))).await.unwrap();
    assert_eq!(place.proxy.seen().n_pushes(), 2);
    assert_eq!(place.bare.actions(), [(action(1).to_string(), id.0)]);
    assert_eq!(place.bare.n_commits(), 2);
}
