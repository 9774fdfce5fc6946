//! Files that are missing, cannot be read, or are edited by many at once.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};

use super::{Checkout, DELETE, DEPLOY, ENTRY, Said, silent};

fn whole(name: &str) -> Vec<String> {
    let entry = ENTRY.iter().map(|&pair| pair.to_owned());
    [format!("name={name}")].into_iter().chain(entry).collect()
}

fn add_whole(checkout: &Checkout, file: &str) -> Said {
    checkout.add(file, &whole("up").iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_list_that_is_missing_beside_another_is_a_finding_and_nothing_is_added() {
    let deletes = "file is missing, and Argo CD would delete every application";
    for (gone, there, reason) in
        [(DEPLOY, DELETE, deletes), (DELETE, DEPLOY, "file is missing, expected a list or []")]
    {
        let checkout = Checkout::new();
        fs::remove_file(checkout.path(gone)).unwrap();
        let said = checkout.orbit(&["lint", there]);
        assert_eq!(said, Said { out: format!("{gone}:1:1: {reason}\n"), ..silent(1) });
        let before = checkout.text(there);
        let said = add_whole(&checkout, there);
        assert!(said.status == 1 && said.err.contains(reason), "{said:?}");
        assert_eq!(checkout.text(there), before);
    }
    // Elsewhere there need be no other list.
    let checkout = Checkout::new();
    checkout.write("deploy-list.yaml", "[]\n");
    assert_eq!(checkout.orbit(&["lint", "deploy-list.yaml"]), silent(0));
}

#[test]
fn a_list_beside_that_cannot_be_read_or_compared_with_stops_an_edit() {
    let checkout = Checkout::new();
    checkout.write(DELETE, "- name: up\n  {\n");
    let said = checkout.orbit(&["lint", DEPLOY]);
    assert!(said.out.starts_with(&format!("{DELETE}:2:3: ")), "{said:?}");
    assert!(said.out.ends_with(&format!("; {DEPLOY} cannot be compared with it\n")), "{said:?}");
    let said = add_whole(&checkout, DEPLOY);
    assert!(said.status == 1 && said.err.starts_with(DELETE), "{said:?}");

    fs::remove_file(checkout.path(DELETE)).unwrap();
    fs::create_dir(checkout.path(DELETE)).unwrap();
    for said in [checkout.orbit(&["lint", DEPLOY]), add_whole(&checkout, DEPLOY)] {
        assert_eq!((said.status, said.out.as_str()), (2, ""), "{said:?}");
        assert!(said.err.starts_with(&format!("{DELETE}: ")), "{said:?}");
    }
}

#[test]
fn a_folder_is_where_its_path_leads_and_must_be_an_environment() {
    let checkout = Checkout::new().deployed("trolls");
    let testing = checkout.text(DEPLOY).replace("\"development\"", "\"testing\"");
    checkout.write(DEPLOY, testing);
    symlink("environments/development", checkout.path("link")).unwrap();
    fs::create_dir(checkout.path("environments/testing")).unwrap();
    for folder in ["link", "environments/testing/../development"] {
        let said = checkout.orbit(&["lint", &format!("{folder}/deploy-list.yaml")]);
        let expected = "environment is \"testing\", expected \"development\"";
        assert!(said.status == 1 && said.out.contains(expected), "{said:?}");
    }
    let folder = "environments/a_b";
    fs::rename(checkout.path("environments/development"), checkout.path(folder)).unwrap();
    let list = format!("{folder}/deploy-list.yaml");
    let reason = format!("{list}:1:1: folder a_b is no environment: ");
    assert!(checkout.orbit(&["lint", &list]).out.starts_with(&reason));
    let said = add_whole(&checkout, &list);
    assert!(said.status == 1 && said.err.contains(&reason), "{said:?}");
}

#[test]
fn of_many_edits_at_once_none_is_lost() {
    let checkout = Checkout::new();
    let start = |n: usize| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orbit"));
        command.args(["list", "add", DEPLOY]).args(whole(&format!("app-{n}")));
        command.current_dir(&checkout.0).stdout(Stdio::null()).spawn().unwrap()
    };
    let running: Vec<_> = (0..30).map(start).collect();
    for mut child in running {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(checkout.text(DEPLOY).matches("- name: ").count(), 30);
    assert_eq!(checkout.orbit(&["lint", DEPLOY]), silent(0));
    assert_eq!(fs::read_dir(checkout.path("environments/development")).unwrap().count(), 2);
}

#[test]
fn an_edit_that_was_made_is_no_failure_where_it_cannot_be_told() {
    let checkout = Checkout::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_orbit"));
    command.args(["list", "add", DEPLOY]).args(whole("up")).current_dir(&checkout.0);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = command.stdout(full).output().unwrap();
    assert!(output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("up added to {DEPLOY}, but ")), "{said}");
    assert!(checkout.text(DEPLOY).contains("\"up\""));
}

#[test]
fn what_is_no_file_is_not_edited_and_never_read_without_end() {
    let checkout = Checkout::new();
    let said = add_whole(&checkout, "/dev/zero");
    assert!(said.status == 2 && said.err.contains("is no regular file"), "{said:?}");
    let said = checkout.orbit(&["lint", "/dev/zero"]);
    let expected = "/dev/zero:1:1: list has 16777217 bytes, the limit is 16777216\n";
    assert_eq!(said, Said { out: expected.to_owned(), ..silent(1) });

    let size = 20 << 20;
    File::create(checkout.path("large.yaml")).unwrap().set_len(size).unwrap();
    let said = checkout.orbit(&["list", "show", "large.yaml"]);
    assert!(said.err.contains(&format!("list has {size} bytes")), "{said:?}");
}

#[test]
fn a_file_that_cannot_be_read_hides_nothing_of_the_others() {
    let checkout = Checkout::new();
    checkout.write("a.yaml", "- name: 1\n");
    let said = checkout.orbit(&["lint", "none.yaml", "a.yaml", "also-none.yaml"]);
    assert_eq!(said.status, 2);
    assert!(said.out.contains("a.yaml:1:9: unquoted `1`"), "{said:?}");
    assert_eq!(said.err.lines().count(), 2, "{said:?}");
}

#[test]
fn a_list_is_checked_once_by_whatever_path_and_as_what_its_link_leads_to() {
    let checkout = Checkout::new();
    checkout.write(DELETE, "- name: \"up\"\n  deletedAt: 1\n");
    symlink(checkout.path(DELETE), checkout.path("link.yaml")).unwrap();
    let said = checkout.orbit(&["lint", "link.yaml", DELETE, &format!("./{DELETE}")]);
    assert!(said.out.contains("link.yaml:1:3: entry has no deletedBy\n"), "{said:?}");
    let lines: Vec<&str> = said.out.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("link.yaml:")), "{said:?}");
    assert_eq!(lines.iter().filter(|line| line.contains("deletedBy")).count(), 1);
}
