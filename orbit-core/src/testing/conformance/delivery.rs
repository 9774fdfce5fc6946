use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::{Works as _, assert_fails};
use crate::Digest;
use crate::archive::{Blob, Compression, Inspection, Inspector, Limits};
use crate::port::{BlobSource, ByteStream, Kind, PortError, Registry, Scanner};
use crate::testing::archives::{ImageSpec, LayerSpec, docker_archive, dpkg_entry};
use crate::testing::samples::body;

/// An image and the archive its blobs are read from.
struct Sample {
    archive: Bytes,
    image: Inspection,
}

/// Returns a plain docker-archive with one package, told apart by `content`.
fn sample(content: &str) -> Sample {
    let status = dpkg_entry("orbit-sample", "1.0-1");
    let files = [("var/lib/dpkg/status", status.as_str()), ("etc/sample", content)];
    let layers = vec![LayerSpec::of(&files), LayerSpec::of(&[("etc/shared", "shared")])];
    let archive = docker_archive(&ImageSpec { layers, ..ImageSpec::default() });
    let mut inspector = Inspector::new(Limits::default());
    inspector.feed(&archive).expect("the sample is a valid archive");
    let image = inspector.finish().expect("the sample is a valid archive");
    assert_eq!(image.compression, Compression::None);
    Sample { archive: archive.into(), image }
}

#[async_trait]
impl BlobSource for Sample {
    async fn open(&self, blob: &Blob) -> Result<ByteStream, PortError> {
        let start = usize::try_from(blob.offset).expect("the sample is small");
        let end = start + usize::try_from(blob.size).expect("the sample is small");
        Ok(stream::iter([Ok(self.archive.slice(start..end))]).boxed())
    }
}

/// A source that holds nothing.
struct Empty;

#[async_trait]
impl BlobSource for Empty {
    async fn open(&self, blob: &Blob) -> Result<ByteStream, PortError> {
        Err(PortError::new(Kind::NotFound, format!("{} was opened", blob.digest)))
    }
}

/// A source whose blobs are all something else.
struct Forged;

#[async_trait]
impl BlobSource for Forged {
    async fn open(&self, _: &Blob) -> Result<ByteStream, PortError> {
        Ok(body(b"something else"))
    }
}

/// Checks an empty [`Registry`]. `pulled` returns the digest that a tag of a repository stands for,
/// as whoever pulls it would see.
///
/// # Panics
/// Where the contract is broken.
pub async fn registry(
    registry: &dyn Registry,
    pulled: &(dyn Fn(&str, &str) -> Option<Digest> + Sync),
) {
    let (name, first, second) = ("registry.example/orbit/sample", sample("1"), sample("2"));
    assert_fails(
        registry.push(name, "v0-0-01", &first.image, &Forged).await,
        Kind::Rejected,
        "a push of bytes that are something else",
    );
    assert_fails(
        registry.push(name, "v0-0-01", &first.image, &Empty).await,
        Kind::NotFound,
        "a push of nothing, after a push that was refused",
    );
    assert_eq!(pulled(name, "v0-0-01"), None, "a refused push left a tag");
    registry.push(name, "v0-0-01", &first.image, &first).await.works("a push");
    assert_eq!(pulled(name, "v0-0-01"), Some(first.image.manifest.digest));
    registry.push(name, "v0-0-01", &first.image, &Empty).await.works("a push of what is there");
    registry.push(name, "v0-0-02", &first.image, &Empty).await.works("another tag of it");
    registry.push(name, "v0-0-01", &second.image, &second).await.works("a move of the tag");
    assert_eq!(pulled(name, "v0-0-01"), Some(second.image.manifest.digest));
    assert_eq!(pulled(name, "v0-0-02"), Some(first.image.manifest.digest));
    registry
        .push("registry.example/orbit/other", "v0-0-01", &second.image, &Empty)
        .await
        .works("a push of the same image under another name");
}

/// Checks a [`Scanner`].
///
/// # Panics
/// Where the contract is broken.
pub async fn scanner(scanner: &dyn Scanner) {
    let Sample { archive, image } = sample("1");
    let report = scanner.scan(&image, body(&archive)).await.works("a scan");
    let names: Vec<_> = report.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["orbit-sample"]);
    let again = scanner.scan(&image, body(&archive)).await.works("the scan again");
    assert_eq!(again, report, "the same image has the same report");
    let half = archive.slice(..archive.len() / 2);
    assert_fails(
        scanner.scan(&image, body(&half)).await,
        Kind::Rejected,
        "a scan of half an archive",
    );
    let broken = stream::iter([
        Ok(archive.slice(..512)),
        Err(PortError::new(Kind::Unavailable, "the store went away")),
    ]);
    assert_fails(
        scanner.scan(&image, broken.boxed()).await,
        Kind::Unavailable,
        "a scan of an archive that cannot be read just now",
    );
}
