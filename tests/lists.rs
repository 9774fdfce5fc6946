//! The lists, case by case; `UPDATE=1` rewrites what the cases expect.
//!
//! * `fixtures/lists/edit/<case>/`: `before.yaml` and `change.json` make `after.yaml` or `refusal.txt`
//! * `fixtures/lists/read/<case>.yaml` is read as `<case>.json`, or refused as in `<case>.txt`
//! * `fixtures/lists/check/<case>/`: `deploy-list.yaml` and `delete-list.yaml` make `findings.txt`
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "lists/oracle.rs"]
mod oracle;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use orbit_core::list::{self, Change, Document, Entry, Tombstone};
use serde_json::Value;

type Items = Vec<BTreeMap<String, String>>;

#[test]
fn every_edit_makes_the_expected_file_and_made_again_changes_nothing() {
    for case in cases("edit", 55) {
        let before = fs::read(case.join("before.yaml")).unwrap();
        let changes = changes(&fs::read_to_string(case.join("change.json")).unwrap());
        let after = Document::read(&before).and_then(|list| list.apply(&changes));
        if let Ok(after) = &after {
            assert_eq!(list::apply(after, &changes).as_ref(), Ok(after), "{}", case.display());
        }
        let refusal = after.as_ref().err().map(|error| error.in_file("before.yaml") + "\n");
        expect(&case.join("after.yaml"), after.ok());
        expect(&case.join("refusal.txt"), refusal);
    }
}

#[test]
fn every_list_is_read_as_expected_or_refused_with_its_place() {
    for path in cases("read", 60).iter().filter(|path| path.extension().unwrap() == "yaml") {
        let bytes = fs::read(path).unwrap();
        let read = Document::read(&bytes);
        let json = |list| serde_json::to_string_pretty::<Document<'_>>(&list).unwrap() + "\n";
        let name = path.file_name().unwrap().to_str().unwrap();
        let refusal = read.as_ref().err().map(|error| error.in_file(name) + "\n");
        expect(&path.with_extension("json"), read.ok().map(json));
        expect(&path.with_extension("txt"), refusal);
    }
}

#[test]
fn every_fault_of_both_lists_is_found() {
    for case in cases("check", 5) {
        let list = |name| fs::read_to_string(case.join(name)).unwrap();
        let (deploy, delete) = (list("deploy-list.yaml"), list("delete-list.yaml"));
        let found = list::check(&deploy, &delete, Some(&"development".parse().unwrap()));
        let lines = found.err().unwrap_or_default().into_iter();
        let text = lines.map(|finding| finding.error.in_file(&finding.file.to_string()) + "\n");
        expect(&case.join("findings.txt"), Some(text.collect()));
    }
}

/// Where Argo CD's readings were recorded, beside the repository, Orbit reads the same or refuses.
#[test]
fn no_list_is_read_otherwise_than_argo_cd_reads_it() {
    let Ok(folder) = fs::read_dir(root().join("../shared/argocd/list-reading")) else {
        // The cases in `read` were made from it, and are enough where it is not there.
        assert!(root().join("fixtures/lists/read").is_dir());
        return;
    };
    let paths = folder.map(|file| file.unwrap().path());
    let mut n_read = 0;
    for path in paths.filter(|path| path.extension().unwrap() == "yaml") {
        if let Ok(list) = Document::read(&fs::read(&path).unwrap()) {
            let recorded = fs::read_to_string(path.with_extension("json")).unwrap();
            let recorded: Items = serde_json::from_str(&recorded).unwrap();
            assert_eq!(items(&list), recorded, "{}", path.display());
            n_read += 1;
        }
    }
    // The others are outside of the dialect, or mean something else than strings to Argo CD.
    assert!(n_read >= 30, "only {n_read} lists were read");
}

#[test]
fn no_input_of_the_fuzzer_is_read_or_edited_otherwise_than_promised() {
    let inputs = files(&root().join("fuzz/corpus/lists"));
    assert!(inputs.len() >= 500, "only {} inputs", inputs.len());
    for path in inputs {
        promised(&path, &fs::read(&path).unwrap());
    }
}

#[test]
fn no_list_of_the_cases_is_read_or_edited_otherwise_than_promised() {
    let mut lists = files(&root().join("fixtures/lists"));
    lists.retain(|path| path.extension().unwrap() == "yaml");
    for path in lists {
        let list = fs::read(&path).unwrap();
        promised(&path, &list);
        for n in 0..6 {
            // A new entry, a new tombstone, another value and a removal, each of another name.
            let changes =
                [b'\0', b'q', 6 + n, b'\0', b's', 7 + n, b'\0', b'p', 6 + n, b'\0', b't', 7 + n];
            promised(&path, &[&list[..], &changes].concat());
        }
    }
}

/// Asks the fuzzer's oracle, and names the file if something does not hold.
fn promised(path: &Path, input: &[u8]) {
    let outcome = std::panic::catch_unwind(|| oracle::check(input));
    assert!(outcome.is_ok(), "{}", path.display());
}

/// Returns every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Returns what is in a folder of cases, of which there are so many at least.
fn cases(topic: &str, at_least: usize) -> Vec<PathBuf> {
    let folder = fs::read_dir(root().join("fixtures/lists").join(topic)).unwrap();
    let mut cases: Vec<PathBuf> = folder.map(|file| file.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= at_least, "only {} cases in {topic}", cases.len());
    cases
}

/// Compares a file with what it should hold; `None` stands for no file.
fn expect(path: &Path, found: Option<String>) {
    if std::env::var_os("UPDATE").is_some() {
        match found {
            Some(text) => fs::write(path, text).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    } else {
        assert_eq!(found, fs::read_to_string(path).ok(), "{}", path.display());
    }
}

fn items(list: &Document<'_>) -> Items {
    let fields = |item: list::Item<'_>| {
        item.fields().map(|field| (field.key.into_owned(), field.value.into_owned())).collect()
    };
    list.items().map(fields).collect()
}

/// Reads `[{"put": {…}}, {"bury": {…}}, {"remove": "name"}]`; fields that are not given are the sample's.
fn changes(json: &str) -> Vec<Change> {
    let sample = serde_json::json!({
        "name": "sample",
        "imageUID": "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5",
        "imageVersion": "v0-0-01",
        "imageName": "Trolls World Tour (2020)",
        "environment": "development",
        "image": "docker.io/k8or-orbit-aws/sample",
        "digest": format!("sha256:{}", "0f".repeat(32)),
        "namespace": "development",
        "deploymentId": "01JJDEPL0YMENT000000000001",
        "deletedAt": "2025-01-25T10:00:00.000Z",
        "deletedBy": "ada",
        "actionId": "01JJACT10N0000000000000001",
    });
    let filled = |given: &Value| {
        let mut fields = sample.as_object().unwrap().clone();
        fields.extend(given.as_object().unwrap().clone());
        Value::Object(fields)
    };
    let change = |value: &Value| {
        let (kind, given) = value.as_object().unwrap().iter().next().unwrap();
        match kind.as_str() {
            "put" => Change::put(&serde_json::from_value::<Entry>(filled(given)).unwrap()),
            "bury" => Change::put(&serde_json::from_value::<Tombstone>(filled(given)).unwrap()),
            "remove" => Change::Remove(given.as_str().unwrap().to_owned()),
            other => panic!("unknown change {other}"),
        }
    };
    serde_json::from_str::<Vec<Value>>(json).unwrap().iter().map(change).collect()
}
