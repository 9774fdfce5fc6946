//! The setup that tests and benches begin with.

use orbit_core::{Environments, Timestamp};
use orbit_gitops::{Identity, Setup};

pub(crate) fn setup() -> Setup {
    Setup {
        branch: "main".to_owned(),
        environments: Environments::default(),
        installation: "01JCZXAMPLE".to_owned(),
        identity: Identity { name: "Orbit".to_owned(), email: "orbit@k8or.com".to_owned() },
        at: Timestamp::from_millis(1_737_799_200_000),
    }
}
