//! The contract of the port, over every protocol.

use orbit_core::testing::conformance;
use orbit_gitops::{Access, Remote};

use crate::place::{Place, SshPlace, setup};
use crate::servers::PASSPHRASE;

#[tokio::test]
async fn the_contract_is_kept_over_http() {
    let place = Place::new();
    conformance::git_ops(&place.open()).await;
    place.bare.fsck();
}

#[tokio::test]
async fn the_contract_is_kept_over_ssh() {
    let place = SshPlace::new();
    conformance::git_ops(&place.open()).await;
    place.bare.fsck();
}

#[tokio::test]
async fn the_contract_is_kept_without_authentication() {
    let place = Place::new();
    let url = format!("http://127.0.0.1:{}/open/deployments.git", place.proxy.port());
    let mut settings = place.settings_of(place.proxy.port(), "open", Access::Open);
    settings.url = url.parse().unwrap();
    conformance::git_ops(&Remote::open(&settings, &setup()).unwrap()).await;
    place.bare.fsck();
}

#[tokio::test]
async fn the_contract_is_kept_where_git_packs_the_server_and_every_push_is_a_commit() {
    let place = Place::new();
    place.bare.hook("post-receive", "git gc --quiet --prune=now");
    let mut settings = place.settings();
    settings.commits_per_push = 1;
    conformance::git_ops(&Remote::open(&settings, &setup()).unwrap()).await;
    place.bare.fsck();
}

#[tokio::test]
async fn a_key_with_a_passphrase_and_one_of_another_kind_are_used() {
    let place = SshPlace::new();
    for (key, passphrase) in [("guarded", Some(PASSPHRASE)), ("rsa", None)] {
        let remote = Remote::open(&place.settings_of(key, passphrase), &setup()).unwrap();
        crate::sample::read(&remote).await;
    }
}

#[test]
fn a_server_is_known_by_its_keys_under_a_plain_and_a_hashed_name() {
    let place = SshPlace::new();
    let all = ["host-rsa", "host-ecdsa", "host-ed25519"];
    let hosts = place.server.known_hosts(place.proxy.port(), &all);
    let open = |name: &str| {
        let remote = Remote::open(&place.settings_knowing(hosts.clone()), &setup());
        remote.unwrap_or_else(|error| panic!("{name}: {error:?}"))
    };
    drop(open("plain"));
    place.server.hash(&hosts);
    drop(open("hashed"));
}
