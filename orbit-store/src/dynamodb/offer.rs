//! What becomes of calls that change tables.

use std::error::Error;

use aws_sdk_dynamodb::error::SdkError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use orbit_core::port::PortError;

use super::call::{failed, pause};
use crate::aws::Failure;

/// How often a call is made that it is too early for: for about a minute, as long as DynamoDB takes
/// to prepare the backups of a new table.
const TRIES: u32 = 120;

/// Changes a table, and returns false if somebody else is changing it.
pub(super) async fn is_done<T, E, F>(
    table: &str,
    call: &'static str,
    make: impl FnMut() -> F,
) -> Result<bool, PortError>
where
    E: ProvideErrorMetadata + Error + 'static,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    // Only so many tables of an account change at once.
    let Err(error) = patiently("LimitExceededException", make).await else { return Ok(true) };
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
    let error = match answer {
        Ok(answer) => return Ok(Some(answer)),
        Err(error) => error,
    };
    let failure = Failure::of(call, &error);
    let codes = ["UnknownOperationException", "UnknownOperation", "NotImplemented"];
    let is_unknown = failure.code().is_some_and(|code| codes.contains(&code));
    let is_offered = !is_unknown && failure.status() != Some(501);
    if is_offered { Err(failed(table, failure)) } else { Ok(None) }
}

/// Makes a call again while it is answered with one code, which says that it is too early.
pub(super) async fn patiently<T, E, F>(
    early: &str,
    mut make: impl FnMut() -> F,
) -> Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + 'static,
    F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
{
    let mut n_tries = 1;
    loop {
        let answer = make().await;
        let code = answer.as_ref().err().and_then(|error| error.as_service_error()?.code());
        if n_tries == TRIES || code != Some(early) {
            return answer;
        }
        pause(n_tries).await;
        n_tries += 1;
    }
}
