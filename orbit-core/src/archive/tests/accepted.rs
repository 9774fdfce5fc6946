use super::*;

#[test]
fn a_docker_archive_is_found_whole_in_any_compression() {
    for compression in ALL {
        let plain = docker_archive(&mixed());
        let archive = compress(compression, &plain);
        let inspection = inspect(&archive).unwrap();
        assert_eq!(inspection.format, Format::DockerArchive);
        assert_eq!(inspection.compression, compression);
        assert_eq!(inspection.digest, Digest::of(&archive));
        assert_eq!(inspection.size, u64::try_from(archive.len()).unwrap());
        assert_eq!(inspection.config.digest, Digest::of(&config(&mixed())));
        assert_eq!(inspection.manifest.digest, Digest::of(inspection.manifest.bytes.as_bytes()));
        let types: Vec<_> = inspection.layers.iter().map(|blob| blob.media_type.as_str()).collect();
        let tar = "application/vnd.oci.image.layer.v1.tar";
        assert_eq!(types, [tar, &format!("{tar}+gzip"), &format!("{tar}+zstd")]);
        for blob in inspection.layers.iter().chain([&inspection.config]) {
            let from = usize::try_from(blob.offset).unwrap();
            let bytes = &plain[from..from + usize::try_from(blob.size).unwrap()];
            assert_eq!(Digest::of(bytes), blob.digest);
        }
    }
}

#[test]
fn the_manifest_of_a_docker_archive_is_what_other_tools_write() {
    let manifest = inspect(&docker_archive(&ImageSpec::default())).unwrap().manifest;
    let config = config(&ImageSpec::default());
    let layer = ImageSpec::default().layers[0].tar();
    let expected = format!(
        "{{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\
         \"config\":{{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\
         \"digest\":\"{}\",\"size\":{}}},\
         \"layers\":[{{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\
         \"digest\":\"{}\",\"size\":{}}}]}}",
        Digest::of(&config),
        config.len(),
        Digest::of(&layer),
        layer.len(),
    );
    assert_eq!(manifest.bytes, expected);
}

#[test]
fn the_same_image_has_the_same_blobs_in_both_formats() {
    let docker = inspect(&docker_archive(&mixed())).unwrap();
    let layout = inspect(&oci_layout(&mixed())).unwrap();
    assert_eq!(layout.format, Format::OciLayout);
    assert_eq!(docker.config.digest, layout.config.digest);
    let digests = |inspection: &Inspection| -> Vec<_> {
        inspection.layers.iter().map(|blob| (blob.digest, blob.media_type.clone())).collect()
    };
    assert_eq!(digests(&docker), digests(&layout));
}

#[test]
fn both_manifests_may_stand_in_one_archive_if_they_agree() {
    let archive = both(&ImageSpec::default(), &ImageSpec::default());
    assert_eq!(inspect(&archive).unwrap().format, Format::OciLayout);
}

/// Returns a layout of one image with the files of a docker-archive of another.
pub(super) fn both(layout: &ImageSpec, docker: &ImageSpec) -> Vec<u8> {
    packed(&[files(&oci_layout(layout)), files(&docker_archive(docker))].concat())
}

#[test]
fn links_of_older_formats_are_passed_over() {
    let legacy = link("0123/layer.tar", b'2', "../layer.tar");
    let hard = link("0123/hard", b'1', "layer.tar");
    let archive = [legacy, hard, docker_archive(&ImageSpec::default())].concat();
    assert_eq!(inspect(&archive).unwrap().layers.len(), 1);
}

#[test]
fn names_may_begin_with_a_dot_and_a_slash() {
    let mut dotted = files(&oci_layout(&ImageSpec::default()));
    dotted.iter_mut().for_each(|(name, _)| *name = format!("./{name}"));
    let entries: Vec<_> = dotted.iter().map(|(name, bytes)| entry(name, b'0', bytes)).collect();
    let archive = [entry("./", b'5', b""), entry("./blobs/", b'5', b""), ended(&entries)].concat();
    assert_eq!(inspect(&archive).unwrap().layers.len(), 1);
}

#[test]
fn a_layer_may_hold_any_kind_of_entry() {
    let long = "d/".repeat(60) + "file";
    let layer = ended(&[
        entry("/", b'5', b""),
        entry("./etc/", b'5', b""),
        entry("etc/.wh.gone", b'0', b""),
        link("etc/link", b'2', "/../../outside"),
        link("etc/hard", b'1', "etc/other"),
        entry("dev/null", b'3', b""),
        entry("dev/sda", b'4', b""),
        entry("run/pipe", b'6', b""),
        pax(&[("path", "a/path/out/of/an/extended/header"), ("mtime", "1.5")]),
        entry("short", b'0', b"content"),
        entry("././@LongLink", b'L', [long.as_bytes(), b"\0"].concat().as_slice()),
        entry("d/d/d", b'0', b"content"),
    ]);
    let archive = docker_with(&layer, &config_of(&[Digest::of(&layer)]));
    assert_eq!(inspect(&archive).unwrap().layers.len(), 1);
}

#[test]
fn a_layer_may_end_without_its_two_blocks_of_zeros() {
    let layer = [entry("a", b'0', b"content"), entry("b", b'0', b"content")].concat();
    let unpadded = &layer[..1536 + 7];
    let one_block = [layer.as_slice(), &[0; 512]].concat();
    for layer in [&layer, unpadded, &one_block, &[0; 1024][..]] {
        let archive = docker_with(layer, &config_of(&[Digest::of(layer)]));
        assert_eq!(inspect(&archive).unwrap().layers[0].digest, Digest::of(layer));
    }
}

#[test]
fn several_members_or_frames_are_one_stream() {
    let layer = ImageSpec::default().layers[0].tar();
    let (head, tail) = layer.split_at(700);
    for compression in [Compression::Gzip, Compression::Zstd] {
        let stored = [compress(compression, head), compress(compression, tail)].concat();
        let archive = docker_with(&stored, &config_of(&[Digest::of(&layer)]));
        assert_eq!(inspect(&archive).unwrap().layers[0].digest, Digest::of(&stored));
    }
}

#[test]
fn an_attestation_and_a_second_tag_are_no_second_image() {
    let archive = oci_layout(&ImageSpec::default());
    let attestation = "{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"size\":1,\
        \"digest\":\"sha256:0\",\"platform\":{\"os\":\"unknown\",\"architecture\":\"unknown\"},\
        \"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}},";
    let with = replaced(
        &archive,
        "index.json",
        "\"manifests\":[",
        &format!("\"manifests\":[{attestation}"),
    );
    assert_eq!(inspect(&with).unwrap().layers.len(), 1);
    let index = files(&archive).into_iter().find(|(name, _)| name == "index.json").unwrap().1;
    let index: serde_json::Value = serde_json::from_slice(&index).unwrap();
    let again = format!("\"manifests\":[{},", index["manifests"][0]);
    let twice = replaced(&archive, "index.json", "\"manifests\":[", &again);
    assert_eq!(inspect(&twice).unwrap().layers.len(), 1);
}

#[test]
fn a_window_gives_the_bytes_of_every_blob() {
    let plain = docker_archive(&mixed());
    for compression in ALL {
        let archive = compress(compression, &plain);
        let inspection = inspect(&archive).unwrap();
        for blob in inspection.layers.iter().chain([&inspection.config]) {
            let mut window = Window::of(&inspection, blob);
            let mut bytes = Vec::new();
            for chunk in archive.chunks(100) {
                bytes.extend(window.feed(chunk).unwrap());
            }
            assert!(window.is_done());
            assert_eq!(Digest::of(&bytes), blob.digest);
        }
    }
}

#[test]
fn an_inspection_survives_being_kept() {
    let inspection = inspect(&oci_layout(&mixed())).unwrap();
    let kept = serde_json::to_string(&inspection).unwrap();
    assert_eq!(serde_json::from_str::<Inspection>(&kept).unwrap(), inspection);
}
