//! Orbit's own clone, which holds nothing that the server does not: it may be lost or damaged.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use orbit_core::port::GitOps as _;

use crate::child::insist;
use crate::place::{Place, setup};
use crate::sample::{action, commit, deploy, make, read};
use crate::servers::Bare;

/// Returns every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Checks that a clone which was damaged while nobody worked with it is opened and goes on.
async fn check_recovers(name: &str, damage: impl Fn(&Path)) {
    let place = Place::new();
    let since = {
        let repository = place.open();
        make(&repository, 1).await;
        make(&repository, 2).await
    };
    damage(&place.cache("cache"));
    let repository = place.try_open(&place.settings());
    let repository = repository.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(read(&repository).await.commit, since, "{name}");
    insist(&repository, &commit(3, &since, deploy(3, 3, None))).await;
    assert_eq!(repository.find(&action(3), &since).await.unwrap().unwrap().0, place.bare.head());
    assert_eq!(place.bare.actions().len(), 3, "{name}");
    place.bare.fsck();
}

/// Makes a file end early, also if nobody may write it.
fn truncate(path: &Path, n_bytes: usize) {
    let whole = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    fs::write(path, &whole[..n_bytes.min(whole.len())]).unwrap();
}

#[tokio::test]
async fn a_clone_that_is_gone_is_made_again() {
    check_recovers("gone", |cache| fs::remove_dir_all(cache).unwrap()).await;
}

#[tokio::test]
async fn a_clone_whose_objects_are_cut_short_is_made_again() {
    let cut = |n_bytes| {
        move |cache: &Path| {
            let objects = files(cache)
                .into_iter()
                .filter(|path| path.components().any(|part| part.as_os_str() == "objects"));
            objects.for_each(|path| truncate(&path, n_bytes));
        }
    };
    check_recovers("empty objects", cut(0)).await;
    check_recovers("short objects", cut(20)).await;
}

#[tokio::test]
async fn a_clone_without_its_objects_is_made_again() {
    check_recovers("no objects", |cache| {
        for path in files(cache) {
            if path.components().any(|part| part.as_os_str() == "objects") {
                fs::remove_file(path).unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_clone_with_files_of_zeros_is_made_again() {
    // What a file system may leave after a power cut: the length is right, and nothing else.
    check_recovers("zeros", |cache| {
        for path in files(cache) {
            let n_bytes = fs::metadata(&path).unwrap().len();
            fs::remove_file(&path).unwrap();
            File::create(&path).unwrap().set_len(n_bytes).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_clone_with_the_locks_of_a_killed_process_is_used() {
    check_recovers("locks", |cache| {
        let refs = files(cache)
            .into_iter()
            .filter(|path| path.components().any(|part| part.as_os_str() == "refs"));
        let locked = ["HEAD", "config", "packed-refs", "shallow", "FETCH_HEAD"];
        let locked = locked.map(|name| cache.join(name)).into_iter().chain(refs);
        for path in locked {
            let mut lock = path.into_os_string();
            lock.push(".lock");
            File::create(lock).unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_clone_that_was_begun_only_is_made_again() {
    check_recovers("begun", |cache| {
        fs::remove_dir_all(cache).unwrap();
        fs::create_dir_all(cache.join("objects")).unwrap();
        fs::write(cache.join("HEAD"), "ref: refs/heads/main\n").unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_clone_of_another_repository_is_not_mixed_with_this_one() {
    let place = Place::new();
    make(&place.open(), 1).await;
    let other = Bare::new(&place.server.root(), "other.git");
    let mut settings = place.settings();
    settings.url =
        format!("http://127.0.0.1:{}/git/other.git", place.proxy.port()).parse().unwrap();
    orbit_gitops::Remote::set_up(&settings, &setup()).unwrap();
    let repository = place.try_open(&settings).unwrap();
    assert_eq!(read(&repository).await.deploy, []);
    make(&repository, 1).await;
    assert_eq!((other.n_commits(), place.bare.n_commits()), (2, 2));
    drop(repository);
    assert_eq!(read(&place.open()).await.commit.0, place.bare.head());
    other.fsck();
}

#[tokio::test]
async fn a_clone_that_is_damaged_while_it_is_used_costs_no_commit() {
    let place = Place::new();
    let mut settings = place.settings();
    // libgit2 may read a part of an object without end; then another thread takes over.
    settings.call_timeout = Duration::from_secs(5);
    let repository = place.try_open(&settings).unwrap();
    let since = make(&repository, 1).await;
    fs::remove_dir_all(place.cache("cache")).unwrap();
    let mine = commit(2, &since, deploy(2, 2, None));
    insist(&repository, &mine).await;
    for path in files(&place.cache("cache")) {
        truncate(&path, 3);
    }
    place.writer().edit("orbit.yaml", |text| format!("{text}# by hand\n"));
    insist(&repository, &commit(3, &since, deploy(3, 3, None))).await;
    assert_eq!(place.bare.actions().len(), 3);
    place.bare.fsck();
}
