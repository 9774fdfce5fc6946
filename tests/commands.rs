//! `orbit lint` and `orbit list`, as a pipeline and a person run them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "commands/entries.rs"]
mod entries;
#[path = "commands/files.rs"]
mod files;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

const ENTRY: [&str; 8] = [
    "imageUID=Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5",
    "imageVersion=v0-0-01",
    "imageName=Trolls: \"World\" Tour",
    "environment=development",
    "image=docker.io/k8or-orbit-aws/trolls",
    "digest=sha256:0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f",
    "namespace=development",
    "deploymentId=01JJDEPL0YMENT000000000001",
];
const DEPLOY: &str = "environments/development/deploy-list.yaml";
const DELETE: &str = "environments/development/delete-list.yaml";

/// What a command said, and its exit status.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    status: i32,
    out: String,
    err: String,
}

/// A checkout with two empty lists.
struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(checkout.path(DEPLOY).parent().unwrap()).unwrap();
        checkout.write(DEPLOY, "# head\r\n\r\n[]\r\n");
        checkout.write(DELETE, "[]\n");
        checkout
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn write(&self, file: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(file), text).unwrap();
    }

    fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap()
    }

    fn orbit(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orbit"));
        let output = command.args(arguments).current_dir(&self.0).output().unwrap();
        Said {
            status: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn add(&self, file: &str, pairs: &[&str]) -> Said {
        self.orbit(&[&["list", "add", file], pairs].concat())
    }

    /// Puts an application into the deploy list, which is known to work.
    fn deployed(self, name: &str) -> Self {
        let name = format!("name={name}");
        let said = self.add(DEPLOY, &[&[name.as_str()], &ENTRY[..]].concat());
        assert_eq!(said.status, 0, "{said:?}");
        self
    }
}

fn silent(status: i32) -> Said {
    Said { status, out: String::new(), err: String::new() }
}

#[test]
fn an_entry_is_added_changed_and_removed_and_every_other_byte_stays() {
    let checkout = Checkout::new().deployed("trolls");
    let text = checkout.text(DEPLOY);
    assert!(text.starts_with("# head\r\n\r\n- name: \"trolls\"\r\n  imageUID: "), "{text}");
    assert_eq!(checkout.orbit(&["lint", DEPLOY, DELETE]), silent(0));

    let said = checkout.add(DEPLOY, &["name=trolls", "imageVersion=v0-0-02", "team=film"]);
    assert_eq!(said.out, format!("trolls changed in {DEPLOY}\n"));
    let changed = text.replace("v0-0-01", "v0-0-02") + "  team: \"film\"\r\n";
    assert_eq!(checkout.text(DEPLOY), changed);

    let said = checkout.orbit(&["list", "remove", DEPLOY, "trolls"]);
    assert_eq!(said.out, format!("trolls removed from {DEPLOY}\n"));
    assert_eq!(checkout.text(DEPLOY), "# head\r\n\r\n[]\r\n");
}

#[test]
fn an_entry_that_would_be_wrong_is_not_added() {
    let checkout = Checkout::new();
    let before = checkout.text(DEPLOY);
    let refused = |pairs: &[&str], reason: &str| {
        let said = checkout.add(DEPLOY, pairs);
        assert_eq!((said.status, said.out.as_str()), (1, ""), "{said:?}");
        assert!(said.err.contains(reason), "{said:?}");
        assert_eq!(checkout.text(DEPLOY), before);
    };
    refused(&["name=trolls"], &format!("{DEPLOY}:3:3: entry has no imageUID\n"));
    let mut elsewhere = ["name=trolls"].into_iter().chain(ENTRY).collect::<Vec<_>>();
    elsewhere[4] = "environment=testing";
    let place = "deploy-list.yaml:7:16: environment is \"testing\", expected \"development\"\n";
    refused(&elsewhere, place);
    refused(&["team=film"], "no name is given");
    refused(&["name=a", "path=b"], "path: key path is overwritten by Argo CD");
    refused(&["name=a", "name=b"], "name: key name stands twice");
    refused(&["name=-"], "name: application name may not hold '-'");
}

#[test]
fn a_name_in_the_other_list_is_not_added() {
    let checkout = Checkout::new().deployed("trolls");
    fs::rename(checkout.path(DEPLOY), checkout.path(DELETE)).unwrap();
    checkout.write(DEPLOY, "[]\n");
    let said = checkout.add(DEPLOY, &[&["name=trolls"], &ENTRY[..]].concat());
    assert_eq!(said.status, 1);
    assert!(said.err.contains("trolls is also in"), "{said:?}");
    assert_eq!(checkout.text(DEPLOY), "[]\n");
}

#[test]
fn a_name_that_is_not_listed_is_not_removed_and_neither_are_those_beside_it() {
    let checkout = Checkout::new().deployed("trolls");
    let before = checkout.text(DEPLOY);
    let said = checkout.orbit(&["list", "remove", DEPLOY, "trolls", "up"]);
    let err = format!("{DEPLOY}: no entry has the name up\n");
    assert_eq!(said, Said { err, ..silent(1) });
    assert_eq!(checkout.text(DEPLOY), before);
}

#[test]
fn an_edit_keeps_the_files_mode_and_a_link_to_it() {
    let checkout = Checkout::new();
    let (target, link) = (checkout.path(DEPLOY), checkout.path("link.yaml"));
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let said = checkout.add("link.yaml", &[&["name=trolls"], &ENTRY[..]].concat());
    assert_eq!(said.status, 0, "{said:?}");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(fs::read_dir(target.parent().unwrap()).unwrap().count(), 2);
}

#[test]
fn lint_tells_every_finding_with_its_place() {
    let checkout = Checkout::new().deployed("trolls");
    checkout.write(DEPLOY, checkout.text(DEPLOY).replace("\"v0-0-01\"", "1.20"));
    checkout.write(DELETE, "- name: \"trolls\"\n");
    let said = checkout.orbit(&["lint", DEPLOY, DELETE]);
    let lines: Vec<&str> = said.out.lines().collect();
    let number =
        format!("{DEPLOY}:5:17: unquoted `1.20` is read as a number, expected a string: quote it");
    assert_eq!((said.status, lines[0], said.err.as_str()), (1, number.as_str(), ""));
    assert!(lines.contains(&format!("{DELETE}:1:3: entry has no imageUID").as_str()), "{lines:?}");
    let both = format!("{DELETE}:1:9: trolls is also in {DEPLOY}, line 3");
    assert!(lines.contains(&both.as_str()), "{lines:?}");

    // What is wrong with a list that nobody asked about is told only where it meets one.
    let said = checkout.orbit(&["lint", DEPLOY]);
    assert_eq!(said.out, format!("{number}\n{both}\n"));
}

#[test]
fn the_environment_of_a_list_is_its_paths_or_the_one_that_is_named_or_that_of_its_first_entry() {
    let checkout = Checkout::new().deployed("trolls");
    assert_eq!(checkout.orbit(&["lint", DEPLOY]), silent(0));
    let testing = checkout.orbit(&["lint", "--environment", "testing", DEPLOY]);
    assert_eq!(testing.status, 1);
    let second = checkout.text(DEPLOY).replace("trolls", "up").replace("development", "testing");
    let (_, second) = second.split_once("\r\n\r\n").unwrap();
    checkout.write("any.yaml", checkout.text(DEPLOY) + second);
    let said = checkout.orbit(&["lint", "any.yaml"]);
    let expected = "any.yaml:16:16: environment is \"testing\", expected \"development\"\n";
    assert_eq!((said.status, said.out.as_str()), (1, expected));
}

#[test]
fn a_list_is_shown_as_read_and_a_refused_one_shows_nothing() {
    let checkout = Checkout::new();
    checkout.write("any.yaml", "- team: 'it''s'\n  name: a # one\n  x y: \"\\u00e9\"\n- name: b\n");
    let said = checkout.orbit(&["list", "show", "--json", "any.yaml"]);
    let compact: String = said.out.split('\n').map(str::trim_start).collect();
    let expected = r#"[{"team": "it's","name": "a","x y": "é"},{"name": "b"}]"#;
    assert_eq!((said.status, compact.as_str()), (0, expected));

    for (text, place) in
        [(&b"- name: on\n"[..], "1:9: unquoted `on`"), (b"- name: \xff\n", "1:9: ")]
    {
        checkout.write("any.yaml", text);
        for arguments in
            [&["list", "show", "any.yaml"][..], &["list", "show", "--json", "any.yaml"]]
        {
            let said = checkout.orbit(arguments);
            assert_eq!((said.status, said.out.as_str()), (1, ""));
            assert!(said.err.starts_with(&format!("any.yaml:{place}")), "{said:?}");
        }
    }
}

#[test]
fn a_table_moves_no_cursor_and_names_what_is_missing() {
    let checkout = Checkout::new();
    checkout
        .write("any.yaml", "- name: a\n  imageName: \"\\e[2J\\u202E\"\n- name: long\n  team: x\n");
    let said = checkout.orbit(&["list", "show", "any.yaml"]);
    assert_eq!(said.out, "name  imageName\na     \\u{1b}[2J\\u{202e}\nlong  -\n");
    assert_eq!(checkout.orbit(&["list", "show", DEPLOY]).out, "no entries\n");
}

#[test]
fn a_file_that_is_not_there_is_no_finding() {
    let checkout = Checkout::new();
    for arguments in [&["lint", "none.yaml"][..], &["list", "show", "none.yaml"]] {
        let said = checkout.orbit(arguments);
        assert_eq!((said.status, said.out.as_str()), (2, ""));
        assert!(said.err.starts_with("none.yaml: No such file"), "{said:?}");
    }
}
