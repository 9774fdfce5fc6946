//! Of many who want the same thing at once, one gets it.
//!
//! On ministack alone: moto works on requests side by side, and a transaction that fails there puts its
//! tables back to what they were before, with everything that others wrote meanwhile.

use futures_util::future::join_all;
use orbit_core::port::{Begin, BeginKey, Begun, Kind, Lease, Owner};
use orbit_core::saga::Fact;
use orbit_core::testing::samples::{NOW, action_id, begin, entry};
use orbit_core::{Digest, Timestamp};

use super::rig::{event, failure, tables};
use crate::servers;

const N_RIVALS: u32 = 20;

#[tokio::test]
async fn of_many_begins_on_one_uid_one_is_new() {
    let log = tables(servers::ministack()).await.log();
    let begins: Vec<_> = (1..=N_RIVALS).map(|n| begin(n, 1, "a")).collect();
    let begun = join_all(begins.iter().map(|begin| log.begin(begin))).await;
    let begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    let is_new = |begun: &&Begun| matches!(begun, Begun::New(_));
    let n_new = begun.iter().filter(is_new).count();
    assert_eq!(n_new, 1, "{begun:?}");
    let winner = begun.iter().position(|begun| matches!(begun, Begun::New(_))).unwrap();
    let holder = &begins[winner].record.id;
    for begun in begun.iter().filter(|begun| !is_new(begun)) {
        assert_eq!(*begun, Begun::Busy(holder.clone()));
    }
}

#[tokio::test]
async fn of_many_requests_with_one_key_one_begins() {
    let key = BeginKey {
        scope: format!("jamesbond POST /{} key", "x".repeat(3000)),
        fingerprint: Digest::of(b"one"),
        expired_before: Timestamp::from_millis(NOW.millis() - 1000),
    };
    let log = tables(servers::ministack()).await.log();
    let keyed = |n| Begin { key: Some(key.clone()), ..begin(n, n, "a") };
    let begins: Vec<_> = (1..=N_RIVALS).map(keyed).collect();
    let begun = join_all(begins.iter().map(|begin| log.begin(begin))).await;
    let begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    let winner = begun.iter().position(|begun| matches!(begun, Begun::New(_))).unwrap();
    for (n, begun) in begun.iter().enumerate().filter(|(n, _)| *n != winner) {
        assert_eq!(*begun, Begun::Earlier(begins[winner].record.id.clone()), "begin {n}");
    }
}

#[tokio::test]
async fn of_many_appends_of_one_number_one_is_kept() {
    let log = tables(servers::ministack()).await.log();
    let begin = begin(1, 1, "a");
    log.begin(&begin).await.unwrap();
    let entries: Vec<_> = (1..=N_RIVALS)
        .map(|n| {
            let mut entry = entry(&begin.record, 1, Fact::Unchanged { earlier: action_id(n) });
            entry.events.push(event(&begin.record, 2));
            entry
        })
        .collect();
    let appends = entries.iter().map(|entry| log.append(&begin.record.id, &begin.owner, entry));
    let results = join_all(appends).await;
    let won: Vec<_> = (0..).zip(&results).filter(|(_, result)| result.is_ok()).collect();
    assert_eq!(won.len(), 1, "{results:?}");
    let lost = results.iter().filter_map(|result| result.as_ref().err());
    assert!({ lost }.all(|error| error.kind() == Kind::Conflict), "{results:?}");
    let history = log.load(&begin.record.id).await.unwrap().unwrap();
    let (winner, _): (usize, _) = won[0];
    assert_eq!(history.entries, [entries[winner].clone()]);
    assert_eq!(history.n_events, 2);
}

#[tokio::test]
async fn of_many_who_take_a_lease_over_one_gets_it() {
    let log = tables(servers::ministack()).await.log();
    let begin = begin(1, 1, "a");
    log.begin(&begin).await.unwrap();
    let (id, seen) = (&begin.record.id, Lease { owner: begin.owner.clone(), counter: 1 });
    let owners: Vec<_> = (0..N_RIVALS).map(|n| Owner(format!("rival {n}"))).collect();
    let taken = join_all(owners.iter().map(|owner| log.lease(id, &seen, owner))).await;
    let won: Vec<_> = taken.iter().filter_map(|result| result.as_ref().ok()).collect();
    assert_eq!(won.len(), 1, "{taken:?}");
    assert_eq!(log.load(id).await.unwrap().unwrap().lease, *won[0]);
    let mut lost = taken.iter().filter_map(|result| result.as_ref().err());
    assert!(lost.all(|error| error.kind() == Kind::Conflict), "{taken:?}");
}

#[tokio::test]
async fn a_lease_and_an_entry_at_once_leave_a_history_that_holds_together() {
    let log = tables(servers::ministack()).await.log();
    let begin = begin(1, 1, "a");
    log.begin(&begin).await.unwrap();
    let (id, owner) = (&begin.record.id, &begin.owner);
    for number in 1..=10 {
        let seen = log.load(id).await.unwrap().unwrap().lease;
        let entry = entry(&begin.record, number, Fact::Refused(failure(false)));
        let (renewed, appended) =
            tokio::join!(log.lease(id, &seen, owner), log.append(id, owner, &entry));
        assert_eq!(renewed.unwrap().counter, seen.counter + 1);
        appended.unwrap();
    }
    assert_eq!(log.load(id).await.unwrap().unwrap().entries.len(), 10);
}
