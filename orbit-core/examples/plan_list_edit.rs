//! Plans the edit that moves an entry to the delete list, and proves it before anything is pushed.
//!
//! `cargo run --example plan_list_edit`
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use orbit_core::list::{self, DeleteList, Deletion};
use orbit_core::{ActionId, Environment, Timestamp};

const DEPLOY: &str = r#"# Orbit deploy list, environment development.
- name: "trolls"
  imageUID: "Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5"
  imageVersion: "v0-0-01"
  imageName: "Trolls World Tour (2020)"
  environment: "development"
  image: "docker.io/k8or-orbit-aws/trolls"
  digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  namespace: "development"
  deploymentId: "01JJDEPL0YMENT000000000001"
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let development: Environment = "development".parse()?;
    let now = Timestamp::from_millis(1_737_799_200_000);
    let deletion = Deletion {
        deleted_at: now.rfc3339(),
        deleted_by: "ada".to_owned(),
        action_id: ActionId::new(now, [0; 10]),
    };

    // Both texts are values: nothing is written, and the plan can be thrown away.
    let (deploy, delete) = list::retire(DEPLOY, "[]\n", &"trolls".parse()?, deletion)?;
    assert_eq!(list::check(&deploy, &delete, Some(&development)), Ok(()));
    for tombstone in DeleteList::read(&delete)?.entries() {
        println!("{} leaves: {}", tombstone.entry.name, tombstone.deletion.deleted_by);
    }
    Ok(())
}
