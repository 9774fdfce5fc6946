//! Uploads that are completed at the same moment.
//!
//! AWS lets one of them win. A server may look whether something lies in the slot, and then put both
//! there, one version on top of the other (`SeaweedFS` 4.48 does). So whoever completed an upload looks
//! at the versions once more: the newer one gives way, and the older one waits until it has. If the
//! newer one does not, because it looked before there was another, the older one gives way. Whoever
//! gives way removes its own version and nothing else, so two can lose in the worst case, but never win.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_s3::types::ObjectVersion;
use orbit_core::port::{PortError, Tag};

use super::object::Seen;
use super::refusal::refusal;
use super::{Place, Store};

/// How long others are waited for to give way, look by look: 3 s in all.
const PAUSES_MS: [u64; 6] = [50, 100, 200, 400, 800, 1600];
/// How many seconds may lie between uploads that were completed at the same moment; servers tell a
/// version's time to the second.
const MOMENT_S: i64 = 60;

/// The versions that lay at a place before a write began: beneath a delete marker, if any.
#[derive(Debug)]
pub(super) struct Beneath(BTreeSet<String>);

impl Store {
    /// Returns the versions at a place where nothing lies yet.
    pub(super) async fn beneath(&self, place: &Place) -> Result<Beneath, PortError> {
        Ok(Beneath(self.versions(place).await?.into_iter().collect()))
    }

    /// Returns whether a version that was just completed is the one that stays, or removes it.
    pub(super) async fn outlasts(
        &self,
        place: &Place,
        tag: &Tag,
        Beneath(beneath): &Beneath,
    ) -> Result<bool, PortError> {
        for pause in PAUSES_MS.map(Duration::from_millis) {
            let versions = self.versions(place).await?;
            let own = versions.iter().position(|version| *version == tag.0);
            let (newer, older) = versions.split_at(own.unwrap_or(versions.len()));
            let is_rival = |version: &&String| !beneath.contains(*version) && **version != tag.0;
            if older.iter().any(|version| is_rival(&version)) {
                break;
            }
            if !newer.iter().any(|version| is_rival(&version)) {
                return Ok(true);
            }
            tokio::time::sleep(pause).await;
        }
        self.delete(place, tag).await?;
        Ok(false)
    }

    /// Returns what lies at a place once the uploads that were completed there at the same moment have
    /// given way, but for one. What gives way is seen there for a while, and must not be taken for it.
    pub(super) async fn settled(&self, place: &Place) -> Result<Option<Seen>, PortError> {
        let mut top = self.look(place).await?;
        for pause in PAUSES_MS.map(Duration::from_millis) {
            match &top {
                None => break,
                Some(seen) if self.is_alone(place, &seen.tag).await? => break,
                Some(_) => tokio::time::sleep(pause).await,
            }
            top = self.look(place).await?;
        }
        Ok(top)
    }

    /// Tells whether no other version came to a place when this one did. What was there long before is
    /// no upload that may give way: somebody hid it, or wrote over it.
    async fn is_alone(&self, place: &Place, tag: &Tag) -> Result<bool, PortError> {
        let versions = self.list(place).await?;
        let is_own = |version: &&ObjectVersion| version.version_id() == Some(&tag.0);
        let second = |version: &ObjectVersion| version.last_modified.map(|at| at.secs());
        let Some(own) = versions.iter().find(is_own).and_then(second) else { return Ok(false) };
        let is_old =
            |other| second(other).is_some_and(|other| own.saturating_sub(other) > MOMENT_S);
        Ok(versions.iter().filter(|version| !is_own(version)).all(is_old))
    }

    /// Returns the ids of the versions at a place, the newest first.
    pub(super) async fn versions(&self, place: &Place) -> Result<Vec<String>, PortError> {
        let versions = self.list(place).await?.into_iter();
        Ok(versions.filter_map(|version| version.version_id).collect())
    }

    /// Returns the versions at a place, the newest first.
    async fn list(&self, place: &Place) -> Result<Vec<ObjectVersion>, PortError> {
        let Place { bucket, key } = place;
        let answer = self.client.list_object_versions().bucket(bucket).prefix(key).send().await;
        let versions = answer.map_err(refusal("ListObjectVersions", bucket))?.versions;
        let versions = versions.unwrap_or_default().into_iter();
        Ok(versions.filter(|version| version.key() == Some(key.as_str())).collect())
    }
}
