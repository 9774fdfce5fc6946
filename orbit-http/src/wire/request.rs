//! The bodies of actions.

use orbit_core::request::{Actor, Ask, Request, Upload};
use orbit_core::{Environment, Environments, ImageId, ImageLabels, ImageUid, ImageVersion};
use serde_json::{Map, Value};

use super::text::{Rule, picture, username};
use super::{Fault, Faults, Fields, form};

/// A request for an action, and who asks.
#[derive(Debug, PartialEq)]
pub(crate) struct Asked {
    /// What is asked for.
    pub(crate) request: Request,
    /// Who asks.
    pub(crate) actor: Actor,
}

/// A request for an upload, whose image may not have a UID yet.
#[derive(Debug)]
pub(crate) struct UploadAsked {
    /// The UID that was named, if one was.
    pub(crate) uid: Option<ImageUid>,
    version: ImageVersion,
    upload: Upload,
    actor: Actor,
}

impl UploadAsked {
    /// Returns the request for an image of this UID.
    pub(crate) fn of(self, uid: ImageUid) -> Asked {
        let image = ImageId { uid, version: self.version };
        let request = Request { image, ask: Ask::Upload(Box::new(self.upload)) };
        Asked { request, actor: self.actor }
    }
}

/// Reads the metadata of an upload.
///
/// # Errors
/// Every fault.
pub(crate) fn upload(body: Value) -> Result<UploadAsked, Vec<Fault>> {
    read(body, |fields| {
        let actor = actor(fields);
        let metadata = fields.take("imageMetadata").unwrap_or_else(|| Value::Object(Map::new()));
        let mut image = Fields::of(metadata.clone(), "/imageMetadata", fields.faults());
        let (uid, version) = (image.parsed("imageUID"), image.required_parsed("imageVersion"));
        let labels = labels(&mut image);
        let form = form::chart(&mut image);
        if let Some(url) = image.raw("image") {
            picture(&url).unwrap_or_else(|detail| image.note("image", detail));
        }
        image.end();
        let names_uid = uid.is_some();
        let upload = Upload { labels: labels?, form: form?, names_uid, metadata };
        Some(UploadAsked { uid, version: version?, upload, actor })
    })
}

/// Reads the form of a deployment.
///
/// # Errors
/// Every fault.
pub(crate) fn deploy(image: ImageId, body: Value) -> Result<Asked, Vec<Fault>> {
    read(body, |fields| {
        let actor = actor(fields);
        let mut form = fields.object("deploymentDetail");
        let (detail, cluster) = (form::detail(&mut form), form.text("clusterName", Rule::LABEL));
        form.end();
        asked(image, Ask::Deploy { detail: detail?, cluster }, actor)
    })
}

/// Reads the form of a transfer: it may name the environment that the image goes to, the one it is
/// in, or both.
///
/// # Errors
/// Every fault.
pub(crate) fn transfer(
    image: ImageId,
    body: Value,
    environments: &Environments,
) -> Result<Asked, Vec<Fault>> {
    read(body, |fields| {
        let actor = actor(fields);
        let to = environment(fields, "transferEnvironment", environments);
        let from = environment(fields, "currentEnvironment", environments);
        asked(image, Ask::Transfer { from, expected: to }, actor)
    })
}

/// Reads the form of a restore.
///
/// # Errors
/// Every fault.
pub(crate) fn restore(
    image: ImageId,
    body: Value,
    environments: &Environments,
) -> Result<Asked, Vec<Fault>> {
    read(body, |fields| {
        let actor = actor(fields);
        let expected = environment(fields, "currentEnvironment", environments);
        asked(image, Ask::Restore { expected }, actor)
    })
}

/// Reads the form of a scan or a deletion, which says no more than who asks.
///
/// # Errors
/// Every fault.
pub(crate) fn plain(image: ImageId, body: Value, ask: Ask) -> Result<Asked, Vec<Fault>> {
    read(body, |fields| {
        let actor = actor(fields);
        asked(image, ask, actor)
    })
}

/// Reads a whole body; what `take` leaves of it is unknown.
fn read<T>(body: Value, take: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<T, Vec<Fault>> {
    let faults = Faults::default();
    let mut fields = Fields::of(body, "", &faults);
    let value = take(&mut fields);
    fields.end();
    faults.none_or(value)
}

fn asked(image: ImageId, ask: Ask, actor: Actor) -> Option<Asked> {
    Some(Asked { request: Request { image, ask }, actor })
}

fn actor(fields: &mut Fields<'_>) -> Actor {
    let mut user = fields.object("userMetadata");
    let actor = Actor {
        username: username(user.text("username", Rule::USERNAME)),
        first_name: user.text("firstName", Rule::LABEL).unwrap_or_default(),
        last_name: user.text("lastName", Rule::LABEL).unwrap_or_default(),
        email: user.text("email", Rule::EMAIL).unwrap_or_default(),
    };
    user.end();
    actor
}

fn labels(image: &mut Fields<'_>) -> Option<ImageLabels> {
    image.also("Description", "description");
    image.also("Part", "part");
    let (name, category) =
        (image.required("imageName", Rule::NAME), image.required("imageCategory", Rule::LABEL));
    let description = image.text("description", Rule::DESCRIPTION);
    let part = image.text_or_number("part", Rule::LABEL);
    let tail = image.text("tail", Rule::LABEL);
    let icao = image.text("icao", Rule::LABEL);
    Some(ImageLabels { name: name?, category: category?, description, part, tail, icao })
}

fn environment(
    fields: &mut Fields<'_>,
    name: &'static str,
    environments: &Environments,
) -> Option<Environment> {
    let environment: Environment = fields.parsed(name)?;
    if environments.find(&environment).is_some() {
        return Some(environment);
    }
    let names: Vec<_> = environments.iter().map(|spec| spec.name.as_str()).collect();
    fields.note(name, format!("is {environment}, expected one of {}", names.join(", ")));
    None
}

#[cfg(test)]
mod tests;
