//! Charts in a table.

use std::sync::Arc;

use async_trait::async_trait;
use orbit_core::chart::Chart;
use orbit_core::place::{ChartPlace, Names, Shelf};
use orbit_core::port::{ChartStore, Clock, Kind, PortError, StoredChart};
use orbit_core::{ActionId, ImageId};
use sqlx::SqliteExecutor;

use super::database::{Database, commit, created};
use crate::fault::Fault;
use crate::record;

/// The chart store of a data directory.
pub(crate) struct TableCharts {
    database: Database,
    names: Names,
    clock: Arc<dyn Clock>,
}

impl TableCharts {
    /// Returns the charts of a database.
    pub(crate) fn new(database: Database, names: Names, clock: Arc<dyn Clock>) -> Self {
        Self { database, names, clock }
    }
}

#[async_trait]
impl ChartStore for TableCharts {
    async fn put(
        &self,
        place: &ChartPlace,
        writer: &ActionId,
        chart: &Chart,
    ) -> Result<StoredChart, PortError> {
        let (utc, unix) = created(self.clock.now());
        let (place, writer, chart) = (place.clone(), writer.clone(), chart.clone());
        let stored = StoredChart { place, chart, writer };
        let StoredChart { place, chart, writer } = &stored;
        let mut transaction = self.database.write().await?;
        let insert = sqlx::query(
            "INSERT INTO charts (shelf, image_uid, image_version, revision, table_name, writer,
                                 chart, created_timestamp_utc, created_timestamp_unix)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO NOTHING",
        );
        let insert = insert
            .bind(place.shelf.to_string())
            .bind(place.image.uid.as_str())
            .bind(place.image.version.to_string())
            .bind(place.revision.to_string())
            .bind(self.names.chart_table(&place.shelf))
            .bind(writer.as_str())
            .bind(record::write(&stored))
            .bind(utc)
            .bind(unix);
        insert.execute(&mut *transaction).await.map_err(Fault::Database)?;
        let there = find(&mut *transaction, place).await?;
        commit(transaction).await?;
        there.filter(|there| there.chart == *chart).ok_or_else(|| {
            let message = format!("another chart lies in {place}");
            PortError::new(Kind::Conflict, message)
        })
    }

    async fn find(&self, place: &ChartPlace) -> Result<Option<StoredChart>, PortError> {
        Ok(find(self.database.read(), place).await?)
    }

    async fn list(&self, shelf: &Shelf, image: &ImageId) -> Result<Vec<StoredChart>, PortError> {
        let select = sqlx::query_scalar(
            "SELECT chart FROM charts
             WHERE shelf = ? AND image_uid = ? AND image_version = ?
             ORDER BY revision",
        );
        let charts: Vec<String> = select
            .bind(shelf.to_string())
            .bind(image.uid.as_str())
            .bind(image.version.to_string())
            .fetch_all(self.database.read())
            .await
            .map_err(Fault::Database)?;
        let charts = charts.iter().map(|chart| record::read(chart));
        Ok(charts.collect::<Result<_, _>>()?)
    }

    async fn remove(&self, place: &ChartPlace, writer: &ActionId) -> Result<(), PortError> {
        let mut transaction = self.database.write().await?;
        let Some(there) = find(&mut *transaction, place).await? else { return Ok(()) };
        if there.writer != *writer {
            let found = there.writer;
            let message = format!("{found} put the chart in {place}, expected {writer}");
            return Err(PortError::new(Kind::Conflict, message));
        }
        let delete = sqlx::query(
            "DELETE FROM charts
             WHERE shelf = ? AND image_uid = ? AND image_version = ? AND revision = ?",
        );
        let delete = delete
            .bind(place.shelf.to_string())
            .bind(place.image.uid.as_str())
            .bind(place.image.version.to_string())
            .bind(place.revision.to_string());
        delete.execute(&mut *transaction).await.map_err(Fault::Database)?;
        Ok(commit(transaction).await?)
    }
}

async fn find(
    database: impl SqliteExecutor<'_>,
    place: &ChartPlace,
) -> Result<Option<StoredChart>, Fault> {
    let select = sqlx::query_scalar(
        "SELECT chart FROM charts
         WHERE shelf = ? AND image_uid = ? AND image_version = ? AND revision = ?",
    );
    let chart: Option<String> = select
        .bind(place.shelf.to_string())
        .bind(place.image.uid.as_str())
        .bind(place.image.version.to_string())
        .bind(place.revision.to_string())
        .fetch_optional(database)
        .await
        .map_err(Fault::Database)?;
    chart.map(|chart| record::read(&chart)).transpose()
}
