use futures_util::{StreamExt as _, stream};
use orbit_core::Digest;
use tempfile::TempDir;

use orbit_core::place::Shelf;

use super::*;
use crate::embedded::testing::{action, all, body, development, open, slot, stores};

fn object(dir: &TempDir) -> PathBuf {
    let name = format!("app-image-1206-bkt-k8d-aws/{}", slot(1).key());
    dir.path().join("images").join(name)
}

fn archived(n: u32) -> Slot {
    Slot { shelf: Shelf::Deleted(development()), ..slot(n) }
}

fn partial_files(dir: &TempDir) -> usize {
    fs::read_dir(dir.path().join("partial")).unwrap().count()
}

fn pattern(n_bytes: u8) -> Vec<u8> {
    (0..=255).cycle().take(usize::from(n_bytes) * 150_001).collect()
}

#[tokio::test]
async fn an_object_is_a_plain_file_in_its_bucket_with_what_is_known_beside_it() {
    let (dir, stores) = stores().await;
    let stored = stores.images().put(&slot(1), &action(1), body(b"archive")).await.unwrap();
    assert_eq!(stored.digest, Digest::of(b"archive"));
    assert_eq!(fs::read(object(&dir)).unwrap(), b"archive");
    let sidecar = fs::read_to_string(object(&dir).with_extension("tar.json")).unwrap();
    assert_eq!(record::read::<Stored>(&sidecar).unwrap(), stored);

    stores.images().copy((&slot(1), &stored), &archived(1), &action(2)).await.unwrap();
    let name = format!("images/deleted-image-bucket/development/{}.tar", slot(1).image);
    assert_eq!(fs::read(dir.path().join(name)).unwrap(), b"archive");
    assert_eq!(partial_files(&dir), 0);
}

#[tokio::test]
async fn an_object_of_many_batches_comes_back_byte_by_byte() {
    let (_dir, stores) = stores().await;
    let bytes = pattern(30);
    let stored = stores.images().put(&slot(1), &action(1), body(&bytes)).await.unwrap();
    assert_eq!((stored.size, stored.digest), (4_500_030, Digest::of(&bytes)));
    let read = stores.images().read(&slot(1), &stored.tag, None).await.unwrap();
    assert_eq!(all(read).await.unwrap(), bytes);
    let range = ByteRange { offset: 1_048_575, len: 2_000_000 };
    let read = stores.images().read(&slot(1), &stored.tag, Some(range)).await.unwrap();
    assert_eq!(all(read).await.unwrap(), bytes[1_048_575..3_048_575]);
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused() {
    let (_dir, stores) = stores().await;
    let stored = stores.images().put(&slot(1), &action(1), body(b"archive")).await.unwrap();
    for (offset, len) in [(0, 8), (7, 1), (u64::MAX, 2)] {
        let range = Some(ByteRange { offset, len });
        let read = stores.images().read(&slot(1), &stored.tag, range).await;
        assert_eq!(read.err().unwrap().kind(), Kind::Rejected, "{len} from {offset} on");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_leaves_nothing_and_its_error_is_returned() {
    let (dir, stores) = stores().await;
    let cut_off = PortError::new(Kind::Rejected, "cut off").typed("upload-incomplete");
    let broken = body(&pattern(20)).chain(stream::iter([Err(cut_off)])).boxed();
    let fault = stores.images().put(&slot(1), &action(1), broken).await.unwrap_err();
    assert_eq!(fault.error_type(), Some("upload-incomplete"));
    assert_eq!(stores.images().find(&slot(1)).await.unwrap(), None);
    assert_eq!(partial_files(&dir), 0);
    assert!(!object(&dir).with_extension("tar.json").exists());
}

#[tokio::test]
async fn what_a_crash_left_is_removed_at_open() {
    let (dir, stores) = stores().await;
    let kept = stores.images().put(&slot(2), &action(1), body(b"kept")).await.unwrap();
    drop(stores);
    let sidecar = object(&dir).with_extension("tar.json");
    fs::write(&sidecar, "{}").unwrap();
    fs::write(dir.path().join("partial/0123"), "half of an arch").unwrap();

    let stores = open(&dir).await;
    assert!(!sidecar.exists());
    assert_eq!(partial_files(&dir), 0);
    assert_eq!(stores.images().find(&slot(2)).await.unwrap(), Some(kept));
    stores.images().put(&slot(1), &action(1), body(b"archive")).await.unwrap();
}

#[tokio::test]
async fn a_damaged_object_is_not_copied() {
    let (dir, stores) = stores().await;
    let stored = stores.images().put(&slot(1), &action(1), body(b"archive")).await.unwrap();
    for damage in [&b"archivf"[..], b"archiv", b"archive!"] {
        fs::write(object(&dir), damage).unwrap();
        let copied =
            stores.images().copy((&slot(1), &stored), &archived(1), &action(2)).await.unwrap_err();
        assert_eq!(copied.kind(), Kind::Rejected, "{copied}");
        assert_eq!(stores.images().find(&archived(1)).await.unwrap(), None);
        assert_eq!(partial_files(&dir), 0);
    }
}

#[tokio::test]
async fn an_object_that_was_cut_short_is_not_read_as_if_it_were_whole() {
    let (dir, stores) = stores().await;
    let stored = stores.images().put(&slot(1), &action(1), body(b"archive")).await.unwrap();
    fs::write(object(&dir), b"arch").unwrap();
    let read = stores.images().read(&slot(1), &stored.tag, None).await.unwrap();
    assert_eq!(all(read).await.unwrap_err().error_type(), Some("storage-damaged"));
}

#[tokio::test]
async fn what_is_being_read_can_be_removed() {
    let (dir, stores) = stores().await;
    let stored = stores.images().put(&slot(1), &action(1), body(b"archive")).await.unwrap();
    let read = stores.images().read(&slot(1), &stored.tag, None).await.unwrap();
    stores.images().remove(&slot(1), &stored.tag).await.unwrap();
    assert_eq!(all(read).await.unwrap(), b"archive");
    assert!(!object(&dir).exists());
    assert!(!object(&dir).with_extension("tar.json").exists());
}

#[tokio::test]
async fn of_two_writes_at_once_one_is_refused() {
    let (dir, stores) = stores().await;
    let images = stores.images();
    let (target, writers) = (slot(1), [action(1), action(2)]);
    let (one, other) = tokio::join!(
        images.put(&target, &writers[0], body(&pattern(20))),
        images.put(&target, &writers[1], body(&pattern(20))),
    );
    let (won, lost) = if one.is_ok() { (one, other) } else { (other, one) };
    assert_eq!(lost.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(images.find(&target).await.unwrap(), Some(won.unwrap()));
    assert_eq!(partial_files(&dir), 0);
}
