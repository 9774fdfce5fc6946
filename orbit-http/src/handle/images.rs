//! Searching and showing images.

use std::collections::HashMap;

use hyper::StatusCode;
use orbit_core::place::RecordTable;
use orbit_core::port::{ActionFilter, RecordKey, Row, SearchPage, State};
use orbit_core::query::{Cursor, Search, Sort};
use orbit_core::{ActionId, ImageId, ImageUid};
use serde_json::{Value, json};

use super::query_problem;
use crate::app::App;
use crate::reply::{self, Part, Problem, Reply};
use crate::wire::{Query, show};

/// How many running actions are looked at for one page; more at once would be a surprise.
const MAX_RUNNING: u32 = 1000;

/// Answers `GET /v1/images`.
///
/// # Errors
/// `invalid-request`, `port-unavailable`.
pub(crate) async fn search(app: &App, query: Query) -> Result<Reply, Problem> {
    let search = read_search(query)?;
    let page = app.orbit.ports.catalog.search(&search).await;
    let page = page.map_err(|error| query_problem(Part::Catalog, &error))?;
    let running = running(app, None).await?;
    let SearchPage { rows, next, total, total_is_at_least, facets } = page;
    let mut body = json!({
        "items": shown(&rows, &running),
        "nextCursor": next.as_ref().map(Cursor::as_str),
        "total": total,
    });
    if let Some(object) = body.as_object_mut() {
        if total_is_at_least {
            object.insert("totalIsAtLeast".to_owned(), Value::Bool(true));
        }
        if let Some(facets) = facets {
            object.insert("facets".to_owned(), show::facets(&facets));
        }
    }
    Ok(reply::json(StatusCode::OK, &body))
}

fn read_search(mut query: Query) -> Result<Search, Problem> {
    let search = Search {
        text: query.text("q"),
        name: query.text("imageName"),
        category: query.text("imageCategory"),
        environment: query.parsed("environment"),
        status: query.parsed("status"),
        part: query.text("part"),
        tail: query.text("tail"),
        version: query.parsed("imageVersion"),
        scanned: query.truth("scanned"),
        sort: query.parsed::<Sort>("sort").unwrap_or_default(),
        cursor: query.cursor(),
        limit: query.limit(),
        facets: query.truth("facets").unwrap_or_default(),
    };
    query.end().map_err(Problem::invalid)?;
    Ok(search)
}

/// Answers `GET /v1/images/{imageUID}`.
///
/// # Errors
/// `image-not-found`, `port-unavailable`.
pub(crate) async fn versions(app: &App, query: Query, uid: &ImageUid) -> Result<Reply, Problem> {
    query.end().map_err(Problem::invalid)?;
    let rows = app.orbit.ports.catalog.versions(uid).await;
    let rows = rows.map_err(|error| Problem::port(Part::Catalog, &error))?;
    if rows.is_empty() {
        return Err(Problem::of("image-not-found", format!("there is no image {uid}")));
    }
    let running = running(app, Some(uid)).await?;
    Ok(reply::list(shown(&rows, &running), None))
}

/// Answers `GET /v1/images/{imageUID}/{imageVersion}`.
///
/// # Errors
/// `image-not-found`, `port-unavailable`.
pub(crate) async fn one(app: &App, query: Query, id: &ImageId) -> Result<Reply, Problem> {
    query.end().map_err(Problem::invalid)?;
    let row = row(app, id).await?;
    let running = running(app, Some(&id.uid)).await?;
    let body = show::image(&row.image, running.get(&id.uid));
    Ok(reply::json(StatusCode::OK, &body))
}

/// Answers `GET …/scan`: the last report.
///
/// # Errors
/// `image-not-found`, `report-not-found`, `port-unavailable`.
pub(crate) async fn scan(app: &App, query: Query, id: &ImageId) -> Result<Reply, Problem> {
    query.end().map_err(Problem::invalid)?;
    let row = row(app, id).await?;
    let none = || Problem::of("report-not-found", format!("image {id} was never scanned"));
    let action = row.image.report.ok_or_else(none)?;
    let (partition, sort) = (action.to_string(), "report".to_owned());
    let key = RecordKey { table: RecordTable::ScanReport, partition, sort };
    let record = app.orbit.ports.records.find(&key).await;
    let record = record.map_err(|error| Problem::port(Part::Records, &error))?.ok_or_else(none)?;
    let mut body = show::record(&record);
    if let Some(object) = body.as_object_mut() {
        object.insert("actionId".to_owned(), json!(action));
        object.insert("imageUID".to_owned(), json!(id.uid));
        object.insert("imageVersion".to_owned(), json!(id.version));
    }
    Ok(reply::json(StatusCode::OK, &body))
}

/// Returns an image's row.
///
/// # Errors
/// `image-not-found`, `port-unavailable`.
pub(super) async fn row(app: &App, id: &ImageId) -> Result<Row, Problem> {
    let row = app.orbit.ports.catalog.find(id).await;
    let row = row.map_err(|error| Problem::port(Part::Catalog, &error))?;
    row.ok_or_else(|| Problem::of("image-not-found", format!("there is no image {id}")))
}

/// Returns the action that runs on each UID; only one ever does.
async fn running(
    app: &App,
    uid: Option<&ImageUid>,
) -> Result<HashMap<ImageUid, ActionId>, Problem> {
    let filter = ActionFilter {
        state: Some(State::Running),
        uid: uid.cloned(),
        limit: MAX_RUNNING,
        ..ActionFilter::default()
    };
    let page = app.orbit.ports.audit.actions(&filter).await;
    let page = page.map_err(|error| Problem::port(Part::Log, &error))?;
    let actions = page.actions.into_iter();
    Ok(actions.map(|(record, ..)| (record.request.image.uid, record.id)).collect())
}

fn shown(rows: &[Row], running: &HashMap<ImageUid, ActionId>) -> Vec<Value> {
    rows.iter().map(|row| show::image(&row.image, running.get(&row.image.id.uid))).collect()
}

#[cfg(test)]
mod tests {
    use orbit_core::query::StatusName;

    use super::*;

    #[test]
    fn every_filter_of_a_search_is_read() {
        let text = "q=a&imageName=b&imageCategory=c&environment=Testing&status=deployed&part=d\
                    &tail=e&imageVersion=v1-2-03&scanned=false&sort=imageName&limit=5&facets=true";
        let search = read_search(Query::of(Some(text))).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let expected = Search {
            text: text("a"),
            name: text("b"),
            category: text("c"),
            environment: Some("testing".parse().unwrap()),
            status: Some(StatusName::Deployed),
            part: text("d"),
            tail: text("e"),
            version: Some("v1-2-03".parse().unwrap()),
            scanned: Some(false),
            sort: Sort::Name,
            cursor: None,
            limit: 5,
            facets: true,
        };
        assert_eq!(search, expected);
    }

    #[test]
    fn a_search_that_cannot_be_names_every_fault() {
        let query = Query::of(Some("status=lost&sort=size&scanned=1&imageVersion=1&foo=bar"));
        let document = read_search(query).unwrap_err().document();
        let pointers: Vec<_> =
            document["errors"].as_array().unwrap().iter().map(|e| e["pointer"].clone()).collect();
        assert_eq!(pointers, ["?status", "?imageVersion", "?scanned", "?sort", "?foo"]);
    }
}
