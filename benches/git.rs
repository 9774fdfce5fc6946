//! How long a deployment takes from the moment it is ready until the server's branch has it, beside git's
//! own commands, on a repository of 5,000 applications and 15,000 files behind `git http-backend`.
//!
//! ```sh
//! cargo bench -p orbit-gitops --bench git            # needs lighttpd, openssl and git
//! cargo bench -p orbit-gitops --bench git -- orbit   # Orbit alone
//! ```
//!
//! Every figure is of one process and one server on one machine: what the server takes is in it. Orbit's
//! own time is what is left when the time between the first byte that leaves and the last that comes, as
//! a proxy sees them, is taken away.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures time, prints it, and fails by panicking"
)]

#[path = "git/data.rs"]
mod data;
#[path = "../tests/support/git_setup.rs"]
mod git_setup;
#[path = "git/memory.rs"]
mod memory;
#[path = "git/peers.rs"]
mod peers;
#[expect(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../tests/support/git_servers.rs"]
mod servers;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs};

use data::Site;
use orbit_core::port::GitOps as _;
use orbit_gitops::Remote;
use servers::Rule;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const N_RUNS: u32 = 200;
const N_RUNS_FAR: u32 = 50;
const N_RUNS_AT_ONCE: u32 = 5;
const AT_ONCE: u32 = 100;
/// What a server in another region adds to a round trip.
const FAR: Duration = Duration::from_millis(50);

fn main() {
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["--memory", work, port, cache, since] => memory::child(work, port, cache, since),
        [] => run(true),
        ["orbit"] => run(false),
        ["at-once"] => run_at_once(),
        ["memory"] => memory::report(),
        _ => panic!("expected nothing, `orbit`, `at-once` or `memory`, found {arguments:?}"),
    }
}

fn run(with_peers: bool) {
    println!("machine's load before: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
    let site = Site::new();
    println!("{}", site.describe());
    let runtime = Runtime::new().unwrap();
    let begun = Instant::now();
    let repository = Arc::new(site.open());
    println!("\nopen, into an empty directory: {:.0} ms", ms(begun.elapsed()));
    runtime.block_on(site.deploy(&repository));

    println!("\none deployment, ready until the server's branch has it");
    println!("  {:<28} {}", "orbit", one_by_one(&runtime, &site, &repository, N_RUNS));
    if with_peers {
        println!("  {:<28} {}", "git plumbing, bare clone", peers::plumbing(&site, 30));
        println!("  {:<28} {}", "clone, edit, commit, push", peers::porcelain(&site, 10));
    }
    println!("\n{AT_ONCE} deployments at once: {}", at_once(&runtime, &site, &repository));

    site.proxy.rule(Rule::Delay(FAR));
    println!("\nwith {} ms more for a round trip", FAR.as_millis());
    println!("  {:<28} {}", "orbit", one_by_one(&runtime, &site, &repository, N_RUNS_FAR));
    if with_peers {
        println!("  {:<28} {}", "git plumbing, bare clone", peers::plumbing(&site, 10));
        println!("  {:<28} {}", "clone, edit, commit, push", peers::porcelain(&site, 5));
    }
    println!("  {AT_ONCE} at once: {}", at_once(&runtime, &site, &repository));
    site.proxy.rule(Rule::Pass);
    site.check();
    memory::report();
    println!("machine's load after: {}", fs::read_to_string("/proc/loadavg").unwrap().trim());
}

/// Deploys many at once, and nothing else, for a look with a profiler.
fn run_at_once() {
    let site = Site::new();
    let runtime = Runtime::new().unwrap();
    let repository = Arc::new(site.open());
    runtime.block_on(site.deploy(&repository));
    println!("{AT_ONCE} deployments at once: {}", at_once(&runtime, &site, &repository));
    site.check();
}

/// Deploys one application after the other; says how long it took, and how much of that Orbit itself.
fn one_by_one(runtime: &Runtime, site: &Site, repository: &Remote, n_runs: u32) -> String {
    let (mut all, mut own) = (Vec::new(), Vec::new());
    let mut n_requests = 0;
    for _ in 0..n_runs {
        let mine = site.next();
        site.proxy.take_seen();
        let ready = Instant::now();
        runtime.block_on(repository.commit(&mine)).unwrap();
        let done = Instant::now();
        let seen = site.proxy.take_seen();
        all.push(done - ready);
        own.push((done - ready) - in_exchanges(&seen.connections));
        n_requests = seen.requests.len();
    }
    let (all, own) = (Took::of(all), Took::of(own));
    format!("{all}; of that Orbit itself {own}; {n_requests} requests")
}

/// Returns how long connections were in use, from the first byte that left to the last that came.
fn in_exchanges(connections: &[[Instant; 3]]) -> Duration {
    connections.iter().map(|[_, first, last]| *last - *first).sum()
}

/// Deploys many applications at once, and then lets git push the same commits in the same steps.
fn at_once(runtime: &Runtime, site: &Site, repository: &Arc<Remote>) -> String {
    let (mut all, mut own, mut peer) = (Vec::new(), Vec::new(), Vec::new());
    let mut n_pushes = Vec::new();
    for _ in 0..N_RUNS_AT_ONCE {
        let deployments: Vec<_> = (0..AT_ONCE).map(|_| site.next()).collect();
        let before = site.bare.pushed();
        site.proxy.take_seen();
        let ready = Instant::now();
        runtime.block_on(async {
            let mut tasks = JoinSet::new();
            for mine in deployments {
                let repository = Arc::clone(repository);
                tasks.spawn(async move { repository.commit(&mine).await.unwrap() });
            }
            tasks.join_all().await
        });
        all.push(ready.elapsed());
        own.push(all[all.len() - 1] - in_exchanges(&site.proxy.take_seen().connections));
        let heads = site.bare.pushed().split_off(before.len());
        n_pushes.push(heads.len());
        peer.push(peers::push_again(site, &before[before.len() - 1], &heads));
    }
    let (all, own, peer) = (Took::of(all), Took::of(own), Took::of(peer));
    format!(
        "pushes {n_pushes:?}\n  {:<28} {all}; of that Orbit itself {own}\n  {:<28} {peer}",
        "orbit", "git push, commits made before"
    )
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// What a number of runs took.
struct Took(Vec<Duration>);

impl Took {
    fn of(mut times: Vec<Duration>) -> Self {
        times.sort();
        Self(times)
    }

    /// Returns the time that this share of the runs did not exceed.
    fn share(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        ms(self.0[index])
    }
}

impl fmt::Display for Took {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (shortest, median, tail) = (ms(self.0[0]), self.share(50), self.share(99));
        let n_runs = self.0.len();
        write!(f, "p50 {median:.1} ms, p99 {tail:.1} ms (shortest {shortest:.1}, {n_runs} runs)")
    }
}
