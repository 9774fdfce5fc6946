use std::collections::BTreeMap;

use super::{Works as _, assert_fails};
use crate::intent::{Commit, CommitId, Intent};
use crate::list::{Deletion, Entry, Tombstone};
use crate::port::{GitOps, Kind};
use crate::testing::samples::{NOW, action_id, development, image};

/// Checks [`GitOps`] on a repository with empty lists.
///
/// # Panics
/// Where the contract is broken.
pub async fn git_ops(repository: &dyn GitOps) {
    let head = an_empty_repository_has_empty_lists(repository).await;
    at_most_one_commit_of_an_action_arrives(repository, &head).await;
    an_intent_finds_what_it_expects_or_nothing_changes(repository).await;
    an_entry_goes_to_the_delete_list_and_leaves_it(repository).await;
}

fn entry(n: u32, deployment: u32) -> Entry {
    let image = image(n, 1);
    Entry {
        name: image.app.clone(),
        image_uid: image.id.uid.clone(),
        image_version: image.id.version,
        image_name: "say \"no\": # {{ 1_000".to_owned(),
        environment: development(),
        image: format!("docker.io/k8or-orbit-aws/{}", image.app),
        digest: image.digest,
        namespace: "development".to_owned(),
        deployment_id: action_id(deployment).to_string(),
    }
}

fn deploy(n: u32, action: u32, replaces: Option<u32>) -> Intent {
    let file = |text: &str| format!("# {text} of {n} by {action}\n");
    Intent::Deploy {
        entry: Box::new(entry(n, action)),
        files: BTreeMap::from([
            ("kustomization.yaml".to_owned(), file("overlay")),
            ("base/deployment.yaml".to_owned(), file("base")),
        ]),
        replaces: replaces.map(|deployment| action_id(deployment).to_string()),
    }
}

fn commit(action: u32, since: &CommitId, intent: Intent) -> Commit {
    Commit {
        action: action_id(action),
        environment: development(),
        subject: format!("deploy(development): {} v0-0-01", intent.name()),
        trailers: vec![("Orbit-Action".to_owned(), action_id(action).to_string())],
        date: NOW,
        since: since.clone(),
        intent,
    }
}

async fn an_empty_repository_has_empty_lists(repository: &dyn GitOps) -> CommitId {
    let lists = repository.read(&development()).await.works("a read");
    assert_eq!((lists.deploy, lists.delete), (vec![], vec![]));
    lists.commit
}

async fn at_most_one_commit_of_an_action_arrives(repository: &dyn GitOps, head: &CommitId) {
    let first = commit(1, head, deploy(1, 1, None));
    let id = repository.commit(&first).await.works("a commit");
    let lists = repository.read(&development()).await.works("a read");
    assert_eq!((&lists.commit, &lists.deploy), (&id, &vec![entry(1, 1)]));
    assert_eq!(repository.commit(&first).await.works("the commit again"), id);
    let found = repository.find(&action_id(1), head).await.works("a search");
    assert_eq!(found.as_ref(), Some(&id));
    for (action, since) in [(2, head), (1, &id)] {
        let found = repository.find(&action_id(action), since).await.works("a search");
        assert_eq!(found, None, "action {action} after {since}");
    }
    let second = commit(2, &id, deploy(2, 2, None));
    let newer = repository.commit(&second).await.works("a commit of another action");
    let late = repository.commit(&first).await.works("the commit, late");
    assert_eq!(late, id, "a late commit is the one that arrived");
    let lists = repository.read(&development()).await.works("a read");
    assert_eq!((lists.commit, lists.deploy.len()), (newer, 2));
}

async fn an_intent_finds_what_it_expects_or_nothing_changes(repository: &dyn GitOps) {
    let before = repository.read(&development()).await.works("a read");
    for replaces in [None, Some(9)] {
        let stale = commit(3, &before.commit, deploy(1, 3, replaces));
        assert_fails(
            repository.commit(&stale).await,
            Kind::Conflict,
            "a deployment that expects another entry",
        );
    }
    assert_eq!(repository.read(&development()).await.works("a read"), before);
    let next = commit(4, &before.commit, deploy(1, 4, Some(1)));
    repository.commit(&next).await.works("a deployment that replaces the entry it saw");
    let lists = repository.read(&development()).await.works("a read");
    assert!(lists.deploy.contains(&entry(1, 4)), "the entry was not replaced: {lists:?}");
    assert_eq!(lists.deploy.len(), 2);
}

async fn an_entry_goes_to_the_delete_list_and_leaves_it(repository: &dyn GitOps) {
    let head = repository.read(&development()).await.works("a read").commit;
    let tombstone = Tombstone {
        entry: entry(1, 4),
        deletion: Deletion {
            deleted_at: NOW.rfc3339(),
            deleted_by: "jamesbond".to_owned(),
            action_id: action_id(5),
        },
    };
    let retire = Intent::Retire { tombstone: Box::new(tombstone.clone()) };
    let head = repository.commit(&commit(5, &head, retire)).await.works("a retirement");
    let lists = repository.read(&development()).await.works("a read");
    assert_eq!(lists.deploy, [entry(2, 2)]);
    assert_eq!(lists.delete, std::slice::from_ref(&tombstone));
    let clear = |left_by| Intent::Clear { name: tombstone.entry.name.clone(), left_by };
    assert_fails(
        repository.commit(&commit(6, &head, clear(action_id(9)))).await,
        Kind::Conflict,
        "a clearance of another action's tombstone",
    );
    let cleared = repository.commit(&commit(7, &head, clear(action_id(5)))).await;
    let head = cleared.works("a clearance");
    let lists = repository.read(&development()).await.works("a read");
    assert_eq!((lists.deploy.len(), lists.delete), (1, vec![]));
    let again = commit(8, &head, deploy(1, 8, None));
    repository.commit(&again).await.works("a deployment after the clearance");
    let retire = |by| Tombstone {
        entry: entry(1, 8),
        deletion: Deletion { action_id: action_id(by), ..tombstone.deletion.clone() },
    };
    let head = repository.read(&development()).await.works("a read").commit;
    let retired = Intent::Retire { tombstone: Box::new(retire(9)) };
    let head = repository.commit(&commit(9, &head, retired)).await.works("a retirement");
    let back = commit(10, &head, deploy(1, 10, None));
    repository.commit(&back).await.works("a deployment over a tombstone");
    let lists = repository.read(&development()).await.works("a read");
    assert_eq!(lists.delete, [], "a name is in at most one of the lists");
    assert!(lists.deploy.contains(&entry(1, 10)));
}
