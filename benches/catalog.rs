//! How fast images are searched in `MariaDB` and in SQLite, beside the statements that one writes
//! first: `LIKE '%text%'` for a text, and `OFFSET` for a page.
//!
//! ```sh
//! cargo bench -p orbit-store --bench catalog               # 1,000,000 images; needs 12 GB of disk, 6 GB of memory
//! cargo bench -p orbit-store --bench catalog -- 100000
//! cargo bench -p orbit-store --bench catalog -- 1000000 sqlite
//! cargo bench -p orbit-store --bench catalog -- 1000000 mysql://root@127.0.0.1:3306/bench
//! ```
//!
//! Every search has other values, so nothing is measured but the first time that it is asked. The last
//! forms keep what they filled, in a database of a server on this machine that may read files, and in
//! `target/tmp`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::future_not_send,
    reason = "a bench measures time, prints it, and fails by panicking"
)]
#![allow(
    dead_code,
    unused_imports,
    clippy::needless_pass_by_value,
    reason = "what it shares with the tests does more"
)]

#[path = "catalog/cases.rs"]
mod cases;
#[path = "../tests/stores/catalog/dice.rs"]
mod dice;
#[path = "../tests/stores/catalog/fill.rs"]
mod fill;
#[path = "catalog/mariadb.rs"]
mod mariadb;
#[path = "../tests/support/servers.rs"]
mod servers;
#[path = "catalog/sqlite.rs"]
mod sqlite;
#[path = "catalog/writes.rs"]
mod writes;

use std::time::{Duration, Instant};
use std::{env, fs};

use cases::{Case, Peer};
use orbit_core::port::Catalog;
use orbit_core::query::Search;

/// The searches of a case that takes long are no more than this time.
const ENOUGH: Duration = Duration::from_secs(3);
const MOST_RUNS: u32 = 300;
/// The 99th percentile of fewer is their longest.
const FEWEST_RUNS: u32 = 3;
/// What stands for a server's address where `MariaDB` is not measured.
const ONLY_SQLITE: &str = "sqlite";
/// So many images are before a deep page, if so many match.
const DEEP: u32 = 5_000;

fn main() {
    let arguments: Vec<String> =
        env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let n_images = arguments.first().map_or(1_000_000, |n| n.parse().unwrap());
    let load = fs::read_to_string("/proc/loadavg").unwrap();
    println!("{n_images} images; load of the machine before: {}", load.trim());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(n_images, arguments.get(1).map(String::as_str)));
}

async fn run(n_images: u32, url: Option<&str>) {
    if url != Some(ONLY_SQLITE) {
        let mut mariadb = mariadb::open(n_images, url).await;
        println!("\nMariaDB: milliseconds");
        for case in cases::all(n_images) {
            measure(&*mariadb.catalog, &case, &mut mariadb.peer).await;
        }
        writes::measure(&*mariadb.catalog, n_images).await;
    }
    let mut sqlite = sqlite::open(n_images, url.is_some()).await;
    println!("\nSQLite: milliseconds");
    for case in cases::all(n_images) {
        measure(&*sqlite.catalog, &case, &mut sqlite.peer).await;
    }
    writes::measure(&*sqlite.catalog, n_images).await;
}

async fn measure(catalog: &dyn Catalog, case: &Case, peer: &mut impl Peer) {
    let name = case.name;
    let first = times(async |n| {
        let search = (case.search)(n);
        let begun = Instant::now();
        let page = catalog.search(&search).await.unwrap();
        (begun.elapsed(), page.total)
    });
    let first = first.await;
    let naive = times(async |n| peer.page(&(case.search)(n), 0).await).await;
    println!("{name:44} first: {first}   peer: {naive}");
    let deep = times(async |n| {
        let Some(search) = deep(catalog, (case.search)(n)).await else {
            return (Duration::ZERO, 0);
        };
        let begun = Instant::now();
        let page = catalog.search(&search).await.unwrap();
        (begun.elapsed(), page.total)
    });
    let deep = deep.await;
    let naive = times(async |n| peer.page(&(case.search)(n), DEEP).await).await;
    println!("{name:44}  deep: {deep}   peer: {naive}");
}

/// Returns the search for the page behind the first [`DEEP`] images, if there are so many.
async fn deep(catalog: &dyn Catalog, search: Search) -> Option<Search> {
    let far = Search { limit: DEEP, ..search.clone() };
    let cursor = catalog.search(&far).await.unwrap().next?;
    Some(Search { cursor: Some(cursor), ..search })
}

/// Runs something with other numbers each time, and returns its percentiles and its last result.
async fn times(mut run: impl AsyncFnMut(u32) -> (Duration, u64)) -> String {
    let begun = Instant::now();
    let mut times = Vec::new();
    let mut sum = 0;
    for n in 0..MOST_RUNS {
        let (time, found) = run(n).await;
        if !time.is_zero() {
            times.push(time);
            sum += found;
        }
        if n + 1 >= FEWEST_RUNS && begun.elapsed() > ENOUGH {
            break;
        }
    }
    times.sort_unstable();
    let Some(last) = times.len().checked_sub(1) else { return "no such page".to_owned() };
    let at = |percent: usize| times[last * percent / 100].as_secs_f64() * 1_000.0;
    let mean = sum / u64::try_from(times.len()).unwrap();
    let n = times.len();
    format!("p50 {:8.2} p99 {:8.2} (n {n:3}, found {mean:6})", at(50), at(99))
}
