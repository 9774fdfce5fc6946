//! The contract of the port.

use orbit_core::testing::conformance;

use super::Place;

#[tokio::test]
async fn a_database_keeps_the_contract_of_rows() {
    let mysql = Place::new().set_up().await;
    conformance::catalog(&*mysql.catalog()).await;
}

#[tokio::test]
async fn a_database_keeps_the_contract_of_the_search() {
    let mysql = Place::new().set_up().await;
    conformance::search(&*mysql.catalog()).await;
}
