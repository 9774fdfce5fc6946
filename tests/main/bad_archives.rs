//! Archives that no image can be read from: the upload fails by the fault's name, and nothing stays
//! but its story.

use orbit_core::Digest;
use orbit_core::archive::Compression;
use orbit_core::testing::archives::{
    ImageSpec, LayerSpec, compress, config, descriptor, docker_archive, oci_layout, tar_of,
};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use crate::harness::{Server, image, metadata};

const FAILED: &str = "\
upload-initiated c2usr03-c8fms03-e20
image-received c8fms03-c12bms03-e25
temporary-image-stored c12bms03-c16bre03-e30
image-validation-started c12bms03-c16bre03-e30
";

/// Uploads archives that must fail, and checks that nothing of them stays.
struct Checker {
    server: Server,
    before: String,
}

impl Checker {
    /// Returns a checker on a server that holds an image, which must not change either.
    fn new() -> Self {
        let server = Server::start();
        let image = server.uploaded("Bystander");
        server.done(&image, "deploy");
        Self { before: server.world(), server }
    }

    fn check(&self, what: &str, archive: &[u8], error_type: &str) {
        let said = metadata(what, "v0-0-01");
        let action = self.server.upload(&said, archive).expect(200);
        let found = &action["error"]["errorType"];
        assert_eq!((&action["state"], found), (&json!("failed"), &json!(error_type)), "{what}");
        assert_eq!(
            action["error"]["status"],
            if error_type == "limit-exceeded" { 413 } else { 422 }
        );
        assert_eq!(self.server.story(&action), FAILED, "{what}");
        let error = self.server.last_error();
        assert_eq!(error["actionId"], action["actionId"], "{what}");
        assert_eq!(error["errorType"], error_type, "{what}");
        assert_eq!(error["message"], action["error"]["detail"], "{what}");
        let message = error["message"].as_str().unwrap();
        assert!(!message.contains(char::is_control), "{what}: {message:?}");
        assert_eq!(self.server.world(), self.before, "{what}");
    }
}

/// Returns a docker-archive with this `manifest.json`, beside the config and layers of an image.
fn with_manifest(image: &ImageSpec, manifest: &Value) -> Vec<u8> {
    let (config, layer) = (config(image), image.layers[0].tar());
    let manifest = manifest.to_string();
    tar_of([
        ("layer.tar", layer.as_slice()),
        ("config.json", config.as_slice()),
        ("manifest.json", manifest.as_bytes()),
    ])
}

fn entry(config: &str, layers: &[&str]) -> Value {
    json!({ "Config": config, "RepoTags": null, "Layers": layers })
}

/// Returns an archive in which some bytes stand in the place of others, as often as they occur.
fn replaced(archive: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut replaced = archive.to_vec();
    let mut place = 0;
    while place + from.len() <= replaced.len() {
        let window = &mut replaced[place..place + from.len()];
        if window == from.as_bytes() {
            window.copy_from_slice(to.as_bytes());
        }
        place += 1;
    }
    assert_ne!(replaced, archive);
    replaced
}

/// Returns an archive with one more entry at its front, whose name nobody checks.
fn with_entry(archive: &[u8], name: &str, kind: EntryType, link: &str) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    header.set_mode(0o644);
    let fields = header.as_gnu_mut().unwrap();
    fields.name[..name.len()].copy_from_slice(name.as_bytes());
    fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&header, &[][..]).unwrap();
    let front = builder.get_ref().clone();
    [front, archive.to_vec()].concat()
}

#[test]
fn what_is_no_whole_archive_is_refused() {
    let checker = Checker::new();
    let archive = docker_archive(&image("whole"));
    let gzip = compress(Compression::Gzip, &archive);
    let zstd = compress(Compression::Zstd, &archive);
    checker.check("empty", b"", "archive-truncated");
    checker.check("text", b"FROM scratch\n", "archive-truncated");
    checker.check("cut", &archive[..archive.len() / 2], "archive-truncated");
    checker.check("cut gzip", &gzip[..gzip.len() / 2], "archive-truncated");
    checker.check("cut zstd", &zstd[..zstd.len() / 2], "archive-truncated");
    checker.check("zeros", &[0; 10_240], "not-an-image");
    checker.check("garbage", &b"garbage ".repeat(200), "tar-header-malformed");
    let mut damaged = gzip.clone();
    damaged[20..40].fill(0xff);
    checker.check("damaged gzip", &damaged, "compression-corrupt");
    checker.check("gzip and more", &[&gzip[..], b"more"].concat(), "trailing-data");
    checker.check("tar and more", &[&archive[..], &[1; 512]].concat(), "trailing-data");
    let files = tar_of([("README.md", &b"An image is not in here."[..])]);
    checker.check("other files", &files, "not-an-image");
}

#[test]
fn content_that_is_not_what_it_says_is_refused() {
    let checker = Checker::new();
    let image = image("content of the layer");
    let changed = ("content of the layer", "contents of a layer ");
    let docker = replaced(&docker_archive(&image), changed.0, changed.1);
    checker.check("changed layer", &docker, "layer-digest-mismatch");
    let oci = oci_layout(&image);
    checker.check("changed blob", &replaced(&oci, changed.0, changed.1), "digest-mismatch");
    checker.check("changed config", &replaced(&oci, "amd64", "arm64"), "digest-mismatch");
    let index = "{\"manifests\":[{\"digest\":";
    let (lower, upper) = (format!("{index}\"sha256:"), format!("{index}\"SHA256:"));
    let upper = replaced(&oci, &lower, &upper);
    checker.check("upper case", &upper, "digest-malformed");
    let unknown = ImageSpec { architecture: "abacus".to_owned(), ..image.clone() };
    checker.check("unknown platform", &docker_archive(&unknown), "platform-unknown");
    let layer = image.layers[0].clone();
    let twice = ImageSpec { layers: vec![layer.clone(), layer], ..image };
    checker.check("a layer twice", &oci_layout(&twice), "entry-duplicate");
}

#[test]
fn a_manifest_that_does_not_name_one_image_is_refused() {
    let checker = Checker::new();
    let image = image("one");
    let with = |manifest: &Value| with_manifest(&image, manifest);
    let one = entry("config.json", &["layer.tar"]);
    checker.check("two images", &with(&json!([one, one])), "image-count");
    checker.check("no image", &with(&json!([])), "image-count");
    checker.check("no list", &with(&one), "json-field-unexpected");
    let missing = entry("config.json", &["other.tar"]);
    checker.check("a layer is missing", &with(&json!([missing])), "file-missing");
    let missing = entry("other.json", &["layer.tar"]);
    checker.check("the config is missing", &with(&json!([missing])), "file-missing");
    let more = entry("config.json", &["layer.tar", "layer.tar"]);
    checker.check("a layer twice", &with(&json!([more])), "layer-duplicate");
    let fewer = entry("config.json", &[]);
    checker.check("no layer", &with(&json!([fewer])), "layer-count-mismatch");
    let no_layer = entry("config.json", &["config.json"]);
    checker.check("the config as layer", &with(&json!([no_layer])), "layer-malformed");
    let outside = entry("../../etc/passwd", &["layer.tar"]);
    checker.check("a path outside", &with(&json!([outside])), "file-missing");
    let text = tar_of([("manifest.json", &b"[{"[..])]);
    checker.check("no json", &text, "json-malformed");
    let twice = tar_of([("manifest.json", &br#"[{"Config":"a","Config":"b"}]"#[..])]);
    checker.check("a key twice", &twice, "json-duplicate-key");
}

#[test]
fn an_entry_that_leads_elsewhere_is_refused() {
    let checker = Checker::new();
    let good = docker_archive(&image("good"));
    let file = EntryType::Regular;
    checker.check("up", &with_entry(&good, "../evil", file, ""), "path-unsafe");
    checker.check("root", &with_entry(&good, "/etc/passwd", file, ""), "path-unsafe");
    checker.check("escapes", &with_entry(&good, "a\n\u{1b}[2J/../..", file, ""), "path-unsafe");
    let link = with_entry(&good, "link", EntryType::Symlink, "/etc/passwd");
    checker.check("a link to a file outside", &link, "path-unsafe");
    let device = with_entry(&good, "device", EntryType::Char, "");
    checker.check("a device", &device, "entry-not-accepted");
    let twice = with_entry(&good, "manifest.json", file, "");
    checker.check("a manifest twice", &twice, "entry-duplicate");
    let layers = json!([entry("config.json", &["linked.tar"])]);
    let linked = with_manifest(&image("linked"), &layers);
    let linked = with_entry(&linked, "linked.tar", EntryType::Symlink, "layer.tar");
    checker.check("a layer that is a link", &linked, "file-not-regular");
    let up = LayerSpec::of(&[("etc/motd", "up")]);
    let layer = with_entry(&up.tar(), "../../up", file, "");
    checker.check("up in a layer", &of_layer(&layer), "path-unsafe");
}

/// Returns a docker-archive of one layer, whatever is in it.
fn of_layer(layer: &[u8]) -> Vec<u8> {
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "rootfs": { "type": "layers", "diff_ids": [Digest::of(layer).to_string()] },
    });
    let (config, manifest) =
        (config.to_string(), json!([entry("config.json", &["layer.tar"])]).to_string());
    tar_of([
        ("layer.tar", layer),
        ("config.json", config.as_bytes()),
        ("manifest.json", manifest.as_bytes()),
    ])
}

#[test]
fn a_layer_that_lies_elsewhere_or_costs_too_much_is_refused() {
    let checker = Checker::new();
    let zeros = vec![0; 16 << 20];
    let bomb = compress(Compression::Zstd, &tar_of([("zeros", zeros.as_slice())]));
    checker.check("a bomb in an archive", &of_layer(&bomb), "limit-exceeded");
    checker.check("an archive that is a bomb", &bomb, "limit-exceeded");
    let image = image("foreign");
    let (config, layer) = (config(&image), image.layers[0].tar());
    let mut foreign = descriptor("application/vnd.oci.image.layer.v1.tar", &layer);
    foreign["urls"] = json!(["http://169.254.169.254/latest/meta-data"]);
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": descriptor("application/vnd.oci.image.config.v1+json", &config),
        "layers": [foreign],
    });
    let manifest = manifest.to_string().into_bytes();
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let index = json!({ "schemaVersion": 2, "manifests": [descriptor(media_type, &manifest)] });
    let index = index.to_string().into_bytes();
    let blobs = [config, layer, manifest];
    let paths = blobs.each_ref().map(|blob| orbit_core::testing::archives::blob_path(blob));
    let files = paths.iter().map(String::as_str).zip(blobs.iter().map(Vec::as_slice));
    let rest = [("index.json", &index[..]), ("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)];
    checker.check("a foreign layer", &tar_of(files.chain(rest)), "layer-foreign");
}
