//! The port of image rows.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::image::Image;
use crate::port::PortError;
use crate::query::{Cursor, Search};
use crate::{ActionId, ImageId, ImageUid};

/// A row of the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The image.
    pub image: Image,
    /// How often the row was written: 1 after its insert.
    pub revision: u64,
    /// The action that wrote it last.
    pub writer: ActionId,
}

/// How many images have each value of a field, most first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// By category.
    pub category: Vec<(String, u64)>,
    /// By environment.
    pub environment: Vec<(String, u64)>,
    /// By status: `stored`, `deployed`, `deleted`.
    pub status: Vec<(String, u64)>,
    /// By part number; images without one are not counted.
    pub part: Vec<(String, u64)>,
    /// By tail number; images without one are not counted.
    pub tail: Vec<(String, u64)>,
}

/// A page of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchPage {
    /// The rows, in the order asked for.
    pub rows: Vec<Row>,
    /// Where the next page begins, or `None` on the last one.
    pub next: Option<Cursor>,
    /// How many images match in all pages, counted up to [`Search::COUNT_LIMIT`].
    pub total: u64,
    /// Whether counting stopped at the limit.
    pub total_is_at_least: bool,
    /// The facets, if they were asked for.
    pub facets: Option<Facets>,
}

/// Keeps one row per image, for ever: a deleted image's row stays.
#[async_trait]
pub trait Catalog: Send + Sync {
    /// Inserts the first row of an image. The same insert by the same writer again is success.
    ///
    /// # Errors
    /// `Conflict` if the image has a row.
    async fn insert(&self, image: &Image, writer: &ActionId) -> Result<Row, PortError>;

    /// Returns an image's row, or `None`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(&self, id: &ImageId) -> Result<Option<Row>, PortError>;

    /// Returns the rows of all versions of a UID, oldest version first.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn versions(&self, uid: &ImageUid) -> Result<Vec<Row>, PortError>;

    /// Replaces a row if its revision is still `expected`. The same swap by the same writer again
    /// is success.
    ///
    /// # Errors
    /// `NotFound` if there is no row, `Conflict` if it has another revision.
    async fn swap(&self, expected: u64, image: &Image, writer: &ActionId)
    -> Result<Row, PortError>;

    /// Returns a page of the images that match.
    ///
    /// # Errors
    /// `Rejected` if the cursor is of another search.
    async fn search(&self, search: &Search) -> Result<SearchPage, PortError>;
}
