//! Walks through indexes in the order of time, several at once.
//!
//! A page of all events comes from six tables, and in each from one partition a month. Every such
//! lane is walked on its own, and the rows are merged by their position, which is the sort key of
//! every index: what a row is ordered by, as a text. A cursor is a position too, and not necessarily
//! one of a row that was returned: where a filter drops most of what is read, a page ends after a
//! bounded number of reads, with what there is and the position it got to.

use std::collections::VecDeque;

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::try_join_all;
use orbit_core::Timestamp;
use orbit_core::port::PortError;

use super::call::failed;
use super::item::{Item, is_partition, millis, month, text, text_of};
use super::schema::Index;
use super::tables::{Equal, Tables};
use crate::aws::Failure;

/// How many reads a page may take in one lane before it ends with what there is.
const MAX_READS: u32 = 16;
/// How many rows a read looks at if a filter may drop them, at least and at most.
const FILTERED: [i32; 2] = [100, 5_000];

/// Which positions are wanted, in which direction.
#[derive(Debug, Clone)]
pub(super) struct Range {
    low: String,
    high: String,
    /// The position that the page before ended with.
    after: Option<String>,
    forward: bool,
}

impl Range {
    /// Returns the positions from one time up to another.
    pub(super) fn new(from: Option<Timestamp>, to: Option<Timestamp>, forward: bool) -> Self {
        let low = from.map_or_else(String::new, millis);
        let low = if low.is_empty() { FIRST.to_owned() } else { low };
        let before = |to: Timestamp| match to.millis() {
            ..=0 => String::from("!"),
            to => millis(Timestamp::from_millis(to - 1)) + LAST,
        };
        Self { low, high: to.map_or_else(|| LAST.to_owned(), before), after: None, forward }
    }

    /// Returns the positions beyond one.
    pub(super) fn beyond(mut self, position: Option<String>) -> Self {
        if let Some(position) = &position {
            let bound = if self.forward { &mut self.low } else { &mut self.high };
            bound.clone_from(position);
        }
        self.after = position;
        self
    }

    /// Returns whether a position is one of these.
    pub(super) fn has(&self, position: &str) -> bool {
        let within = self.low.as_str() <= position && position <= self.high.as_str();
        within && self.after.as_deref() != Some(position)
    }

    const fn is_forward(&self) -> bool {
        self.forward
    }

    fn is_empty(&self) -> bool {
        self.low > self.high
    }

    /// Returns those months that have positions in the range, in its direction.
    fn months(&self, months: Vec<String>) -> Vec<String> {
        let month_of = |position: &str| {
            let millis = position.get(..15).and_then(|digits| digits.parse().ok());
            millis.map(|millis| month(Timestamp::from_millis(millis)))
        };
        let (first, last) = (month_of(&self.low), month_of(&self.high));
        let mut months = months;
        months.retain(|month| {
            first.as_ref().is_none_or(|first| first <= month)
                && last.as_ref().is_none_or(|last| month <= last)
        });
        if !self.forward {
            months.reverse();
        }
        months
    }
}

/// Sorts before every position.
const FIRST: &str = "0";
/// Sorts behind every position, and behind everything that follows a time in one.
const LAST: &str = "~";

/// A row of an index.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) position: String,
    pub(super) table: String,
    pub(super) item: Item,
}

/// A walk through partitions of one index, one after the other.
#[derive(Debug)]
pub(super) struct Lane {
    table: String,
    index: Index,
    /// The partitions that are left, the present one first.
    partitions: VecDeque<String>,
    /// Where the present partition goes on.
    start: Option<Item>,
    rows: VecDeque<Row>,
    equals: Vec<Equal>,
    n_reads: u32,
}

/// How far a lane is known.
enum Head<'l> {
    /// Its next row.
    Row(&'l str),
    /// Whatever comes lies beyond this.
    Beyond(&'l str),
    /// It has to be read.
    Unknown,
    /// Nothing comes.
    End,
}

impl Lane {
    /// Returns a walk through one partition.
    pub(super) fn one(table: String, index: Index, partition: &str, equals: Vec<Equal>) -> Self {
        // Nothing is ever kept under a key that cannot be one.
        let partition = is_partition(partition).then(|| partition.to_owned());
        let partitions = partition.into_iter().collect();
        Self { table, index, partitions, start: None, rows: VecDeque::new(), equals, n_reads: 0 }
    }

    /// Returns a walk through the months of a list; `prefix` begins the name of each partition.
    pub(super) fn monthly(
        table: String,
        index: Index,
        (prefix, months): (&str, Vec<String>),
        range: &Range,
        equals: Vec<Equal>,
    ) -> Self {
        let months = range.months(months).into_iter();
        let partitions = months.map(|month| format!("{prefix}{month}")).collect();
        Self { table, index, partitions, start: None, rows: VecDeque::new(), equals, n_reads: 0 }
    }

    fn head(&self) -> Head<'_> {
        if let Some(row) = self.rows.front() {
            return Head::Row(&row.position);
        }
        if self.partitions.is_empty() {
            return Head::End;
        }
        let reached = self.start.as_ref().and_then(|key| key.get(self.index.sort)?.as_s().ok());
        match reached {
            // The next partition is always looked into: there is one a month at most.
            Some(reached) if self.n_reads >= MAX_READS => Head::Beyond(reached),
            _ => Head::Unknown,
        }
    }

    /// Reads on.
    async fn read(&mut self, tables: &Tables, range: &Range, want: i32) -> Result<(), PortError> {
        let Some(partition) = self.partitions.front() else { return Ok(()) };
        let (table, index) = (&self.table, &self.index);
        let mut query = tables.client.query().table_name(table).index_name(index.name);
        query = query
            .key_condition_expression("#p = :p AND #s BETWEEN :low AND :high")
            .expression_attribute_names("#p", index.partition)
            .expression_attribute_names("#s", index.sort)
            .expression_attribute_values(":p", text(partition))
            .expression_attribute_values(":low", text(&range.low))
            .expression_attribute_values(":high", text(&range.high))
            .scan_index_forward(range.is_forward())
            .limit(self.limit(want))
            .set_exclusive_start_key(self.start.take());
        for (n, (name, value)) in self.equals.iter().enumerate() {
            query = query.expression_attribute_names(format!("#f{n}"), *name);
            query = query.expression_attribute_values(format!(":f{n}"), value.clone());
        }
        let answer = query.set_filter_expression(self.filter()).send().await;
        let answer = answer.map_err(|error| failed(table, Failure::of("Query", &error)))?;
        self.n_reads += 1;
        self.start = answer.last_evaluated_key;
        if self.start.is_none() {
            self.partitions.pop_front();
        }
        for item in answer.items.unwrap_or_default() {
            let position = text_of(&item, self.index.sort)?.to_owned();
            if range.has(&position) {
                self.rows.push_back(Row { position, table: self.table.clone(), item });
            }
        }
        Ok(())
    }

    fn filter(&self) -> Option<String> {
        let equals = (0..self.equals.len()).map(|n| format!("#f{n} = :f{n}"));
        let equals: Vec<_> = equals.collect();
        (!equals.is_empty()).then(|| equals.join(" AND "))
    }

    /// A filter drops rows after they are counted, so the further it has to look, the more are read
    /// at once.
    fn limit(&self, want: i32) -> i32 {
        let [least, most] = FILTERED;
        if self.equals.is_empty() {
            return want;
        }
        let doubled = 4_i32.saturating_pow(self.n_reads.saturating_add(1));
        want.saturating_mul(doubled).clamp(least, most)
    }
}

/// Returns the rows of a page, and where the next one begins.
pub(super) async fn page(
    tables: &Tables,
    mut lanes: Vec<Lane>,
    range: &Range,
    limit: u32,
) -> Result<(Vec<Row>, Option<String>), PortError> {
    let mut rows: Vec<Row> = Vec::new();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if range.is_empty() || limit == 0 {
        return Ok((rows, None));
    }
    // One more than the page holds, to see whether there is another, and the one it begins behind.
    let want = i32::try_from(limit.saturating_add(2)).unwrap_or(i32::MAX);
    loop {
        read_on(tables, &mut lanes, range, want).await?;
        match first(&lanes, range.is_forward()) {
            Some((n_lane, Head::Row(_))) => {
                if rows.len() == limit {
                    let next = rows.last().map(|row| row.position.clone());
                    return Ok((rows, next));
                }
                rows.extend(lanes.get_mut(n_lane).and_then(|lane| lane.rows.pop_front()));
            }
            Some((_, Head::Beyond(position))) => return Ok((rows, Some(position.to_owned()))),
            Some((_, Head::Unknown | Head::End)) | None => return Ok((rows, None)),
        }
    }
}

/// Reads in every lane that has no row and may have one.
async fn read_on(
    tables: &Tables,
    lanes: &mut [Lane],
    range: &Range,
    want: i32,
) -> Result<(), PortError> {
    loop {
        let unknown = lanes.iter_mut().filter(|lane| matches!(lane.head(), Head::Unknown));
        let reads: Vec<_> = unknown.map(|lane| lane.read(tables, range, want)).collect();
        if reads.is_empty() {
            return Ok(());
        }
        try_join_all(reads).await?;
    }
}

/// Returns the lane that comes first in the direction of the walk.
fn first(lanes: &[Lane], forward: bool) -> Option<(usize, Head<'_>)> {
    let heads = lanes.iter().map(Lane::head).enumerate();
    let known = heads.filter_map(|(n_lane, head)| match head {
        Head::Row(position) | Head::Beyond(position) => Some((position, n_lane, head)),
        Head::Unknown | Head::End => None,
    });
    let first = known.reduce(|one, other| {
        let is_first = if forward { one.0 <= other.0 } else { one.0 >= other.0 };
        if is_first { one } else { other }
    });
    first.map(|(_, n_lane, head)| (n_lane, head))
}

/// Returns the equalities of a filter: those that are asked for.
pub(super) fn equals<const N: usize>(wanted: [(&'static str, Option<String>); N]) -> Vec<Equal> {
    let wanted = wanted.into_iter();
    wanted.filter_map(|(name, value)| Some((name, AttributeValue::S(value?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(rows: &[&str], start: Option<&str>, n_reads: u32) -> Lane {
        let mut lane = Lane::one("t".to_owned(), crate::dynamodb::schema::BY_TIME, "p", vec![]);
        lane.n_reads = n_reads;
        lane.start = start.map(|time| Item::from([("time".to_owned(), text(time))]));
        if start.is_none() {
            lane.partitions.clear();
        }
        let row = |position: &&str| Row {
            position: (*position).to_owned(),
            table: "t".to_owned(),
            item: Item::new(),
        };
        lane.rows = rows.iter().map(row).collect();
        lane
    }

    /// Returns the positions of a page, and where the next one begins, without reading anything.
    async fn check(lanes: Vec<Lane>, forward: bool) -> (Vec<String>, Option<String>) {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .build();
        let names = orbit_core::place::Names::new(&orbit_core::Environments::default());
        let client = aws_sdk_dynamodb::Client::from_conf(config);
        let clock = std::sync::Arc::new(crate::SystemClock);
        let tables = Tables::new(client, names, clock, std::time::Duration::from_secs(1));
        let range = Range::new(None, None, forward);
        let (rows, next) = page(&tables, lanes, &range, 3).await.unwrap();
        (rows.into_iter().map(|row| row.position).collect(), next)
    }

    #[tokio::test]
    async fn a_lane_that_was_read_enough_ends_the_page_where_it_stands() {
        let stuck = || lane(&[], Some("3"), MAX_READS);
        let (rows, next) = check(vec![lane(&["1", "2", "4"], None, 1), stuck()], true).await;
        assert_eq!((rows, next), (vec!["1".to_owned(), "2".to_owned()], Some("3".to_owned())));
        let (rows, next) = check(vec![lane(&["4", "2"], None, 1), stuck()], false).await;
        assert_eq!((rows, next), (vec!["4".to_owned()], Some("3".to_owned())));
        let (rows, next) = check(vec![stuck(), lane(&[], Some("5"), MAX_READS)], true).await;
        assert_eq!((rows, next), (vec![], Some("3".to_owned())));
    }

    #[tokio::test]
    async fn lanes_are_merged_and_a_page_knows_whether_another_follows() {
        let lanes = || vec![lane(&["1", "4"], None, 1), lane(&["2"], None, 1)];
        let all = ["1", "2", "4"].map(str::to_owned).to_vec();
        assert_eq!(check(lanes(), true).await, (all.clone(), None));
        let mut more = lanes();
        more.push(lane(&["5"], None, 1));
        assert_eq!(check(more, true).await, (all, Some("4".to_owned())));
    }
}
