//! What the two stores on AWS have in common: how they reach their service, and how its failures read.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::config::retry::RetryPartition;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use orbit_core::port::{Kind, PortError};

/// How a service of AWS, or one that speaks its protocol, is reached.
///
/// ```
/// use orbit_store::{AwsKey, AwsSettings};
/// let key = AwsKey { id: "AKIAEXAMPLE".to_owned(), secret: "very secret".to_owned() };
/// let settings = AwsSettings { key: Some(key), ..AwsSettings::default() };
/// assert!(!format!("{settings:?}").contains("very secret"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSettings {
    /// The address of a service that is not AWS itself, such as `http://127.0.0.1:8333`.
    pub endpoint: Option<String>,
    /// The region; by default the one of the standard chain.
    pub region: Option<String>,
    /// The key to sign with; by default whatever the standard chain of AWS finds: variables, profiles,
    /// web identity, the container or the instance.
    pub key: Option<AwsKey>,
    /// How long one call may take with all its tries: 10 s. Shorter than half a lease.
    pub call_timeout: Duration,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self { endpoint: None, region: None, key: None, call_timeout: Duration::from_secs(10) }
    }
}

/// An access key. Its secret is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKey {
    /// Its id.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

impl fmt::Debug for AwsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How often a call is tried. With back-off and jitter from [`FIRST_PAUSE`] on this outlasts a
/// throttled second, and the call's time-out ends it in any case.
const TRIES: u32 = 6;
/// The longest pause before the second try; each further one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// No pause is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// Returns what a client of a service is built from. It asks nobody but the credentials chain.
pub(crate) async fn connect(settings: &AwsSettings) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT.min(settings.call_timeout / 2))
        .operation_attempt_timeout(settings.call_timeout / 2)
        .operation_timeout(settings.call_timeout)
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(TRIES)
        .with_initial_backoff(FIRST_PAUSE)
        .with_max_backoff(LONGEST_PAUSE);
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(retries);
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(AwsKey { id, secret }) = &settings.key {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "settings"));
    }
    loader.load().await
}

/// Returns the count of retries of one client. By default all clients of a service share one in a
/// process, and what one of them suffers leaves the others without a second try.
pub(crate) fn own_retries() -> RetryPartition {
    RetryPartition::custom("orbit").build()
}

/// A call of a service that failed, in a sentence: never the debug text of its client, in which
/// headers could be.
#[derive(Debug, thiserror::Error)]
#[error("{call} {what}")]
pub(crate) struct Failure {
    call: &'static str,
    what: String,
    /// The service's name of what is wrong, if it answered.
    code: Option<String>,
    /// The HTTP status, if it answered.
    status: Option<u16>,
}

impl Failure {
    /// Returns what became of a call, such as `PutObject`.
    pub(crate) fn of<E>(call: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let status = error.raw_response().map(|response| response.status().as_u16());
        let code = error.as_service_error().and_then(|error| error.code()).map(str::to_owned);
        let what = match error {
            SdkError::ServiceError(context) => {
                let (name, status) = (code.as_deref(), status.unwrap_or_default());
                let name = name.unwrap_or("an error without a name");
                let message = context.err().message().unwrap_or("without a message");
                format!("was answered with {name} (status {status}): {message}")
            }
            SdkError::TimeoutError(_) => "was not answered in time".to_owned(),
            SdkError::ConstructionFailure(_)
            | SdkError::DispatchFailure(_)
            | SdkError::ResponseError(_)
            | _ => format!("failed: {}", causes(error)),
        };
        Self { call, what, code, status }
    }

    /// Returns the service's name of what is wrong.
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the HTTP status of the answer.
    pub(crate) const fn status(&self) -> Option<u16> {
        self.status
    }
}

impl From<Failure> for PortError {
    /// A failure that no adapter expected: the service is not there, or not as it should be.
    fn from(failure: Failure) -> Self {
        Self::caused(Kind::Unavailable, "the store failed", failure)
    }
}

/// Returns what lies beneath an error, joined by colons, in one line.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts = Vec::new();
    let mut source = error.source();
    while let Some(error) = source {
        // The chain of credentials lists on lines of their own what it has tried.
        let text = error.to_string().lines().map(str::trim).collect::<Vec<_>>().join("; ");
        // Some layers repeat the one beneath them.
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        source = error.source();
    }
    if texts.is_empty() { error.to_string() } else { texts.join(": ") }
}
