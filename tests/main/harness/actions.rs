//! Actions as a user asks for them.

use orbit_core::testing::archives;
use serde_json::{Value, json};

use super::client::{Answer, Client};
use super::form::{CONTENT_TYPE, Form, metadata};
use super::images::image;
use super::program::Server;

/// An image that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) uid: String,
    pub(crate) version: String,
}

impl Image {
    /// Returns the image that an action is about.
    pub(crate) fn of(action: &Value) -> Self {
        let text = |name: &str| action[name].as_str().unwrap().to_owned();
        Self { uid: text("imageUID"), version: text("imageVersion") }
    }

    /// Returns the path of something of the image; of itself if that is empty.
    pub(crate) fn path(&self, what: &str) -> String {
        let path = format!("/v1/images/{}/{}/{what}", self.uid, self.version);
        path.trim_end_matches('/').to_owned()
    }
}

impl Client {
    /// Uploads an archive and waits for the end.
    pub(crate) fn upload(&self, metadata: &Value, archive: &[u8]) -> Answer {
        let headers = [("content-type", CONTENT_TYPE)];
        self.ask("POST", "/v1/images?wait=60", &headers, &Form::of(metadata).body(archive))
    }

    /// Uploads a small image of this name, which must succeed.
    pub(crate) fn uploaded(&self, name: &str) -> Image {
        let archive = archives::docker_archive(&image(name));
        Image::of(&succeeded(&self.upload(&metadata(name, "v0-0-01"), &archive)))
    }

    /// Uploads a new version of an image, which must succeed.
    pub(crate) fn uploaded_version(&self, of: &Image, name: &str, version: &str) -> Image {
        let mut said = metadata(name, version);
        said["imageMetadata"]["imageUID"] = json!(of.uid);
        let archive = archives::docker_archive(&image(&format!("{name} {version}")));
        Image::of(&succeeded(&self.upload(&said, &archive)))
    }

    /// Asks for an action and waits for its end.
    pub(crate) fn act(&self, image: &Image, action: &str, mut body: Value) -> Answer {
        if body["userMetadata"].is_null() {
            body["userMetadata"] = metadata("", "")["userMetadata"].clone();
        }
        self.post(&format!("{}?wait=60", image.path(action)), &body)
    }

    /// Asks for an action, which must succeed, and returns it.
    pub(crate) fn done(&self, image: &Image, action: &str) -> Value {
        succeeded(&self.act(image, action, json!({})))
    }

    /// Returns an image as it is now.
    pub(crate) fn shown(&self, image: &Image) -> Value {
        self.get(&image.path("")).expect(200)
    }

    /// Returns an action's events, each as its name and PID.
    pub(crate) fn story(&self, action: &Value) -> String {
        let id = action["actionId"].as_str().unwrap();
        let events = self.all(&format!("/v1/actions/{id}/events"));
        let mut story = String::new();
        for (index, event) in events.iter().enumerate() {
            assert_eq!(event["sequence"], json!(index + 1), "{event:#}");
            assert_eq!(event["actionId"], action["actionId"]);
            let (name, pid) =
                (event["eventType"].as_str().unwrap(), event["PID"].as_str().unwrap());
            story.push_str(&format!("{name} {pid}\n"));
        }
        story
    }

    /// Returns the newest entry of the error log.
    pub(crate) fn last_error(&self) -> Value {
        self.get("/v1/errors?limit=1").expect(200)["items"][0].clone()
    }

    /// Returns how many entries the error log has.
    pub(crate) fn n_errors(&self) -> usize {
        self.all("/v1/errors").len()
    }
}

/// Returns the action of an answer, which must have succeeded.
pub(crate) fn succeeded(answer: &Answer) -> Value {
    let action = answer.expect(200);
    assert_eq!(action["state"], "succeeded", "{action:#}");
    action
}

/// Checks that a request was refused with this status and error type, and returns the problem.
pub(crate) fn refused(answer: &Answer, status: u16, error_type: &str) -> Value {
    let problem = answer.expect(status);
    assert_eq!(problem["errorType"], error_type, "{problem:#}");
    assert_eq!(problem["type"], format!("urn:orbit:{error_type}"));
    assert_eq!(problem["status"], status);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    problem
}

/// Returns the pointers of all faults of a problem.
pub(crate) fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().unwrap();
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

impl Server {
    /// Checks that a request is refused, changes nothing that lies anywhere, and is told in the error
    /// log; returns the problem.
    pub(crate) fn refuses(
        &self,
        (image, action): (&Image, &str),
        body: Value,
        (status, error_type): (u16, &str),
    ) -> Value {
        let (world, n_errors) = (self.world(), self.n_errors());
        let problem = refused(&self.act(image, action, body), status, error_type);
        assert_eq!(self.world(), world, "{action} was refused with {error_type}");
        assert_eq!(self.n_errors(), n_errors + 1, "{action} was refused with {error_type}");
        let error = self.last_error();
        assert_eq!(error["errorType"], error_type);
        assert_eq!(error["message"], problem["detail"]);
        assert_eq!(error["action"], action);
        assert_eq!(error["PID"], problem["PID"]);
        assert_eq!(error["username"], "jamesbond");
        assert_eq!(Image::of(&error), *image);
        problem
    }
}
