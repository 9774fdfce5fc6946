//! The rows of images in tables.

mod columns;
mod lead;
mod pieces;
mod search;
mod statement;
mod write;

use async_trait::async_trait;
use orbit_core::port::{Catalog, PortError, Row, SearchPage};
use orbit_core::query::Search;
use orbit_core::{ActionId, Image, ImageId, ImageUid};
use sqlx::mysql::MySqlRow;
use sqlx::{MySqlConnection, Row as _};

use self::columns::version_order;
use self::search::Answer;
use self::write::{Insert, Swap};
use super::database::{Database, Work};
use super::fault::Stopped;
use crate::fault::Fault;
use crate::record;

/// The catalog of a database.
pub(super) struct MySqlCatalog {
    database: Database,
}

impl MySqlCatalog {
    /// Returns the catalog of a database.
    pub(super) const fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Catalog for MySqlCatalog {
    async fn insert(&self, image: &Image, writer: &ActionId) -> Result<Row, PortError> {
        let row = Row { image: image.clone(), revision: 1, writer: writer.clone() };
        self.database.run(&Insert::new(&row)?).await?;
        Ok(row)
    }

    async fn find(&self, id: &ImageId) -> Result<Option<Row>, PortError> {
        self.database.run(&Find { id }).await
    }

    async fn versions(&self, uid: &ImageUid) -> Result<Vec<Row>, PortError> {
        self.database.run(&Versions { uid }).await
    }

    async fn swap(
        &self,
        expected: u64,
        image: &Image,
        writer: &ActionId,
    ) -> Result<Row, PortError> {
        let revision = expected.saturating_add(1);
        let row = Row { image: image.clone(), revision, writer: writer.clone() };
        self.database.run(&Swap::new(expected, &row)?).await?;
        Ok(row)
    }

    async fn search(&self, search: &Search) -> Result<SearchPage, PortError> {
        self.database.run(&Answer::new(search)?).await
    }
}

struct Find<'a> {
    id: &'a ImageId,
}

#[async_trait]
impl Work for Find<'_> {
    type Output = Option<Row>;

    async fn run(&self, connection: &mut MySqlConnection) -> Result<Option<Row>, Stopped> {
        let select = sqlx::query(
            "SELECT d.image, d.revision, d.writer
             FROM images i STRAIGHT_JOIN image_documents d ON d.id = i.id
             WHERE i.image_uid = ? AND i.version_order = ?",
        );
        let select = select.bind(self.id.uid.as_str().as_bytes());
        let select = select.bind(version_order(self.id.version));
        let row = select.fetch_optional(connection).await?;
        Ok(row.as_ref().map(read).transpose()?)
    }
}

struct Versions<'a> {
    uid: &'a ImageUid,
}

#[async_trait]
impl Work for Versions<'_> {
    type Output = Vec<Row>;

    async fn run(&self, connection: &mut MySqlConnection) -> Result<Vec<Row>, Stopped> {
        let select = sqlx::query(
            "SELECT d.image, d.revision, d.writer
             FROM images i FORCE INDEX (images_by_id)
             STRAIGHT_JOIN image_documents d ON d.id = i.id
             WHERE i.image_uid = ?
             ORDER BY i.version_order",
        );
        let rows = select.bind(self.uid.as_str().as_bytes()).fetch_all(connection).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }
}

/// Reads a row's `image`, `revision` and `writer`.
fn read(row: &MySqlRow) -> Result<Row, Fault> {
    let image: &[u8] = row.try_get("image").map_err(Fault::Database)?;
    let revision = row.try_get("revision").map_err(Fault::Database)?;
    let writer = text(row.try_get("writer").map_err(Fault::Database)?)?;
    let writer = writer.parse().map_err(|fault| Fault::Database(sqlx::Error::decode(fault)))?;
    Ok(Row { image: record::read(text(image)?)?, revision, writer })
}

fn text(bytes: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(bytes).map_err(|fault| Fault::Database(sqlx::Error::decode(fault)))
}
