//! What may lie in a repository, or stand in a plan, to make Orbit read or write elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use orbit_core::intent::Intent;
use orbit_core::port::{GitOps as _, Kind};

use crate::place::{DELETE_LIST, DEPLOY_LIST, Place, git};
use crate::sample::{
    action, check_refusal, clear, commit, deploy, development, make, name, read, retire,
};

const NOT_EDITABLE: Option<&str> = Some("list-not-editable");

/// Puts something else where a file or directory of the work tree is.
fn replace(path: &Path, put: impl FnOnce(&Path)) {
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        fs::remove_file(path).unwrap();
    }
    put(path);
}

/// Makes a repository of its own, which git records as a submodule.
fn nested(path: &Path) {
    fs::create_dir(path).unwrap();
    git(path, &["init", "--quiet", "--initial-branch=main"]);
    git(path, &["commit", "--quiet", "--allow-empty", "--message", "nested"]);
}

/// Checks that neither reading nor committing goes past what a foreign writer put.
async fn check_refused(put: impl FnOnce(&Path), words: &str) {
    let place = Place::new();
    let repository = place.open();
    let since = make(&repository, &action(1), deploy(1, &action(1), None)).await;
    place.push(put);
    let (kind, error_type) = (Kind::Rejected, NOT_EDITABLE);
    check_refusal(repository.read(&development()).await, kind, error_type, words);
    let mine = commit(&action(2), &since, deploy(2, &action(2), None));
    check_refusal(repository.commit(&mine).await, kind, error_type, words);
    assert_eq!(place.n_commits(), 3);
}

#[tokio::test]
async fn a_list_that_is_a_symbolic_link_is_refused() {
    for list in [DEPLOY_LIST, DELETE_LIST] {
        let put = |work: &Path| {
            replace(&work.join(list), |path| symlink("../../orbit.yaml", path).unwrap());
        };
        check_refused(put, &format!("{list} is a symbolic link, expected a regular file")).await;
    }
}

#[tokio::test]
async fn a_directory_that_is_a_symbolic_link_is_not_followed() {
    let put = |work: &Path| {
        fs::rename(work.join("environments/development"), work.join("elsewhere")).unwrap();
        symlink("../elsewhere", work.join("environments/development")).unwrap();
    };
    let words = "environments/development is a symbolic link, expected a directory";
    check_refused(put, words).await;
}

#[tokio::test]
async fn a_list_that_is_a_submodule_is_refused() {
    let put = |work: &Path| replace(&work.join(DEPLOY_LIST), nested);
    check_refused(put, &format!("{DEPLOY_LIST} is a submodule, expected a regular file")).await;
}

#[tokio::test]
async fn a_list_that_is_not_utf8_is_refused() {
    let put = |work: &Path| fs::write(work.join(DEPLOY_LIST), b"# a\n# \xff\n[]\n").unwrap();
    check_refused(put, &format!("{DEPLOY_LIST}:2:3: not UTF-8")).await;
}

#[tokio::test]
async fn a_list_that_was_deleted_is_not_taken_for_an_empty_one() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    place.push(|work| fs::remove_file(work.join(DEPLOY_LIST)).unwrap());
    let mine = commit(&action(1), &since, deploy(1, &action(1), None));
    let words = format!("{DEPLOY_LIST} is not in the repository");
    let (kind, error_type) = (Kind::Rejected, Some("list-missing"));
    check_refusal(repository.commit(&mine).await, kind, error_type, &words);
    check_refusal(repository.read(&development()).await, kind, error_type, &words);
}

#[tokio::test]
async fn an_environment_without_lists_is_refused() {
    let place = Place::new();
    let refused = place.open().read(&"staging".parse().unwrap()).await;
    let words = "environments/staging/deploy-list.yaml is not in the repository";
    check_refusal(refused, Kind::Rejected, Some("list-missing"), words);
}

#[tokio::test]
async fn an_application_whose_directory_is_something_else_is_refused() {
    let apps = "environments/development/apps".to_owned();
    let app = format!("{apps}/{}", name(1));
    for (path, is_link) in [(&apps, true), (&app, true), (&app, false)] {
        let place = Place::new();
        let repository = place.open();
        let since = make(&repository, &action(1), deploy(1, &action(1), None)).await;
        place.push(|work| {
            let put = |at: &Path| if is_link { symlink("/etc", at).unwrap() } else { nested(at) };
            // As long as git knows of files in a directory, it takes it for no submodule.
            git(work, &["rm", "-r", "--quiet", "--cached", path]);
            replace(&work.join(path), put);
        });
        let found = if is_link { "a symbolic link" } else { "a submodule" };
        let words = format!("{path} is {found}, expected a directory");
        let again = deploy(1, &action(2), Some(&action(1)));
        let refused = repository.commit(&commit(&action(2), &since, again)).await;
        check_refusal(refused, Kind::Rejected, NOT_EDITABLE, &words);
        // The entry still can be taken away: that touches nothing but the lists.
        make(&repository, &action(3), retire(1, &action(1), &action(3))).await;
        let refused = repository.commit(&commit(&action(4), &since, clear(1, &action(3)))).await;
        check_refusal(refused, Kind::Rejected, NOT_EDITABLE, &words);
    }
}

#[tokio::test]
async fn a_plan_cannot_write_outside_of_the_directory() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    for path in [
        "../../deploy-list.yaml",
        "/etc/passwd",
        "base/../../a.yaml",
        ".git/hooks/post-update",
        ".GIT/config",
        "base/.Git/config",
        "",
        "base//a.yaml",
        "base\\..\\a.yaml",
    ] {
        let mut hostile = deploy(1, &action(1), None);
        if let Intent::Deploy { files, .. } = &mut hostile {
            files.insert(path.to_owned(), "hostile\n".to_owned());
        }
        let refused = repository.commit(&commit(&action(1), &since, hostile)).await;
        check_refusal(refused, Kind::Rejected, None, &format!("{path:?} cannot be a file"));
    }
    assert_eq!(read(&repository).await.commit, since);
}

#[tokio::test]
async fn a_deployment_without_files_is_refused() {
    let place = Place::new();
    let repository = place.open();
    let since = read(&repository).await.commit;
    let mut bare = deploy(1, &action(1), None);
    if let Intent::Deploy { files, .. } = &mut bare {
        files.clear();
    }
    let refused = repository.commit(&commit(&action(1), &since, bare)).await;
    check_refusal(refused, Kind::Rejected, None, "has no files");
}
