//! The world's catalog.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{World, conflict, not_found, rejected};
use crate::image::Image;
use crate::port::{Catalog, Facets, PortError, Row, SearchPage};
use crate::query::{Cursor, Search, Sort, StatusName};
use crate::{ActionId, ImageId, ImageUid};

#[async_trait]
impl Catalog for World {
    async fn insert(&self, image: &Image, writer: &ActionId) -> Result<Row, PortError> {
        let new = Row { image: image.clone(), revision: 1, writer: writer.clone() };
        self.call("catalog.insert", move |state| {
            let there = state.rows.entry(new.image.id.clone()).or_insert_with(|| new.clone());
            if *there == new {
                return Ok(new);
            }
            Err(conflict(format!("{} has a row", new.image.id)))
        })
    }

    async fn find(&self, id: &ImageId) -> Result<Option<Row>, PortError> {
        let id = id.clone();
        self.call("catalog.find", move |state| Ok(state.rows.get(&id).cloned()))
    }

    async fn versions(&self, uid: &ImageUid) -> Result<Vec<Row>, PortError> {
        let uid = uid.clone();
        self.call("catalog.versions", move |state| {
            Ok(state.rows.values().filter(|row| row.image.id.uid == uid).cloned().collect())
        })
    }

    async fn swap(
        &self,
        expected: u64,
        image: &Image,
        writer: &ActionId,
    ) -> Result<Row, PortError> {
        let new = Row { image: image.clone(), revision: expected + 1, writer: writer.clone() };
        self.call("catalog.swap", move |state| {
            let id = &new.image.id;
            let there = state.rows.get_mut(id).ok_or_else(|| not_found(format!("no row {id}")))?;
            if there.revision == expected {
                *there = new.clone();
            }
            if *there == new {
                return Ok(new);
            }
            Err(conflict(format!("{id} has revision {}, expected {expected}", there.revision)))
        })
    }

    async fn search(&self, search: &Search) -> Result<SearchPage, PortError> {
        let search = search.clone();
        self.call("catalog.search", move |state| {
            let mut rows: Vec<_> =
                state.rows.values().filter(|row| matches(row, &search)).collect();
            rows.sort_by(|a, b| order(search.sort, &a.image, &b.image));
            let facets = search.facets.then(|| facets(&rows));
            let n_rows = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            let identity = search.identity();
            let skip = match &search.cursor {
                None => 0,
                Some(cursor) => {
                    let last: ImageId =
                        cursor.open(&identity).map_err(|fault| rejected(fault.to_string()))?;
                    rows.iter().position(|row| row.image.id == last).map_or(0, |index| index + 1)
                }
            };
            let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
            let more = rows.len() > skip + limit;
            let rows: Vec<_> = rows.into_iter().skip(skip).take(limit).cloned().collect();
            let last = rows.last().filter(|_| more);
            let next = last.map(|row| Cursor::new(&identity, &row.image.id));
            let total = n_rows.min(Search::COUNT_LIMIT);
            let total_is_at_least = n_rows > Search::COUNT_LIMIT;
            Ok(SearchPage { rows, next, total, total_is_at_least, facets })
        })
    }
}

fn matches(row: &Row, search: &Search) -> bool {
    let (image, labels) = (&row.image, &row.image.labels);
    let fold = |text: &str| text.to_lowercase();
    let same = |wanted: &Option<String>, text: Option<&str>| {
        wanted.as_ref().is_none_or(|wanted| text.is_some_and(|text| text == wanted))
    };
    let same_folded = |wanted: &Option<String>, text: &str| {
        wanted.as_ref().is_none_or(|wanted| fold(text) == fold(wanted))
    };
    let uid = image.id.uid.to_string();
    let texts = [Some(&labels.name), labels.description.as_ref(), labels.part.as_ref()];
    let texts = texts.into_iter().chain([labels.tail.as_ref(), Some(&uid)]).flatten();
    let found = |wanted: &String| texts.clone().any(|text| fold(text).contains(&fold(wanted)));
    search.text.as_ref().is_none_or(found)
        && same_folded(&search.name, &labels.name)
        && same_folded(&search.category, &labels.category)
        && same(&search.part, labels.part.as_deref())
        && same(&search.tail, labels.tail.as_deref())
        && search.environment.as_ref().is_none_or(|wanted| image.environment == *wanted)
        && search.status.is_none_or(|wanted| StatusName::of(&image.status) == wanted)
        && search.version.is_none_or(|wanted| image.id.version == wanted)
        && search.scanned.is_none_or(|wanted| image.report.is_some() == wanted)
}

fn order(sort: Sort, a: &Image, b: &Image) -> Ordering {
    let name = |image: &Image| image.labels.name.to_lowercase();
    let by = match sort {
        Sort::Newest => b.created.cmp(&a.created),
        Sort::Oldest => a.created.cmp(&b.created),
        Sort::LastChanged => b.updated.cmp(&a.updated),
        Sort::FirstChanged => a.updated.cmp(&b.updated),
        Sort::Name => name(a).cmp(&name(b)),
        Sort::NameBackwards => name(b).cmp(&name(a)),
    };
    by.then_with(|| a.id.cmp(&b.id))
}

fn facets(rows: &[&Row]) -> Facets {
    let images = || rows.iter().map(|row| &row.image);
    let status = |image: &Image| StatusName::of(&image.status).to_string();
    Facets {
        category: count(images().map(|image| image.labels.category.clone())),
        environment: count(images().map(|image| image.environment.to_string())),
        status: count(images().map(status)),
        part: count(images().filter_map(|image| image.labels.part.clone())),
        tail: count(images().filter_map(|image| image.labels.tail.clone())),
    }
}

fn count(values: impl Iterator<Item = String>) -> Vec<(String, u64)> {
    let mut counts = BTreeMap::new();
    for value in values {
        *counts.entry(value).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, n_a), (b, n_b)| n_b.cmp(n_a).then_with(|| a.cmp(b)));
    counts
}
