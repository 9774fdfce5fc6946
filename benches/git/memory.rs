//! The peak of memory of a process that works on a repository whose history has 1 GB.

use std::process::Command;
use std::{env, fs};

use orbit_core::intent::CommitId;
use orbit_core::port::GitOps as _;
use orbit_core::testing::samples::action_id;
use orbit_gitops::Remote;

use crate::data::{deployment, import, settings, setup};
use crate::servers::{Bare, HttpServer, Proxy};

const N_COMMITS: usize = 1_000;
/// What each commit puts in place of the one before; it cannot be compressed.
const N_BYTES: usize = 1 << 20;

/// Prints the peak of processes that open the repository, commit, and search all of the history.
pub(crate) fn report() {
    let server = HttpServer::start();
    let bare = Bare::new(&server.root(), "deployments.git");
    let proxy = Proxy::start(server.port());
    let directory = tempfile::tempdir().unwrap();
    let set_up = settings(server.port(), directory.path().join("set-up"));
    Remote::set_up(&set_up, &setup()).unwrap();
    let first = bare.head();
    import(&bare, |stream| {
        let mut noise = 1_u64;
        for number in 0..N_COMMITS {
            let at = 1_737_800_000 + number;
            write!(stream, "commit refs/heads/main\ncommitter Jane <j@example.com> {at} +0000\n")
                .unwrap();
            write!(stream, "data 5\nnoise\n").unwrap();
            if number == 0 {
                writeln!(stream, "from refs/heads/main^0").unwrap();
            }
            write!(stream, "M 644 inline noise\ndata {N_BYTES}\n").unwrap();
            for _ in 0..N_BYTES / 8 {
                noise ^= noise << 13;
                noise ^= noise >> 7;
                noise ^= noise << 17;
                stream.write_all(&noise.to_le_bytes()).unwrap();
            }
            writeln!(stream).unwrap();
        }
    });
    let sizes = bare.git(&["count-objects", "-v"]);
    let n_kib = sizes.lines().find_map(|line| line.strip_prefix("size-pack: ")).unwrap();
    println!("\nPeak memory, {N_COMMITS} commits, {n_kib} KiB of history");
    let newest = bare.head();
    for (name, work, since) in [
        ("nothing", "nothing", &newest),
        ("open", "open", &newest),
        ("open and commit", "commit", &newest),
        ("search from the first commit", "find", &first),
    ] {
        proxy.take_seen();
        let cache = directory.path().join(work);
        let child = Command::new(env::current_exe().unwrap())
            .args(["--memory", work, &proxy.port().to_string()])
            .arg(&cache)
            .arg(since)
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stderr));
        let peak = String::from_utf8(child.stdout).unwrap();
        let n_bytes = proxy.take_seen().n_bytes_down;
        println!("  {name:<30} {:>8} KiB, {:>8} KiB received", peak.trim(), n_bytes / 1024);
    }
}

/// Does one thing with the repository, and prints the peak of this process's memory in KiB.
pub(crate) fn child(work: &str, port: &str, cache: &str, since: &str) {
    let since = CommitId(since.to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let open = || Remote::open(&settings(port.parse().unwrap(), cache.into()), &setup()).unwrap();
    match work {
        "nothing" => {}
        "open" => drop(open()),
        "commit" => drop(runtime.block_on(open().commit(&deployment(1, 1, &since, None))).unwrap()),
        "find" => {
            assert_eq!(runtime.block_on(open().find(&action_id(9), &since)).unwrap(), None);
        }
        _ => panic!("unknown work {work}"),
    }
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{}", peak.trim().trim_end_matches(" kB"));
}
