//! Where a remote repository is.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// The address of a remote repository: `https://…`, `ssh://user@host/path` or `user@host:path`.
///
/// It never holds a password or token, so it may be shown and logged.
///
/// ```
/// use orbit_gitops::RemoteUrl;
/// let url: RemoteUrl = "https://gitlab.example.com/orbit/deployments.git".parse()?;
/// assert_eq!(url.to_string(), "https://gitlab.example.com/orbit/deployments.git");
/// assert!("https://oauth2:secret@gitlab.example.com/a.git".parse::<RemoteUrl>().is_err());
/// # Ok::<(), orbit_gitops::UrlFault>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteUrl(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    /// `https://` and `http://`.
    Web(Url),
    Ssh {
        user: Option<String>,
        host: String,
        port: Option<u16>,
        path: String,
        /// Whether it is written `user@host:path`, whose path is relative to the user's home.
        is_short: bool,
    },
}

/// Why a text is not the address of a remote repository. It never repeats what may be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlFault {
    /// A part of it would be shown wherever the address is.
    #[error(
        "the repository's URL holds a {0}: take it out, and give it as the settings of the access \
         (`username`, `token_file` or `private_key_file` of `[git]`)"
    )]
    Secret(&'static str),
    /// Nothing that can be connected to.
    #[error("the repository's URL cannot be read: {0}")]
    Unreadable(String),
    /// Another protocol.
    #[error(
        "the repository's URL begins with {0:?}, expected `https://`, `ssh://` or `user@host:path`"
    )]
    Scheme(String),
    /// The token would be sent in the clear.
    #[error(
        "http to {host} would send the token unencrypted, expected https; only this machine is allowed \
         without"
    )]
    Unencrypted {
        /// The host.
        host: String,
    },
    /// It is a path on this machine.
    #[error(
        "the repository's URL is a path on this machine, expected `https://`, `ssh://` or \
         `user@host:path`; without a URL, Orbit keeps a repository in its data directory"
    )]
    Path,
}

impl RemoteUrl {
    /// Reads an address that may also be `http://` to another machine, which sends the token and all
    /// else unencrypted.
    ///
    /// # Errors
    /// As of [`FromStr`], but for [`UrlFault::Unencrypted`].
    pub fn unencrypted(text: &str) -> Result<Self, UrlFault> {
        read(text).map(Self)
    }

    /// Returns the host.
    pub fn host(&self) -> &str {
        match &self.0 {
            Form::Web(url) => url.host_str().unwrap_or_default(),
            Form::Ssh { host, .. } => host,
        }
    }

    /// Returns the user that the address names; one of `https://` never does.
    pub(crate) fn user(&self) -> Option<&str> {
        match &self.0 {
            Form::Ssh { user, .. } => user.as_deref(),
            Form::Web(_) => None,
        }
    }

    /// Returns the port of SSH, or `None` of another protocol.
    pub(crate) fn ssh_port(&self) -> Option<u16> {
        match &self.0 {
            Form::Ssh { port, .. } => Some(port.unwrap_or(22)),
            Form::Web(_) => None,
        }
    }

    /// Returns whether it is reached over HTTP, by a token, and not over SSH, by a key.
    pub const fn is_web(&self) -> bool {
        matches!(self.0, Form::Web(_))
    }

    /// Returns the address with a user, if it is one of SSH that names none.
    pub(crate) fn with_user(&self, name: &str) -> Self {
        let mut url = self.clone();
        if let Form::Ssh { user, .. } = &mut url.0 {
            user.get_or_insert_with(|| name.to_owned());
        }
        url
    }
}

impl FromStr for RemoteUrl {
    type Err = UrlFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = read(text)?;
        match &form {
            Form::Web(url) if url.scheme() == "http" && !is_loopback(url) => {
                let host = url.host_str().unwrap_or_default().to_owned();
                Err(UrlFault::Unencrypted { host })
            }
            Form::Web(_) | Form::Ssh { .. } => Ok(Self(form)),
        }
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Web(url) => write!(f, "{url}"),
            Form::Ssh { user, host, port, path, is_short } => {
                let user = user.as_ref().map(|user| format!("{user}@")).unwrap_or_default();
                if *is_short {
                    return write!(f, "{user}{host}:{path}");
                }
                let port = port.map(|port| format!(":{port}")).unwrap_or_default();
                write!(f, "ssh://{user}{host}{port}{path}")
            }
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn read(text: &str) -> Result<Form, UrlFault> {
    if let Some(odd) = text.chars().find(|c| c.is_control() || c.is_whitespace()) {
        return Err(UrlFault::Unreadable(format!("it holds {odd:?}")));
    }
    let Some((scheme, rest)) = text.split_once("://") else { return read_short(text) };
    match scheme.to_ascii_lowercase().as_str() {
        "https" | "http" => read_web(text),
        "ssh" => read_ssh(rest),
        "file" => Err(UrlFault::Path),
        _ => Err(UrlFault::Scheme(format!("{scheme}://"))),
    }
}

fn read_web(text: &str) -> Result<Form, UrlFault> {
    let url = Url::parse(text).map_err(|error| UrlFault::Unreadable(error.to_string()))?;
    if url.password().is_some() {
        return Err(UrlFault::Secret("password"));
    }
    if !url.username().is_empty() {
        return Err(UrlFault::Secret("user or token"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(UrlFault::Secret("query or fragment"));
    }
    if url.path().len() < 2 {
        return Err(UrlFault::Unreadable("it names no repository".to_owned()));
    }
    Ok(Form::Web(url))
}

/// Reads what follows `ssh://`.
fn read_ssh(rest: &str) -> Result<Form, UrlFault> {
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let (user, place) = split_user(authority)?;
    let (host, port) = match place.rsplit_once(':') {
        Some((host, digits)) if !digits.ends_with(']') => {
            let port = digits.parse().ok().filter(|port| *port != 0);
            let wrong =
                || UrlFault::Unreadable("its port is not a number of 1 to 65535".to_owned());
            (host, Some(port.ok_or_else(wrong)?))
        }
        Some(_) | None => (place, None),
    };
    if path.len() < 2 {
        return Err(UrlFault::Unreadable("it names no repository".to_owned()));
    }
    ssh(user, host, port, path, false)
}

/// Reads `user@host:path`.
fn read_short(text: &str) -> Result<Form, UrlFault> {
    let Some((authority, path)) = text.split_once(':') else { return Err(UrlFault::Path) };
    // A drive of Windows, or a path that holds a colon.
    if authority.len() < 2 || authority.contains(['/', '\\']) || authority.starts_with('.') {
        return Err(UrlFault::Path);
    }
    // What is written `user:password@host:path`.
    if path.contains('@') {
        return Err(UrlFault::Secret("password"));
    }
    let (user, host) = split_user(authority)?;
    if user.is_none() {
        return Err(UrlFault::Scheme(format!("{host}:")));
    }
    if path.is_empty() {
        return Err(UrlFault::Unreadable("it names no repository".to_owned()));
    }
    ssh(user, host, None, path, true)
}

fn split_user(authority: &str) -> Result<(Option<&str>, &str), UrlFault> {
    let Some((user, place)) = authority.rsplit_once('@') else { return Ok((None, authority)) };
    if user.contains(':') {
        return Err(UrlFault::Secret("password"));
    }
    Ok((Some(user), place))
}

/// Returns an address of SSH whose parts cannot be taken for an option or for one another.
fn ssh(
    user: Option<&str>,
    host: &str,
    port: Option<u16>,
    path: &str,
    is_short: bool,
) -> Result<Form, UrlFault> {
    let is_word = |text: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        !text.is_empty() && !text.starts_with('-') && text.chars().all(is_plain)
    };
    if !is_word(host) {
        return Err(UrlFault::Unreadable("it names no host".to_owned()));
    }
    if !user.is_none_or(is_word) {
        return Err(UrlFault::Unreadable("its user is not a plain word".to_owned()));
    }
    if path.starts_with('-') || path.contains(['?', '#', '\'', '"', '\\']) {
        return Err(UrlFault::Unreadable("its path is not a plain one".to_owned()));
    }
    let (user, host, path) = (user.map(str::to_owned), host.to_ascii_lowercase(), path.to_owned());
    Ok(Form::Ssh { user, host, port, path, is_short })
}

#[cfg(test)]
mod tests;
