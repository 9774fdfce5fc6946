//! Charts in tables: one for each environment, and one for all that were deleted.

use async_trait::async_trait;
use orbit_core::chart::Chart;
use orbit_core::place::{ChartPlace, Shelf};
use orbit_core::port::{ChartStore, Kind, PortError, StoredChart};
use orbit_core::{ActionId, ImageId};

use super::body::{Parcel, Room};
use super::call::Written;
use super::item::{Draft, Item, key, text_of};
use super::schema::CHART_KEY;
use super::tables::Tables;
use crate::record;

/// The attribute that holds a chart.
const CHART: &str = "chart";

/// The chart store of an installation.
pub(super) struct DynamoCharts(pub(super) Tables);

#[async_trait]
impl ChartStore for DynamoCharts {
    async fn put(
        &self,
        place: &ChartPlace,
        writer: &ActionId,
        chart: &Chart,
    ) -> Result<StoredChart, PortError> {
        self.0.within(self.put_new(place, writer, chart)).await
    }

    async fn find(&self, place: &ChartPlace) -> Result<Option<StoredChart>, PortError> {
        let find = async {
            let table = self.0.names.chart_table(&place.shelf);
            match self.0.get(&table, chart_key(place)).await? {
                Some(item) => self.0.read(&item, CHART).await.map(Some),
                None => Ok(None),
            }
        };
        self.0.within(find).await
    }

    async fn list(&self, shelf: &Shelf, image: &ImageId) -> Result<Vec<StoredChart>, PortError> {
        let list = async {
            let table = self.0.names.chart_table(shelf);
            let [partition, beginning] = beginning(shelf, image);
            let items = self.0.partition(&table, CHART_KEY, [&partition, &beginning]).await?;
            let mut charts: Vec<StoredChart> = Vec::with_capacity(items.len());
            for item in &items {
                charts.push(self.0.read(item, CHART).await?);
            }
            charts.sort_by(|one, other| one.place.cmp(&other.place));
            Ok(charts)
        };
        self.0.within(list).await
    }

    async fn remove(&self, place: &ChartPlace, writer: &ActionId) -> Result<(), PortError> {
        self.0.within(self.remove_own(place, writer)).await
    }
}

impl DynamoCharts {
    async fn put_new(
        &self,
        place: &ChartPlace,
        writer: &ActionId,
        chart: &Chart,
    ) -> Result<StoredChart, PortError> {
        let (place, writer, chart) = (place.clone(), writer.clone(), chart.clone());
        let stored = StoredChart { place, chart, writer };
        let StoredChart { place, chart, writer } = &stored;
        let mut parcel = Parcel::new()?;
        let what = format!("the chart in {place}");
        let body = parcel.pack(&what, record::write(&stored), Room::Alone).await?;
        let item = Draft::new(chart_key(place), self.0.clock.now())
            .text("imageVersion", place.image.version)
            .text("revision", place.revision)
            .text("shelf", &place.shelf)
            .text("writer", writer)
            .text("parcel", parcel.name())
            .value(CHART, body)
            .done();
        let table = self.0.names.chart_table(&place.shelf);
        self.0.send(&parcel).await?;
        if self.0.put_new(&table, CHART_KEY[0], &item).await? == Written::Yes {
            return Ok(stored);
        }
        let there = self.0.get(&table, chart_key(place)).await?;
        let is_ours = there.as_ref().is_some_and(|there| there.get("parcel") == item.get("parcel"));
        if !is_ours {
            self.0.recall(&parcel).await;
        }
        let there = there.ok_or_else(|| {
            let message = format!("what lay in {place} was removed meanwhile");
            PortError::new(Kind::Unavailable, message)
        })?;
        let there: StoredChart = self.0.read(&there, CHART).await?;
        if there.chart != *chart {
            let message = format!("another chart lies in {place}");
            return Err(PortError::new(Kind::Conflict, message));
        }
        Ok(there)
    }

    async fn remove_own(&self, place: &ChartPlace, writer: &ActionId) -> Result<(), PortError> {
        let (table, key) = (self.0.names.chart_table(&place.shelf), chart_key(place));
        if let Some(removed) = self.0.remove(&table, &key, writer.as_str()).await? {
            self.0.forget(removed.as_ref().and_then(|item| item.get(CHART))).await;
            return Ok(());
        }
        let there = self.0.get(&table, key).await?.unwrap_or_default();
        let found = text_of(&there, "writer").unwrap_or("another action");
        let message = format!("{found} put the chart in {place}, expected {writer}");
        Err(PortError::new(Kind::Conflict, message))
    }
}

fn chart_key(place: &ChartPlace) -> Item {
    key(CHART_KEY, [&place.partition(), &place.sort()])
}

/// Returns the partition of an image's charts, and how their sort keys begin.
fn beginning(shelf: &Shelf, image: &ImageId) -> [String; 2] {
    [shelf.chart_partition(&image.uid), ChartPlace::sorts_of(image.version)]
}
