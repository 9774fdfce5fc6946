//! Who is let in, and that nobody learns how.

use std::fs;
use std::path::Path;

use orbit_core::port::{GitOps as _, Kind};
use orbit_gitops::{Access, Remote};

use crate::place::{Place, SshPlace, setup, token};
use crate::sample::{check_refusal, commit, deploy, development, make, read};
use crate::servers::{PASSPHRASE, Rule, TOKEN, USERNAME};

const WRONG: &str = "glpat-of-somebody-else";
/// `oauth2:glpat-dont-tell-anybody`, as HTTP sends it.
const TOKEN_AS_SENT: &str = "b2F1dGgyOmdscGF0LWRvbnQtdGVsbC1hbnlib2R5";

#[tokio::test]
async fn a_wrong_token_is_refused_after_one_try() {
    let place = Place::new();
    place.proxy.take_seen();
    let settings = place.settings_of(place.proxy.port(), "other", token(WRONG));
    let refused = Remote::open(&settings, &setup());
    let port = place.proxy.port().to_string();
    check_refusal(refused, Kind::Rejected, &["deployments.git", &port, USERNAME]);
    let n_tries = place.proxy.seen().requests.iter().filter(|(_, says_who)| *says_who).count();
    assert_eq!(n_tries, 1, "{:?}", place.proxy.seen());
    let log = place.server.stop_and_read_log();
    let n_refused = log.iter().filter(|line| line.starts_with("401 ")).count();
    assert!(n_refused <= 4, "one without a token and one with it, also of the set-up: {log:?}");
}

#[tokio::test]
async fn a_token_that_is_revoked_does_not_lose_the_action_and_a_new_one_makes_its_commit() {
    let place = Place::new();
    let repository = place.open();
    let since = make(&repository, 1).await;
    place.server.let_in(WRONG);
    place.proxy.take_seen();
    let mine = commit(2, &since, deploy(2, 2, None));
    let refused = repository.commit(&mine).await;
    check_refusal(refused, Kind::Unavailable, &["deployments.git", "authentication", USERNAME]);
    assert!(place.proxy.seen().requests.len() <= 6, "{:?}", place.proxy.seen());
    let settings = place.settings_of(place.proxy.port(), "cache", token(WRONG));
    drop(repository);
    Remote::open(&settings, &setup()).unwrap().commit(&mine).await.unwrap();
    assert_eq!(place.bare.actions().len(), 2);
}

#[tokio::test]
async fn a_token_in_a_file_is_read_at_every_connection() {
    let place = Place::new();
    let token_file = &place.cache("token");
    fs::write(token_file, format!("{TOKEN}\n")).unwrap();
    let (username, file) = (USERNAME.to_owned(), token_file.clone());
    let access = Access::TokenFile { username, token_file: file };
    let settings = place.settings_of(place.proxy.port(), "cache", access);
    let repository = Remote::open(&settings, &setup()).unwrap();
    let since = make(&repository, 1).await;
    place.server.let_in(WRONG);
    let mine = commit(2, &since, deploy(2, 2, None));
    let refused = repository.commit(&mine).await;
    check_refusal(refused, Kind::Unavailable, &["deployments.git", "authentication", USERNAME]);
    for (text, expected) in [(None, "No such file"), (Some(" \n"), "it is empty")] {
        fs::remove_file(token_file).unwrap();
        text.iter().for_each(|text| fs::write(token_file, text).unwrap());
        let refused = repository.commit(&mine).await;
        check_refusal(refused, Kind::Unavailable, &["token", expected]);
        fs::write(token_file, WRONG).unwrap();
    }
    repository.commit(&mine).await.unwrap();
    assert_eq!(place.bare.actions().len(), 2);
}

#[test]
fn a_key_that_the_server_does_not_know_is_refused() {
    let place = SshPlace::new();
    let refused = Remote::open(&place.settings_of("stranger", None), &setup());
    check_refusal(refused, Kind::Rejected, &["deployments.git", "stranger"]);
}

#[test]
fn a_key_with_a_wrong_passphrase_or_none_is_refused() {
    let place = SshPlace::new();
    for passphrase in [Some("close, sesame"), None] {
        let error = Remote::open(&place.settings_of("guarded", passphrase), &setup()).unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected, "{error:?}");
        assert!(!error.chain().contains("sesame"), "{error:?}");
    }
}

#[test]
fn a_key_file_that_is_missing_is_refused_by_its_path() {
    let place = SshPlace::new();
    let refused = Remote::open(&place.settings_of("nowhere", None), &setup());
    check_refusal(refused, Kind::Rejected, &["nowhere"]);
}

#[tokio::test]
async fn a_server_that_is_not_known_is_not_talked_to() {
    let place = SshPlace::new();
    let port = place.proxy.port();
    let hosts = |name: &str, text: &str| {
        let path = place.server.root().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let of_another_port = place.server.known_hosts(place.server.port(), &["host-ed25519"]);
    let missing = place.server.root().join("nowhere");
    let (empty, odd) = (hosts("empty", ""), hosts("odd", "\u{0}not a host\n127.0.0.1\n"));
    for known in [empty, odd, of_another_port, missing] {
        let refused = Remote::open(&place.settings_knowing(known), &setup());
        check_refusal(refused, Kind::Rejected, &["127.0.0.1", &port.to_string()]);
    }
    read(&place.open()).await;
}

#[test]
fn a_server_whose_key_has_changed_is_not_talked_to() {
    let place = SshPlace::new();
    let changed = place.server.known_hosts(place.proxy.port(), &["host-other"]);
    let path = changed.display().to_string();
    let refused = Remote::open(&place.settings_knowing(changed), &setup());
    check_refusal(refused, Kind::Rejected, &["127.0.0.1", &path]);
}

#[test]
fn a_server_that_is_known_by_a_key_of_another_type_only_is_not_talked_to() {
    let place = SshPlace::new();
    let known = place.server.known_hosts(place.proxy.port(), &["host-rsa"]);
    let refused = Remote::open(&place.settings_knowing(known), &setup());
    check_refusal(refused, Kind::Rejected, &["127.0.0.1", "ssh-rsa"]);
}

/// Returns the files below a directory that hold a text.
fn holding(directory: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, text));
        } else if fs::read(&path).unwrap().windows(text.len()).any(|part| part == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Returns the arguments of this process and of those that it has started, and its variables.
fn arguments() -> String {
    let parent = format!("PPid:\t{}\n", std::process::id());
    let mut all = String::from_utf8_lossy(&fs::read("/proc/self/environ").unwrap()).into_owned();
    for process in fs::read_dir("/proc").unwrap().flatten() {
        let status = fs::read_to_string(process.path().join("status")).unwrap_or_default();
        if status.contains(&parent) || process.path().ends_with(std::process::id().to_string()) {
            let arguments = fs::read(process.path().join("cmdline")).unwrap_or_default();
            all += &String::from_utf8_lossy(&arguments);
        }
    }
    assert!(all.contains("lighttpd"), "the server is a child of this process: {all}");
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_in_no_file_argument_or_error() {
    let place = Place::new();
    let settings = place.settings();
    let repository = std::sync::Arc::new(place.open());
    let since = make(&*repository, 1).await;
    place.proxy.take_seen();
    place.proxy.rule(Rule::HoldPush);
    let pushing = {
        let (repository, mine) = (repository.clone(), commit(2, &since, deploy(2, 2, None)));
        tokio::spawn(async move { repository.commit(&mine).await })
    };
    place.proxy.wait_until_broken();
    let seen = arguments();
    place.proxy.rule(Rule::Pass);
    pushing.await.unwrap().unwrap();
    let said = [format!("{settings:?}"), format!("{repository:?}"), seen];
    place.bare.hook("pre-receive", "echo no >&2; exit 1");
    let refused = repository.commit(&commit(3, &since, deploy(3, 3, None))).await.unwrap_err();
    place.server.stop();
    let down = repository.read(&development()).await.unwrap_err();
    for said in said.into_iter().chain([format!("{refused:?}"), format!("{down:?}")]) {
        assert!(!said.contains(TOKEN) && !said.contains(TOKEN_AS_SENT), "{said}");
    }
    for text in [TOKEN, TOKEN_AS_SENT] {
        assert_eq!(holding(&place.cache("cache"), text), Vec::<String>::new());
    }
}

#[test]
fn a_passphrase_is_in_no_debug_output() {
    let place = SshPlace::new();
    let settings = place.settings_of("guarded", Some(PASSPHRASE));
    assert!(!format!("{settings:?}").contains(PASSPHRASE));
}

#[test]
fn an_address_that_holds_a_password_is_refused_without_repeating_it() {
    for url in [
        format!("http://{USERNAME}:{TOKEN}@127.0.0.1/git/deployments.git"),
        format!("https://{TOKEN}@127.0.0.1/git/deployments.git"),
    ] {
        let error = url.parse::<orbit_gitops::RemoteUrl>().unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(!said.contains(TOKEN), "{said}");
    }
}
