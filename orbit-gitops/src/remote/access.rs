//! Who connects to a remote repository, and how that is proved.

use std::path::PathBuf;
use std::{fmt, fs, io};

use data_encoding::BASE64;

use crate::remote::fault::RemoteFault;

/// How Orbit proves who it is.
#[derive(Debug, Clone)]
pub enum Access {
    /// Not at all: the server lets everybody in.
    Open,
    /// By a token, over HTTPS. It is sent with the first request already.
    Token {
        /// The user; GitLab takes any name with a project's or group's token, `oauth2` by custom.
        username: String,
        /// The token.
        token: Secret,
    },
    /// By a token in a file, over HTTPS, as with [`Token`](Self::Token). The file is read at every
    /// connection, so that a new token needs no restart; space around the token is not part of it.
    TokenFile {
        /// The user.
        username: String,
        /// The file of the token.
        token_file: PathBuf,
    },
    /// By a private key, over SSH.
    Key {
        /// The user, `git`, unless the URL names one.
        username: String,
        /// The file of the private key.
        private_key: PathBuf,
        /// What the private key is encrypted with.
        passphrase: Option<Secret>,
        /// The keys that the server may have, in the form that `ssh-keyscan` prints. The file is read
        /// at every connection, and no other place is looked at: a server whose key is not in it is
        /// refused. It should hold the server's keys of every type, as the two choose one of them.
        known_hosts: PathBuf,
    },
}

/// A text that is neither printed nor logged.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl Access {
    /// Returns the user's name, if there is one.
    pub(crate) fn username(&self) -> Option<&str> {
        match self {
            Self::Open => None,
            Self::Token { username, .. }
            | Self::TokenFile { username, .. }
            | Self::Key { username, .. } => Some(username),
        }
    }

    /// Returns the header that proves it over HTTP. A server that has to ask for it first costs one
    /// more round trip a connection.
    pub(crate) fn header(&self) -> Result<Option<Secret>, RemoteFault> {
        match self {
            Self::Open | Self::Key { .. } => Ok(None),
            Self::Token { username, token } => Ok(Some(basic(username, token.expose()))),
            Self::TokenFile { username, token_file } => {
                let read = fs::read_to_string(token_file).and_then(|text| match text.trim() {
                    "" => Err(io::Error::new(io::ErrorKind::InvalidData, "it is empty")),
                    token => Ok(basic(username, token)),
                });
                let in_file = |source| RemoteFault::File { path: token_file.clone(), source };
                read.map_err(in_file).map(Some)
            }
        }
    }
}

fn basic(username: &str, token: &str) -> Secret {
    let pair = BASE64.encode(format!("{username}:{token}").as_bytes());
    Secret(format!("Authorization: Basic {pair}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_printed() {
        let access = Access::Token { username: "oauth2".to_owned(), token: Secret::new("hunter2") };
        let expected = r#"Token { username: "oauth2", token: <redacted> }"#;
        assert_eq!(format!("{access:?}"), expected);
        assert_eq!(format!("{:?}", access.header()), "Ok(Some(<redacted>))");
    }

    #[test]
    fn a_token_is_sent_as_the_password_of_basic_authentication() {
        let access = Access::Token { username: "oauth2".to_owned(), token: Secret::new("hunter2") };
        let header = access.header().unwrap().unwrap();
        assert_eq!(header.expose(), "Authorization: Basic b2F1dGgyOmh1bnRlcjI=");
    }
}
