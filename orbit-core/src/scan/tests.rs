use super::*;
use crate::Digest;
use crate::archive::{ArchiveFault, Compression, Inspection, Inspector, Limits, Situation};
use crate::testing::archives::{
    ImageSpec, LayerSpec, apk_entry, compress, docker_archive, dpkg_entry, oci_layout,
};

const STATUS: &str = "var/lib/dpkg/status";
const INSTALLED: &str = "lib/apk/db/installed";

fn inspect(archive: &[u8]) -> Inspection {
    let mut inspector = Inspector::new(Limits::default());
    inspector.feed(archive).unwrap();
    inspector.finish().unwrap()
}

fn findings(archive: &[u8]) -> Result<Findings, ArchiveFault> {
    let mut inventory = Inventory::new(&inspect(archive));
    for chunk in archive.chunks(1000) {
        inventory.feed(chunk)?;
    }
    inventory.finish()
}

/// Checks which packages are found in an image of these layers, in both formats and however the
/// layers are stored.
fn check(layers: &[&[(&str, &str)]], expected: &[&str]) {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let layers = layers.iter().map(|files| LayerSpec::of(files).stored(compression)).collect();
        let image = ImageSpec { layers, ..ImageSpec::default() };
        let gzipped = compress(Compression::Gzip, &docker_archive(&image));
        for archive in [docker_archive(&image), oci_layout(&image), gzipped] {
            let packages = findings(&archive).unwrap().packages;
            let names: Vec<_> =
                packages.iter().map(|p| format!("{} {}", p.name, p.version)).collect();
            assert_eq!(names, expected, "{compression}");
        }
    }
}

fn only(files: &[(&str, &str)]) -> Findings {
    let image = ImageSpec { layers: vec![LayerSpec::of(files)], ..ImageSpec::default() };
    findings(&docker_archive(&image)).unwrap()
}

#[test]
fn the_packages_of_dpkg_are_found_sorted_and_whole() {
    let status = "Package: zlib1g\nStatus: install ok installed\nSource: zlib (1:1.2)\n\
        Architecture: arm64\nVersion: 1:1.3\nDescription: text\n Version: not this\n\n\
        Package: gone\nStatus: deinstall ok config-files\nVersion: 2\n\n\
        Package: nameless-version\nStatus: install ok installed\n\n\
        Package: adduser\nStatus: install ok installed\nVersion: 3.134\n";
    let package = |name: &str, version: &str, architecture: Option<&str>, source: Option<&str>| {
        let (name, version) = (name.to_owned(), version.to_owned());
        let (architecture, source) = (architecture.map(str::to_owned), source.map(str::to_owned));
        Package { name, version, architecture, source, manager: Manager::Dpkg }
    };
    let expected = [
        package("adduser", "3.134", None, None),
        package("zlib1g", "1:1.3", Some("arm64"), Some("zlib")),
    ];
    assert_eq!(only(&[(STATUS, status)]).packages, expected);
}

#[test]
fn the_packages_of_apk_are_found() {
    let expected = Package {
        name: "musl".to_owned(),
        version: "1.2.5-r0".to_owned(),
        architecture: Some("x86_64".to_owned()),
        source: Some("musl-source".to_owned()),
        manager: Manager::Apk,
    };
    for path in [INSTALLED, "usr/lib/apk/db/installed"] {
        assert_eq!(
            only(&[(path, &apk_entry("musl", "1.2.5-r0"))]).packages.as_slice(),
            std::slice::from_ref(&expected)
        );
    }
}

#[test]
fn the_entries_of_distroless_images_are_found_each_once() {
    let base = "Package: base-files\nVersion: 12\n";
    check(
        &[&[
            ("var/lib/dpkg/status.d/base", base),
            ("var/lib/dpkg/status.d/base.md5sums", "Package: no\nVersion: 1\n"),
            ("var/lib/dpkg/status.d/copy", base),
            ("var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a\n"),
        ]],
        &["base-files 12", "tzdata 2024a"],
    );
}

#[test]
fn the_topmost_database_counts() {
    let (old, new) = (dpkg_entry("bash", "1"), dpkg_entry("bash", "2"));
    check(&[&[(STATUS, &old)], &[("etc/a", "")], &[(STATUS, &new)]], &["bash 2"]);
}

#[test]
fn whiteouts_and_opaque_directories_hide_what_is_below() {
    let (dpkg, apk) = (dpkg_entry("bash", "1"), apk_entry("musl", "1"));
    let base: &[(&str, &str)] = &[(STATUS, &dpkg), (INSTALLED, &apk)];
    check(&[base], &["bash 1", "musl 1"]);
    check(&[base, &[("var/lib/dpkg/.wh.status", "")]], &["musl 1"]);
    check(&[base, &[("var/.wh.lib", "")]], &["musl 1"]);
    check(&[base, &[("lib/apk/.wh..wh..opq", "")]], &["bash 1"]);
    check(&[base, &[(".wh..wh..opq", "")]], &[]);
    check(&[base, &[("var/lib/dpkg/.wh.status-old", "")]], &["bash 1", "musl 1"]);
    check(&[base, &[("var", "a file now")]], &["musl 1"]);
}

#[test]
fn a_whiteout_hides_nothing_of_its_own_layer() {
    let (old, new) = (dpkg_entry("bash", "1"), dpkg_entry("bash", "2"));
    let upper: &[(&str, &str)] = &[(STATUS, &new), ("var/lib/dpkg/.wh..wh..opq", "")];
    check(&[&[(STATUS, &old)], upper], &["bash 2"]);
}

#[test]
fn the_distribution_is_read_from_etc_before_usr_lib() {
    let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID='12'\n";
    let expected = Distribution {
        id: "debian".to_owned(),
        version: Some("12".to_owned()),
        name: Some("Debian GNU/Linux 12 (bookworm)".to_owned()),
    };
    assert_eq!(only(&[("usr/lib/os-release", debian)]).distribution.as_ref(), Some(&expected));
    let both = only(&[("usr/lib/os-release", "ID=other\n"), ("etc/os-release", debian)]);
    assert_eq!(both.distribution, Some(expected));
    assert_eq!(only(&[("etc/a", "")]).distribution, None);
}

#[test]
fn a_database_beyond_its_limit_is_refused() {
    let huge = "a".repeat((64 << 20) + 1);
    let image =
        ImageSpec { layers: vec![LayerSpec::of(&[(STATUS, &huge)])], ..ImageSpec::default() };
    let name = format!("{}.tar", Digest::of(&image.layers[0].tar()).hex());
    let fault = findings(&docker_archive(&image)).unwrap_err();
    let limit = Situation::Limit { name: "bytes of package database", max: 64 << 20 };
    assert_eq!(fault.situation, limit);
    assert_eq!(fault.place.to_string(), format!("{STATUS:?} in {name:?}"));
}

#[test]
fn other_bytes_than_the_inspected_ones_are_refused() {
    let archive = docker_archive(&ImageSpec::default());
    let other = ImageSpec { architecture: "arm64".to_owned(), ..ImageSpec::default() };
    let other = docker_archive(&other);
    let mut inventory = Inventory::new(&inspect(&archive));
    inventory.feed(&other).unwrap();
    let fault = inventory.finish().unwrap_err();
    let (found, expected) = (Digest::of(&other), Digest::of(&archive));
    assert_eq!(fault.situation, Situation::DigestMismatch { found, expected });
}

#[test]
fn a_report_says_that_no_advisories_are_configured() {
    let report =
        Report::of(only(&[(INSTALLED, &apk_entry("musl", "1")), ("etc/os-release", "ID=alpine")]));
    let expected = serde_json::json!({
        "packages": [{
            "name": "musl", "version": "1", "architecture": "x86_64", "source": "musl-source",
            "manager": "apk",
        }],
        "distribution": {"id": "alpine"},
        "advisories": "not-configured",
        "counts": {"critical": 0, "high": 0, "medium": 0, "low": 0, "unknown": 0},
    });
    assert_eq!(serde_json::to_value(&report).unwrap(), expected);
    assert_eq!(serde_json::from_value::<Report>(expected).unwrap(), report);
}
