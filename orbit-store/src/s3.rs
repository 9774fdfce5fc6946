//! Archives in S3, or in a server that speaks its protocol: one bucket for each shelf.
//!
//! **Buckets are versioned.** [`setup`](crate::SharedStore::setup) turns it on, and
//! [`ready`](crate::SharedStore::ready) refuses a bucket that is not. A [`Tag`] is a version id, and
//! everything is read and removed by it: a removal that arrives late removes what it was meant for or
//! nothing, whatever lies in the slot by then. An object appears under the condition that nothing lies
//! there (`If-None-Match: *`), so it is never overwritten.
//!
//! **What is known of an object** stands in its metadata, which S3 fixes when a write begins: the
//! action that wrote it, a random name of the write, and the digest where it is known by then, which it
//! is of an upload that fits in one part and of a copy. The digest of a longer upload is known at its
//! end only, so it is kept in a *receipt*, `receipts/<write>.json` in the same bucket, which is written
//! before the object appears. So an object is never without, whenever a process dies. A receipt without
//! an object can be left in the temporary bucket alone, the only one that is uploaded to, and expires
//! there.
//!
//! **Uploads that are completed at one moment** both succeed on some servers; [`race`] makes one stay.
//!
//! **A lost answer** is found out: after a write that failed, the slot is looked into, and the name of
//! the write tells whether it took effect after all.
//!
//! **A copy** never passes through Orbit, unless the server gives nothing to check it by. It is always
//! an upload whose parts the server copies, of one part up to [`S3Settings::copy_bytes`] and of the
//! parts of its source above that, because the condition on the completion of an upload is older and
//! kept by more servers than the one on `CopyObject`. A copy counts once its bytes are proven, and it
//! is removed where they prove to be others:
//!
//! | what the copy answers to `HeadObject` | who answers so |
//! |---|---|
//! | the SHA-256 of the whole, or of its only part: it must be the source's digest | AWS, `SeaweedFS` |
//! | the SHA-256 of the parts' SHA-256s, equal to the source's of the same parts | AWS, `SeaweedFS` |
//! | an `ETag` that equals the source's, of the same parts | ministack |
//! | none of these: the copy is read and hashed | ministack, for one part |
//!
//! What a server tells of a copy is believed; it is the only one who has its bytes. What the source was
//! is noted in the copy's metadata, so that a copy that a process left behind can be
//! proven after its source is gone.
//!
//! **An upload that fails is aborted.** One whose future is dropped, or whose abort does not arrive, is
//! aborted by the next call that writes. One that outlives its process is the affair of the bucket's
//! lifecycle rule, which ends uploads after a day.
//!
//! **Others may touch the buckets.** What lies in a slot without Orbit's metadata is a conflict for
//! every write, and an error that says so for who looks. A slot whose newest version is a delete marker
//! is empty; what lies beneath stays, until a removal names it.

mod bucket;
mod copy;
mod images;
mod object;
mod race;
mod read;
mod refusal;
mod setup;
mod template;
mod upload;
mod write;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use orbit_core::place::{Names, Slot};
use orbit_core::port::{ImageStore, Kind, PortError};

use crate::aws::{self, AwsSettings};

#[cfg(doc)]
use orbit_core::port::Tag;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The least that S3 takes as a part that is not the last one.
const LEAST_PART: u64 = 5 * MIB;
/// The most that S3 copies in one call.
const MOST_COPIED: u64 = 5 * GIB;
/// The most parts that S3 takes for one object.
const MOST_PARTS: u32 = 10_000;
/// The most bytes that one upload may hold in memory.
const MOST_MEMORY: u64 = 64 * MIB;

/// Where buckets are, and in what pieces archives are written.
///
/// ```
/// use orbit_store::{AwsSettings, S3Settings};
/// let endpoint = Some("http://127.0.0.1:8333".to_owned());
/// let aws = AwsSettings { endpoint, ..AwsSettings::default() };
/// let settings = S3Settings { aws, parts_at_once: 2, ..S3Settings::default() };
/// assert_eq!(settings.part_bytes, 8 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Settings {
    /// How S3 is reached.
    pub aws: AwsSettings,
    /// The size of a part of an upload: 8 MiB, at least 5 MiB. An object has at most 10,000 parts.
    pub part_bytes: u64,
    /// The size up to which a copy is one call, at most and by default 5 GiB.
    pub copy_bytes: u64,
    /// How many parts of an upload or a copy are under way at once: 4. They and one more are in memory
    /// during an upload, at most 64 MiB.
    pub parts_at_once: usize,
}

impl Default for S3Settings {
    fn default() -> Self {
        let aws = AwsSettings::default();
        Self { aws, part_bytes: 8 * MIB, copy_bytes: MOST_COPIED, parts_at_once: 4 }
    }
}

/// The image store in S3. A clone is another handle of the same.
///
/// Its access key needs, on its buckets, `s3:GetBucketVersioning`, `s3:ListBucket`,
/// `s3:ListBucketVersions`, `s3:GetObject`, `s3:GetObjectVersion`, `s3:PutObject`,
/// `s3:DeleteObjectVersion` and `s3:AbortMultipartUpload`; without `s3:ListBucket`, S3 answers that an
/// empty slot is forbidden. A setup needs `s3:CreateBucket`, and to read and write what it sets.
#[derive(Clone)]
pub struct S3(Arc<Store>);

impl S3 {
    /// Returns a store that asked nobody yet but the chain of credentials.
    ///
    /// # Errors
    /// `Rejected` if the settings are not within their bounds, or name no region where none is found.
    pub async fn connect(settings: &S3Settings, names: &Names) -> Result<Self, PortError> {
        check(settings)?;
        let shared = aws::connect(&settings.aws).await;
        let region = shared.region().map(ToString::to_string).ok_or_else(|| {
            PortError::new(Kind::Rejected, "no region is set for S3, expected one in the settings")
        })?;
        let config = aws_sdk_s3::config::Builder::from(&shared)
            .retry_partition(aws::own_retries())
            .force_path_style(settings.aws.endpoint.is_some())
            // Every write carries the SHA-256 that it is checked by; nothing else is needed.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Ok(Self(Arc::new(Store {
            client: Client::from_conf(config),
            names: names.clone(),
            region,
            settings: settings.clone(),
            given_up: Mutex::default(),
        })))
    }

    /// Returns the port.
    pub fn images(&self) -> Arc<dyn ImageStore> {
        Arc::<Store>::clone(&self.0)
    }
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Store { names, region, settings, .. } = &*self.0;
        let mut debug = f.debug_struct("S3");
        debug.field("buckets", &names.buckets()).field("region", region);
        debug.field("settings", settings).finish()
    }
}

/// What every call needs.
struct Store {
    client: Client,
    names: Names,
    region: String,
    settings: S3Settings,
    /// Uploads whose futures were dropped or whose aborts failed; the next write aborts them.
    given_up: Mutex<Vec<upload::Address>>,
}

impl Store {
    /// Returns the bucket and the key of a slot.
    fn place(&self, slot: &Slot) -> Place {
        Place { bucket: self.names.bucket(&slot.shelf), key: slot.key() }
    }

    /// Returns the time-outs of a call that has work to do: those of any call, and more for the work.
    fn patience(&self, work: Duration) -> aws_sdk_s3::config::Builder {
        let attempt = (self.settings.aws.call_timeout / 2).saturating_add(work);
        let timeouts = aws_config::timeout::TimeoutConfig::builder()
            .operation_attempt_timeout(attempt)
            .operation_timeout(attempt.saturating_mul(2))
            .build();
        aws_sdk_s3::Config::builder().timeout_config(timeouts)
    }
}

/// Where an object lies.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    bucket: String,
    key: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in bucket {}", self.key, self.bucket)
    }
}

/// Returns how long an upload of so many bytes may take: on a way slower than 256 KiB a second for each
/// part it is given up.
fn upload_time(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes).unwrap_or(u64::MAX) / (MIB / 4))
}

/// Returns how long a server may take to copy so many bytes: at 8 MiB a second for each part.
fn copy_time(bytes: u64) -> Duration {
    Duration::from_secs(bytes / (8 * MIB))
}

/// How long a server may take to put parts together: S3 says that it can be minutes.
const JOIN_TIME: Duration = Duration::from_secs(120);

fn check(settings: &S3Settings) -> Result<(), PortError> {
    let S3Settings { aws: _, part_bytes, copy_bytes, parts_at_once } = *settings;
    let reject = |what: String| Err(PortError::new(Kind::Rejected, what));
    if !(LEAST_PART..=MOST_MEMORY).contains(&part_bytes) {
        return reject(format!(
            "parts have {part_bytes} bytes, expected {LEAST_PART} to {MOST_MEMORY}"
        ));
    }
    if !(1..=MOST_COPIED).contains(&copy_bytes) {
        return reject(format!(
            "copies of up to {copy_bytes} bytes are one call, expected 1 to {MOST_COPIED}"
        ));
    }
    let n_held = u64::try_from(parts_at_once).unwrap_or(u64::MAX).saturating_add(1);
    if parts_at_once == 0 || n_held.saturating_mul(part_bytes) > MOST_MEMORY {
        return reject(format!(
            "{parts_at_once} parts of {part_bytes} bytes are under way at once, expected at least one, \
             and with one more at most {MOST_MEMORY} bytes"
        ));
    }
    Ok(())
}
