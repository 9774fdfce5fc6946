//! The rows of images in a table.

mod search;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use orbit_core::port::{Catalog, Kind, PortError, Row, SearchPage};
use orbit_core::query::{Search, StatusName, fold, searched_text};
use orbit_core::{ActionId, Image, ImageId, ImageLabels, ImageUid, ImageVersion};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, SqliteExecutor, Transaction};

use super::database::{Database, commit, integer};
use crate::fault::Fault;
use crate::record;

/// The catalog of a data directory.
pub(crate) struct TableCatalog {
    database: Database,
}

impl TableCatalog {
    /// Returns the catalog of a database.
    pub(crate) fn new(database: Database) -> Self {
        Self { database }
    }
}

#[async_trait]
impl Catalog for TableCatalog {
    async fn insert(&self, image: &Image, writer: &ActionId) -> Result<Row, PortError> {
        let row = Row { image: image.clone(), revision: 1, writer: writer.clone() };
        let mut transaction = self.database.write().await?;
        match find(&mut *transaction, &image.id).await? {
            None => write(&mut transaction, &row).await?,
            Some(there) if there == row => return Ok(row),
            Some(_) => {
                let message = format!("image {} has a row, expected none", image.id);
                return Err(PortError::new(Kind::Conflict, message));
            }
        }
        commit(transaction).await?;
        Ok(row)
    }

    async fn find(&self, id: &ImageId) -> Result<Option<Row>, PortError> {
        Ok(find(self.database.read(), id).await?)
    }

    async fn versions(&self, uid: &ImageUid) -> Result<Vec<Row>, PortError> {
        let select = sqlx::query(
            "SELECT image, revision, writer FROM images
             WHERE image_uid = ?
             ORDER BY version_order",
        );
        let rows = select.bind(uid.as_str()).fetch_all(self.database.read()).await;
        let rows = rows.map_err(Fault::Database)?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    async fn swap(
        &self,
        expected: u64,
        image: &Image,
        writer: &ActionId,
    ) -> Result<Row, PortError> {
        let revision = expected.saturating_add(1);
        let row = Row { image: image.clone(), revision, writer: writer.clone() };
        let mut transaction = self.database.write().await?;
        let there = find(&mut *transaction, &image.id).await?.ok_or_else(|| {
            let message = format!("image {} has no row", image.id);
            PortError::new(Kind::NotFound, message)
        })?;
        if there == row {
            return Ok(row);
        }
        if there.revision != expected {
            let (id, found) = (&image.id, there.revision);
            let message =
                format!("the row of image {id} has revision {found}, expected {expected}");
            return Err(PortError::new(Kind::Conflict, message));
        }
        write(&mut transaction, &row).await?;
        commit(transaction).await?;
        Ok(row)
    }

    async fn search(&self, search: &Search) -> Result<SearchPage, PortError> {
        search::answer(&self.database, search).await
    }
}

/// Inserts or replaces a row.
async fn write(transaction: &mut Transaction<'static, Sqlite>, row: &Row) -> Result<(), Fault> {
    let Image { id, labels, environment, status, report, created, updated, .. } = &row.image;
    let ImageLabels { name, category, part, tail, .. } = labels;
    let upsert = sqlx::query(
        "INSERT INTO images (image_uid, image_version, version_order, environment, status,
                             name_folded, category, category_folded, part, tail, text_folded,
                             scanned, created, updated, image, revision, writer)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (image_uid, version_order) DO UPDATE SET
           environment = excluded.environment, status = excluded.status,
           name_folded = excluded.name_folded, category = excluded.category,
           category_folded = excluded.category_folded, part = excluded.part,
           tail = excluded.tail, text_folded = excluded.text_folded,
           scanned = excluded.scanned, created = excluded.created, updated = excluded.updated,
           image = excluded.image, revision = excluded.revision, writer = excluded.writer",
    );
    let upsert = upsert
        .bind(id.uid.as_str())
        .bind(id.version.to_string())
        .bind(version_order(id.version))
        .bind(environment.as_str())
        .bind(StatusName::of(status).as_str())
        .bind(fold(name))
        .bind(category)
        .bind(fold(category))
        .bind(part)
        .bind(tail)
        .bind(searched_text(&row.image))
        .bind(report.is_some())
        .bind(created.millis())
        .bind(updated.millis())
        .bind(record::write(&row.image))
        .bind(integer(row.revision))
        .bind(row.writer.as_str());
    upsert.execute(&mut **transaction).await.map(drop).map_err(Fault::Database)
}

async fn find(database: impl SqliteExecutor<'_>, id: &ImageId) -> Result<Option<Row>, Fault> {
    let select = sqlx::query::<Sqlite>(
        "SELECT image, revision, writer FROM images
         WHERE image_uid = ? AND version_order = ?",
    );
    let select = select.bind(id.uid.as_str()).bind(version_order(id.version));
    let row = select.fetch_optional(database).await.map_err(Fault::Database)?;
    row.as_ref().map(read).transpose()
}

/// Reads a row's `image`, `revision` and `writer`.
fn read(row: &SqliteRow) -> Result<Row, Fault> {
    let image: &str = row.try_get("image").map_err(Fault::Database)?;
    let revision = row.try_get("revision").map_err(Fault::Database)?;
    let writer: String = row.try_get("writer").map_err(Fault::Database)?;
    let writer = writer.parse().map_err(|fault| Fault::Database(sqlx::Error::decode(fault)))?;
    Ok(Row { image: record::read(image)?, revision, writer })
}

/// Returns a text that sorts as the version does.
fn version_order(version: ImageVersion) -> String {
    let text = version.to_string();
    let numbers = text.trim_start_matches('v').split('-');
    numbers.map(|number| format!("{number:0>10}")).collect::<Vec<_>>().join("-")
}
