//! Applies changes to a list that people edit too; their comments and spacing stay.
//!
//! `cargo run --example apply_list_edit`
#![expect(clippy::print_stdout, reason = "a program talks to its user")]

use orbit_core::list::{Change, DeployList, Document};

const BEFORE: &str = r#"# Orbit deploy list, environment development.

# Ask the film team before you touch this one.
- name:         trolls        # pinned
  imageUID:     Het5SfSA6NJdRVdhTUhwev9A528QH4gwdJQMSA857PStLeyRnpGffDpDMJq5
  imageVersion: v0-0-01
  imageName:    'Trolls World Tour (2020)'
  environment:  development
  image:        docker.io/k8or-orbit-aws/trolls
  digest:       sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
  namespace:    development
  deploymentId: 01JJDEPL0YMENT000000000001
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let list = Document::read(BEFORE.as_bytes())?;
    let entries = DeployList::of(&list)?;
    let old = entries.find(&"trolls".parse()?).ok_or("trolls is not deployed")?;

    let mut upgraded = old.clone();
    upgraded.image_version = "v0-0-02".parse()?;
    let mut second = old.clone();
    second.name = "up".parse()?;

    // Any number of changes is one pass; one line changes and nine are new.
    let after = list.apply(&[Change::put(&upgraded), Change::put(&second)])?;
    print!("{after}");
    Ok(())
}
