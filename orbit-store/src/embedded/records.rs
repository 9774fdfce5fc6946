//! Plain records in a table.

use async_trait::async_trait;
use orbit_core::place::Names;
use orbit_core::port::{Kind, PortError, Record, RecordFilter, RecordKey, RecordPage, Records};
use orbit_core::query::Cursor;
use orbit_core::{ActionId, Timestamp};
use sqlx::{QueryBuilder, Sqlite, SqliteExecutor};

use super::database::{Database, commit, created};
use crate::fault::Fault;
use crate::page;
use crate::record;

/// The record store of a data directory.
pub(crate) struct TableRecords {
    database: Database,
    names: Names,
}

impl TableRecords {
    /// Returns the records of a database.
    pub(crate) fn new(database: Database, names: Names) -> Self {
        Self { database, names }
    }

    async fn find_in(
        &self,
        database: impl SqliteExecutor<'_>,
        key: &RecordKey,
    ) -> Result<Option<Record>, Fault> {
        let select = sqlx::query_scalar(
            "SELECT record FROM records
             WHERE table_name = ? AND partition_key = ? AND sort_key = ?",
        );
        let record: Option<String> = select
            .bind(self.names.record_table(key.table))
            .bind(&key.partition)
            .bind(&key.sort)
            .fetch_optional(database)
            .await
            .map_err(Fault::Database)?;
        record.map(|record| record::read(&record)).transpose()
    }
}

#[async_trait]
impl Records for TableRecords {
    async fn put(&self, record: &Record) -> Result<(), PortError> {
        let Record { key, body: _, at, writer } = record;
        let RecordKey { table, partition, sort } = key;
        let (utc, unix) = created(*at);
        let mut transaction = self.database.write().await?;
        let insert = sqlx::query(
            "INSERT INTO records (table_name, partition_key, sort_key, writer, at, record,
                                  created_timestamp_utc, created_timestamp_unix)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        );
        let insert = insert
            .bind(self.names.record_table(*table))
            .bind(partition)
            .bind(sort)
            .bind(writer.as_str())
            .bind(at.millis())
            .bind(record::write(record))
            .bind(utc)
            .bind(unix);
        insert.execute(&mut *transaction).await.map_err(Fault::Database)?;
        let there = self.find_in(&mut *transaction, key).await?;
        commit(transaction).await?;
        if there.as_ref() != Some(record) {
            let message = format!("another record has the key {}", say(key));
            return Err(PortError::new(Kind::Conflict, message));
        }
        Ok(())
    }

    async fn find(&self, key: &RecordKey) -> Result<Option<Record>, PortError> {
        Ok(self.find_in(self.database.read(), key).await?)
    }

    async fn remove(&self, key: &RecordKey, writer: &ActionId) -> Result<(), PortError> {
        let mut transaction = self.database.write().await?;
        let Some(there) = self.find_in(&mut *transaction, key).await? else { return Ok(()) };
        if there.writer != *writer {
            let (found, key) = (there.writer, say(key));
            let message = format!("{found} wrote the record {key}, expected {writer}");
            return Err(PortError::new(Kind::Conflict, message));
        }
        let delete = sqlx::query(
            "DELETE FROM records WHERE table_name = ? AND partition_key = ? AND sort_key = ?",
        );
        let delete =
            delete.bind(self.names.record_table(key.table)).bind(&key.partition).bind(&key.sort);
        delete.execute(&mut *transaction).await.map_err(Fault::Database)?;
        Ok(commit(transaction).await?)
    }

    async fn query(&self, filter: &RecordFilter) -> Result<RecordPage, PortError> {
        let unpaged = RecordFilter { cursor: None, limit: 0, ..filter.clone() };
        let identity = format!("{unpaged:?}");
        let beyond = page::begin(filter.cursor.as_ref(), &identity)?;
        let mut sql = select(self.names.record_table(filter.table), filter, beyond);
        let select = sql.build_query_scalar().fetch_all(self.database.read());
        let records: Vec<String> = select.await.map_err(Fault::Database)?;
        let records = records.iter().map(|record| record::read(record));
        let mut records: Vec<Record> = records.collect::<Result<_, _>>()?;
        let next = page::cut(&mut records, filter.limit)
            .map(|Record { key, at, .. }| Cursor::new(&identity, &(at, &key.partition, &key.sort)));
        Ok(RecordPage { records, next })
    }
}

/// Returns the statement for a page of a table's records, beyond one of them.
fn select(
    table: String,
    filter: &RecordFilter,
    beyond: Option<(Timestamp, String, String)>,
) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT record FROM records INDEXED BY ");
    // SQLite does not know how few records an action has, and may go by the time.
    sql.push(match (&filter.writer, &filter.partition) {
        (Some(_), _) => "records_by_writer",
        (None, Some(_)) => "records_by_partition",
        (None, None) => "records_by_time",
    });
    sql.push(" WHERE table_name = ").push_bind(table);
    if let Some(partition) = &filter.partition {
        sql.push(" AND partition_key = ").push_bind(partition.clone());
    }
    if let Some(writer) = &filter.writer {
        sql.push(" AND writer = ").push_bind(writer.to_string());
    }
    if let Some(from) = filter.from {
        sql.push(" AND at >= ").push_bind(from.millis());
    }
    if let Some(to) = filter.to {
        // Where a page goes on is narrower; the plus keeps the end from taking its place in the index.
        let and = if beyond.is_some() { " AND +" } else { " AND " };
        sql.push(and).push("at < ").push_bind(to.millis());
    }
    if let Some((at, partition, sort)) = beyond {
        sql.push(" AND (at, partition_key, sort_key) < (").push_bind(at.millis());
        sql.push(", ").push_bind(partition);
        sql.push(", ").push_bind(sort).push(")");
    }
    sql.push(" ORDER BY at DESC, partition_key DESC, sort_key DESC LIMIT ");
    sql.push_bind(page::n_rows(filter.limit));
    sql
}

fn say(RecordKey { table, partition, sort }: &RecordKey) -> String {
    format!("({partition}, {sort}) in {table:?}")
}

#[cfg(test)]
mod tests {
    use orbit_core::place::RecordTable;

    use super::*;
    use crate::embedded::testing::{action, plan, stores};

    #[tokio::test]
    async fn a_page_of_records_goes_on_where_the_last_one_ended_without_reading_what_is_before() {
        let (_dir, stores) = stores().await;
        let time = |ms| Some(Timestamp::from_millis(ms));
        let all = RecordFilter {
            table: RecordTable::UserData,
            partition: None,
            writer: None,
            from: time(1),
            to: time(9),
            cursor: None,
            limit: 20,
        };
        let of_action = RecordFilter { writer: Some(action(1)), ..all.clone() };
        for (filter, index) in [
            (all, "records_by_time (table_name=? AND "),
            (of_action, "records_by_writer (writer=? AND table_name=? AND "),
        ] {
            let key = Some((Timestamp::from_millis(5), "ada".to_owned(), action(1).to_string()));
            let plan = plan(&stores, &select("user-data".to_owned(), &filter, key)).await;
            let beyond = "at>? AND (at,partition_key,sort_key)<(?,?,?))";
            assert_eq!(plan, format!("SEARCH records USING INDEX {index}{beyond}"), "{filter:?}");
        }
    }
}
