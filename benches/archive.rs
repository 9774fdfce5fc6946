//! How fast an image archive is hashed and checked, beside `sha256sum` on the same bytes.
//!
//! ```sh
//! cargo bench -p orbit-core --bench archive
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures time, prints it, and fails by panicking"
)]

use std::hint::black_box;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use orbit_core::Digest;
use orbit_core::archive::{Compression, Inspector, Limits};
use orbit_core::testing::archives::{ImageSpec, LayerSpec, docker_archive};

/// Bytes of the one layer: 256 MiB.
const SIZE: usize = 256 << 20;
/// How often each line is measured; the median counts.
const RUNS: usize = 5;
/// Bytes that are fed at once, as the stores stream them.
const CHUNK: usize = 1 << 20;

fn main() {
    let plain = archive(Compression::None);
    report("Digest::of", plain.len(), || {
        black_box(Digest::of(&plain));
    });
    report("sha256sum", plain.len(), || sha256sum(&plain));
    report("Inspector, plain layer", plain.len(), || inspect(&plain));
    drop(plain);
    for (name, compression) in
        [("Inspector, gzip layer", Compression::Gzip), ("Inspector, zstd layer", Compression::Zstd)]
    {
        let packed = archive(compression);
        report(name, SIZE, || inspect(&packed));
    }
}

/// Returns an archive whose layer compresses about as well as programs do.
fn archive(compression: Compression) -> Vec<u8> {
    let mut state = 1_u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        [state.to_le_bytes(), [0; 8]].concat()
    });
    let content: Vec<u8> = words.flatten().take(SIZE).collect();
    let files = vec![("srv/content".to_owned(), content)];
    let layers = vec![LayerSpec { files, compression }];
    docker_archive(&ImageSpec { layers, ..ImageSpec::default() })
}

fn inspect(archive: &[u8]) {
    let mut inspector = Inspector::new(Limits::default());
    for chunk in archive.chunks(CHUNK) {
        inspector.feed(chunk).unwrap();
    }
    black_box(inspector.finish().unwrap());
}

fn sha256sum(bytes: &[u8]) {
    let mut child =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    assert!(child.wait().unwrap().success());
}

fn report(name: &str, n_bytes: usize, work: impl Fn()) {
    let mut times: Vec<Duration> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    let median = times.get(RUNS / 2).copied().unwrap();
    let rate = u128::try_from(n_bytes).unwrap() / median.as_micros().max(1);
    println!("{name:<24} {:>8.1} ms {rate:>6} MB/s", median.as_secs_f64() * 1e3);
}
