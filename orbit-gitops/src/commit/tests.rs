use orbit_core::intent::ListTexts;
use orbit_core::list::{self, Change};
use orbit_core::{Digest, ImageVersion};

use super::*;

fn development() -> Environment {
    "development".parse().unwrap()
}

fn entry(name: &str, deployment: &str) -> Entry {
    Entry {
        name: name.parse().unwrap(),
        image_uid: "0".repeat(60).parse().unwrap(),
        image_version: ImageVersion::new(0, 0, 1),
        image_name: "Sample".to_owned(),
        environment: development(),
        image: format!("docker.io/k8or-orbit-aws/{name}"),
        digest: Digest::of(name.as_bytes()),
        namespace: "development".to_owned(),
        deployment_id: deployment.to_owned(),
    }
}

fn lists(entries: &[&Entry]) -> ReadLists {
    let changes: Vec<_> = entries.iter().copied().map(Change::put).collect();
    let deploy = list::apply("[]\n", &changes).unwrap();
    ReadLists::read(&development(), ListTexts { deploy, delete: "[]\n".to_owned() }).unwrap()
}

fn deploy(entry: &Entry) -> Intent {
    let entry = Box::new(entry.clone());
    Intent::Deploy { entry, files: [].into(), replaces: None }
}

#[test]
fn an_edit_that_does_what_was_asked_passes() {
    let (a, b) = (entry("a", "1"), entry("b", "1"));
    let asked = check(&development(), &deploy(&b), &lists(&[&a]), &lists(&[&a, &b]));
    asked.unwrap();
}

#[test]
fn an_edit_that_removes_or_changes_another_entry_is_refused() {
    let (a, b, c) = (entry("a", "1"), entry("b", "1"), entry("c", "1"));
    let before = lists(&[&a, &b]);
    for after in [
        lists(&[&a, &c]),
        lists(&[&c]),
        lists(&[]),
        lists(&[&a, &entry("b", "2"), &c]),
        lists(&[&a, &b, &c, &entry("d", "1")]),
    ] {
        let refused = check(&development(), &deploy(&c), &before, &after);
        assert!(matches!(refused, Err(Fault::Unasked { .. })), "{refused:?}");
    }
}

#[test]
fn an_edit_that_does_not_make_its_own_change_is_refused() {
    let (a, b) = (entry("a", "1"), entry("b", "1"));
    let before = lists(&[&a]);
    for after in [lists(&[&a]), lists(&[&a, &entry("b", "2")])] {
        let refused = check(&development(), &deploy(&b), &before, &after);
        assert!(matches!(refused, Err(Fault::Unasked { .. })), "{refused:?}");
    }
}
