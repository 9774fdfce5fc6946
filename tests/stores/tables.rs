//! Charts, actions, events and records in DynamoDB, on two servers that speak its protocol: what one
//! of them makes easier than AWS does, the other does not.

#[path = "tables/answers.rs"]
mod answers;
#[path = "tables/pages.rs"]
mod pages;
#[path = "tables/races.rs"]
mod races;
#[path = "tables/rig.rs"]
mod rig;
#[path = "tables/setup.rs"]
mod setup;
#[path = "tables/sizes.rs"]
mod sizes;

use orbit_core::testing::conformance;

use self::rig::{SERVERS, tables};

#[tokio::test]
async fn charts_in_dynamodb_keep_the_contract() {
    for server in SERVERS {
        conformance::chart_store(tables(server()).await.charts().as_ref()).await;
    }
}

#[tokio::test]
async fn the_log_in_dynamodb_keeps_the_contract() {
    for server in SERVERS {
        conformance::event_log(tables(server()).await.log().as_ref()).await;
    }
}

#[tokio::test]
async fn the_audit_in_dynamodb_keeps_the_contract() {
    for server in SERVERS {
        let tables = tables(server()).await;
        conformance::audit(tables.log().as_ref(), tables.audit().as_ref()).await;
    }
}

#[tokio::test]
async fn records_in_dynamodb_keep_the_contract() {
    for server in SERVERS {
        conformance::records(tables(server()).await.records().as_ref()).await;
    }
}
