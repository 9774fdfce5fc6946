//! Stores that are slow, throttle, and break off in the middle of what they send.

use std::time::Duration;

use crate::cutter::{Cut, Cutter};
use crate::fleet::{Borrowed, Fleet, Stores, database_url};
use crate::mixed::journey;
use crate::servers::{self, microburst};

/// Every answer late, and every fifth write put off.
const SLOW_TABLES: &str = "\
rules:
  - {service: dynamodb, operation: TransactWriteItems, probability: 0.2,
     error: {code: ProvisionedThroughputExceededException}}
  - {service: dynamodb, operation: UpdateItem, probability: 0.2, error: {code: ThrottlingException}}
  - {service: dynamodb, latency: 20}
";
/// How long every piece of an answer of the other stores waits.
const DELAY: Duration = Duration::from_millis(20);

#[test]
fn slow_stores_that_put_off_and_break_off_only_cost_time() {
    let stores = Stores {
        dynamodb: Borrowed::Own(microburst(servers::ministack(), SLOW_TABLES)),
        ..Stores::shared()
    };
    let cut = |of, after| Cut { of, times: 3, after, looks_whole: false };
    let cuts = [
        cut("GET *development*?*versionId=", 1000),
        cut("GET *app-image-12*?*versionId=", 700),
        cut("PUT *.tar*", 0),
        cut("HEAD *", 0),
        cut("DELETE *", 0),
    ];
    let images = Cutter::start_slow(&stores.s3, &cuts, DELAY);
    let catalog = Cutter::start_slow(&stores.mysql, &[], DELAY);
    let host = |endpoint: String| endpoint.trim_start_matches("http://").to_owned();
    let direct = database_url(&stores, "-slow");
    let url = direct.replace(&host(stores.mysql.endpoint()), &host(catalog.endpoint()));
    assert_ne!(url, direct);
    let endpoint = images.endpoint();
    // Calls may take as long as the proxies make them take on a busy machine.
    let through = [
        ("ORBIT_IMAGES__ENDPOINT", endpoint.as_str()),
        ("ORBIT_CATALOG__URL", url.as_str()),
        ("ORBIT_LIMITS__LEASE_SECONDS", "120"),
        ("ORBIT_LIMITS__CALL_SECONDS", "50"),
    ];
    let fleet = Fleet::start(&stores, ("slow", 2), &through);
    journey("There", &[fleet.server(0), fleet.server(1)]);
    journey("Back", &[fleet.server(1), fleet.server(0)]);
    assert!(images.n_cuts() > 6, "only {} answers were cut off", images.n_cuts());
}
