use proptest::prelude::Strategy;

use super::*;
use crate::testing::archives::{
    ImageSpec, LayerSpec, compress, config, docker_archive, oci_layout, tar_of,
};

mod accepted;
mod documents;
mod properties;
mod streams;
mod tars;

const ALL: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zstd];

fn inspect(archive: &[u8]) -> Result<Inspection, ArchiveFault> {
    inspect_within(Limits::default(), archive)
}

fn inspect_within(limits: Limits, archive: &[u8]) -> Result<Inspection, ArchiveFault> {
    let mut inspector = Inspector::new(limits);
    inspector.feed(archive)?;
    inspector.finish()
}

/// Feeds the archive in chunks of these sizes, over and over.
fn inspect_chunked(archive: &[u8], sizes: &[usize]) -> Result<Inspection, ArchiveFault> {
    let mut inspector = Inspector::new(Limits::default());
    let mut rest = archive;
    for &size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, left) = rest.split_at(size.min(rest.len()));
        inspector.feed(chunk)?;
        rest = left;
    }
    inspector.finish()
}

/// Checks that an archive is refused for this reason at this place, whole and in small chunks.
fn refused(archive: &[u8], place: &str, situation: Situation) {
    let fault = inspect(archive).unwrap_err();
    assert_eq!((fault.place.to_string(), fault.situation.clone()), (place.to_owned(), situation));
    assert_eq!(inspect_chunked(archive, &[1, 511, 77]), Err(fault));
}

/// An image of three layers in three compressions.
fn mixed() -> ImageSpec {
    let layer = |name: &str| LayerSpec::of(&[(name, "content")]);
    let layers = ALL.iter().map(|&c| layer(&format!("usr/{c}")).stored(c)).collect();
    ImageSpec { layers, ..ImageSpec::default() }
}

/// A header with its checksum, the content and what fills the last block.
fn raw(name: &[u8], flag: u8, size: &[u8], content: &[u8]) -> Vec<u8> {
    let mut header = vec![0; 512];
    header[..name.len()].copy_from_slice(name);
    header[124..124 + size.len()].copy_from_slice(size);
    header[156] = flag;
    header[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut header);
    header.extend_from_slice(content);
    header.resize(header.len().next_multiple_of(512), 0);
    header
}

fn seal(header: &mut [u8]) {
    header[148..156].copy_from_slice(b"        ");
    let sum: u64 = header.iter().map(|&byte| u64::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn entry(name: &str, flag: u8, content: &[u8]) -> Vec<u8> {
    raw(name.as_bytes(), flag, format!("{:011o}", content.len()).as_bytes(), content)
}

fn link(name: &str, flag: u8, target: &str) -> Vec<u8> {
    let mut header = entry(name, flag, b"");
    header[157..157 + target.len()].copy_from_slice(target.as_bytes());
    seal(&mut header);
    header
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut content = String::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let guess = rest.len() + 2;
        assert!((10..100).contains(&guess), "the test's own records have two digits of length");
        content.push_str(&format!("{guess}{rest}"));
    }
    entry("pax", b'x', content.as_bytes())
}

fn ended(entries: &[Vec<u8>]) -> Vec<u8> {
    [entries.concat(), vec![0; 1024]].concat()
}

/// Returns the files of an archive.
fn files(archive: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(archive).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        files.push((entry.path().unwrap().to_str().unwrap().to_owned(), bytes));
    }
    files
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    tar_of(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())))
}

/// Returns the archive with another text in one of its documents.
fn replaced(archive: &[u8], name: &str, from: &str, to: &str) -> Vec<u8> {
    let mut files = files(archive);
    let (_, bytes) = files.iter_mut().find(|(file, _)| file == name).unwrap();
    let text = String::from_utf8(bytes.clone()).unwrap();
    assert!(text.contains(from), "{text}");
    *bytes = text.replace(from, to).into_bytes();
    packed(&files)
}

/// Returns a docker-archive of one layer with these bytes, and its config of this image.
fn docker_with(layer: &[u8], config: &[u8]) -> Vec<u8> {
    let manifest = br#"[{"Config":"config","Layers":["layer"]}]"#;
    tar_of([("layer", layer), ("config", config), ("manifest.json", manifest.as_slice())])
}

/// Returns a config whose diff ids are these.
fn config_of(diff_ids: &[Digest]) -> Vec<u8> {
    let rootfs = serde_json::json!({"type": "layers", "diff_ids": diff_ids});
    let config = serde_json::json!({"os": "linux", "architecture": "amd64", "rootfs": rootfs});
    config.to_string().into_bytes()
}

fn any_chunks() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1_usize..5000, 1..8)
}
