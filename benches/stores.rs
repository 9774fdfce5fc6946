//! Uploads through HTTP into S3, beside rclone to the same server.
//!
//! ```sh
//! cargo bench -p orbit-http --bench stores              # 64 MiB and 1 GiB
//! cargo bench -p orbit-http --bench stores -- 256       # 256 MiB
//! ```
//!
//! Needs rclone (Debian's package) and the servers that `scripts/tools.sh` installs.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench measures time, prints it, and fails by panicking"
)]

#[expect(dead_code, unused_imports, reason = "the harness serves the end-to-end tests as well")]
#[path = "../tests/main/harness.rs"]
mod harness;
#[expect(dead_code, reason = "the servers serve the tests of the stores as well")]
#[path = "../tests/support/servers.rs"]
mod servers;

use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use harness::{CONTENT_TYPE, Form, Server, metadata, orbit};
use orbit_core::archive::Compression;
use orbit_core::testing::archives::{ImageSpec, LayerSpec, docker_archive};
use servers::{KEY_ID, SECRET};

/// How often each line is measured; the median counts.
const RUNS: usize = 5;
/// Where rclone puts its copies, so that both write to the same disk of the same server.
const BUCKET: &str = "beside-orbit";

fn main() {
    let sizes: Vec<usize> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![64, 1024] } else { sizes };
    let home = tempfile::tempdir().unwrap();
    let s3 = servers::own_seaweedfs();
    println!(
        "{:>5} MiB {:>18} {:>10} {:>10} {:>10} {:>8}",
        "", "s", "min", "median", "max", "MB/s"
    );
    for size in sizes {
        let archive = home.path().join("image.tar");
        fs::write(&archive, image(size << 20)).unwrap();
        compare(&archive, size, &s3, &home.path().join(format!("data-{size}")));
    }
}

/// Returns an archive with one layer of that many bytes, which do not compress.
fn image(n_bytes: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let words = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()
    });
    let content: Vec<u8> = words.flatten().take(n_bytes).collect();
    let files = vec![("srv/content".to_owned(), content)];
    let layers = vec![LayerSpec { files, compression: Compression::None }];
    docker_archive(&ImageSpec { layers, ..ImageSpec::default() })
}

/// Measures both in turn, so that what else the machine does meets both.
fn compare(archive: &Path, size: usize, s3: &servers::Server, data: &Path) {
    let variables = variables(s3, size, data);
    let set_up = orbit(&["setup"]).envs(variables.iter().cloned()).output().unwrap();
    assert!(set_up.status.success(), "{set_up:?}");
    let borrowed: Vec<_> =
        variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut server = Server::start_with(&borrowed);
    rclone(s3, &["mkdir", &format!("s3:{BUCKET}")]);
    let (mut stored, mut done, mut copied) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = Instant::now();
        let target = format!("s3:{BUCKET}/image.tar");
        let source = archive.to_str().unwrap();
        rclone(s3, &["copyto", "--s3-upload-concurrency", "4", source, &target]);
        copied.push(begun.elapsed().as_secs_f64());
        rclone(s3, &["deletefile", &target]);

        let (is_stored, is_done) = upload(&server, archive);
        stored.push(is_stored);
        done.push(is_done);
    }
    let n_bytes = fs::metadata(archive).unwrap().len();
    report(size, "rclone copyto", copied, n_bytes);
    report(size, "temporary object", stored, n_bytes);
    report(size, "all done", done, n_bytes);
    let peak = server.program().peak_memory_kib() / 1024;
    println!("{size:>5} MiB {:>18} {peak:>10} MiB of memory at most", "orbit");
}

/// Uploads the archive as a new image, and returns the seconds until it was stored and until all was
/// done. The image is deleted afterwards, and stays in the bucket of deleted ones.
fn upload(server: &Server, archive: &Path) -> (f64, f64) {
    let begun = Instant::now();
    let form = Form::of(&metadata("Bench", "v0-0-01"));
    let mut body = form.stream(BufReader::with_capacity(1 << 20, File::open(archive).unwrap()));
    let answer = server.stream("/v1/images", &[("content-type", CONTENT_TYPE)], &mut body).unwrap();
    let is_stored = begun.elapsed().as_secs_f64();
    let id = answer.expect(202)["actionId"].as_str().unwrap().to_owned();
    let action = server.get(&format!("/v1/actions/{id}?wait=60")).expect(200);
    assert_eq!(action["state"], "succeeded", "{action:#}");
    (is_stored, begun.elapsed().as_secs_f64())
}

fn variables(s3: &servers::Server, size: usize, data: &Path) -> Vec<(String, String)> {
    let pairs = [
        ("ORBIT_DATA_DIR", data.display().to_string()),
        ("ORBIT_IMAGES__STORE", "s3".to_owned()),
        ("ORBIT_IMAGES__ENDPOINT", s3.endpoint()),
        ("ORBIT_IMAGES__REGION", "us-east-1".to_owned()),
        ("ORBIT_IMAGES__BUCKET_SUFFIX", format!("-{size}")),
        ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value)).into()
}

fn rclone(s3: &servers::Server, arguments: &[&str]) {
    let output = Command::new("rclone")
        .args(arguments)
        // It refuses to work with what others set for programs that speak TLS.
        .env_remove("AWS_CA_BUNDLE")
        .env("RCLONE_CONFIG", "/dev/null")
        .env("RCLONE_CONFIG_S3_TYPE", "s3")
        .env("RCLONE_CONFIG_S3_PROVIDER", "Other")
        .env("RCLONE_CONFIG_S3_ENDPOINT", s3.endpoint())
        .env("RCLONE_CONFIG_S3_ACCESS_KEY_ID", KEY_ID)
        .env("RCLONE_CONFIG_S3_SECRET_ACCESS_KEY", SECRET)
        .output();
    let output = output.expect("rclone is missing; apt-get install rclone");
    assert!(output.status.success(), "{output:?}");
}

fn report(size: usize, what: &str, mut seconds: Vec<f64>, n_bytes: u64) {
    seconds.sort_by(f64::total_cmp);
    let (min, median, max) = (seconds[0], seconds[seconds.len() / 2], seconds[seconds.len() - 1]);
    let megabytes = f64::from(u32::try_from(n_bytes / 1_000_000).unwrap());
    let speed = megabytes / median;
    println!("{size:>5} MiB {what:>18} {min:>12.3} {median:>10.3} {max:>10.3} {speed:>8.0}");
}
