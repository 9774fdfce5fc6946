//! The embedded adapters keep the contracts of their ports, as the world in memory does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use orbit_core::Environments;
use orbit_core::testing::{conformance, samples};
use orbit_gitops::{Identity, Repository, Setup};
use orbit_store::Embedded;
use tempfile::TempDir;

/// Opens the stores of a new data directory, which is removed with the first of the two.
async fn stores() -> (TempDir, Embedded) {
    let folder = tempfile::tempdir().unwrap();
    let stores = Embedded::open(folder.path(), &Environments::default()).await.unwrap();
    (folder, stores)
}

#[tokio::test]
async fn images_in_a_directory_keep_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::image_store(stores.images().as_ref()).await;
}

#[tokio::test]
async fn charts_in_sqlite_keep_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::chart_store(stores.charts().as_ref()).await;
}

#[tokio::test]
async fn the_catalog_in_sqlite_keeps_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::catalog(stores.catalog().as_ref()).await;
}

#[tokio::test]
async fn the_search_in_sqlite_keeps_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::search(stores.catalog().as_ref()).await;
}

#[tokio::test]
async fn records_in_sqlite_keep_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::records(stores.records().as_ref()).await;
}

#[tokio::test]
async fn the_log_in_sqlite_keeps_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::event_log(stores.log().as_ref()).await;
}

#[tokio::test]
async fn the_audit_in_sqlite_keeps_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::audit(stores.log().as_ref(), stores.audit().as_ref()).await;
}

#[tokio::test]
async fn the_registry_in_a_directory_keeps_the_contract() {
    let (folder, stores) = stores().await;
    let pulled = |repository: &str, tag: &str| {
        let index = std::fs::read(folder.path().join("registry/index.json")).ok()?;
        let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
        let name = format!("{repository}:{tag}");
        let manifests = index["manifests"].as_array().unwrap();
        let is_tag = |manifest: &&serde_json::Value| {
            manifest["annotations"]["org.opencontainers.image.ref.name"] == name
        };
        manifests
            .iter()
            .find(is_tag)
            .map(|manifest| manifest["digest"].as_str().unwrap().parse().unwrap())
    };
    conformance::registry(stores.registry().as_ref(), &pulled).await;
}

#[tokio::test]
async fn the_repository_on_disk_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        branch: "main".to_owned(),
        environments: Environments::default(),
        installation: "a-test".to_owned(),
        identity: Identity { name: "Orbit".to_owned(), email: "orbit@localhost".to_owned() },
        at: samples::NOW,
    };
    let repository = Repository::open(&folder.path().join("repository.git"), &setup).unwrap();
    conformance::git_ops(&repository).await;
}

#[tokio::test]
async fn the_own_scanner_keeps_the_contract() {
    let (_folder, stores) = stores().await;
    conformance::scanner(stores.scanner().as_ref()).await;
}
