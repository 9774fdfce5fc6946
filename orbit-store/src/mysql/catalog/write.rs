//! Inserting and replacing rows.

use std::collections::BTreeSet;

use async_trait::async_trait;
use orbit_core::port::{Kind, PortError, Row};
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::query::Query;
use sqlx::{Connection as _, MySql, MySqlConnection, QueryBuilder, Row as _, Transaction};

use super::columns::{Columns, version_order};
use super::{Find, pieces, read, text};
use crate::mysql::database::Work;
use crate::mysql::fault::{Stopped, error_number, number};
use crate::record;

/// The insert of an image's first row.
pub(super) struct Insert<'a> {
    row: &'a Row,
    columns: Columns,
}

impl<'a> Insert<'a> {
    /// Returns the insert of a row.
    pub(super) fn new(row: &'a Row) -> Result<Self, PortError> {
        Ok(Self { row, columns: Columns::of(&row.image)? })
    }

    async fn images(&self, transaction: &mut Transaction<'_, MySql>) -> Result<u32, Stopped> {
        let (id, columns) = (&self.row.image.id, &self.columns);
        let insert = sqlx::query(
            "INSERT INTO images (image_uid, image_version, version_order, environment, status,
                                 name_folded, category, category_folded, part, tail, scanned,
                                 created, updated, text_folded)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        );
        let insert = insert
            .bind(id.uid.as_str().as_bytes())
            .bind(id.version.to_string().into_bytes())
            .bind(version_order(id.version));
        let insert = bind(insert, columns);
        let done = insert.execute(&mut **transaction).await?;
        u32::try_from(done.last_insert_id()).map_err(|fault| sqlx::Error::decode(fault).into())
    }

    async fn document(
        &self,
        transaction: &mut Transaction<'_, MySql>,
        id: u32,
    ) -> Result<(), Stopped> {
        let insert = sqlx::query(
            "INSERT INTO image_documents (id, revision, writer, image) VALUES (?, ?, ?, ?)",
        );
        let insert = insert
            .bind(id)
            .bind(self.row.revision)
            .bind(self.row.writer.as_str().as_bytes())
            .bind(record::write(&self.row.image).into_bytes());
        insert.execute(&mut **transaction).await?;
        Ok(())
    }

    /// Accepts the row that is there if it is this one.
    async fn compare(&self, connection: &mut MySqlConnection) -> Result<(), Stopped> {
        let id = &self.row.image.id;
        let there = Find { id }.run(connection).await?;
        if there.as_ref() == Some(self.row) {
            return Ok(());
        }
        let message = format!("image {id} has a row, expected none");
        Err(PortError::new(Kind::Conflict, message).into())
    }
}

#[async_trait]
impl Work for Insert<'_> {
    type Output = ();

    async fn run(&self, connection: &mut MySqlConnection) -> Result<(), Stopped> {
        let mut transaction = connection.begin().await?;
        let id = match self.images(&mut transaction).await {
            Err(Stopped::Sql(error)) if error_number(&error) == Some(number::DUPLICATE) => {
                transaction.rollback().await?;
                return self.compare(connection).await;
            }
            id => id?,
        };
        self.document(&mut transaction, id).await?;
        let pieces = pieces::of(&self.columns.text_folded);
        execute(&mut transaction, pieces::add(id, &pieces)).await?;
        Ok(transaction.commit().await?)
    }
}

/// The replacement of an image's row.
pub(super) struct Swap<'a> {
    expected: u64,
    row: &'a Row,
    columns: Columns,
}

impl<'a> Swap<'a> {
    /// Returns the replacement of the row with revision `expected` by another.
    pub(super) fn new(expected: u64, row: &'a Row) -> Result<Self, PortError> {
        Ok(Self { expected, row, columns: Columns::of(&row.image)? })
    }

    /// Reads the row and keeps others from writing it.
    async fn hold(&self, transaction: &mut Transaction<'_, MySql>) -> Result<MySqlRow, Stopped> {
        let id = &self.row.image.id;
        let select = sqlx::query(
            "SELECT i.id, i.text_folded, d.image, d.revision, d.writer
             FROM images i STRAIGHT_JOIN image_documents d ON d.id = i.id
             WHERE i.image_uid = ? AND i.version_order = ?
             FOR UPDATE",
        );
        let select = select.bind(id.uid.as_str().as_bytes()).bind(version_order(id.version));
        let there = select.fetch_optional(&mut **transaction).await?;
        there.ok_or_else(|| PortError::new(Kind::NotFound, format!("image {id} has no row")).into())
    }

    /// Refuses a row of another revision.
    fn compare(&self, there: &Row) -> Result<(), PortError> {
        let (found, expected) = (there.revision, self.expected);
        if found == expected {
            return Ok(());
        }
        let id = &self.row.image.id;
        let message = format!("the row of image {id} has revision {found}, expected {expected}");
        Err(PortError::new(Kind::Conflict, message))
    }

    async fn images(
        &self,
        transaction: &mut Transaction<'_, MySql>,
        id: u32,
    ) -> Result<(), Stopped> {
        let columns = &self.columns;
        let update = sqlx::query(
            "UPDATE images
             SET environment = ?, status = ?, name_folded = ?, category = ?, category_folded = ?,
                 part = ?, tail = ?, scanned = ?, created = ?, updated = ?, text_folded = ?
             WHERE id = ?",
        );
        bind(update, columns).bind(id).execute(&mut **transaction).await?;
        Ok(())
    }

    async fn document(
        &self,
        transaction: &mut Transaction<'_, MySql>,
        id: u32,
    ) -> Result<(), Stopped> {
        let update = sqlx::query(
            "UPDATE image_documents SET revision = ?, writer = ?, image = ? WHERE id = ?",
        );
        let update = update
            .bind(self.row.revision)
            .bind(self.row.writer.as_str().as_bytes())
            .bind(record::write(&self.row.image).into_bytes())
            .bind(id);
        update.execute(&mut **transaction).await?;
        Ok(())
    }
}

#[async_trait]
impl Work for Swap<'_> {
    type Output = ();

    async fn run(&self, connection: &mut MySqlConnection) -> Result<(), Stopped> {
        let mut transaction = connection.begin().await?;
        let held = self.hold(&mut transaction).await?;
        let there = read(&held)?;
        if there == *self.row {
            return Ok(());
        }
        self.compare(&there)?;
        let id = held.try_get("id")?;
        self.images(&mut transaction, id).await?;
        self.document(&mut transaction, id).await?;
        let old = text(held.try_get("text_folded")?)?;
        let (old, new) = (pieces::of(old), pieces::of(&self.columns.text_folded));
        let gone: BTreeSet<&[u8]> = old.difference(&new).copied().collect();
        let come: BTreeSet<&[u8]> = new.difference(&old).copied().collect();
        execute(&mut transaction, pieces::remove(id, &gone)).await?;
        execute(&mut transaction, pieces::add(id, &come)).await?;
        Ok(transaction.commit().await?)
    }
}

async fn execute(
    transaction: &mut Transaction<'_, MySql>,
    statements: Vec<QueryBuilder<MySql>>,
) -> Result<(), Stopped> {
    for mut statement in statements {
        // Each has its own number of values, so keeping it prepared would only displace others.
        statement.build().persistent(false).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Binds the values of the columns, in the order in which both statements name them.
fn bind<'q>(
    query: Query<'q, MySql, MySqlArguments>,
    columns: &Columns,
) -> Query<'q, MySql, MySqlArguments> {
    query
        .bind(columns.environment.as_bytes())
        .bind(columns.status.as_str().as_bytes())
        .bind(columns.name_folded.as_bytes())
        .bind(columns.category.as_bytes())
        .bind(columns.category_folded.as_bytes())
        .bind(columns.part.as_deref().map(str::as_bytes))
        .bind(columns.tail.as_deref().map(str::as_bytes))
        .bind(columns.scanned)
        .bind(columns.created)
        .bind(columns.updated)
        .bind(columns.text_folded.as_bytes())
}
