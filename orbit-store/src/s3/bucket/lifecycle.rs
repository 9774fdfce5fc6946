//! What a bucket gets rid of by itself.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus,
    LifecycleExpiration, LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration,
};
use orbit_core::port::PortError;

use super::{Bucket, Setting};
use crate::s3::refusal::refusal;

/// After how many days an upload that nobody completed is aborted.
pub(in crate::s3) const UPLOAD_DAYS: i32 = 1;
/// After how many days an object expires in the temporary bucket.
pub(in crate::s3) const TEMPORARY_DAYS: i32 = 7;
/// After how many days more its versions are gone.
pub(in crate::s3) const NONCURRENT_DAYS: i32 = 1;

pub(in crate::s3) const UPLOADS_RULE: &str = "orbit-uploads";
pub(in crate::s3) const TEMPORARY_RULE: &str = "orbit-temporary";

/// What a rule of ours says.
#[derive(Debug, PartialEq, Eq)]
struct Says<'a> {
    is_on: bool,
    prefix: &'a str,
    upload_days: Option<i32>,
    days: Option<i32>,
    noncurrent_days: Option<i32>,
}

impl Bucket<'_> {
    /// Sees to our rules, and leaves those of others as they are.
    pub(super) async fn expire(&self) -> Result<Setting, PortError> {
        let client = &self.store.client;
        let get = client.get_bucket_lifecycle_configuration().bucket(&self.name).send().await;
        let there = match get.map_err(refusal("GetBucketLifecycleConfiguration", &self.name)) {
            Ok(there) => there.rules.unwrap_or_default(),
            Err(refusal) if refusal.is_unknown_call() => {
                return Ok(Setting::Unknown("rules for its life cycle"));
            }
            Err(refusal) if refusal.code() == Some("NoSuchLifecycleConfiguration") => vec![],
            Err(refusal) => return Err(refusal.into()),
        };
        let wanted = rules(self.is_temporary).expect("every rule has a status");
        let is_there = |rule: &LifecycleRule| {
            there.iter().any(|there| there.id == rule.id && says(there) == says(rule))
        };
        if wanted.iter().all(is_there) {
            return Ok(Setting::AsItShouldBe);
        }
        let ours = [Some(UPLOADS_RULE), Some(TEMPORARY_RULE)];
        let others = there.into_iter().filter(|rule| !ours.contains(&rule.id.as_deref()));
        let rules = BucketLifecycleConfiguration::builder()
            .set_rules(Some(others.chain(wanted).collect()))
            .build()
            .expect("the rules are all that is required");
        let call = client.put_bucket_lifecycle_configuration().bucket(&self.name);
        let put = call.lifecycle_configuration(rules).send().await;
        put.map_err(refusal("PutBucketLifecycleConfiguration", &self.name))?;
        Ok(Setting::Changed("set rules for its life cycle"))
    }
}

fn rules(is_temporary: bool) -> Result<Vec<LifecycleRule>, BuildError> {
    let rule = |id: &str| {
        let everything = LifecycleRuleFilter::builder().prefix("").build();
        LifecycleRule::builder().id(id).filter(everything).status(ExpirationStatus::Enabled)
    };
    let abort =
        AbortIncompleteMultipartUpload::builder().days_after_initiation(UPLOAD_DAYS).build();
    let uploads = rule(UPLOADS_RULE).abort_incomplete_multipart_upload(abort).build()?;
    if !is_temporary {
        return Ok(vec![uploads]);
    }
    let noncurrent =
        NoncurrentVersionExpiration::builder().noncurrent_days(NONCURRENT_DAYS).build();
    let temporary = rule(TEMPORARY_RULE)
        .expiration(LifecycleExpiration::builder().days(TEMPORARY_DAYS).build())
        .noncurrent_version_expiration(noncurrent)
        .build()?;
    Ok(vec![uploads, temporary])
}

fn says(rule: &LifecycleRule) -> Says<'_> {
    Says {
        is_on: rule.status == ExpirationStatus::Enabled,
        prefix: rule.filter().and_then(LifecycleRuleFilter::prefix).unwrap_or_default(),
        upload_days: rule
            .abort_incomplete_multipart_upload()
            .and_then(AbortIncompleteMultipartUpload::days_after_initiation),
        days: rule.expiration().and_then(LifecycleExpiration::days),
        noncurrent_days: rule
            .noncurrent_version_expiration()
            .and_then(NoncurrentVersionExpiration::noncurrent_days),
    }
}
