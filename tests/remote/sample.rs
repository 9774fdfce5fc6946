//! Intents and commits, each made from a number.

use std::collections::BTreeMap;

use orbit_core::intent::{Commit, CommitId, Intent};
use orbit_core::list::{Deletion, Entry, Tombstone};
use orbit_core::port::{GitOps, Kind, Lists, PortError};
use orbit_core::testing::samples::{action_id, image};
use orbit_core::{ActionId, AppName, Environment, Timestamp};

pub(crate) fn development() -> Environment {
    orbit_core::testing::samples::development()
}

/// Returns the id of action `n`.
pub(crate) fn action(n: u32) -> ActionId {
    action_id(n)
}

/// Returns the name of application `n`.
pub(crate) fn name(n: u32) -> AppName {
    image(n, 1).app
}

/// Returns the entry of application `n` in an environment, as an action deployed it.
pub(crate) fn entry_in(environment: &Environment, n: u32, by: &ActionId) -> Entry {
    let image = image(n, 1);
    Entry {
        name: image.app.clone(),
        image_uid: image.id.uid.clone(),
        image_version: image.id.version,
        image_name: "say \"no\": # {{ 1_000".to_owned(),
        environment: environment.clone(),
        image: format!("docker.io/k8or-orbit-aws/{}", image.app),
        digest: image.digest,
        namespace: environment.to_string(),
        deployment_id: by.to_string(),
    }
}

pub(crate) fn entry(n: u32, by: &ActionId) -> Entry {
    entry_in(&development(), n, by)
}

/// Returns what an entry leaves when an action takes it away.
pub(crate) fn tombstone(entry: &Entry, left_by: &ActionId) -> Tombstone {
    Tombstone {
        entry: entry.clone(),
        deletion: Deletion {
            deleted_at: "2025-01-25T10:00:00.000Z".to_owned(),
            deleted_by: "jamesbond".to_owned(),
            action_id: left_by.clone(),
        },
    }
}

/// Returns the files that an action deploys of application `n`.
pub(crate) fn files(n: u32, by: &ActionId) -> BTreeMap<String, String> {
    let text = format!("# {n} by {by}\n");
    let paths = ["kustomization.yaml", "base/deployment.yaml", "base/service.yaml"];
    paths.map(|path| (path.to_owned(), text.clone())).into()
}

/// Returns the deployment of application `n` by action `by` where another one of it is, or none.
pub(crate) fn deploy(n: u32, by: u32, replaces: Option<u32>) -> Intent {
    let id = action(by);
    Intent::Deploy {
        entry: Box::new(entry(n, &id)),
        files: files(n, &id),
        replaces: replaces.map(|by| action(by).to_string()),
    }
}

/// Returns the commit of an action that was planned at a head.
pub(crate) fn commit(by: u32, since: &CommitId, intent: Intent) -> Commit {
    commit_in(&development(), &action(by), since, intent)
}

pub(crate) fn commit_in(
    environment: &Environment,
    by: &ActionId,
    since: &CommitId,
    intent: Intent,
) -> Commit {
    Commit {
        action: by.clone(),
        environment: environment.clone(),
        subject: format!("test({environment}): {} v0-0-01", intent.name()),
        trailers: vec![
            ("Orbit-Action".to_owned(), by.to_string()),
            ("Orbit-Actor".to_owned(), "jamesbond".to_owned()),
        ],
        date: Timestamp::from_millis(1_737_800_000_999),
        since: since.clone(),
        intent,
    }
}

/// Returns the lists of the first environment.
pub(crate) async fn read(repository: &dyn GitOps) -> Lists {
    repository.read(&development()).await.unwrap()
}

/// Deploys application `n` by action `n`, planned at the present head.
pub(crate) async fn make(repository: &dyn GitOps, n: u32) -> CommitId {
    let since = read(repository).await.commit;
    repository.commit(&commit(n, &since, deploy(n, n, None))).await.unwrap()
}

/// Checks what a refusal says.
#[track_caller]
pub(crate) fn check_refusal<T>(result: Result<T, PortError>, kind: Kind, words: &[&str]) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    for words in words {
        assert!(error.chain().contains(words), "{:?} does not say {words:?}", error.chain());
    }
}
