//! What becomes of calls that change tables.

use std::error::Error;

use aws_sdk_dynamodb::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use orbit_core::port::PortError;

use super::call::{failed, pause};
use crate::aws::Failure;

/// How often a call is made that the table is not ready for: for about ten seconds.
const TRIES: u32 = 14;

/// Returns true if a table was changed by a call, false if somebody else is changing it so.
pub(super) fn is_done<T, E>(
    table: &str,
    call: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, PortError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Err(error) = answer else { return Ok(true) };
    let failure = Failure::of(call, &error);
    let is_elsewhere = failure.code() == Some("ResourceInUseException");
    if is_elsewhere { Ok(false) } else { Err(failed(table, failure)) }
}

/// Returns what a call answered, or `None` if the server has no such call. Servers that speak the
/// protocol for tests leave out what only matters to whoever keeps data for good.
pub(super) fn offered<T, E>(
    table: &str,
    call: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<Option<T>, PortError>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) => {
            let failure = Failure::of(call, &error);
            let codes = ["UnknownOperationException", "UnknownOperation", "NotImplemented"];
            let is_unknown = failure.code().is_some_and(|code| codes.contains(&code));
            let is_offered = !is_unknown && failure.status() != Some(501);
            if is_offered { Err(failed(table, failure)) } else { Ok(None) }
        }
    }
}

/// Makes a call again while the table is not ready for it.
pub(super) async fn patiently<T, E, F>(
    table: &str,
    call: &'static str,
    mut make: impl FnMut() -> F,
) -> Result<Option<T>, PortError>
where
    E: ProvideErrorMetadata + Error + 'static,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let mut n_tries = 1;
    loop {
        let answer = make().await;
        let unready = ["ContinuousBackupsUnavailableException", "ResourceInUseException"];
        let code = answer.as_ref().err().and_then(|error| error.as_service_error()?.code());
        if n_tries == TRIES || !code.is_some_and(|code| unready.contains(&code)) {
            return offered(table, call, answer);
        }
        pause(n_tries).await;
        n_tries += 1;
    }
}
