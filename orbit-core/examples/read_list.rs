//! Reads the deploy list that is named on the command line, and prints what is deployed.
//!
//! `cargo run --example read_list -- environments/development/deploy-list.yaml`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program talks to its user")]

use std::process::ExitCode;

use orbit_core::list::DeployList;

fn main() -> std::io::Result<ExitCode> {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: read_list <deploy-list.yaml>");
        return Ok(ExitCode::FAILURE);
    };
    match DeployList::read(&std::fs::read_to_string(&file)?) {
        Ok(list) => {
            for entry in list.entries() {
                println!("{} {} {}", entry.name, entry.image_version, entry.digest);
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(refusal) => {
            // `file:line:column: message`, which editors turn into a link.
            eprintln!("{}", refusal.in_file(&file));
            Ok(ExitCode::FAILURE)
        }
    }
}
