use super::*;

const PACKED: [Compression; 2] = [Compression::Gzip, Compression::Zstd];

#[test]
fn a_truncated_compressed_archive_is_refused() {
    for compression in PACKED {
        let archive = compress(compression, &docker_archive(&ImageSpec::default()));
        for cut in [1, 4, archive.len() / 2] {
            let end = archive.len() - cut;
            refused(&archive[..end], "archive", Situation::Truncated);
        }
        refused(&archive[..5], "archive", Situation::Truncated);
    }
}

#[test]
fn bytes_after_the_compressed_archive_are_refused() {
    for compression in PACKED {
        let archive = compress(compression, &docker_archive(&ImageSpec::default()));
        for tail in [&b"tail"[..], b"\0\0\0\0", b"\0"] {
            let late = [archive.as_slice(), tail].concat();
            refused(&late, "archive", Situation::Trailing);
        }
    }
}

#[test]
fn compressed_data_that_fails_its_own_checksum_is_refused() {
    let plain = docker_archive(&ImageSpec::default());
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    std::io::copy(&mut plain.as_slice(), &mut encoder).unwrap();
    let zstd = (encoder.finish().unwrap(), 1, Compression::Zstd);
    let gzip = (compress(Compression::Gzip, &plain), 8, Compression::Gzip);
    for (mut archive, from_end, compression) in [zstd, gzip] {
        let at = archive.len() - from_end;
        archive[at] ^= 1;
        refused(&archive, "archive", Situation::Corrupt(compression));
    }
}

#[test]
fn a_layer_that_is_cut_off_or_goes_on_is_refused() {
    let layer = ImageSpec::default().layers[0].tar();
    for compression in PACKED {
        let stored = compress(compression, &layer);
        let config = config_of(&[Digest::of(&layer)]);
        let cut = docker_with(&stored[..stored.len() - 3], &config);
        refused(&cut, "\"layer\"", Situation::Truncated);
        let late = docker_with(&[&stored, &b"tail"[..]].concat(), &config);
        refused(&late, "\"layer\"", Situation::Trailing);
    }
}

/// Returns a tar with one file of zeros.
fn zeros(size: usize) -> Vec<u8> {
    tar_of([("zeros", vec![0; size].as_slice())])
}

#[test]
fn a_bomb_is_refused_whether_or_not_the_image_names_it() {
    let bomb = compress(Compression::Zstd, &zeros(64 << 20));
    let limit = Situation::Limit { name: "decompressed bytes per compressed byte", max: 1000 };
    refused(&bomb, "archive", limit.clone());
    let named = docker_with(&bomb, &config_of(&[Digest::of(b"")]));
    refused(&named, "\"layer\"", limit.clone());
    let unnamed = [entry("other", b'0', &bomb), docker_archive(&ImageSpec::default())].concat();
    refused(&unnamed, "\"other\"", limit);
}

#[test]
fn all_streams_together_stay_within_the_absolute_caps() {
    let layer = LayerSpec::of(&[("a", "a")]).stored(Compression::Gzip);
    let image = ImageSpec { layers: vec![layer], ..ImageSpec::default() };
    let archive = compress(Compression::Gzip, &docker_archive(&image));
    let limit = |limits: Limits| inspect_within(limits, &archive).unwrap_err().situation;
    let default = Limits::default();
    assert_eq!(
        limit(Limits { expanded: 5000, ..default }),
        Situation::Limit { name: "decompressed bytes", max: 5000 }
    );
    assert_eq!(
        limit(Limits { frames: 1, ..default }),
        Situation::Limit { name: "gzip members and zstd frames", max: 1 }
    );
}

#[test]
fn a_zstd_frame_with_a_huge_window_is_refused() {
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(25).unwrap();
    std::io::copy(&mut &zeros(1 << 20)[..], &mut encoder).unwrap();
    let archive = encoder.finish().unwrap();
    refused(&archive, "archive", Situation::Limit { name: "bytes of zstd window", max: 8 << 20 });
}

#[test]
fn a_fault_is_final() {
    let mut inspector = Inspector::new(Limits::default());
    let fault = inspector.feed(&ended(&[entry("/", b'0', b"")])).unwrap_err();
    assert_eq!(inspector.feed(&docker_archive(&ImageSpec::default())), Err(fault.clone()));
    assert_eq!(inspector.finish(), Err(fault));
}

#[test]
fn a_window_on_another_archive_is_refused() {
    let mut window = Window::new(Compression::Zstd, 0, 10);
    let fault = window.feed(&compress(Compression::Gzip, b"something else")).unwrap_err();
    assert_eq!(fault.situation, Situation::Corrupt(Compression::Zstd));
}
