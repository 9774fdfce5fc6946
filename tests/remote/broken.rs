//! Connections that break, and what had arrived until then.

use std::sync::Arc;

use orbit_core::port::{GitOps as _, Kind};

use crate::child::insist;
use crate::place::{Place, SshPlace, token};
use crate::sample::{action, check_refusal, commit, deploy, development, make, read};
use crate::servers::{Rule, TOKEN};

#[tokio::test]
async fn a_push_whose_answer_is_lost_is_one_commit() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.proxy.take_seen();
    place.proxy.rule(Rule::LoseAnswer);
    let mine = commit(1, &since, deploy(1, 1, None));
    let id = insist(&repository, &mine).await;
    assert_eq!(place.proxy.seen().n_broken, 1);
    assert_eq!(place.bare.actions(), [(action(1).to_string(), id.0.clone())]);
    assert_eq!((place.bare.n_commits(), place.bare.n_pushes()), (2, 2));
    assert_eq!(insist(&repository, &mine).await, id);
    assert_eq!(place.open_another("other").commit(&mine).await.unwrap(), id);
    make(&repository, 2).await;
    assert_eq!(place.bare.n_commits(), 3);
    place.bare.fsck();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_push_whose_answer_is_lost_and_that_others_built_upon_is_one_commit() {
    let place = Place::new();
    let repository = Arc::new(place.open());
    let since = read(&*repository).await.commit;
    place.proxy.take_seen();
    place.proxy.rule(Rule::HoldAnswer);
    let committing = {
        let (repository, mine) = (Arc::clone(&repository), commit(1, &since, deploy(1, 1, None)));
        tokio::spawn(async move { insist(&repository, &mine).await })
    };
    place.proxy.wait_until_broken();
    place.writer().edit("orbit.yaml", |text| format!("{text}# by hand\n"));
    place.proxy.rule(Rule::LoseAnswer);
    let id = committing.await.unwrap();
    assert_eq!(place.bare.actions(), [(action(1).to_string(), id.0)]);
    assert_eq!(place.bare.n_commits(), 3);
    place.bare.fsck();
}

#[tokio::test]
async fn a_push_that_is_cut_anywhere_leaves_nothing_or_one_commit() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    for (n, after) in [0, 1, 20, 150, 300, 450, 600, 900, 1_200].into_iter().enumerate() {
        let n = u32::try_from(n).unwrap();
        place.proxy.take_seen();
        place.proxy.rule(Rule::CutPush { after });
        let id = insist(&repository, &commit(n, &since, deploy(n, n, None))).await;
        assert_eq!(place.proxy.seen().n_broken, 1, "no push was cut after {after} bytes");
        assert_eq!(place.bare.head(), id.0);
        assert_eq!(place.bare.actions().len(), usize::try_from(n).unwrap() + 1);
    }
    place.bare.fsck();
}

#[tokio::test]
async fn a_connection_over_ssh_that_is_cut_anywhere_leaves_nothing_or_one_commit() {
    let place = SshPlace::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.proxy.take_seen();
    make(&repository, 0).await;
    let n_bytes = place.proxy.take_seen().n_bytes_up;
    for n in 1..=8_u32 {
        let after = n_bytes / 8 * usize::try_from(n).unwrap();
        let mine = commit(n, &since, deploy(n, n, None));
        place.proxy.rule(Rule::CutAll { after });
        match repository.commit(&mine).await {
            Ok(id) => assert_eq!(place.bare.head(), id.0),
            Err(error) => assert_eq!(error.kind(), Kind::Unavailable, "{error:?}"),
        }
        place.proxy.rule(Rule::Pass);
        let id = insist(&repository, &mine).await;
        let arrived = place.bare.actions();
        assert_eq!(arrived.first(), Some(&(action(n).to_string(), id.0)));
        assert_eq!(arrived.len(), usize::try_from(n).unwrap() + 1);
    }
    assert!(place.proxy.seen().n_broken > 0, "nothing was cut");
    place.bare.fsck();
}

#[tokio::test]
async fn a_server_that_is_down_is_unavailable_until_it_is_back() {
    let place = Place::new();
    let settings = |cache| place.settings_of(place.server.port(), cache, token(TOKEN));
    let repository = place.try_open(&settings("direct")).unwrap();
    let since = make(&repository, 1).await;
    place.server.stop();
    let mine = commit(2, &since, deploy(2, 2, None));
    for _ in 0..2 {
        check_refusal(repository.commit(&mine).await, Kind::Unavailable, &["deployments.git"]);
        let found = repository.find(&action(9), &since).await;
        check_refusal(found, Kind::Unavailable, &["deployments.git"]);
        let read = repository.read(&development()).await;
        check_refusal(read, Kind::Unavailable, &["deployments.git"]);
    }
    check_refusal(place.try_open(&settings("another")), Kind::Unavailable, &["deployments.git"]);
    place.server.start_again();
    repository.commit(&mine).await.unwrap();
    assert_eq!(place.bare.actions().len(), 2);
}
