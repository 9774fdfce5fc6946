use proptest::prelude::*;

use super::*;

/// Any archive of either format, plain or compressed.
fn any_archive() -> impl Strategy<Value = Vec<u8>> {
    (any::<bool>(), 0_usize..3).prop_map(|(docker, compression)| {
        let plain = if docker { docker_archive(&mixed()) } else { oci_layout(&mixed()) };
        compress(ALL[compression], &plain)
    })
}

/// What is written over an archive, where in per mille, and how much is cut off its end.
fn any_damage() -> impl Strategy<Value = (usize, Vec<u8>, usize)> {
    (0_usize..1000, proptest::collection::vec(any::<u8>(), 0..16), 0_usize..3)
}

fn damaged(mut archive: Vec<u8>, (at, bytes, cut): (usize, Vec<u8>, usize)) -> Vec<u8> {
    let at = archive.len() * at / 1000;
    for (old, new) in archive.iter_mut().skip(at).zip(bytes) {
        *old = new;
    }
    archive.truncate(archive.len() - cut);
    archive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn chunks_make_no_difference(archive in any_archive(), damage in any_damage(), sizes in any_chunks()) {
        prop_assert_eq!(inspect_chunked(&archive, &sizes), inspect(&archive));
        let archive = damaged(archive, damage);
        prop_assert_eq!(inspect_chunked(&archive, &sizes), inspect(&archive));
    }

    #[test]
    fn a_damaged_archive_is_refused_or_its_digests_hold(
        docker in any::<bool>(),
        damage in any_damage(),
    ) {
        let plain = if docker { docker_archive(&mixed()) } else { oci_layout(&mixed()) };
        let archive = damaged(plain, damage);
        if let Ok(inspection) = inspect(&archive) {
            prop_assert_eq!(inspection.digest, Digest::of(&archive));
            for blob in inspection.layers.iter().chain([&inspection.config]) {
                let from = usize::try_from(blob.offset).unwrap();
                let bytes = &archive[from..from + usize::try_from(blob.size).unwrap()];
                prop_assert_eq!(Digest::of(bytes), blob.digest);
            }
            prop_assert_eq!(inspection.manifest.digest, Digest::of(inspection.manifest.bytes.as_bytes()));
        }
    }

    #[test]
    fn any_bytes_are_refused_in_peace(
        head in 0_usize..4,
        bytes in proptest::collection::vec(any::<u8>(), 0..3000),
    ) {
        let heads = [&b""[..], &[0x1f, 0x8b, 8, 0], &[0x28, 0xb5, 0x2f, 0xfd], b"{"];
        let archive = [heads[head], &bytes].concat();
        prop_assert!(inspect(&archive).is_err());
        prop_assert!(inspect(&tar_of([("manifest.json", archive.as_slice())])).is_err());
        let layer = docker_with(&archive, &config_of(&[Digest::of(&archive)]));
        prop_assert!(inspect(&layer).is_err());
    }
}
