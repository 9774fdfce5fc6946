//! The buckets as resources of CloudFormation.

use orbit_core::Digest;
use orbit_core::place::{Names, Shelf};
use serde_json::{Map, Value, json};

use super::bucket::lifecycle::{
    NONCURRENT_DAYS, TEMPORARY_DAYS, TEMPORARY_RULE, UPLOAD_DAYS, UPLOADS_RULE,
};

/// Returns one resource for each bucket.
pub(super) fn resources(names: &Names) -> Map<String, Value> {
    let (buckets, temporary) = (names.buckets(), names.bucket(&Shelf::Temporary));
    let resource = |name: &String| (logical(name, &buckets), bucket(name, *name == temporary));
    buckets.iter().map(resource).collect()
}

fn bucket(name: &str, is_temporary: bool) -> Value {
    let uploads = json!({
        "Id": UPLOADS_RULE,
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": UPLOAD_DAYS },
    });
    let temporary = json!({
        "Id": TEMPORARY_RULE,
        "Status": "Enabled",
        "ExpirationInDays": TEMPORARY_DAYS,
        "NoncurrentVersionExpiration": { "NoncurrentDays": NONCURRENT_DAYS },
    });
    let rules = if is_temporary { vec![uploads, temporary] } else { vec![uploads] };
    json!({
        "Type": "AWS::S3::Bucket",
        // Images outlive the stack that made their buckets.
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": {
            "BucketName": name,
            "VersioningConfiguration": { "Status": "Enabled" },
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true,
                "IgnorePublicAcls": true,
                "BlockPublicPolicy": true,
                "RestrictPublicBuckets": true,
            },
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    { "ServerSideEncryptionByDefault": { "SSEAlgorithm": "AES256" } },
                ],
            },
            "LifecycleConfiguration": { "Rules": rules },
        },
    })
}

/// Returns the logical name of a bucket, which may have letters and digits only. It depends on the
/// bucket's own name, so that another environment renames nothing.
fn logical(name: &str, buckets: &[String]) -> String {
    let camel = camel(name);
    let is_shared = buckets.iter().any(|other| other != name && self::camel(other) == camel);
    if !is_shared {
        return camel;
    }
    let digest: String = Digest::of(name.as_bytes()).hex().chars().take(8).collect();
    camel + &digest
}

fn camel(name: &str) -> String {
    let words = name.split(['-', '.']).map(|word| {
        let mut chars = word.chars();
        let first = chars.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(chars).collect::<String>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use orbit_core::Environments;
    use orbit_core::place::Naming;

    use super::*;

    #[test]
    fn every_bucket_is_a_resource_of_its_own() {
        let logical: Vec<_> = resources(&Names::new(&Environments::default()))
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        let expected = [
            "AppImage1206BktK8dAws",
            "AppImage1209BktK8tAws",
            "AppImage1212BktK8pAws",
            "DeletedImageBucket",
            "TemporaryAppImage1203BktK8dAws",
        ];
        assert_eq!(logical, expected);
    }

    #[test]
    fn names_that_differ_in_their_dashes_only_are_told_apart() {
        let own = [("deleted-image-bucket", "trash-1"), ("app-image-1206-bkt-k8d-aws", "trash1")];
        let own = own.map(|(mission, own)| (mission.to_owned(), own.to_owned())).into();
        let naming = Naming { own, ..Naming::default() };
        let resources = resources(&Names::named(&Environments::default(), naming).unwrap());
        assert_eq!(resources.len(), 5);
        let digest = &Digest::of(b"trash-1").hex()[..8];
        assert_eq!(resources[&format!("Trash1{digest}")]["Properties"]["BucketName"], "trash-1");
    }

    #[test]
    fn only_the_temporary_bucket_forgets_what_lies_in_it() {
        let resources = resources(&Names::new(&Environments::default()));
        for (name, resource) in resources {
            let rules = resource["Properties"]["LifecycleConfiguration"]["Rules"]
                .as_array()
                .unwrap()
                .clone();
            let expires = rules.iter().any(|rule| rule.get("ExpirationInDays").is_some());
            assert_eq!(expires, name.starts_with("Temporary"), "{name}");
            assert_eq!(resource["DeletionPolicy"], "Retain", "{name}");
        }
    }
}
