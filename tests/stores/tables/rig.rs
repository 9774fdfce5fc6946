//! Tables of one's own on a server, and ways to look at them and to break the way there.

use std::sync::atomic::{AtomicU32, Ordering};

use orbit_core::Environments;
use orbit_core::place::{Names, Naming};
use orbit_store::{AwsKey, AwsSettings, DynamoDb, SharedStore as _};

use crate::servers::{self, Server};

/// The servers that every test runs on.
pub(super) const SERVERS: [fn() -> &'static Server; 2] = [servers::ministack, servers::moto];

/// Returns names that no other test uses.
pub(super) fn names() -> Names {
    static N_NAMES: AtomicU32 = AtomicU32::new(0);
    let n = N_NAMES.fetch_add(1, Ordering::Relaxed);
    let naming = Naming { table_suffix: format!("-{n}"), ..Naming::default() };
    Names::named(&Environments::default(), naming).unwrap()
}

/// Returns how a server is reached.
pub(super) fn settings(endpoint: String) -> AwsSettings {
    let (id, secret) = (servers::KEY_ID.to_owned(), servers::SECRET.to_owned());
    AwsSettings {
        endpoint: Some(endpoint),
        region: Some("us-east-1".to_owned()),
        key: Some(AwsKey { id, secret }),
        ..AwsSettings::default()
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
