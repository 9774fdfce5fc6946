//! The catalog in `MariaDB`, and the naive statements on the same tables.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use orbit_core::port::Catalog;
use orbit_core::query::Search;
use orbit_store::{MySql, MySqlSettings, SharedStore as _};
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

use super::cases::{self, Peer};
use super::{fill, servers};

/// A filled database.
pub(crate) struct Filled {
    pub(crate) catalog: Arc<dyn Catalog>,
    pub(crate) peer: Naive,
    _server: Option<servers::Server>,
}

/// A connection that says the naive statements.
pub(crate) struct Naive(MySqlConnection);

/// Opens a database with so many images, and fills it if it is empty.
pub(crate) async fn open(n_images: u32, url: Option<&str>) -> Filled {
    let server = url.is_none().then(servers::own_mariadb);
    let own =
        server.as_ref().map(|server| format!("mysql://root@127.0.0.1:{}/bench", server.port()));
    let url = own.as_deref().or(url).unwrap();
    let mut settings = MySqlSettings::new(url.parse().unwrap());
    settings.call_timeout = Duration::from_secs(600);
    let mysql = MySql::connect(&settings).unwrap();
    mysql.setup().await.unwrap();
    let mut connection = MySqlConnection::connect(url).await.unwrap();
    let pool = "SET GLOBAL innodb_buffer_pool_size = 1073741824";
    sqlx::raw_sql(pool).execute(&mut connection).await.unwrap();
    let n: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM images").fetch_one(&mut connection).await.unwrap();
    if n == 0 {
        let begun = Instant::now();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("catalog-load");
        fs::create_dir_all(&dir).unwrap();
        fill::load(&mut connection, &dir, (0..n_images).map(fill::made)).await;
        println!("MariaDB was filled in {:.0?}", begun.elapsed());
    }
    sizes(&mut connection).await;
    Filled { catalog: mysql.catalog(), peer: Naive(connection), _server: server }
}

async fn sizes(connection: &mut MySqlConnection) {
    let select = "SELECT table_name, CAST(data_length AS SIGNED), CAST(index_length AS SIGNED)
        FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name LIKE 'image%'";
    let sizes: Vec<(String, i64, i64)> =
        sqlx::query_as(select).fetch_all(connection).await.unwrap();
    for (table, rows, indexes) in sizes {
        println!("{table}: {} MB of rows, {} MB of indexes", rows / 1_000_000, indexes / 1_000_000);
    }
}

impl Peer for Naive {
    async fn page(&mut self, search: &Search, offset: u32) -> (Duration, u64) {
        let condition = cases::naive(search);
        let sql = format!(
            "SELECT d.image FROM (SELECT id FROM images WHERE {condition} LIMIT 21 OFFSET {offset}) page
             JOIN image_documents d ON d.id = page.id"
        );
        let begun = Instant::now();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.0).await.unwrap();
        (begun.elapsed(), u64::try_from(rows.len()).unwrap())
    }
}
