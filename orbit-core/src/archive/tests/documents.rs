use serde_json::json;

use super::accepted::both;
use super::*;

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// Returns a layout of one image whose manifest and config went through these changes.
fn layout(change: fn(&mut serde_json::Value), config: &[u8]) -> Vec<u8> {
    use crate::testing::archives::{blob_path, descriptor};
    let layer = ImageSpec::default().layers[0].tar();
    let mut manifest = json!({
        "schemaVersion": 2,
        "config": descriptor("application/vnd.oci.image.config.v1+json", config),
        "layers": [descriptor("application/vnd.oci.image.layer.v1.tar", &layer)],
    });
    change(&mut manifest);
    let manifest = manifest.to_string().into_bytes();
    let index = json!({"schemaVersion": 2, "manifests": [descriptor(MANIFEST_TYPE, &manifest)]});
    packed(&[
        ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
        ("index.json".to_owned(), index.to_string().into_bytes()),
        (blob_path(&manifest), manifest),
        (blob_path(config), config.to_vec()),
        (blob_path(&layer), layer),
    ])
}

fn sound_config() -> Vec<u8> {
    config(&ImageSpec::default())
}

fn in_manifest(change: fn(&mut serde_json::Value), place: &str, situation: Situation) {
    refused(&layout(change, &sound_config()), place, situation);
}

/// Checks a docker-archive of one sound layer whose config is this.
fn in_config(config: &str, place: &str, situation: Situation) {
    let layer = ImageSpec::default().layers[0].tar();
    refused(&docker_with(&layer, config.as_bytes()), place, situation);
}

#[test]
fn hostile_digests_are_refused() {
    for (digest, fault) in [
        (format!("sha256:{}", "a".repeat(63)), crate::DigestFault::Form),
        (format!("sha256:{}", "A".repeat(64)), crate::DigestFault::Form),
        (format!("sha256:../{}", "a".repeat(61)), crate::DigestFault::Form),
        (format!("sha512:{}", "a".repeat(128)), crate::DigestFault::Algorithm),
    ] {
        let index = json!({"schemaVersion": 2, "manifests": [
            {"mediaType": MANIFEST_TYPE, "size": 1, "digest": digest}
        ]});
        let index = index.to_string();
        let layout = br#"{"imageLayoutVersion":"1.0.0"}"#.as_slice();
        let archive = tar_of([("oci-layout", layout), ("index.json", index.as_bytes())]);
        let found = Excerpt::from(digest.as_str());
        let situation = Situation::Digest { found, fault };
        refused(&archive, "index.json manifests[0].digest", situation);
    }
}

#[test]
fn a_blob_that_is_not_what_its_name_says_is_refused() {
    let (found, expected) = (Digest::of(b"evil"), Digest::of(b"good"));
    let name = format!("blobs/sha256/{}", expected.hex());
    let archive = tar_of([(name.as_str(), &b"evil"[..])]);
    refused(&archive, &format!("{name:?}"), Situation::DigestMismatch { found, expected });
    let upper = format!("blobs/sha256/{}", "A".repeat(64));
    let fault = crate::DigestFault::Form;
    let situation = Situation::Digest { found: "A".repeat(64).as_str().into(), fault };
    refused(&tar_of([(upper.as_str(), &b"evil"[..])]), &format!("{upper:?}"), situation);
}

#[test]
fn a_config_that_is_not_what_its_name_says_is_refused() {
    let layer = ImageSpec::default().layers[0].tar();
    for form in ["sha256:{}", "{}.json"] {
        let expected = Digest::of(b"another");
        let name = form.replace("{}", &expected.hex());
        let manifest = json!([{"Config": name, "Layers": ["layer"]}]).to_string();
        let config = sound_config();
        let archive = tar_of([
            ("layer", layer.as_slice()),
            (&name, &config),
            ("manifest.json", manifest.as_bytes()),
        ]);
        let found = Digest::of(&config);
        let situation = Situation::DigestMismatch { found, expected };
        refused(&archive, "manifest.json [0].Config", situation);
    }
}

#[test]
fn a_size_other_than_the_blobs_is_refused() {
    let found = u64::try_from(ImageSpec::default().layers[0].tar().len()).unwrap();
    let situation = Situation::SizeMismatch { found, expected: 5 };
    in_manifest(
        |manifest| manifest["layers"][0]["size"] = 5.into(),
        "manifest layers[0].size",
        situation,
    );
}

#[test]
fn foreign_layers_are_refused() {
    let urls = |manifest: &mut serde_json::Value| {
        manifest["layers"][0]["urls"] = json!(["https://example.com/layer"]);
    };
    in_manifest(urls, "manifest layers[0]", Situation::Foreign);
    let foreign = |manifest: &mut serde_json::Value| {
        manifest["layers"][0]["mediaType"] =
            "application/vnd.oci.image.layer.nondistributable.v1.tar".into();
    };
    in_manifest(foreign, "manifest layers[0]", Situation::Foreign);
}

#[test]
fn media_types_must_fit() {
    let gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
    let expected = "application/vnd.oci.image.layer.v1.tar";
    let wrong: fn(&mut serde_json::Value) = |manifest| {
        manifest["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.v1.tar+gzip".into();
    };
    let situation = Situation::MediaType { found: gzip.into(), expected };
    in_manifest(wrong, "manifest layers[0].mediaType", situation);
    let situation = Situation::MediaType { found: "text/html".into(), expected: "an image config" };
    in_manifest(|m| m["config"]["mediaType"] = "text/html".into(), "manifest config", situation);
    let expected = "that of its descriptor";
    let situation = Situation::MediaType { found: "text/html".into(), expected };
    in_manifest(|m| m["mediaType"] = "text/html".into(), "manifest mediaType", situation);
    let situation = Situation::Field("either an index or a manifest");
    in_manifest(|m| m["manifests"] = json!([]), "manifest manifests", situation);
    in_manifest(
        |m| m["schemaVersion"] = 1.into(),
        "manifest schemaVersion",
        Situation::Field("schema version 2"),
    );
}

#[test]
fn a_layer_that_is_listed_twice_is_refused() {
    let digest = Digest::of(&ImageSpec::default().layers[0].tar());
    let twice = |manifest: &mut serde_json::Value| {
        let layer = manifest["layers"][0].clone();
        manifest["layers"] = json!([layer, layer]);
    };
    in_manifest(twice, "manifest layers[1]", Situation::LayerTwice(digest));
    let archive = docker_archive(&ImageSpec::default());
    let name = format!("\"{}.tar\"", digest.hex());
    let twice = replaced(&archive, "manifest.json", &name, &format!("{name},{name}"));
    refused(&twice, "manifest.json [0].Layers[1]", Situation::LayerTwice(digest));
}

#[test]
fn diff_ids_must_be_those_of_the_layers() {
    let layer = ImageSpec::default().layers[0].tar();
    let (found, expected) = (Digest::of(&layer), Digest::of(b"another"));
    for compression in ALL {
        let stored = compress(compression, &layer);
        let archive = docker_with(&stored, &config_of(&[expected]));
        let situation = Situation::DiffId { found, expected };
        refused(&archive, "config rootfs.diff_ids[0]", situation);
    }
    let archive = docker_with(&layer, &config_of(&[found, expected]));
    let situation = Situation::LayerCount { diff_ids: 2, layers: 1 };
    refused(&archive, "config rootfs.diff_ids", situation);
}

#[test]
fn manifests_that_describe_different_images_are_refused() {
    let other = ImageSpec { architecture: "arm64".to_owned(), ..ImageSpec::default() };
    let archive = both(&ImageSpec::default(), &other);
    refused(&archive, "manifest.json [0].Config", Situation::Disagree);
    let gzip = ImageSpec {
        layers: vec![ImageSpec::default().layers[0].clone().stored(Compression::Gzip)],
        ..ImageSpec::default()
    };
    let twice = files(&both(&ImageSpec::default(), &gzip));
    refused(&packed(&twice), "manifest.json [0].Layers", Situation::Disagree);
}

#[test]
fn exactly_one_image_is_expected() {
    let archive = docker_archive(&ImageSpec::default());
    let none = replaced(&archive, "manifest.json", "[{", "[] {");
    assert_eq!(inspect(&none).unwrap_err().kind(), "json-malformed");
    let two = tar_of([("manifest.json", &br#"[{"Config":"a"},{"Config":"b"}]"#[..])]);
    let situation = Situation::Images { count: 2, names: "a, b".into() };
    refused(&two, "manifest.json", situation);
    let empty = tar_of([("manifest.json", &b"[]"[..])]);
    refused(&empty, "manifest.json", Situation::Images { count: 0, names: "".into() });
    let neither = tar_of([("readme", &b"hello"[..])]);
    refused(&neither, "archive", Situation::NotAnImage);
    let (one, other) = (oci_layout(&ImageSpec::default()), oci_layout(&mixed()));
    let index = |archive: &[u8]| -> serde_json::Value {
        let index = files(archive).into_iter().find(|(name, _)| name == "index.json").unwrap();
        serde_json::from_slice(&index.1).unwrap()
    };
    let mut manifests =
        vec![index(&one)["manifests"][0].clone(), index(&other)["manifests"][0].clone()];
    manifests.sort_by_key(|manifest| manifest["digest"].to_string());
    let names = format!("{}, {}", manifests[0]["digest"], manifests[1]["digest"]).replace('"', "");
    let mut all: Vec<_> = [files(&one), files(&other)].concat();
    all.retain(|(name, _)| name != "index.json");
    all.push((
        "index.json".to_owned(),
        json!({"schemaVersion": 2, "manifests": manifests}).to_string().into_bytes(),
    ));
    all.sort();
    all.dedup();
    let situation = Situation::Images { count: 2, names: names.as_str().into() };
    refused(&packed(&all), "index.json", situation);
}

#[test]
fn what_is_named_must_be_a_regular_file_of_its_kind() {
    let layer = ImageSpec::default().layers[0].tar();
    let manifest = br#"[{"Config":"config","Layers":["l/layer"]}]"#;
    let archive = ended(&[
        entry("layer", b'0', &layer),
        link("l/layer", b'2', "../layer"),
        entry("config", b'0', &sound_config()),
        entry("manifest.json", b'0', manifest),
    ]);
    let place = "manifest.json [0].Layers[0]";
    refused(&archive, place, Situation::NotRegular("l/layer".into()));
    let missing = replaced(&docker_with(&layer, b"{}"), "manifest.json", "\"layer\"", "\"../x\"");
    refused(&missing, place, Situation::Missing("../x".into()));
    refused(&docker_with(b"text", b"{}"), place, Situation::NotALayer("layer".into()));
    refused(&docker_with(&layer, &layer), "\"config\"", Situation::Json("it is a tar".into()));
}

#[test]
fn hostile_json_is_refused() {
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    let limit = Situation::Limit { name: "levels of JSON", max: 64 };
    in_config(&deep, "\"config\"", limit);
    let wide = format!("[{}0]", "0,".repeat(100_000));
    in_config(&wide, "\"config\"", Situation::Limit { name: "values in JSON", max: 100_000 });
    let twice = r#"{"os":"linux","a":{"b":1,"b":2}}"#;
    in_config(twice, "\"config\"", Situation::DuplicateKey("b".into()));
    for key in ["ROOTFS", "rootf\u{17f}"] {
        let other_case = format!(r#"{{"rootfs":{{}},"{key}":{{}}}}"#);
        in_config(&other_case, "config", Situation::DuplicateKey(key.into()));
    }
    in_config("{}", "config rootfs", Situation::Field("a value"));
    in_config("[]", "config", Situation::Field("an object"));
    let huge = vec![b' '; (4 << 20) + 1];
    let archive = docker_with(&ImageSpec::default().layers[0].tar(), &huge);
    let limit = Situation::Limit { name: "bytes of document", max: 4 << 20 };
    refused(&archive, "\"config\"", limit);
    let limits = Limits { documents: 10, ..Limits::default() };
    let fault = inspect_within(limits, &docker_archive(&ImageSpec::default())).unwrap_err();
    assert_eq!(fault.situation, Situation::Limit { name: "bytes of documents", max: 10 });
}

#[test]
fn more_layers_than_file_systems_take_are_refused() {
    let limits = Limits { layers: 2, ..Limits::default() };
    for (archive, place) in [
        (docker_archive(&mixed()), "manifest.json [0].Layers"),
        (oci_layout(&mixed()), "manifest layers"),
    ] {
        let fault = inspect_within(limits, &archive).unwrap_err();
        assert_eq!(fault.to_string(), format!("{place}: exceeds the limit of 2 layers"));
    }
}

#[test]
fn the_platform_must_be_a_known_one() {
    let platform = |os: &str, architecture: &str| {
        let image =
            ImageSpec { os: os.into(), architecture: architecture.into(), ..ImageSpec::default() };
        docker_archive(&image)
    };
    refused(&platform("plan9", "amd64"), "config os", Situation::Platform("plan9".into()));
    refused(
        &platform("linux", "x86_64"),
        "config architecture",
        Situation::Platform("x86_64".into()),
    );
}
