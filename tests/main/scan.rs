//! Scan: the packages of an image, kept as its last report.

use orbit_core::archive::Compression;
use orbit_core::testing::archives::{
    ImageSpec, LayerSpec, apk_entry, docker_archive, dpkg_entry, oci_layout,
};
use serde_json::{Value, json};

use crate::harness::{Image, Server, metadata, refused};

fn counts() -> Value {
    json!({ "critical": 0, "high": 0, "medium": 0, "low": 0, "unknown": 0 })
}

/// Uploads and scans an image, checks all but its findings, and returns those.
fn scanned(server: &Server, archive: &[u8]) -> Value {
    let image = Image::of(&server.upload(&metadata("Scanned", "v0-0-01"), archive).expect(200));
    refused(&server.get(&image.path("scan")), 404, "report-not-found");
    assert_eq!(server.shown(&image)["scanned"], false);
    let action = server.done(&image, "scan");
    assert_eq!(server.shown(&image)["scanned"], true);
    let report = server.get(&image.path("scan")).expect(200);
    let mut summary = counts();
    summary["advisories"] = "not-configured".into();
    summary["packages"] = report["packages"].as_array().unwrap().len().into();
    assert_eq!(action["result"], summary);
    assert_eq!(report["actionId"], action["actionId"]);
    assert_eq!(Image::of(&report), image);
    assert_eq!(report["counts"], counts());
    assert_eq!(report["advisories"], "not-configured");
    json!({ "packages": report["packages"], "distribution": report["distribution"] })
}

#[test]
fn the_packages_of_debian_are_found_in_the_uppermost_layer() {
    let server = Server::start();
    let release = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n";
    let (old, new) = (dpkg_entry("libc6", "2.36-9"), dpkg_entry("libc6", "2.36-9+deb12u10"));
    let status = format!("{new}{}", dpkg_entry("zlib1g", "1:1.2.13.dfsg-1"));
    let layers = [
        LayerSpec::of(&[("usr/lib/os-release", release), ("var/lib/dpkg/status", &old)]),
        LayerSpec::of(&[("var/lib/dpkg/status", &status)]),
    ];
    let layers = layers.map(|layer| layer.stored(Compression::Gzip)).to_vec();
    let found = scanned(&server, &docker_archive(&ImageSpec { layers, ..ImageSpec::default() }));
    let expected = json!({
        "packages": [
            {
                "name": "libc6", "version": "2.36-9+deb12u10", "architecture": "amd64",
                "manager": "dpkg",
            },
            {
                "name": "zlib1g", "version": "1:1.2.13.dfsg-1", "architecture": "amd64",
                "manager": "dpkg",
            },
        ],
        "distribution":
            { "id": "debian", "version": "12", "name": "Debian GNU/Linux 12 (bookworm)" },
    });
    assert_eq!(found, expected);
}

#[test]
fn the_packages_of_alpine_are_found_with_their_sources() {
    let server = Server::start();
    let installed = format!("{}{}", apk_entry("musl", "1.2.5-r0"), apk_entry("zlib", "1.3.1-r2"));
    let layer = LayerSpec::of(&[
        ("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\n"),
        ("lib/apk/db/installed", &installed),
    ]);
    let layers = vec![layer.stored(Compression::Zstd)];
    let found = scanned(&server, &oci_layout(&ImageSpec { layers, ..ImageSpec::default() }));
    let package = |name: &str, version: &str| {
        json!({
            "name": name, "version": version, "architecture": "x86_64",
            "source": format!("{name}-source"), "manager": "apk",
        })
    };
    let expected = json!({
        "packages": [package("musl", "1.2.5-r0"), package("zlib", "1.3.1-r2")],
        "distribution": { "id": "alpine", "version": "3.20.3" },
    });
    assert_eq!(found, expected);
}

#[test]
fn a_second_scan_replaces_the_report_and_the_first_one_stays_an_action() {
    let server = Server::start();
    let image = server.uploaded("Scanned");
    let (first, second) = (server.done(&image, "scan"), server.done(&image, "scan"));
    let report = server.get(&image.path("scan")).expect(200);
    assert_eq!(report["actionId"], second["actionId"]);
    assert_eq!(report["packages"], json!([]));
    let path = format!("/v1/actions/{}", first["actionId"].as_str().unwrap());
    assert_eq!(server.get(&path).expect(200), first);
}
