//! The typed entries of the two lists.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::document::{Document, Item};
use super::fault::{ListError, ListFault};
use super::fields::Fields;
use crate::{ActionId, AppName, Digest, Environment, ImageUid, ImageVersion};

/// Every key of an entry or a tombstone, in the order in which they are written.
pub const KEYS: [&str; 12] = [
    "name",
    "imageUID",
    "imageVersion",
    "imageName",
    "environment",
    "image",
    "digest",
    "namespace",
    "deploymentId",
    "deletedAt",
    "deletedBy",
    "actionId",
];

/// An entry of the deploy list: one application, the image it runs and the action that put it there.
///
/// Keys that are not Orbit's stay in the file, and are not seen here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The name of the application and of its directory.
    pub name: AppName,
    /// The image's UID.
    #[serde(rename = "imageUID")]
    pub image_uid: ImageUid,
    /// The image's version.
    pub image_version: ImageVersion,
    /// The image's name, as its uploader wrote it.
    pub image_name: String,
    /// The environment whose list this is.
    pub environment: Environment,
    /// The reference in the registry, without tag and digest.
    pub image: String,
    /// The digest that is deployed.
    pub digest: Digest,
    /// The Kubernetes namespace.
    pub namespace: String,
    /// The deployment that wrote the entry.
    pub deployment_id: String,
}

/// An entry of the delete list: what was deployed, and who took it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    /// The entry as it was in the deploy list.
    #[serde(flatten)]
    pub entry: Entry,
    /// When and by whom it was taken out.
    #[serde(flatten)]
    pub deletion: Deletion,
}

/// When, by whom and in which action an entry left the deploy list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deletion {
    /// The time, in RFC 3339.
    pub deleted_at: String,
    /// The user.
    pub deleted_by: String,
    /// The action.
    pub action_id: ActionId,
}

/// What a list is made of: [`Entry`] or [`Tombstone`].
pub trait Listed: Sized {
    /// Returns the name of the application.
    fn name(&self) -> &AppName;

    /// Reads one item; its faults are appended, and `None` means that there were some.
    fn read(item: &Item<'_>, faults: &mut Vec<ListError>) -> Option<Self>;

    /// Returns the keys and values that are written, the name first.
    fn fields(&self) -> Fields;
}

impl Listed for Entry {
    fn name(&self) -> &AppName {
        &self.name
    }

    fn read(item: &Item<'_>, faults: &mut Vec<ListError>) -> Option<Self> {
        let mut reader = Reader { item, faults };
        let name = reader.field("name");
        let image_uid = reader.field("imageUID");
        let image_version = reader.field("imageVersion");
        let image_name = reader.field("imageName");
        let environment = reader.field("environment");
        let image = reader.field("image");
        let digest = reader.field("digest");
        let namespace = reader.field("namespace");
        let deployment_id = reader.field("deploymentId");
        Some(Self {
            name: name?,
            image_uid: image_uid?,
            image_version: image_version?,
            image_name: image_name?,
            environment: environment?,
            image: image?,
            digest: digest?,
            namespace: namespace?,
            deployment_id: deployment_id?,
        })
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::new(&self.name);
        fields.push("imageUID", &self.image_uid);
        fields.push("imageVersion", &self.image_version);
        fields.push("imageName", &self.image_name);
        fields.push("environment", &self.environment);
        fields.push("image", &self.image);
        fields.push("digest", &self.digest);
        fields.push("namespace", &self.namespace);
        fields.push("deploymentId", &self.deployment_id);
        fields
    }
}

impl Listed for Tombstone {
    fn name(&self) -> &AppName {
        &self.entry.name
    }

    fn read(item: &Item<'_>, faults: &mut Vec<ListError>) -> Option<Self> {
        let entry = Entry::read(item, faults);
        let mut reader = Reader { item, faults };
        let deleted_at = reader.field::<Rfc3339>("deletedAt");
        let deleted_by = reader.field("deletedBy");
        let action_id = reader.field("actionId");
        let deletion =
            Deletion { deleted_at: deleted_at?.0, deleted_by: deleted_by?, action_id: action_id? };
        Some(Self { entry: entry?, deletion })
    }

    fn fields(&self) -> Fields {
        let mut fields = self.entry.fields();
        fields.push("deletedAt", &self.deletion.deleted_at);
        fields.push("deletedBy", &self.deletion.deleted_by);
        fields.push("actionId", &self.deletion.action_id);
        fields
    }
}

/// A point in time that keeps the digits it was written with.
struct Rfc3339(String);

impl FromStr for Rfc3339 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The parser reads more than RFC 3339, and knows which days there are.
        match text.parse::<jiff::Timestamp>() {
            Ok(_) if is_rfc3339(text) => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err("not a time in RFC 3339, such as 2025-01-25T10:00:00Z"),
        }
    }
}

/// Tells whether a text has the form `YYYY-MM-DDTHH:MM:SS[.fff](Z|±HH:MM)`.
fn is_rfc3339(text: &str) -> bool {
    let has_form = |text: &str, form: &str| {
        let fits = |(b, form): (u8, u8)| if form == b'0' { b.is_ascii_digit() } else { b == form };
        text.len() == form.len() && text.bytes().zip(form.bytes()).all(fits)
    };
    let Some((time, rest)) = text.split_at_checked("0000-00-00T00:00:00".len()) else {
        return false;
    };
    let fraction = rest.strip_prefix('.');
    let zone =
        fraction.map_or(rest, |digits| digits.trim_start_matches(|c: char| c.is_ascii_digit()));
    let has_digits = fraction.is_none_or(|digits| digits.len() > zone.len());
    has_form(time, "0000-00-00T00:00:00")
        && has_digits
        && ["Z", "+00:00", "-00:00"].into_iter().any(|form| has_form(zone, form))
}

/// Reads the fields of one item, and collects what is wrong with them.
struct Reader<'r, 'd> {
    item: &'r Item<'d>,
    faults: &'r mut Vec<ListError>,
}

impl Reader<'_, '_> {
    fn field<T: FromStr<Err: fmt::Display>>(&mut self, key: &'static str) -> Option<T> {
        let Some(field) = self.item.field(key) else {
            let kind = ListFault::Missing { field: key };
            self.faults.push(ListError::new(self.item.position(), kind));
            return None;
        };
        match field.value.parse() {
            Ok(value) => Some(value),
            Err(reason) => {
                let kind = ListFault::Invalid { field: key, reason: reason.to_string() };
                self.faults.push(ListError::new(field.position(), kind));
                None
            }
        }
    }
}

/// The deploy list of an environment, typed.
pub type DeployList = List<Entry>;
/// The delete list of an environment, typed.
pub type DeleteList = List<Tombstone>;

/// A list that was read, in its order.
///
/// ```
/// use orbit_core::list::DeployList;
/// assert!(DeployList::read("# nothing is deployed\n[]\n")?.is_empty());
///
/// let refusal = DeployList::read("- name: \"trolls\"\n").unwrap_err();
/// assert_eq!(refusal.to_string(), "line 1, column 3: entry has no imageUID");
/// # Ok::<(), orbit_core::list::ListError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(Vec<T>);

impl<T> List<T> {
    pub(super) const fn new(entries: Vec<T>) -> Self {
        Self(entries)
    }
}

impl<T: Listed> List<T> {
    /// Reads a list.
    ///
    /// # Errors
    /// The first fault of the text, or else [`ListFault::Missing`] or [`ListFault::Invalid`] for the
    /// first field that is not of its form.
    pub fn read(text: &str) -> Result<Self, ListError> {
        Self::of(&Document::read(text.as_bytes())?)
    }

    /// Reads the entries of a list whose text was read.
    ///
    /// # Errors
    /// [`ListFault::Missing`] or [`ListFault::Invalid`] for the first field that is not of its form.
    pub fn of(document: &Document<'_>) -> Result<Self, ListError> {
        let mut faults = Vec::new();
        let entries = document.items().map_while(|item| T::read(&item, &mut faults)).collect();
        faults.sort_by_key(ListError::position);
        faults.into_iter().next().map_or(Ok(Self(entries)), Err)
    }

    /// Returns the entry of a name.
    pub fn find(&self, name: &AppName) -> Option<&T> {
        self.0.iter().find(|entry| entry.name() == name)
    }

    /// Returns the entries in the order of the file.
    pub fn entries(&self) -> &[T] {
        &self.0
    }

    /// Returns the entries themselves, in the order of the file.
    pub fn into_entries(self) -> Vec<T> {
        self.0
    }

    /// Tells whether the list is `[]`.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_rfc_3339_says_and_no_other_way() {
        for text in
            ["2025-01-25T10:00:00Z", "2025-01-25T10:00:00.123+05:30", "2024-02-29T23:59:59-00:00"]
        {
            assert!(text.parse::<Rfc3339>().is_ok(), "{text}");
        }
        for text in [
            "2025-01-25 10:00:00Z",
            "2025-01-25T10:00Z",
            "20250125T100000Z",
            "2025-01-25T10:00:00.Z",
            "2025-01-25T10:00:00",
            "2025-01-25T10:00:00+05",
            "2025-01-25T10:00:00+0530",
            "2025-01-25T10:00:00,5Z",
            "2025-01-25T10:00:00Z[UTC]",
            "2025-02-30T10:00:00Z",
            "+002025-01-25T10:00:00Z",
            "2025-01-25T10:00:00+05:30:10",
            "",
            "é",
        ] {
            assert!(text.parse::<Rfc3339>().is_err(), "{text}");
        }
    }

    #[test]
    fn json_and_yaml_have_the_same_keys_in_the_same_order() {
        let json = serde_json::json!({
            "name": "trolls",
            "imageUID": "A".repeat(60),
            "imageVersion": "v0-0-01",
            "imageName": "Trolls",
            "environment": "development",
            "image": "docker.io/k8or-orbit-aws/trolls",
            "digest": Digest::of(b""),
            "namespace": "development",
            "deploymentId": "d1",
            "deletedAt": "2025-01-25T10:00:00Z",
            "deletedBy": "ada",
            "actionId": "01JJACT10N0000000000000001",
        });
        let tombstone: Tombstone = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&tombstone).unwrap(), json);
        let text = serde_json::to_string(&tombstone).unwrap();
        assert!(tombstone.fields().iter().map(|(key, _)| key).eq(KEYS));
        let mut rest = text.as_str();
        for (key, value) in tombstone.fields().iter() {
            assert_eq!(json[key], value);
            let (_, after) = rest.split_once(&format!("\"{key}\":")).unwrap();
            rest = after;
        }
    }
}
