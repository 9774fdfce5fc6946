//! Calls of DynamoDB, each repeated while it is only in the way of another one.
//!
//! The client itself repeats what was throttled or not answered. It does not repeat a transaction
//! that was cancelled, nor a write that met a transaction: whether that helps depends on the reason.

use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use orbit_core::port::{Kind, PortError};

use crate::aws::Failure;

/// How often a call is made that another one is in the way of. With the pauses between, this takes
/// about as long as a call may take.
const TRIES: u32 = 16;
/// The longest pause before the second try; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It took effect.
    Yes,
    /// A condition did not hold: nothing changed.
    Refused,
}

/// Why a call did not succeed.
pub(super) enum Miss {
    /// Another call was in its way.
    Again(PortError),
    /// A condition did not hold.
    Refused,
    /// Anything else.
    Failed(PortError),
}

impl Miss {
    /// Reads what became of a call of a table.
    pub(super) fn of<E>(call: &'static str, table: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failure = Failure::of(call, error);
        match failure.code() {
            Some("ConditionalCheckFailedException") => Self::Refused,
            Some("TransactionConflictException" | "TransactionInProgressException") => {
                Self::Again(failed(table, failure))
            }
            _ => Self::Failed(failed(table, failure)),
        }
    }

    /// Reads what became of a transaction.
    ///
    /// Where it met another one, it is made again, whatever else: what the other one writes may be
    /// seen in part until it is over. Where a condition failed, the items are read to see which.
    fn of_transaction(
        table: &str,
        error: &SdkError<TransactWriteItemsError, HttpResponse>,
    ) -> Self {
        let call = "TransactWriteItems";
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return Self::of(call, table, error);
        };
        let codes = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code());
        let codes: Vec<_> = codes.filter(|code| *code != "None").collect();
        let passes = |code: &&str| {
            let passing =
                ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            passing.contains(code)
        };
        let in_the_way = codes.contains(&"TransactionConflict");
        if codes.contains(&"ConditionalCheckFailed") && !in_the_way {
            return Self::Refused;
        }
        let failure = failed(table, Failure::of(call, error));
        if in_the_way || codes.iter().all(passes) {
            return Self::Again(failure);
        }
        if codes.contains(&"ValidationError") {
            let message = "a transaction is not one that DynamoDB takes";
            return Self::Failed(PortError::caused(Kind::Rejected, message, failure));
        }
        Self::Failed(failure)
    }
}

/// Returns the failure of a call of a table.
pub(super) fn failed(table: &str, failure: Failure) -> PortError {
    let kind = match failure.code() {
        // The same call will be as wrong the next time.
        Some("ValidationException") => Kind::Rejected,
        _ => Kind::Unavailable,
    };
    PortError::caused(kind, format!("table {table} failed"), failure)
}

/// Makes a call until no other one is in its way.
pub(super) async fn persist<T, F>(mut call: impl FnMut() -> F) -> Result<Option<T>, PortError>
where
    F: Future<Output = Result<T, Miss>> + Send,
{
    let mut n_tries = 1;
    loop {
        match call().await {
            Ok(value) => return Ok(Some(value)),
            Err(Miss::Refused) => return Ok(None),
            Err(Miss::Failed(error)) => return Err(error),
            Err(Miss::Again(error)) if n_tries >= TRIES => return Err(error),
            Err(Miss::Again(_)) => pause(n_tries).await,
        }
        n_tries += 1;
    }
}

/// Makes a transaction, all of it or nothing. `table` names it in errors.
pub(super) async fn transact(
    client: &Client,
    table: &str,
    items: Vec<TransactWriteItem>,
) -> Result<Written, PortError> {
    let call = || async {
        let call = client.transact_write_items().set_transact_items(Some(items.clone())).send();
        call.await.map_err(|error| Miss::of_transaction(table, &error))
    };
    Ok(persist(call).await?.map_or(Written::Refused, |_| Written::Yes))
}

/// Waits before the next try: a random time below one that doubles with each try.
pub(super) async fn pause(n_tries: u32) {
    let doubled = 2_u32.saturating_pow(n_tries.saturating_sub(1));
    let longest = FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE);
    // Without random bytes everybody waits the same: slower, and still an end.
    let share = getrandom::u32().unwrap_or(u32::MAX);
    tokio::time::sleep(longest.mul_f64(f64::from(share) / f64::from(u32::MAX))).await;
}
