//! The shape that the README promises: who depends on whom, what orbit-core keeps away from, how
//! long a file may be, and that no file is forgotten.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const CRATES: [&str; 4] = ["orbit-core", "orbit-gitops", "orbit-store", "orbit-http"];

/// Everything orbit-core may be built from: no runtime, no socket, no file system, no database.
const CORE_DEPENDENCIES: [&str; 13] = [
    "async-trait",
    "bytes",
    "data-encoding",
    "flate2",
    "futures-util",
    "jiff",
    "memchr",
    "proptest",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tracing",
];

/// Also allowed: two formats that are read and written in memory only.
const CORE_FORMATS: [&str; 2] = ["tar", "zstd"];

/// What orbit-core's own code may not name: files, sockets, processes, the environment, clocks.
const CORE_BANS: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "SystemTime",
    "tokio",
    "getrandom",
    "Timestamp::now",
];

const MOST_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn manifest(name: &str) -> toml::Table {
    fs::read_to_string(root().join(name).join("Cargo.toml")).unwrap().parse().unwrap()
}

fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = manifest(name);
    let table = manifest.get("dependencies").and_then(toml::Value::as_table).unwrap();
    table.keys().cloned().collect()
}

/// Returns every Rust file below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with(".git") {
                found.extend(rust_files(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_crates_depend_on_each_other_in_one_direction() {
    let allowed = BTreeMap::from([
        ("orbit-core", vec![]),
        ("orbit-gitops", vec!["orbit-core"]),
        ("orbit-store", vec!["orbit-core"]),
        ("orbit-http", vec!["orbit-core", "orbit-gitops", "orbit-store"]),
    ]);
    for (name, allowed) in allowed {
        let found = dependencies(name);
        let orbit: Vec<_> = found.iter().filter(|dep| dep.starts_with("orbit-")).collect();
        assert_eq!(orbit, allowed, "{name}");
    }
}

#[test]
fn orbit_core_is_built_from_nothing_that_acts() {
    let allowed: BTreeSet<_> = CORE_DEPENDENCIES.iter().chain(&CORE_FORMATS).copied().collect();
    for found in dependencies("orbit-core") {
        assert!(allowed.contains(found.as_str()), "orbit-core depends on {found}");
    }
}

#[test]
fn orbit_core_does_no_io_and_knows_no_clock() {
    let folder = root().join("orbit-core/src");
    for path in rust_files(&folder) {
        let is_test =
            path.ends_with("tests.rs") || path.components().any(|c| c.as_os_str() == "tests");
        if is_test {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code = own.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for ban in CORE_BANS {
                assert!(!line.contains(ban), "{} names {ban}: {line}", path.display());
            }
        }
    }
}

#[test]
fn only_the_worker_and_the_server_spawn() {
    for name in ["orbit-core", "orbit-gitops", "orbit-store", "orbit-http"] {
        for path in rust_files(&root().join(name).join("src")) {
            let spawner = path.ends_with("worker.rs") || path.ends_with("serve.rs");
            let text = fs::read_to_string(&path).unwrap();
            let spawns = text.contains("tokio::spawn(") || text.contains("task::spawn(");
            assert!(spawner || !spawns, "{} spawns", path.display());
        }
    }
}

#[test]
fn every_file_fits_on_a_few_screens() {
    for path in rust_files(&root()) {
        let n_lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(n_lines <= MOST_LINES, "{} has {n_lines} lines", path.display());
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for name in CRATES {
        let lints = manifest(name).get("lints").cloned();
        let workspace = lints.as_ref().and_then(|lints| lints.get("workspace"));
        assert_eq!(workspace.and_then(toml::Value::as_bool), Some(true), "{name}");
    }
    let lints = manifest(".");
    let lint = lints.get("workspace").and_then(|w| w.get("lints")?.get("rust")?.get("unsafe_code"));
    assert_eq!(lint.and_then(toml::Value::as_str), Some("forbid"));
}

#[test]
fn no_test_or_bench_is_forgotten() {
    for kind in ["test", "bench"] {
        let folder = root().join(if kind == "test" { "tests" } else { "benches" });
        let mut registered = BTreeSet::new();
        for name in CRATES {
            let manifest = manifest(name);
            let targets = manifest.get(kind).and_then(toml::Value::as_array);
            for target in targets.into_iter().flatten() {
                let path = target.get("path").and_then(toml::Value::as_str).unwrap();
                registered.insert(path.rsplit('/').next().unwrap().to_owned());
            }
        }
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.file_name().unwrap().to_str().unwrap();
                assert!(registered.contains(name), "{name} is no target of any crate");
            }
        }
    }
}

#[test]
fn no_source_file_is_forgotten() {
    for name in CRATES {
        for path in rust_files(&root().join(name).join("src")) {
            let stem = path.file_stem().unwrap().to_str().unwrap();
            if ["lib", "main"].contains(&stem) {
                continue;
            }
            let folder = path.parent().unwrap();
            let above = folder.with_extension("rs");
            let parents = [above, folder.join("lib.rs"), folder.join("main.rs")];
            let declared = parents.iter().filter_map(|parent| fs::read_to_string(parent).ok());
            let declaration = format!("mod {stem};");
            let mut declared = declared.filter(|text| text.contains(&declaration));
            assert!(declared.next().is_some(), "{} is in no module", path.display());
        }
    }
}
