use super::World;
use crate::testing::{conformance, run};

/// Runs a suite on a new world; a world never waits.
macro_rules! conforms {
    ($($test:ident: $suite:ident,)+) => {
        $(#[test]
        fn $test() {
            let world = World::new();
            run(conformance::$suite(&world));
        })+
    };
}

conforms! {
    images_keep_the_contract: image_store,
    charts_keep_the_contract: chart_store,
    the_catalog_keeps_the_contract: catalog,
    the_search_keeps_the_contract: search,
    records_keep_the_contract: records,
    the_log_keeps_the_contract: event_log,
    the_scanner_keeps_the_contract: scanner,
    the_repository_keeps_the_contract: git_ops,
}

#[test]
fn the_registry_keeps_the_contract() {
    let world = World::new();
    run(conformance::registry(&world, &|repository, tag| world.pulled(repository, tag)));
}

#[test]
fn the_audit_keeps_the_contract() {
    let world = World::new();
    run(conformance::audit(&world, &world));
}
