//! The upload form, its body built by hand.

use std::io::Read;

use serde_json::{Value, json};

pub(crate) const BOUNDARY: &str = "a-boundary-that-no-archive-holds-7f3k2q";
pub(crate) const CONTENT_TYPE: &str =
    "multipart/form-data; boundary=a-boundary-that-no-archive-holds-7f3k2q";

/// Returns the metadata of an upload.
pub(crate) fn metadata(name: &str, version: &str) -> Value {
    json!({
        "imageMetadata": {
            "imageName": name,
            "imageVersion": version,
            "imageCategory": "Movie",
        },
        "userMetadata": {
            "username": "jamesbond",
            "firstName": "James",
            "lastName": "Bond",
            "email": "jamesbond@k8or.com",
        },
    })
}

/// The two parts of an upload.
pub(crate) struct Form {
    head: Vec<u8>,
}

impl Form {
    /// Returns the form with this metadata.
    pub(crate) fn of(metadata: &Value) -> Self {
        Self::with(&metadata.to_string())
    }

    /// Returns the form whose metadata part holds this text.
    pub(crate) fn with(metadata: &str) -> Self {
        let disposition = "Content-Disposition: form-data; name=";
        let head = format!(
            "--{BOUNDARY}\r\n{disposition}\"metadata\"\r\n\r\n{metadata}\r\n\
             --{BOUNDARY}\r\n{disposition}\"image\"; filename=\"image.tar\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        Self { head: head.into_bytes() }
    }

    /// Returns what comes before the archive.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Returns the whole body.
    pub(crate) fn body(&self, archive: &[u8]) -> Vec<u8> {
        [self.head(), archive, tail().as_bytes()].concat()
    }

    /// Returns the whole body of an archive that is read while it is sent.
    pub(crate) fn stream(self, archive: impl Read) -> impl Read {
        let tail = std::io::Cursor::new(tail().into_bytes());
        std::io::Cursor::new(self.head).chain(archive).chain(tail)
    }
}

fn tail() -> String {
    format!("\r\n--{BOUNDARY}--\r\n")
}
