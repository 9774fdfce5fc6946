//! Upload, and the archives that real tools make.

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::Path;

use flate2::write::GzEncoder;
use orbit_core::archive::Compression;
use orbit_core::testing::archives::{ImageSpec, LayerSpec, compress, docker_archive, oci_layout};
use serde_json::{Value, json};

use crate::harness::{
    CONTENT_TYPE, Form, HeldUpload, Image, Server, image, metadata, random_bytes, refused, skopeo,
};

#[test]
fn an_upload_is_accepted_before_it_ends_and_says_where_to_look() {
    let server = Server::start();
    let body = Form::of(&metadata("Trolls", "v0-0-01")).body(&docker_archive(&image("Trolls")));
    let answer = server.ask("POST", "/v1/images", &[("content-type", CONTENT_TYPE)], &body);
    let accepted = answer.expect(202);
    let (id, uid) = (accepted["actionId"].as_str().unwrap(), &accepted["imageUID"]);
    let expected = json!({
        "PID": "c2usr03-c8fms03-e20",
        "status": "accepted",
        "message": format!("the upload of image {}-v0-0-01 is under way", uid.as_str().unwrap()),
        "actionId": id,
        "imageUID": uid,
        "imageVersion": "v0-0-01",
    });
    assert_eq!(accepted, expected);
    assert_eq!(answer.header("location"), format!("/v1/actions/{id}"));
    let ended = server.get(&format!("/v1/actions/{id}?wait=60")).expect(200);
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(ended, server.get(answer.header("location")).expect(200));
}

#[test]
fn an_uploaded_image_is_shown_as_it_was_described() {
    let server = Server::start();
    let said = json!({
        "imageMetadata": {
            "imageName": "Trolls World Tour (2020)",
            "imageVersion": "v1-2-03",
            "imageCategory": "Movie",
            "Description": "Two lines,\nand a tab\t.",
            "Part": 21117,
            "tail": "G-AAAA",
            "icao": "BAW",
            "port": "8080",
            "image": "data:image/png;base64,iVBORw0KGgo=",
        },
        "userMetadata": { "username": "jamesbond" },
    });
    let archive = docker_archive(&image("Trolls"));
    let action = server.upload(&said, &archive).expect(200);
    let image = Image::of(&action);
    let shown = server.shown(&image);
    let expected = json!({
        "imageUID": image.uid,
        "imageVersion": "v1-2-03",
        "imageName": "Trolls World Tour (2020)",
        "imageCategory": "Movie",
        "description": "Two lines,\nand a tab\t.",
        "part": "21117",
        "tail": "G-AAAA",
        "icao": "BAW",
        "currentEnvironment": "Development",
        "status": "stored",
        "deployed": null,
        "deployedLabel": "Deployed: none",
        "cluster": null,
        "scanned": false,
        "digest": action["result"]["digest"],
        "sizeBytes": archive.len(),
        "createdAt": shown["createdAt"],
        "updatedAt": shown["createdAt"],
        "runningAction": null,
    });
    assert_eq!(shown, expected);
    assert_eq!(action["result"]["sizeBytes"], archive.len());
    let object = format!("images/app-image-1206-bkt-k8d-aws/{}-v1-2-03.tar", image.uid);
    assert!(fs::read(server.data().join(object)).unwrap() == archive, "the archive changed");
}

fn digest_of(server: &Server, archive: &[u8]) -> String {
    let action = server.upload(&metadata("Trolls", "v0-0-01"), archive).expect(200);
    assert_eq!(action["state"], "succeeded", "{action:#}");
    action["result"]["digest"].as_str().unwrap().to_owned()
}

#[test]
fn the_same_image_has_the_same_digest_in_every_archive_of_a_kind() {
    let server = Server::start();
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let layers = ["one", "two"].map(|text| LayerSpec::of(&[(text, text)]).stored(compression));
        let image = ImageSpec { layers: layers.to_vec(), ..ImageSpec::default() };
        for plain in [docker_archive(&image), oci_layout(&image)] {
            let digest = digest_of(&server, &plain);
            for around in [Compression::Gzip, Compression::Zstd] {
                assert_eq!(
                    digest_of(&server, &compress(around, &plain)),
                    digest,
                    "{compression:?}"
                );
            }
        }
    }
}

/// Unpacks an image into an OCI layout that `skopeo` reads.
fn unpacked(image: &ImageSpec, directory: &Path) {
    tar::Archive::new(Cursor::new(oci_layout(image))).unpack(directory).unwrap();
}

#[test]
fn archives_that_skopeo_makes_come_out_of_the_registry_as_skopeo_knows_them() {
    let server = Server::start();
    let layers = [
        LayerSpec::of(&[("etc/os-release", "ID=debian\n")]).stored(Compression::Gzip),
        LayerSpec::of(&[("srv/app", "#!/bin/sh\n")]).stored(Compression::Gzip),
    ];
    let spec = ImageSpec { layers: layers.to_vec(), ..ImageSpec::default() };
    let (layout, registry) = (server.home().join("layout"), server.data().join("registry"));
    unpacked(&spec, &layout);
    let from = format!("oci:{}", layout.display());
    for kind in ["docker-archive", "oci-archive"] {
        let file = server.home().join(kind);
        let to = format!("{kind}:{}:orbit/test:1", file.display());
        skopeo(&["--insecure-policy", "copy", "--quiet", &from, &to]);
        let said = metadata(kind, "v0-0-01");
        let action = server.upload(&said, &fs::read(&file).unwrap()).expect(200);
        assert_eq!(action["state"], "succeeded", "{action:#}");
        let image = Image::of(&action);
        let deployed = server.done(&image, "deploy");
        let pinned = deployed["result"]["image"].as_str().unwrap();
        let (name, digest) = pinned.split_once('@').unwrap();
        let reference = format!("oci:{}:{name}:v0-0-01", registry.display());
        let seen: Value = serde_json::from_str(&skopeo(&["inspect", &reference])).unwrap();
        assert_eq!(seen["Digest"], digest);
        assert_eq!(seen["Digest"], server.shown(&image)["digest"]);
        assert_eq!((&seen["Os"], &seen["Architecture"]), (&json!("linux"), &json!("amd64")));
        assert_eq!(seen["Layers"].as_array().unwrap().len(), 2);
        let copy = format!("dir:{}", server.home().join(format!("{kind}-copy")).display());
        skopeo(&["--insecure-policy", "copy", "--quiet", &reference, &copy]);
    }
}

/// Half of what an upload may ever take, and far less than the image.
const MOST_KIB: u64 = 64 << 10;

#[test]
fn an_image_is_never_held_in_memory() {
    let mut server = Server::start();
    let content = ("srv/random".to_owned(), random_bytes(20, 101 << 20));
    let layer = LayerSpec { files: vec![content], compression: Compression::None };
    let spec = ImageSpec { layers: vec![layer], ..ImageSpec::default() };
    let archive = Cursor::new(docker_archive(&spec));
    let mut body = Form::of(&metadata("Large", "v0-0-01")).stream(archive);
    let headers = [("content-type", CONTENT_TYPE)];
    let answer = server.stream("/v1/images?wait=60", &headers, &mut body).unwrap();
    let action = answer.expect(200);
    assert_eq!(action["state"], "succeeded", "{action:#}");
    let image = Image::of(&action);
    for action in ["scan", "deploy", "transfer", "delete"] {
        server.done(&image, action);
    }
    let peak = server.program().peak_memory_kib();
    assert!(peak < MOST_KIB, "the program took {peak} KiB, expected less than {MOST_KIB}");
}

#[test]
fn a_new_version_must_be_greater_than_every_version_of_its_image() {
    let server = Server::start();
    let first = server.uploaded("Trolls");
    let second = server.uploaded_version(&first, "Trolls", "v0-1-00");
    server.done(&second, "delete");
    let before = server.world();
    for version in ["v0-0-01", "v0-0-99", "v0-1-00"] {
        let mut said = metadata("Trolls", version);
        said["imageMetadata"]["imageUID"] = json!(first.uid);
        let answer = server.upload(&said, &docker_archive(&image("Trolls")));
        let problem = refused(&answer, 409, "version-not-greater");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(version) && detail.contains("v0-1-00"), "{detail}");
        assert_eq!(server.last_error()["errorType"], "version-not-greater");
    }
    assert_eq!(server.world(), before);
    server.uploaded_version(&first, "Trolls", "v0-1-01");
    let versions = server.get(&format!("/v1/images/{}", first.uid)).expect(200);
    let versions: Vec<_> =
        versions["items"].as_array().unwrap().iter().map(|image| &image["imageVersion"]).collect();
    assert_eq!(versions, ["v0-0-01", "v0-1-00", "v0-1-01"]);
}

#[test]
fn a_version_of_an_image_that_does_not_exist_is_refused() {
    let server = Server::start();
    let before = server.world();
    let mut said = metadata("Trolls", "v0-0-02");
    said["imageMetadata"]["imageUID"] = json!("a".repeat(60));
    let answer = server.upload(&said, &docker_archive(&image("Trolls")));
    refused(&answer, 404, "image-not-found");
    assert_eq!(server.world(), before);
}

#[test]
fn an_upload_that_is_cut_off_leaves_only_its_story() {
    let server = Server::start();
    let before = server.world();
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let id = held.action["actionId"].clone();
    let (status, problem) = held.cut();
    assert_eq!((status, &problem["errorType"]), (400, &json!("upload-incomplete")));
    assert_eq!(problem["actionId"], id);
    let path = format!("/v1/actions/{}?wait=60", id.as_str().unwrap());
    let action = server.get(&path).expect(200);
    assert_eq!(action["state"], "failed");
    assert_eq!(action["error"]["errorType"], "upload-incomplete");
    assert_eq!(server.world(), before);
    assert_eq!(server.story(&action), "upload-initiated c2usr03-c8fms03-e20\n");
    let error = server.last_error();
    assert_eq!((&error["actionId"], &error["errorType"]), (&id, &json!("upload-incomplete")));
}

#[test]
fn an_upload_that_comes_slowly_is_still_an_upload() {
    let server = Server::start();
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let (status, action) = held.finish();
    assert_eq!((status, &action["state"]), (200, &json!("succeeded")));
}

#[test]
fn a_gzip_archive_of_several_members_is_one_archive() {
    let server = Server::start();
    let archive = docker_archive(&image("Trolls"));
    let (front, back) = archive.split_at(700);
    let mut members = Vec::new();
    for part in [front, back] {
        let mut member = GzEncoder::new(&mut members, flate2::Compression::fast());
        member.write_all(part).unwrap();
        member.finish().unwrap();
    }
    assert_eq!(digest_of(&server, &members), digest_of(&server, &archive));
}
