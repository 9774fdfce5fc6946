//! What S3 answers instead of what was asked for.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use orbit_core::port::{Kind, PortError};

use crate::aws::Failure;

/// A failed call on a bucket.
#[derive(Debug)]
pub(super) struct Refusal {
    failure: Failure,
    bucket: String,
    /// The region that the bucket says it lies in.
    region: Option<String>,
}

/// Returns a function that tells which call failed on which bucket.
pub(super) fn refusal<E>(
    call: &'static str,
    bucket: &str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> Refusal
where
    E: ProvideErrorMetadata + Error + 'static,
{
    move |error| Refusal {
        failure: Failure::of(call, &error),
        bucket: bucket.to_owned(),
        region: error
            .raw_response()
            .and_then(|response| response.headers().get("x-amz-bucket-region"))
            .map(str::to_owned),
    }
}

impl Refusal {
    pub(super) fn code(&self) -> Option<&str> {
        self.failure.code()
    }

    /// Returns whether the object or the version is not there. The answer to a `HEAD` says no more than
    /// that, so it may be the bucket that is missing.
    pub(super) fn is_missing(&self) -> bool {
        match self.code() {
            Some(code) => ["NoSuchKey", "NoSuchVersion", "NotFound", "404"].contains(&code),
            None => self.failure.status() == Some(404),
        }
    }

    /// Returns whether there is no such upload, or none any more.
    pub(super) fn is_no_upload(&self) -> bool {
        self.code() == Some("NoSuchUpload")
    }

    /// Returns whether the version id is none that this server could have given.
    pub(super) fn is_no_version(&self) -> bool {
        let names_version = ["NoSuchVersion", "InvalidArgument"];
        self.code().map_or(self.failure.status() == Some(400), |code| names_version.contains(&code))
    }

    /// Returns whether the condition of the call did not hold, or may not have held.
    pub(super) fn is_condition(&self) -> bool {
        matches!(self.failure.status(), Some(409 | 412))
    }

    /// Returns whether the range begins past the end of the object.
    pub(super) fn is_past_the_end(&self) -> bool {
        self.failure.status() == Some(416)
    }

    /// Returns whether the server does not know the call at all.
    pub(super) fn is_unknown_call(&self) -> bool {
        let unknown = ["NotImplemented", "MethodNotAllowed", "UnsupportedOperation"];
        matches!(self.failure.status(), Some(405 | 501))
            || self.code().is_some_and(|code| unknown.contains(&code))
    }

    pub(super) fn is_forbidden(&self) -> bool {
        self.failure.status() == Some(403)
    }

    pub(super) fn status(&self) -> Option<u16> {
        self.failure.status()
    }

    fn is_of_another_region(&self) -> bool {
        let of_region = [
            "PermanentRedirect",
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
        ];
        // The answer to a `HEAD` has no code.
        let is_told = self.code().is_none() && self.region.is_some();
        matches!(self.failure.status(), Some(301 | 307))
            || self.failure.status() == Some(400) && is_told
            || self.code().is_some_and(|code| of_region.contains(&code))
    }
}

impl Refusal {
    /// Returns whether the bucket is not there, if the answer tells.
    pub(super) fn is_no_bucket(&self) -> bool {
        self.code() == Some("NoSuchBucket")
    }

    /// Returns what somebody is told who begins to use the bucket: that it is missing stays so until
    /// it is set up.
    pub(super) fn told_at_start(self) -> PortError {
        if self.is_no_bucket() { no_bucket(Kind::Rejected, self) } else { self.into() }
    }
}

/// Returns the error of a call on a bucket that is not there.
pub(super) fn no_bucket(kind: Kind, refusal: Refusal) -> PortError {
    let bucket = &refusal.bucket;
    let message = format!("bucket {bucket} does not exist; `orbit setup` creates it");
    PortError::caused(kind, message, refusal.failure)
}

impl From<Refusal> for PortError {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_no_bucket() {
            // What was asked for can be done once the bucket is back.
            return no_bucket(Kind::Unavailable, refusal);
        }
        let bucket = &refusal.bucket;
        let (kind, message) = if refusal.is_of_another_region() {
            let region = refusal.region.as_deref().unwrap_or("another region");
            let message =
                format!("bucket {bucket} lies in {region}, expected the region of the settings");
            (Kind::Rejected, message)
        } else if refusal.is_forbidden() {
            // Somebody may grant it.
            let message = format!("bucket {bucket} refuses what this access key asks for");
            (Kind::Unavailable, message)
        } else {
            (Kind::Unavailable, format!("bucket {bucket} does not answer as expected"))
        };
        Self::caused(kind, message, refusal.failure)
    }
}
