//! The `orbit` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    orbit_http::run()
}
