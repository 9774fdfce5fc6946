//! The catalog of a data directory, and the naive statements on the same tables.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use orbit_core::port::Catalog;
use orbit_core::query::{Search, StatusName};
use orbit_core::{Environments, Image};
use orbit_store::Embedded;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::cases::{self, Peer};
use super::fill;

/// A filled data directory.
pub(crate) struct Filled {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) peer: Naive,
    _stores: Embedded,
    _dir: Option<TempDir>,
}

/// A connection that says the naive statements.
pub(crate) struct Naive(SqliteConnection);

/// Opens a data directory with so many images, and fills it if it is empty.
pub(crate) async fn open(n_images: u32, is_kept: bool) -> Filled {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let dir = (!is_kept).then(|| tempfile::tempdir_in(tmp).unwrap());
    let kept = || tmp.join(format!("catalog-{n_images}"));
    let path: PathBuf = dir.as_ref().map_or_else(kept, |dir| dir.path().to_owned());
    let environments = Environments::default();
    Embedded::open(&path, &environments).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(path.join("orbit.db"));
    let mut connection = options.clone().connect().await.unwrap();
    let n: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM images").fetch_one(&mut connection).await.unwrap();
    if n == 0 {
        let begun = Instant::now();
        // The index of texts is written to all over, and would be read again for each image.
        let options = options.clone().pragma("cache_size", "-4000000");
        load(&mut options.connect().await.unwrap(), n_images).await;
        println!("SQLite was filled in {:.0?}", begun.elapsed());
    }
    let stores = Embedded::open(&path, &environments).await.unwrap();
    Filled { catalog: stores.catalog(), peer: Naive(connection), _stores: stores, _dir: dir }
}

async fn load(connection: &mut SqliteConnection, n_images: u32) {
    let mut transaction = connection.begin().await.unwrap();
    for n in 0..n_images {
        insert(&mut transaction, &fill::made(n)).await;
    }
    transaction.commit().await.unwrap();
}

async fn insert(connection: &mut SqliteConnection, image: &Image) {
    let insert = sqlx::query(
        "INSERT INTO images (image_uid, image_version, version_order, environment, status,
                             name_folded, category, category_folded, part, tail, text_folded,
                             scanned, created, updated, image, revision, writer)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)",
    );
    let version = image.id.version.to_string();
    let numbers = version.trim_start_matches('v').split('-');
    let order = numbers.map(|number| format!("{number:0>10}")).collect::<Vec<_>>().join("-");
    let labels = &image.labels;
    let insert = insert
        .bind(image.id.uid.as_str())
        .bind(&version)
        .bind(order)
        .bind(image.environment.as_str())
        .bind(StatusName::of(&image.status).as_str())
        .bind(labels.name.to_lowercase())
        .bind(&labels.category)
        .bind(labels.category.to_lowercase())
        .bind(&labels.part)
        .bind(&labels.tail)
        .bind(fill::text(image))
        .bind(image.report.is_some())
        .bind(image.created.millis())
        .bind(image.updated.millis())
        .bind(fill::document(image))
        .bind(orbit_core::testing::samples::action_id(1).to_string());
    insert.execute(connection).await.unwrap();
}

impl Peer for Naive {
    async fn page(&mut self, search: &Search, offset: u32) -> (Duration, u64) {
        let condition = cases::naive(search);
        let sql = format!("SELECT image FROM images WHERE {condition} LIMIT 21 OFFSET {offset}");
        let begun = Instant::now();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.0).await.unwrap();
        (begun.elapsed(), u64::try_from(rows.len()).unwrap())
    }
}
