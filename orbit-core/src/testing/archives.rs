//! Valid image archives, built in memory, always the same bytes for the same description.
//!
//! ```
//! use orbit_core::archive::{Inspector, Limits};
//! use orbit_core::testing::archives::{ImageSpec, docker_archive};
//! let mut inspector = Inspector::new(Limits::default());
//! inspector.feed(&docker_archive(&ImageSpec::default())).unwrap();
//! assert_eq!(inspector.finish().unwrap().platform.architecture, "amd64");
//! ```

use std::io::Write as _;

use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use crate::Digest;
use crate::archive::Compression;

/// An image to build an archive of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageSpec {
    /// The operating system.
    pub os: String,
    /// The architecture.
    pub architecture: String,
    /// From the base up.
    pub layers: Vec<LayerSpec>,
}

impl Default for ImageSpec {
    /// Returns an image for linux/amd64 with one plain layer.
    fn default() -> Self {
        let layer = LayerSpec::of(&[("etc/hostname", "orbit\n")]);
        Self { os: "linux".to_owned(), architecture: "amd64".to_owned(), layers: vec![layer] }
    }
}

/// A layer of regular files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerSpec {
    /// Paths and contents, in the order they stand in the layer.
    pub files: Vec<(String, Vec<u8>)>,
    /// How the layer is stored.
    pub compression: Compression,
}

impl LayerSpec {
    /// Returns a plain layer of these files.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        Self { files: files.iter().map(file).collect(), compression: Compression::None }
    }

    /// Returns the same layer, stored in that compression.
    #[must_use]
    pub fn stored(self, compression: Compression) -> Self {
        Self { compression, ..self }
    }

    /// Returns the layer's tar before compression.
    pub fn tar(&self) -> Vec<u8> {
        tar_of(self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())))
    }
}

/// Returns the image as `docker save` and `skopeo copy … docker-archive:` write it, except that
/// layers may be compressed.
pub fn docker_archive(image: &ImageSpec) -> Vec<u8> {
    let layers: Vec<_> = image.layers.iter().map(|layer| stored(layer).1).collect();
    let names: Vec<_> =
        layers.iter().map(|layer| format!("{}.tar", Digest::of(layer).hex())).collect();
    let config = config(image);
    let config_name = format!("{}.json", Digest::of(&config).hex());
    let manifest = json!([{"Config": config_name, "RepoTags": ["orbit/test:1"], "Layers": names}]);
    let mut files: Vec<(&str, &[u8])> = Vec::new();
    for (name, layer) in names.iter().zip(&layers) {
        files.push((name, layer));
    }
    let manifest = manifest.to_string();
    files.push((&config_name, &config));
    files.push(("manifest.json", manifest.as_bytes()));
    tar_of(files)
}

/// Returns the image as an OCI image layout in a tar.
pub fn oci_layout(image: &ImageSpec) -> Vec<u8> {
    let config = config(image);
    let layers: Vec<_> = image.layers.iter().map(stored).collect();
    let descriptors: Vec<_> =
        layers.iter().map(|(media_type, layer)| descriptor(media_type, layer)).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": descriptors,
    });
    let manifest = manifest.to_string().into_bytes();
    let index = json!({
        "schemaVersion": 2,
        "manifests": [descriptor("application/vnd.oci.image.manifest.v1+json", &manifest)],
    });
    let blobs = layers.into_iter().map(|(_, layer)| layer).chain([config, manifest]);
    let mut files: Vec<_> = blobs.map(|blob| (blob_path(&blob), blob)).collect();
    files.push(("index.json".to_owned(), index.to_string().into_bytes()));
    files.push(("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()));
    tar_of(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

/// Returns where a layout keeps a blob.
pub fn blob_path(blob: &[u8]) -> String {
    format!("blobs/sha256/{}", Digest::of(blob).hex())
}

/// Returns a descriptor of a blob, as manifests and indexes hold it.
pub fn descriptor(media_type: &str, blob: &[u8]) -> Value {
    json!({"mediaType": media_type, "digest": Digest::of(blob).to_string(), "size": blob.len()})
}

/// Returns the image's config.
pub fn config(image: &ImageSpec) -> Vec<u8> {
    let diff_ids: Vec<_> =
        image.layers.iter().map(|layer| Digest::of(&layer.tar()).to_string()).collect();
    let rootfs = json!({"type": "layers", "diff_ids": diff_ids});
    let config = json!({"architecture": image.architecture, "os": image.os, "rootfs": rootfs});
    config.to_string().into_bytes()
}

/// Returns a tar of regular files.
#[expect(clippy::missing_panics_doc, reason = "a vector takes all bytes")]
pub fn tar_of<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(u64::try_from(bytes.len()).expect("a length fits in 64 bits"));
        header.set_mode(0o644);
        header.set_entry_type(EntryType::Regular);
        builder.append_data(&mut header, path, bytes).expect("a vector takes all bytes");
    }
    builder.into_inner().expect("a vector takes all bytes")
}

/// Returns the bytes compressed.
#[expect(clippy::missing_panics_doc, reason = "a vector takes all bytes")]
pub fn compress(compression: Compression, bytes: &[u8]) -> Vec<u8> {
    match compression {
        Compression::None => bytes.to_vec(),
        Compression::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).expect("a vector takes all bytes");
            encoder.finish().expect("a vector takes all bytes")
        }
        Compression::Zstd => {
            zstd::stream::encode_all(bytes, 1).expect("a slice gives and a vector takes all bytes")
        }
    }
}

/// Returns an entry of `var/lib/dpkg/status` for an installed package.
pub fn dpkg_entry(name: &str, version: &str) -> String {
    format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n\
         Version: {version}\nDescription: made for a test\n of several lines\n\n"
    )
}

/// Returns an entry of `lib/apk/db/installed`.
pub fn apk_entry(name: &str, version: &str) -> String {
    format!("C:Q1test=\nP:{name}\nV:{version}\nA:x86_64\no:{name}-source\n\n")
}

/// Returns a layer's OCI media type, and its bytes as they are stored.
fn stored(layer: &LayerSpec) -> (&'static str, Vec<u8>) {
    let media_type = match layer.compression {
        Compression::None => "application/vnd.oci.image.layer.v1.tar",
        Compression::Gzip => "application/vnd.oci.image.layer.v1.tar+gzip",
        Compression::Zstd => "application/vnd.oci.image.layer.v1.tar+zstd",
    };
    (media_type, compress(layer.compression, &layer.tar()))
}
