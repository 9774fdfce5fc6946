//! Search: filters, orders, pages and facets, on one server with a few images.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use orbit_core::testing::archives::docker_archive;
use serde_json::{Value, json};

use crate::harness::{Image, Server, encoded, image, metadata, pointers, refused};

/// Name, category, part, tail, and the actions that follow its upload.
type Row = (
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    &'static [&'static str],
);

const IMAGES: [Row; 6] = [
    ("Trolls World Tour (2020)", "Movie", Some("21117-1"), None, &["deploy"]),
    ("Ärger im Bällebad", "movie", None, Some("G-AAAA"), &["scan", "transfer"]),
    ("100% Cotton", "Music", None, None, &["delete"]),
    ("100 Cotton", "Music", None, Some("G-AAAB"), &[]),
    ("snake_case", "Music", Some("21117-1"), None, &["transfer", "deploy"]),
    ("snakeXcase", "Game", None, None, &["scan"]),
];

/// Returns the server that all tests here only read from: one for those that run at once.
fn server() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(filled());
        *shared = Arc::downgrade(&server);
        server
    })
}

fn filled() -> Server {
    let server = Server::start();
    for (name, category, part, tail, actions) in IMAGES {
        let mut said = metadata(name, "v0-0-01");
        said["imageMetadata"]["imageCategory"] = json!(category);
        said["imageMetadata"]["part"] = json!(part);
        said["imageMetadata"]["tail"] = json!(tail);
        said["imageMetadata"]["description"] = json!(format!("This is {name}."));
        let upload = server.upload(&said, &docker_archive(&image(name))).expect(200);
        for action in actions {
            server.done(&Image::of(&upload), action);
        }
    }
    server
}

fn search(server: &Server, query: &str) -> Value {
    server.get(&format!("/v1/images?{query}")).expect(200)
}

fn names(found: &Value) -> Vec<&str> {
    let items = found["items"].as_array().unwrap().iter();
    items.map(|image| image["imageName"].as_str().unwrap()).collect()
}

/// Checks which images a query finds, by their places in [`IMAGES`], in the order they came.
fn check(server: &Server, query: &str, expected: &[usize]) {
    let found = search(server, &format!("sort=createdAt&{query}"));
    let expected: Vec<_> = expected.iter().map(|index| IMAGES[*index].0).collect();
    assert_eq!(names(&found), expected, "{query}");
    assert_eq!(found["total"], expected.len(), "{query}");
    assert_eq!(found["nextCursor"], Value::Null, "{query}");
}

#[test]
fn every_filter_narrows_the_search() {
    let server = server();
    check(&server, "", &[0, 1, 2, 3, 4, 5]);
    check(&server, "q=trolls", &[0]);
    check(&server, "imageName=trolls%20world%20tour%20(2020)", &[0]);
    check(&server, "imageCategory=MOVIE", &[0, 1]);
    check(&server, "environment=Testing", &[1, 4]);
    check(&server, "environment=production", &[]);
    check(&server, "status=deployed", &[0, 4]);
    check(&server, "status=deleted", &[2]);
    check(&server, "status=stored", &[1, 3, 5]);
    check(&server, "part=21117-1", &[0, 4]);
    check(&server, "tail=G-AAAA", &[1]);
    check(&server, "imageVersion=v0-0-01&q=cotton", &[2, 3]);
    check(&server, "imageVersion=v0-0-02", &[]);
    check(&server, "scanned=true", &[1, 5]);
    check(&server, "scanned=false&status=stored", &[3]);
    check(&server, "part=21117-1&status=deployed&environment=testing", &[4]);
}

#[test]
fn a_text_is_found_wherever_it_stands_and_however_it_is_written() {
    let server = server();
    check(&server, "q=21117", &[0, 4]);
    check(&server, "q=g-aaa", &[1, 3]);
    check(&server, &format!("q={}", encoded("BÄLLEBAD")), &[1]);
    check(&server, "q=this+is+snake", &[4, 5]);
    let found = search(&server, "q=trolls");
    let uid = found["items"][0]["imageUID"].as_str().unwrap();
    check(&server, &format!("q={}", &uid[..20]), &[0]);
}

#[test]
fn wildcards_and_quotes_in_a_text_mean_themselves() {
    let server = server();
    check(&server, &format!("q={}", encoded("100%")), &[2]);
    check(&server, "q=snake_", &[4]);
    check(&server, &format!("q={}", encoded("%")), &[2]);
    check(&server, "q=_", &[4]);
    check(&server, "q=*", &[]);
    for text in ["\"", "'", "' OR 1=1 --", "\"trolls\" OR \"snake\"", "tro*", "\\", "NEAR(a b)"] {
        check(&server, &format!("q={}", encoded(text)), &[]);
    }
}

#[test]
fn pages_hold_every_image_once_in_every_order() {
    let server = server();
    let orders = ["createdAt", "-createdAt", "updatedAt", "-updatedAt", "imageName", "-imageName"];
    for sort in orders {
        let whole = search(&server, &format!("sort={sort}"));
        let mut paged: Vec<Value> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = search(&server, &format!("sort={sort}&limit=2{cursor}"));
            assert_eq!(page["total"], IMAGES.len());
            paged.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["nextCursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(&paged, whole["items"].as_array().unwrap(), "{sort}");
    }
    let by_name = search(&server, "sort=imageName");
    let mut sorted = names(&by_name);
    sorted.sort_by_key(|name| name.to_lowercase());
    assert_eq!(names(&by_name), sorted);
}

#[test]
fn facets_count_what_the_filters_leave() {
    let server = server();
    let count = |value: &str, count: u64| json!({ "value": value, "count": count });
    let facets = &search(&server, "facets=true&status=stored")["facets"];
    let expected = json!({
        "imageCategory": [count("Game", 1), count("Music", 1), count("movie", 1)],
        "environment": [count("Development", 2), count("Testing", 1)],
        "status": [count("stored", 3)],
        "part": [],
        "tail": [count("G-AAAA", 1), count("G-AAAB", 1)],
    });
    assert_eq!(facets, &expected);
    assert_eq!(search(&server, "status=stored").get("facets"), None);
}

#[test]
fn a_search_that_cannot_be_names_every_fault() {
    let server = server();
    let query =
        "status=lost&sort=size&scanned=1&imageVersion=1&limit=101&environment=%2F&colour=red";
    let problem = refused(&server.get(&format!("/v1/images?{query}")), 422, "invalid-request");
    let mut found = pointers(&problem);
    found.sort_unstable();
    let expected =
        ["?colour", "?environment", "?imageVersion", "?limit", "?scanned", "?sort", "?status"];
    assert_eq!(found, expected);
}

#[test]
fn a_cursor_belongs_to_the_query_that_it_came_from() {
    let server = server();
    let page = search(&server, "limit=2");
    let cursor = page["nextCursor"].as_str().unwrap();
    for query in [format!("status=stored&cursor={cursor}"), "cursor=AAAA".to_owned()] {
        let answer = server.get(&format!("/v1/images?{query}"));
        let problem = refused(&answer, 422, "invalid-request");
        assert_eq!(pointers(&problem), ["?cursor"]);
    }
}
