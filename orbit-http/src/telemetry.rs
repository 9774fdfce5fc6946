//! The log, on standard error.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::util::TryInitError;

use crate::config::LogForm;

/// What is logged: everything of Orbit from `info` on, and only warnings of what it is built on; the
/// search for credentials tells of every place where there are none.
const FILTER: &str =
    "warn,aws_config=error,orbit_core=info,orbit_gitops=info,orbit_store=info,orbit_http=info";

/// Starts logging.
///
/// # Errors
/// [`TryInitError`] if this process logs already.
pub(crate) fn start(form: LogForm) -> Result<(), TryInitError> {
    use tracing_subscriber::util::SubscriberInitExt as _;

    let log = tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        // Whoever read the log may be gone; saying so on the same stream would panic.
        .log_internal_errors(false)
        .with_env_filter(FILTER);
    match form {
        LogForm::Text => log.finish().try_init(),
        LogForm::Json => log.json().flatten_event(true).finish().try_init(),
    }
}
