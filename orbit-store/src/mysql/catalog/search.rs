//! The search: a page, its count and its facets, all as of one moment.

use async_trait::async_trait;
use orbit_core::port::{Facets, PortError, Row, SearchPage};
use orbit_core::query::Search;
use sqlx::{Connection as _, MySqlConnection};

use super::lead::{self, Filters};
use super::statement::{self, End, Way};
use super::{read, text};
use crate::fault::Fault;
use crate::mysql::database::Work;
use crate::mysql::fault::Stopped;
use crate::page;

/// A search for one page.
pub(super) struct Answer<'a> {
    search: &'a Search,
    filters: Filters,
    end: Option<End>,
}

impl<'a> Answer<'a> {
    /// Returns the search for a page.
    ///
    /// # Errors
    /// `Rejected` if the cursor is of another search.
    pub(super) fn new(search: &'a Search) -> Result<Self, PortError> {
        Ok(Self { search, filters: Filters::of(search), end: End::before(search)? })
    }

    async fn rows(
        &self,
        snapshot: &mut MySqlConnection,
        way: Way<'_>,
    ) -> Result<Vec<Row>, Stopped> {
        let mut sql = statement::rows(self.search, &self.filters, way, self.end.as_ref());
        let rows = sql.build().fetch_all(snapshot).await?;
        Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    async fn count(&self, snapshot: &mut MySqlConnection, way: Way<'_>) -> Result<u64, Stopped> {
        let mut sql = statement::count(&self.filters, way);
        let n: i64 = sql.build_query_scalar().fetch_one(snapshot).await?;
        Ok(n.unsigned_abs())
    }

    async fn facets(
        &self,
        snapshot: &mut MySqlConnection,
        way: Way<'_>,
    ) -> Result<Facets, Stopped> {
        Ok(Facets {
            category: self.facet(snapshot, way, "category").await?,
            environment: self.facet(snapshot, way, "environment").await?,
            status: self.facet(snapshot, way, "status").await?,
            part: self.facet(snapshot, way, "part").await?,
            tail: self.facet(snapshot, way, "tail").await?,
        })
    }

    async fn facet(
        &self,
        snapshot: &mut MySqlConnection,
        way: Way<'_>,
        column: &'static str,
    ) -> Result<Vec<(String, u64)>, Stopped> {
        let mut sql = statement::facet(&self.filters, way, column);
        let counts: Vec<(Vec<u8>, i64)> = sql.build_query_as().fetch_all(snapshot).await?;
        let counts =
            counts.iter().map(|(value, n)| Ok((text(value)?.to_owned(), n.unsigned_abs())));
        Ok(counts.collect::<Result<_, Fault>>()?)
    }
}

#[async_trait]
impl Work for Answer<'_> {
    type Output = SearchPage;

    async fn run(&self, connection: &mut MySqlConnection) -> Result<SearchPage, Stopped> {
        // At REPEATABLE READ all statements see what the first one saw.
        let mut snapshot = connection.begin_with("START TRANSACTION READ ONLY").await?;
        let leads = self.filters.leads();
        let few = lead::few(&leads, &mut snapshot).await?;
        let in_order = statement::in_order(self.search.sort, &self.filters);
        let to_page = few.map_or(in_order, Way::Lead);
        // Whatever is counted need not be in order.
        let to_all = few.or(leads.first().copied()).map_or(statement::through_all(), Way::Lead);
        let mut rows = self.rows(&mut snapshot, to_page).await?;
        let n_matches = self.count(&mut snapshot, to_all).await?;
        let facets = match self.search.facets {
            true => Some(self.facets(&mut snapshot, to_all).await?),
            false => None,
        };
        snapshot.commit().await?;
        let next = page::cut(&mut rows, self.search.limit);
        let next = next.map(|row| End::of(row, self.search.sort).cursor(self.search));
        Ok(SearchPage {
            rows,
            next,
            total: n_matches.min(Search::COUNT_LIMIT),
            total_is_at_least: n_matches > Search::COUNT_LIMIT,
            facets,
        })
    }
}
