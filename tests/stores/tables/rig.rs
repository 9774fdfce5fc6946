//! Tables of one's own on a server, and ways to look at them and to break the way there.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Credentials;
use aws_sdk_dynamodb::types::AttributeValue;
use orbit_core::Environments;
use orbit_core::event::{Event, EventDraft, EventType, ResourceNumbers};
use orbit_core::place::{Names, Naming};
use orbit_core::port::ActionRecord;
use orbit_core::saga::Failure;
use orbit_core::testing::samples;
use orbit_store::{AwsKey, AwsSettings, DynamoDb, SharedStore as _};
use serde_json::Value;

use crate::servers::{self, Server};

/// An item of a table.
pub(super) type Item = HashMap<String, AttributeValue>;

/// The servers that every test runs on.
pub(super) const SERVERS: [fn() -> &'static Server; 2] = [servers::ministack, servers::moto];

/// Returns names that no other test uses.
pub(super) fn names() -> Names {
    static N_NAMES: AtomicU32 = AtomicU32::new(0);
    let n = N_NAMES.fetch_add(1, Ordering::Relaxed);
    let naming = Naming { table_suffix: format!("-{n}"), ..Naming::default() };
    Names::named(&Environments::default(), naming).unwrap()
}

/// Returns how a server is reached, which all tests of all programs on this machine may keep busy.
pub(super) fn settings(endpoint: String) -> AwsSettings {
    let (id, secret) = (servers::KEY_ID.to_owned(), servers::SECRET.to_owned());
    AwsSettings {
        endpoint: Some(endpoint),
        region: Some("us-east-1".to_owned()),
        key: Some(AwsKey { id, secret }),
        call_timeout: Duration::from_secs(60),
    }
}

/// Connects to tables, whether they are there or not.
pub(super) async fn connect(server: &Server, names: &Names) -> DynamoDb {
    DynamoDb::connect(&settings(server.endpoint()), names).await
}

/// Returns new, empty tables.
pub(super) async fn tables(server: &Server) -> DynamoDb {
    tables_named(server, &names()).await
}

/// Returns new, empty tables of these names.
pub(super) async fn tables_named(server: &Server, names: &Names) -> DynamoDb {
    let tables = connect(server, names).await;
    tables.setup().await.unwrap();
    tables
}

/// Returns a client of one's own, to look at what lies in a table and to make one by hand.
pub(super) async fn client(server: &Server) -> Client {
    let settings = settings(server.endpoint());
    let key = settings.key.unwrap();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(server.endpoint())
        .region(aws_sdk_dynamodb::config::Region::new("us-east-1"))
        .credentials_provider(Credentials::new(key.id, key.secret, None, None, "test"));
    Client::from_conf(config.build())
}

/// Returns every item of a table.
pub(super) async fn items(server: &Server, table: &str) -> Vec<Item> {
    let client = client(server).await;
    let pages = client.scan().table_name(table).consistent_read(true).into_paginator().items();
    pages.send().collect::<Result<_, _>>().await.unwrap()
}

/// Returns how many parts of long bodies lie in the action table.
pub(super) async fn n_parts(server: &Server, names: &Names) -> usize {
    let items = items(server, &names.action_table()).await;
    let is_part = |item: &&Item| item["pk"].as_s().unwrap().starts_with("part#");
    items.iter().filter(is_part).count()
}

/// Returns a text that cannot be compressed to much less than three quarters.
pub(super) fn noise(n_letters: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let letter = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(*LETTERS.get(usize::try_from(state >> 58).unwrap()).unwrap())
    };
    (0..n_letters).map(letter).collect()
}

/// Returns an event of an action that is not its first.
pub(super) fn event(record: &ActionRecord, sequence: u32) -> Event {
    let numbers = ResourceNumbers { bucket: 6, charts: 9 };
    let (event, detail) = (EventType::ScanDetailReceived, Value::Null);
    let draft = EventDraft { event, pid: event.pid(numbers, numbers), detail };
    samples::event(record, sequence, draft, record.at)
}

/// Returns why an action failed.
pub(super) fn failure(refused: bool) -> Failure {
    let (error_type, message) = ("scan-refused".to_owned(), "it is no archive".to_owned());
    Failure { error_type, message, refused }
}
