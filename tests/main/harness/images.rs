//! Images to upload.

use orbit_core::testing::archives::{ImageSpec, LayerSpec};

/// Returns an image whose layer says something, so that two texts are two images.
pub(crate) fn image(text: &str) -> ImageSpec {
    ImageSpec { layers: vec![LayerSpec::of(&[("etc/motd", text)])], ..ImageSpec::default() }
}

/// Returns bytes that nothing compresses, always the same for a seed.
pub(crate) fn random_bytes(seed: u64, n_bytes: usize) -> Vec<u8> {
    let mut state = seed.max(1);
    let mut bytes = Vec::with_capacity(n_bytes + 8);
    while bytes.len() < n_bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(n_bytes);
    bytes
}
