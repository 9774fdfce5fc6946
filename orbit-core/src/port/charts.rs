//! The port of charts.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::ActionId;
use crate::ImageId;
use crate::chart::Chart;
use crate::place::{ChartPlace, Shelf};
use crate::port::PortError;

/// A chart that lies in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredChart {
    /// The place.
    pub place: ChartPlace,
    /// The chart.
    pub chart: Chart,
    /// The action that put it there.
    pub writer: ActionId,
}

/// Keeps charts, revision by revision. A chart is never changed.
#[async_trait]
pub trait ChartStore: Send + Sync {
    /// Puts a chart and returns what lies there: the chart, by this writer or by an earlier one.
    ///
    /// # Errors
    /// `Conflict` if another chart lies there.
    async fn put(
        &self,
        place: &ChartPlace,
        writer: &ActionId,
        chart: &Chart,
    ) -> Result<StoredChart, PortError>;

    /// Returns the chart in a place, or `None`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(&self, place: &ChartPlace) -> Result<Option<StoredChart>, PortError>;

    /// Returns every revision of an image's chart on a shelf, sorted by place.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(&self, shelf: &Shelf, image: &ImageId) -> Result<Vec<StoredChart>, PortError>;

    /// Removes the chart that `writer` put. An empty place is success.
    ///
    /// # Errors
    /// `Conflict` if another writer put what lies there: it stays.
    async fn remove(&self, place: &ChartPlace, writer: &ActionId) -> Result<(), PortError>;
}
