//! One bucket as it should be.

pub(super) mod lifecycle;

use aws_sdk_s3::primitives::ByteStream as Body;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    PublicAccessBlockConfiguration, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule, VersioningConfiguration,
};
use orbit_core::port::{Kind, PortError, Tag};

use super::refusal::{Refusal, refusal};
use super::{Place, Store};
use crate::shared::Step;
use crate::system::draw_name;

/// The region whose buckets are created without naming it.
const UNNAMED_REGION: &str = "us-east-1";

/// A bucket that is set up.
pub(super) struct Bucket<'a> {
    pub(super) store: &'a Store,
    pub(super) name: String,
    /// Whether what lies there is of no use after a while.
    pub(super) is_temporary: bool,
}

/// What became of one setting.
enum Setting {
    AsItShouldBe,
    Changed(&'static str),
    /// The server does not have it.
    Unknown(&'static str),
}

impl Bucket<'_> {
    /// Makes the bucket what it should be, and returns what was done. What the server does not have is
    /// said beside what was done, and not at all if nothing was.
    pub(super) async fn setup(&self) -> Result<Vec<Step>, PortError> {
        let settings = [
            self.create().await?,
            self.version().await?,
            self.block_public().await?,
            self.encrypt().await?,
            self.expire().await?,
        ];
        let is_changed = settings.iter().any(|setting| matches!(setting, Setting::Changed(_)));
        if !is_changed {
            return Ok(vec![]);
        }
        let done = settings.into_iter().filter_map(|setting| match setting {
            Setting::AsItShouldBe => None,
            Setting::Changed(done) => Some(done.to_owned()),
            Setting::Unknown(what) => {
                Some(format!("left without {what}: not supported by this server"))
            }
        });
        Ok(done.map(|done| Step::new(format!("bucket {}", self.name), done)).collect())
    }

    async fn create(&self) -> Result<Setting, PortError> {
        let (client, name) = (&self.store.client, &self.name);
        let head = client.head_bucket().bucket(name).send().await;
        match head.map_err(refusal("HeadBucket", name)) {
            Ok(_) => return Ok(Setting::AsItShouldBe),
            Err(refusal) if refusal.is_missing() => {}
            Err(refusal) if refusal.is_forbidden() => return Err(self.taken(refusal)),
            Err(refusal) => return Err(refusal.into()),
        }
        let region = &self.store.region;
        let location = (region != UNNAMED_REGION).then(|| {
            let region = BucketLocationConstraint::from(region.as_str());
            CreateBucketConfiguration::builder().location_constraint(region).build()
        });
        let call = client.create_bucket().bucket(name).set_create_bucket_configuration(location);
        match call.send().await.map_err(refusal("CreateBucket", name)) {
            Ok(_) => Ok(Setting::Changed("created")),
            // By a setup beside this one, or by a try whose answer was lost.
            Err(refusal) if refusal.code() == Some("BucketAlreadyOwnedByYou") => {
                Ok(Setting::Changed("created"))
            }
            Err(refusal) if refusal.code() == Some("BucketAlreadyExists") => {
                Err(self.taken(refusal))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    fn taken(&self, refusal: Refusal) -> PortError {
        let name = &self.name;
        let message = format!(
            "bucket {name} belongs to another account, or this access key may not see it; bucket names \
             are global, a suffix makes them one's own"
        );
        PortError::caused(Kind::Rejected, message, PortError::from(refusal))
    }

    async fn version(&self) -> Result<Setting, PortError> {
        if self.store.is_versioned(&self.name).await? {
            return Ok(Setting::AsItShouldBe);
        }
        let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
        let call = self.store.client.put_bucket_versioning().bucket(&self.name);
        let put = call.versioning_configuration(enabled.build()).send().await;
        match put.map_err(refusal("PutBucketVersioning", &self.name)) {
            Ok(_) => Ok(Setting::Changed("turned versioning on")),
            Err(refusal) if refusal.is_unknown_call() => {
                let message =
                    format!("bucket {} cannot be versioned, expected it to be", self.name);
                Err(PortError::caused(Kind::Rejected, message, PortError::from(refusal)))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    async fn block_public(&self) -> Result<Setting, PortError> {
        let client = &self.store.client;
        let get = client.get_public_access_block().bucket(&self.name).send().await;
        match get.map_err(refusal("GetPublicAccessBlock", &self.name)) {
            Ok(there) => {
                let is_blocked = there.public_access_block_configuration.is_some_and(|block| {
                    let every = [
                        block.block_public_acls,
                        block.ignore_public_acls,
                        block.block_public_policy,
                        block.restrict_public_buckets,
                    ];
                    every.iter().all(|blocked| *blocked == Some(true))
                });
                if is_blocked {
                    return Ok(Setting::AsItShouldBe);
                }
            }
            Err(refusal) if refusal.is_unknown_call() => {
                return Ok(Setting::Unknown("a block of public access"));
            }
            Err(refusal) if refusal.code() == Some("NoSuchPublicAccessBlockConfiguration") => {}
            Err(refusal) => return Err(refusal.into()),
        }
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let call = client.put_public_access_block().bucket(&self.name);
        let put = call.public_access_block_configuration(block).send().await;
        put.map_err(refusal("PutPublicAccessBlock", &self.name))?;
        Ok(Setting::Changed("blocked public access"))
    }

    /// Turns encryption on, unless it is on with whatever key.
    async fn encrypt(&self) -> Result<Setting, PortError> {
        let unknown = Setting::Unknown("encryption by default");
        let client = &self.store.client;
        let get = client.get_bucket_encryption().bucket(&self.name).send().await;
        match get.map_err(refusal("GetBucketEncryption", &self.name)) {
            Ok(_) => return Ok(Setting::AsItShouldBe),
            Err(refusal) if refusal.is_unknown_call() => return Ok(unknown),
            Err(refusal)
                if refusal.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => {}
            Err(refusal) => return Err(refusal.into()),
        }
        if !self.can_encrypt().await? {
            return Ok(unknown);
        }
        let by_default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(ServerSideEncryption::Aes256)
            .build()
            .expect("the algorithm is all that is required");
        let rule = ServerSideEncryptionRule::builder();
        let rule = rule.apply_server_side_encryption_by_default(by_default).build();
        let rules = ServerSideEncryptionConfiguration::builder().rules(rule).build();
        let rules = rules.expect("a rule is all that is required");
        let call = client.put_bucket_encryption().bucket(&self.name);
        let put = call.server_side_encryption_configuration(rules).send().await;
        put.map_err(refusal("PutBucketEncryption", &self.name))?;
        Ok(Setting::Changed("turned encryption by default on"))
    }

    /// Returns whether an object can be encrypted: a server without a key of its own may take the
    /// setting, and then no object any more.
    async fn can_encrypt(&self) -> Result<bool, PortError> {
        match self.probe(Some(ServerSideEncryption::Aes256)).await? {
            Ok(()) => Ok(true),
            // If it takes no other object either, it is not the encryption.
            Err(refusal) if matches!(refusal.status(), Some(400 | 500..)) => {
                self.probe(None).await??;
                Ok(false)
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Puts an object and removes it, and returns whether the server took it.
    async fn probe(
        &self,
        encryption: Option<ServerSideEncryption>,
    ) -> Result<Result<(), Refusal>, PortError> {
        let key = format!("orbit/probe-{}", draw_name()?);
        let place = Place { bucket: self.name.clone(), key };
        // What a server without a key answers is an error of its own, which more tries do not change.
        let few = aws_config::retry::RetryConfig::standard().with_max_attempts(2);
        let few = aws_sdk_s3::Config::builder().retry_config(few);
        let call = self.store.client.put_object().bucket(&self.name).key(&place.key);
        let call = call.set_server_side_encryption(encryption).body(Body::from_static(b"probe"));
        let put = call.customize().config_override(few).send().await;
        // A try whose answer was lost may have put one, too.
        for version in self.store.versions(&place).await? {
            self.store.delete(&place, &Tag(version)).await?;
        }
        Ok(put.map(drop).map_err(refusal("PutObject", &self.name)))
    }
}
