//! Making a repository and opening it again.

use std::fs;

use orbit_core::port::{GitOps as _, Kind};
use orbit_core::{EnvironmentSpec, Environments, Timestamp};
use orbit_gitops::{Identity, Setup};

use crate::place::{DELETE_LIST, DEPLOY_LIST, Place, setup};
use crate::sample::{action, check_refusal, deploy, make, read};

/// Returns the default setup with other environments.
fn with_environments(names: &[&str]) -> Setup {
    let spec = |name: &&str| EnvironmentSpec {
        name: name.parse().unwrap(),
        cluster: format!("K3s {name}"),
        namespace: (*name).to_owned(),
        suffix: (*name).to_owned(),
        image_pull_secret: None,
    };
    let environments = Environments::new(names.iter().map(spec).collect()).unwrap();
    Setup { environments, at: Timestamp::from_millis(1_738_000_000_000), ..setup() }
}

#[tokio::test]
async fn a_new_repository_has_one_commit_with_empty_lists() {
    let place = Place::new();
    let lists = read(&place.open()).await;
    assert_eq!((lists.deploy, lists.delete), (vec![], vec![]));
    assert_eq!(place.git(&["symbolic-ref", "HEAD"]), "refs/heads/main\n");
    assert_eq!(place.git(&["rev-parse", "main"]).trim(), lists.commit.0);
    let log = place.git(&["log", "--date=raw", "--format=%an <%ae> %ad %cn <%ce> %cd %s", "main"]);
    let who = "Orbit <orbit@k8or.com> 1737799200 +0000";
    assert_eq!(log, format!("{who} {who} setup: development, testing, production\n"));
    let mut expected = vec!["orbit.yaml".to_owned()];
    for environment in ["development", "production", "testing"] {
        for kind in ["delete", "deploy"] {
            let path = format!("environments/{environment}/{kind}-list.yaml");
            let text =
                format!("# Orbit {kind} list, environment {environment}. Comments are kept.\n[]\n");
            assert_eq!(place.show(&path), text);
            expected.push(path);
        }
    }
    let mut files = place.files(".");
    files.sort();
    expected.sort();
    assert_eq!(files, expected);
    place.fsck();
}

#[tokio::test]
async fn the_same_setup_makes_the_same_commit() {
    let (one, other) = (Place::new(), Place::new());
    assert_eq!(read(&one.open()).await, read(&other.open()).await);
}

#[tokio::test]
async fn processes_that_open_it_at_once_make_one_repository() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| drop(place.open()));
        }
    });
    assert_eq!(place.git(&["log", "--format=%s", "main"]).lines().count(), 1);
    let beside = fs::read_dir(place.path().parent().unwrap()).unwrap();
    let names: Vec<_> = beside.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [place.path().file_name().unwrap()]);
    place.fsck();
}

#[tokio::test]
async fn opening_a_repository_again_changes_nothing() {
    let place = Place::new();
    let head = make(&place.open(), &action(1), deploy(1, &action(1), None)).await;
    let later = Setup { at: Timestamp::from_millis(1_999_999_999_999), ..setup() };
    assert_eq!(read(&place.open_with(&later).unwrap()).await.commit, head);
}

#[tokio::test]
async fn the_branch_may_have_any_name() {
    let place = Place::new();
    let release = Setup { branch: "release/k8or".to_owned(), ..setup() };
    let repository = place.open_with(&release).unwrap();
    let head = make(&repository, &action(1), deploy(1, &action(1), None)).await;
    assert_eq!(place.git(&["symbolic-ref", "HEAD"]), "refs/heads/release/k8or\n");
    assert_eq!(place.git(&["rev-parse", "release/k8or"]).trim(), head.0);
    check_refusal(place.open_with(&setup()), Kind::Unavailable, None, "refs/heads/main is not in");
    let odd = Setup { branch: "a..b".to_owned(), ..setup() };
    check_refusal(place.open_with(&odd), Kind::Rejected, None, "cannot be the name of a branch");
}

#[tokio::test]
async fn a_creation_that_was_cut_off_is_begun_again() {
    let place = Place::new();
    let mut draft = place.path().into_os_string();
    draft.push(".new");
    fs::create_dir_all(&draft).unwrap();
    fs::write(std::path::Path::new(&draft).join("HEAD"), "").unwrap();
    fs::create_dir(place.path()).unwrap();
    read(&place.open()).await;
    assert!(!fs::exists(&draft).unwrap());
    place.fsck();
}

#[tokio::test]
async fn a_new_environment_gets_its_lists_by_a_commit() {
    let place = Place::new();
    make(&place.open(), &action(1), deploy(1, &action(1), None)).await;
    let before = place.show(DEPLOY_LIST);
    let four = with_environments(&["development", "testing", "staging", "production"]);
    let repository = place.open_with(&four).unwrap();
    let lists = repository.read(&"staging".parse().unwrap()).await.unwrap();
    assert_eq!((lists.deploy, lists.delete), (vec![], vec![]));
    assert_eq!(place.show(DEPLOY_LIST), before);
    let log = place.git(&["log", "-1", "--date=raw", "--format=%s %ad"]);
    assert_eq!(
        log,
        "setup: staging 1738000000 +0000
"
    );
    assert_eq!(place.n_commits(), 3);
    place.open_with(&four).unwrap();
    assert_eq!(place.n_commits(), 3);
}

#[test]
fn a_list_that_was_lost_is_not_made_anew_with_those_of_a_new_environment() {
    let place = Place::new();
    place.open();
    place.push(|work| fs::remove_file(work.join(DEPLOY_LIST)).unwrap());
    let four = with_environments(&["development", "testing", "staging", "production"]);
    let words = format!("{DEPLOY_LIST} is not in the repository");
    check_refusal(place.open_with(&four), Kind::Rejected, Some("list-missing"), &words);
    assert_eq!(place.n_commits(), 2);
}

#[test]
fn lists_that_were_prepared_for_a_new_environment_are_kept() {
    let place = Place::new();
    place.open();
    place.push(|work| {
        let directory = work.join("environments/staging");
        fs::create_dir(&directory).unwrap();
        fs::write(directory.join("deploy-list.yaml"), "# ours\n[]\n").unwrap();
    });
    let four = with_environments(&["development", "testing", "staging", "production"]);
    place.open_with(&four).unwrap();
    assert_eq!(place.show("environments/staging/deploy-list.yaml"), "# ours\n[]\n");
    let delete = "# Orbit delete list, environment staging. Comments are kept.\n[]\n";
    assert_eq!(place.show("environments/staging/delete-list.yaml"), delete);
}

#[test]
fn an_identity_that_would_break_a_commit_is_refused() {
    for odd in ["", " ", "a\nparent 0", "<orbit", "orbit>"] {
        let place = Place::new();
        let (name, email) = ("Orbit".to_owned(), "orbit@k8or.com".to_owned());
        let named = Identity { name: odd.to_owned(), email };
        let addressed = Identity { name, email: odd.to_owned() };
        for identity in [named, addressed] {
            let refused = place.open_with(&Setup { identity, ..setup() });
            check_refusal(refused, Kind::Rejected, None, "cannot be the name or address");
        }
        assert!(!place.path().exists());
    }
}

#[test]
fn environments_are_neither_taken_away_nor_put_in_another_order() {
    let place = Place::new();
    place.open();
    for names in [&["development", "testing"][..], &["testing", "development", "production"]] {
        let refused = place.open_with(&with_environments(names));
        check_refusal(refused, Kind::Rejected, None, "development, testing, production");
    }
    assert_eq!(place.n_commits(), 1);
}

#[test]
fn the_repository_of_another_installation_is_refused() {
    let place = Place::new();
    place.open();
    let other = Setup { installation: "01JOTHER".to_owned(), ..setup() };
    let words = "belongs to installation \"01JCZXAMPLE\", expected \"01JOTHER\"";
    check_refusal(place.open_with(&other), Kind::Rejected, None, words);
}

#[test]
fn an_orbit_file_that_cannot_be_read_is_refused_at_its_place() {
    for (from, to, words) in [
        ("schema: 1", "schema: 2", "orbit.yaml is of schema 2, expected 1"),
        ("schema: 1", "schema: one", "orbit.yaml:2:9: "),
        ("installation: ", "installation: [", "orbit.yaml:"),
        ("\"testing\"", "\"Te/sting\"", "orbit.yaml:6:5: "),
    ] {
        let place = Place::new();
        place.open();
        place.edit("orbit.yaml", |text| text.replace(from, to));
        check_refusal(place.open_with(&setup()), Kind::Rejected, None, words);
    }
}

#[test]
fn a_missing_file_is_refused_by_name() {
    for path in ["orbit.yaml", DEPLOY_LIST, DELETE_LIST, "environments/production/deploy-list.yaml"]
    {
        let place = Place::new();
        place.open();
        place.push(|work| fs::remove_file(work.join(path)).unwrap());
        let words = format!("{path} is not in the repository");
        check_refusal(place.open_with(&setup()), Kind::Rejected, Some("list-missing"), &words);
    }
}

#[test]
fn a_list_that_cannot_be_read_is_refused_at_its_place() {
    let place = Place::new();
    place.open();
    place.edit(DELETE_LIST, |text| text.replace("[]", "not: a list"));
    let refused = place.open_with(&setup());
    let words = format!("cannot work with {DELETE_LIST}: line 2");
    check_refusal(refused, Kind::Rejected, Some("list-not-editable"), &words);
}

#[test]
fn what_is_no_repository_is_refused_and_left_alone() {
    let place = Place::new();
    fs::create_dir(place.path()).unwrap();
    fs::write(place.path().join("notes"), "mine").unwrap();
    assert!(place.open_with(&setup()).is_err());
    assert_eq!(fs::read_to_string(place.path().join("notes")).unwrap(), "mine");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1);
}
