//! Intents and commits, each made from a number.

use std::collections::BTreeMap;

use orbit_core::intent::{Commit, CommitId, Intent};
use orbit_core::list::{Deletion, Entry, Tombstone};
use orbit_core::port::{GitOps as _, Kind, Lists, PortError};
use orbit_core::{ActionId, AppName, Digest, Environment, ImageUid, ImageVersion, Timestamp};
use orbit_gitops::Repository;

pub(crate) fn development() -> Environment {
    "development".parse().unwrap()
}

pub(crate) fn action(n: u8) -> ActionId {
    ActionId::new(Timestamp::from_millis(1_737_799_200_000), [n; 10])
}

fn uid(n: u8) -> ImageUid {
    format!("{n:060}").parse().unwrap()
}

/// Returns the name of application `n`.
pub(crate) fn name(n: u8) -> AppName {
    AppName::of("Sample", &uid(n))
}

/// Returns the entry of application `n` as an action deployed it.
pub(crate) fn entry(n: u8, deployment: &ActionId) -> Entry {
    Entry {
        name: name(n),
        image_uid: uid(n),
        image_version: ImageVersion::new(0, 0, 1),
        image_name: "say \"no\": # {{ 1_000".to_owned(),
        environment: development(),
        image: format!("docker.io/k8or-orbit-aws/{}", name(n)),
        digest: Digest::of(&[n]),
        namespace: "development".to_owned(),
        deployment_id: deployment.to_string(),
    }
}

/// Returns what application `n` leaves when an action takes it away.
pub(crate) fn tombstone(n: u8, deployment: &ActionId, left_by: &ActionId) -> Tombstone {
    Tombstone {
        entry: entry(n, deployment),
        deletion: Deletion {
            deleted_at: "2025-01-25T10:00:00.000Z".to_owned(),
            deleted_by: "jamesbond".to_owned(),
            action_id: left_by.clone(),
        },
    }
}

/// Returns the files that an action deploys of application `n`.
pub(crate) fn files(n: u8, by: &ActionId) -> BTreeMap<String, String> {
    let text = format!("# {n} by {by}\n");
    let paths = ["kustomization.yaml", "base/deployment.yaml", "base/service.yaml"];
    paths.map(|path| (path.to_owned(), text.clone())).into()
}

pub(crate) fn deploy(n: u8, by: &ActionId, replaces: Option<&ActionId>) -> Intent {
    Intent::Deploy {
        entry: Box::new(entry(n, by)),
        files: files(n, by),
        replaces: replaces.map(ActionId::to_string),
    }
}

pub(crate) fn retire(n: u8, deployment: &ActionId, by: &ActionId) -> Intent {
    Intent::Retire { tombstone: Box::new(tombstone(n, deployment, by)) }
}

pub(crate) fn clear(n: u8, left_by: &ActionId) -> Intent {
    Intent::Clear { name: name(n), left_by: left_by.clone() }
}

/// Returns the commit of an action that was planned at a head.
pub(crate) fn commit(action: &ActionId, since: &CommitId, intent: Intent) -> Commit {
    Commit {
        action: action.clone(),
        environment: development(),
        subject: format!("test(development): {} v0-0-01", intent.name()),
        trailers: vec![
            ("Orbit-Action".to_owned(), action.to_string()),
            ("Orbit-Actor".to_owned(), "jamesbond".to_owned()),
        ],
        date: Timestamp::from_millis(1_737_800_000_999),
        since: since.clone(),
        intent,
    }
}

/// Returns the lists of the first environment.
pub(crate) async fn read(repository: &Repository) -> Lists {
    repository.read(&development()).await.unwrap()
}

/// Commits an intent that is planned at the present head.
pub(crate) async fn make(repository: &Repository, by: &ActionId, intent: Intent) -> CommitId {
    let since = read(repository).await.commit;
    repository.commit(&commit(by, &since, intent)).await.unwrap()
}

/// Checks what a refusal says.
pub(crate) fn check_refusal<T>(
    result: Result<T, PortError>,
    kind: Kind,
    error_type: Option<&str>,
    words: &str,
) {
    let error = result.map(drop).unwrap_err();
    assert_eq!((error.kind(), error.error_type()), (kind, error_type), "{error:?}");
    assert!(error.chain().contains(words), "{:?} does not say {words:?}", error.chain());
}
