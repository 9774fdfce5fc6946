//! The peak of memory, in a process that does one thing.

use std::process::Command;
use std::{env, fs};

use orbit_core::list::{DeployList, Document};

use crate::data::{self, Kind};
use crate::{NO_LIMIT, apply};

/// Prints the peak of processes that hold a list's text, read it, and edit it.
pub(crate) fn report(n_entries: usize) {
    let text = data::text(n_entries, |_| true);
    let file =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("nine-{n_entries}.yaml"));
    fs::write(&file, &text).unwrap();
    println!(
        "\nPeak memory, {n_entries} entries with nine keys, {} KiB of text",
        text.len() / 1024
    );
    for work in ["text", "read", "typed", "update", "hundred"] {
        let child = Command::new(env::current_exe().unwrap())
            .args(["--memory", work])
            .arg(&file)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        println!("  {work:<8} {:>8} KiB", String::from_utf8(child.stdout).unwrap().trim());
    }
}

/// Does one thing with a list, and prints the peak of this process's memory in KiB.
pub(crate) fn child(work: &str, file: &str) {
    let text = fs::read_to_string(file).unwrap();
    let read = || Document::read_within(text.as_bytes(), NO_LIMIT).unwrap();
    let n_entries = || text.matches("- name: ").count();
    match work {
        "text" => {}
        "read" => drop(read()),
        "typed" => drop(DeployList::of(&read()).unwrap()),
        "update" => drop(apply(&text, &data::changes(&data::edits(n_entries(), Kind::Update)))),
        "hundred" => drop(apply(&text, &data::changes(&data::edits(n_entries(), Kind::Hundred)))),
        _ => panic!("unknown work {work}"),
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{}", peak.trim().trim_end_matches(" kB"));
}
