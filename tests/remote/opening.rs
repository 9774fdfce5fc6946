//! A repository that is opened, and one that is made first.

use orbit_core::port::{GitOps as _, Kind};
use orbit_gitops::{Remote, Setup};

use crate::place::{DELETE_LIST, DEPLOY_LIST, Place, setup};
use crate::sample::{check_refusal, make, read};
use crate::servers::Writer;

#[test]
fn an_empty_repository_is_not_opened_and_the_refusal_says_how_it_is_set_up() {
    let place = Place::empty();
    let refused = Remote::open(&place.settings(), &setup());
    check_refusal(refused, Kind::Rejected, &["orbit setup", "deployments.git"]);
    assert_eq!(place.bare.git(&["for-each-ref"]), "", "opening writes nothing");
}

#[tokio::test]
async fn a_repository_is_set_up_once() {
    let place = Place::empty();
    let done = Remote::set_up(&place.settings(), &setup()).unwrap();
    assert!(!done.is_empty());
    assert_eq!(place.bare.n_commits(), 1);
    assert_eq!(
        place.bare.git(&["log", "-1", "--format=%an %ae %at"]),
        "Orbit orbit@k8or.com 1737799200\n"
    );
    for list in [DEPLOY_LIST, DELETE_LIST] {
        assert!(place.bare.show(list).ends_with("\n[]\n"), "{}", place.bare.show(list));
    }
    let head = place.bare.head();
    for _ in 0..2 {
        let again = Remote::set_up(&place.settings(), &setup()).unwrap();
        assert_eq!(again, Vec::<String>::new(), "there was nothing left to do");
    }
    assert_eq!((place.bare.head(), place.bare.n_pushes()), (head, 1));
    let repository = place.open();
    make(&repository, 1).await;
    drop(repository);
    Remote::set_up(&place.settings(), &setup()).unwrap();
    assert_eq!(place.bare.n_commits(), 2);
    place.bare.fsck();
}

#[tokio::test]
async fn a_set_up_whose_answer_was_lost_is_done_once() {
    for rule in [crate::servers::Rule::LoseAnswer, crate::servers::Rule::CutPush { after: 50 }] {
        let place = Place::empty();
        place.proxy.rule(rule);
        if let Err(error) = Remote::set_up(&place.settings(), &setup()) {
            assert_eq!(error.kind(), Kind::Unavailable, "{error:?}");
            Remote::set_up(&place.settings(), &setup()).unwrap();
        }
        assert_eq!(place.proxy.seen().n_broken, 1);
        assert_eq!(place.bare.n_commits(), 1);
        make(&place.open(), 1).await;
    }
}

#[test]
fn processes_that_set_a_repository_up_together_make_one_commit() {
    let place = Place::empty();
    std::thread::scope(|scope| {
        for process in 0..4 {
            let mut settings = place.settings();
            settings.cache = place.cache(&format!("process-{process}"));
            scope.spawn(move || Remote::set_up(&settings, &setup()).unwrap());
        }
    });
    assert_eq!((place.bare.n_commits(), place.bare.n_pushes()), (1, 1));
    place.bare.fsck();
}

#[test]
fn a_repository_of_another_installation_is_refused() {
    let place = Place::new();
    let other = Setup { installation: "01OTHER".to_owned(), ..setup() };
    let words = ["01JCZXAMPLE", "01OTHER", "orbit.yaml"];
    check_refusal(Remote::set_up(&place.settings(), &other), Kind::Rejected, &words);
    check_refusal(Remote::open(&place.settings(), &other), Kind::Rejected, &words);
    assert_eq!(place.bare.n_commits(), 1);
}

#[tokio::test]
async fn a_repository_that_others_began_is_set_up_beside_what_they_have() {
    let place = Place::empty();
    place.bare.git(&["symbolic-ref", "HEAD", "refs/heads/main"]);
    let tree = place.bare.git(&["mktree", "--missing"]).trim().to_owned();
    let id = place.bare.git(&["commit-tree", &tree, "-m", "theirs"]);
    place.bare.git(&["update-ref", "refs/heads/main", id.trim()]);
    Writer::new(&place.bare)
        .push(|work| std::fs::write(work.join("README.md"), "# Ours\n").unwrap());
    check_refusal(Remote::open(&place.settings(), &setup()), Kind::Rejected, &["orbit setup"]);
    assert!(!Remote::set_up(&place.settings(), &setup()).unwrap().is_empty());
    assert_eq!(place.bare.show("README.md"), "# Ours\n");
    assert_eq!(place.bare.n_commits(), 3);
    assert_eq!(read(&place.open()).await.deploy, []);
    place.bare.fsck();
}

#[tokio::test]
async fn an_environment_that_is_new_is_set_up_and_known_to_all() {
    let place = Place::new();
    let before = place.open_another("before");
    let spec = |name: &str| orbit_core::EnvironmentSpec {
        name: name.parse().unwrap(),
        suffix: "k8r".to_owned(),
        ..setup().environments.first().clone()
    };
    let mut specs: Vec<_> = setup().environments.iter().cloned().collect();
    specs.push(spec("disaster-recovery"));
    let more = Setup { environments: orbit_core::Environments::new(specs).unwrap(), ..setup() };
    check_refusal(Remote::open(&place.settings(), &more), Kind::Rejected, &["orbit setup"]);
    assert!(!Remote::set_up(&place.settings(), &more).unwrap().is_empty());
    let repository = Remote::open(&place.settings(), &more).unwrap();
    let new = "disaster-recovery".parse().unwrap();
    assert_eq!(repository.read(&new).await.unwrap().deploy, []);
    assert_eq!(place.bare.n_commits(), 2);
    make(&before, 1).await;
}

#[test]
fn a_repository_that_is_not_there_is_refused_by_its_address() {
    let place = Place::new();
    let mut settings = place.settings();
    settings.url =
        format!("http://127.0.0.1:{}/git/nowhere.git", place.proxy.port()).parse().unwrap();
    let error = Remote::open(&settings, &setup()).unwrap_err();
    assert!(error.chain().contains("nowhere.git"), "{error:?}");
}

#[test]
fn a_branch_of_another_name_is_used() {
    let place = Place::empty();
    let other = Setup { branch: "deploy/live".to_owned(), ..setup() };
    Remote::set_up(&place.settings(), &other).unwrap();
    Remote::open(&place.settings(), &other).unwrap();
    let refs = place.bare.git(&["for-each-ref", "--format=%(refname)"]);
    assert_eq!(refs, "refs/heads/deploy/live\n");
}
