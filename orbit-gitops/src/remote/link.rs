//! One connection at a time to a server: what libgit2 asks on the way, and what its errors mean.

use std::cell::RefCell;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use git2::cert::Cert;
use git2::{
    AutotagOption, CertificateCheckStatus, Cred, CredentialType, Error, ErrorClass, ErrorCode,
    FetchOptions, Oid, ProxyOptions, PushOptions, RemoteCallbacks, RemoteRedirect, Repository,
};

use crate::fault::Fault;
use crate::remote::access::{Access, Secret};
use crate::remote::fault::RemoteFault;
use crate::remote::heartbeat::Heartbeat;
use crate::remote::known_hosts::{self, Verdict};
use crate::remote::url::RemoteUrl;
use crate::remote::verdict::{self, Status};

/// How much of what a server writes for people is kept, in bytes.
const MAX_SAID: usize = 16 << 10;

/// How one server is reached.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    url: RemoteUrl,
    access: Arc<Access>,
    heartbeat: Heartbeat,
}

/// What a push came to.
#[derive(Debug)]
pub(crate) enum Pushed {
    /// The server answered.
    Answered(Status),
    /// The connection or the server failed meanwhile; the push may have arrived.
    Lost(RemoteFault),
}

/// What came up while libgit2 worked.
#[derive(Default)]
struct Heard {
    fault: Option<RemoteFault>,
    said: Vec<u8>,
    is_elsewhere: bool,
    status: Option<Option<String>>,
    n_asked: u32,
}

impl Link {
    /// Checks that the access fits the URL.
    pub(crate) fn new(
        url: &RemoteUrl,
        access: &Access,
        heartbeat: Heartbeat,
    ) -> Result<Self, Fault> {
        let (expected, found) = match access {
            Access::Key { .. } if url.is_web() => ("a token or openly", "a key"),
            Access::Token { .. } | Access::TokenFile { .. } if url.ssh_port().is_some() => {
                ("a key", "a token")
            }
            Access::Open if url.ssh_port().is_some() => ("a key", "none"),
            Access::Open | Access::Token { .. } | Access::TokenFile { .. } | Access::Key { .. } => {
                ("", "")
            }
        };
        if !expected.is_empty() {
            let server = url.to_string();
            return Err(RemoteFault::Access { server, expected, found }.into());
        }
        if let Access::Key { private_key, known_hosts, .. } = access {
            for path in [private_key, known_hosts] {
                File::open(path).map_err(unreadable(path))?;
            }
        }
        access.header()?;
        let url = access.username().map_or_else(|| url.clone(), |name| url.with_user(name));
        Ok(Self { url, access: Arc::new(access.clone()), heartbeat })
    }

    /// Returns the server and repository as an error shows them.
    pub(crate) fn server(&self) -> String {
        self.url.to_string()
    }

    pub(crate) const fn url(&self) -> &RemoteUrl {
        &self.url
    }

    /// Fetches a branch into the one of the same name and returns the server's head, or `None` and
    /// the branches that are there instead.
    ///
    /// A `depth` of 0 fetches what is new; another one makes the history so many commits deep.
    pub(crate) fn fetch(
        &self,
        git: &Repository,
        branch: &str,
        depth: i32,
    ) -> Result<(Option<Oid>, Vec<String>), Fault> {
        self.heartbeat.beat();
        let heard = RefCell::new(Heard::default());
        let mut options = FetchOptions::new();
        options.remote_callbacks(self.callbacks(&heard));
        options.download_tags(AutotagOption::None).update_fetchhead(false).depth(depth);
        // The token must not follow a redirect to another host.
        options.follow_redirects(RemoteRedirect::None).proxy_options(proxy());
        let header = self.access.header()?;
        let headers: Vec<_> = header.iter().map(Secret::expose).collect();
        options.custom_headers(&headers);
        let mut remote = git.remote_anonymous(&self.url.to_string())?;
        let refspec = format!("+{branch}:{branch}");
        let fetched = remote.fetch(&[refspec], Some(&mut options), Some("orbit"));
        drop(options);
        self.heartbeat.beat();
        fetched.map_err(|error| self.fault(error, &mut heard.take()))?;
        let mut others = Vec::new();
        for head in remote.list()? {
            if head.name() == branch {
                return Ok((Some(head.oid()), Vec::new()));
            }
            others.push(head.name().to_owned());
        }
        Ok((None, others))
    }

    /// Pushes a commit to a branch that is at `from`, which is zero where there is none.
    ///
    /// The server compares and swaps: nothing is pushed if the branch is elsewhere.
    pub(crate) fn push(
        &self,
        git: &Repository,
        branch: &str,
        from: Oid,
        to: Oid,
    ) -> Result<Pushed, Fault> {
        self.heartbeat.beat();
        let heard = RefCell::new(Heard::default());
        let mut callbacks = self.callbacks(&heard);
        callbacks.push_negotiation(|updates| {
            if updates.iter().all(|update| update.src() == from) {
                return Ok(());
            }
            heard.borrow_mut().is_elsewhere = true;
            Err(Error::new(ErrorCode::NotFastForward, ErrorClass::Callback, "the branch moved"))
        });
        callbacks.push_update_reference(|_, status| {
            heard.borrow_mut().status = Some(status.map(str::to_owned));
            Ok(())
        });
        let mut options = PushOptions::new();
        options.remote_callbacks(callbacks).proxy_options(proxy());
        options.follow_redirects(RemoteRedirect::None);
        let header = self.access.header()?;
        let headers: Vec<_> = header.iter().map(Secret::expose).collect();
        options.custom_headers(&headers);
        let mut remote = git.remote_anonymous(&self.url.to_string())?;
        let pushed = remote.push(&[format!("{to}:{branch}")], Some(&mut options));
        drop(options);
        self.heartbeat.beat();
        self.outcome(branch, pushed, heard.take())
    }

    fn outcome(
        &self,
        branch: &str,
        pushed: Result<(), Error>,
        mut heard: Heard,
    ) -> Result<Pushed, Fault> {
        if heard.is_elsewhere {
            return Ok(Pushed::Answered(Status::Moved));
        }
        if let Some(status) = &heard.status {
            let said = verdict::clean(&String::from_utf8_lossy(&heard.said));
            // A branch that is reported as taken is not, where the objects did not arrive.
            if status.is_some() || pushed.is_ok() {
                return Ok(Pushed::Answered(verdict::classify(status.as_deref(), &said)));
            }
        }
        let error = match pushed {
            Ok(()) => Error::from_str("the server did not report what became of the push"),
            Err(error) if error.code() == ErrorCode::NotFastForward => {
                return Ok(Pushed::Answered(Status::Moved));
            }
            Err(error) => error,
        };
        let fault = self.fault(error, &mut heard);
        let Fault::Remote(RemoteFault::Connection { server, source }) = fault else {
            return Err(fault);
        };
        let said = verdict::clean(&String::from_utf8_lossy(&heard.said));
        if said.is_empty() {
            return Ok(Pushed::Lost(RemoteFault::Connection { server, source }));
        }
        let (branch, text) = (branch.to_owned(), format!("{} ({said})", source.message()));
        Ok(Pushed::Lost(RemoteFault::Failed { server, branch, text }))
    }

    /// Returns what libgit2 asks on the way.
    fn callbacks<'a>(&'a self, heard: &'a RefCell<Heard>) -> RemoteCallbacks<'a> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks.credentials(|_, user, allowed| {
            let mut heard = heard.borrow_mut();
            heard.n_asked += 1;
            self.credentials(user, allowed, heard.n_asked).map_err(|fault| stop(&mut heard, fault))
        });
        callbacks.certificate_check(|certificate, _| {
            let checked = self.check_host(certificate);
            checked.map_err(|fault| stop(&mut heard.borrow_mut(), fault))
        });
        callbacks.sideband_progress(|text| {
            let said = &mut heard.borrow_mut().said;
            said.extend(text.iter().take(MAX_SAID.saturating_sub(said.len())));
            self.heartbeat.beat();
            true
        });
        callbacks.transfer_progress(|_| {
            self.heartbeat.beat();
            true
        });
        callbacks.push_transfer_progress(|_, _, _| self.heartbeat.beat());
        callbacks.pack_progress(|_, _, _| self.heartbeat.beat());
        callbacks
    }

    /// Answers the server's question who connects. It asks again after every refusal, without end,
    /// so that the second answer is always no.
    fn credentials(
        &self,
        user: Option<&str>,
        allowed: CredentialType,
        n_asked: u32,
    ) -> Result<Cred, RemoteFault> {
        let denied = |reason: &str| self.denied(reason.to_owned());
        match &*self.access {
            Access::Open => Err(RemoteFault::Anonymous { server: self.server() }),
            // The token was in the first request.
            Access::Token { .. } | Access::TokenFile { .. } => {
                Err(denied("the server does not take the token"))
            }
            Access::Key { private_key, .. } if n_asked > 1 => {
                Err(self.denied(format!("the server does not take {}", private_key.display())))
            }
            Access::Key { .. } if !allowed.contains(CredentialType::SSH_KEY) => {
                Err(denied("the server does not take keys"))
            }
            Access::Key { username, private_key, passphrase, .. } => {
                let passphrase = passphrase.as_ref().map(Secret::expose);
                let user = user.unwrap_or(username);
                Cred::ssh_key(user, None, private_key, passphrase)
                    .map_err(|error| denied(error.message()))
            }
        }
    }

    /// Lets the system decide about a certificate of HTTPS, and the file of known hosts about a key.
    fn check_host(&self, certificate: &Cert<'_>) -> Result<CertificateCheckStatus, RemoteFault> {
        let Some(port) = self.url.ssh_port() else {
            return Ok(CertificateCheckStatus::CertificatePassthrough);
        };
        let Access::Key { known_hosts: path, .. } = &*self.access else {
            return Err(self.denied("no key is configured".to_owned()));
        };
        let key = certificate.as_hostkey().and_then(|host| host.hostkey()).unwrap_or_default();
        let file = fs::read_to_string(path).map_err(unreadable(path))?;
        let place = path.display();
        let why = match known_hosts::look_up(&file, self.url.host(), port, key) {
            Verdict::Known => return Ok(CertificateCheckStatus::CertificateOk),
            Verdict::Changed { line } => format!("is not the one in {place}, line {line}"),
            Verdict::Revoked { line } => format!("{place}, line {line}, revokes"),
            Verdict::Unknown => format!("is unknown: {place} has no key of this host"),
            Verdict::OtherType { types } => {
                format!("is of no type that {place} has a key of ({})", types.join(", "))
            }
        };
        Err(RemoteFault::HostKey { server: self.server(), found: shown(certificate), why })
    }

    /// Returns what an error of libgit2 means: of the connection, or of the clone on disk.
    fn fault(&self, error: Error, heard: &mut Heard) -> Fault {
        if let Some(fault) = heard.fault.take() {
            return fault.into();
        }
        let server = self.server();
        // This repeats the URL of a proxy, in which a password may be.
        if error.message().starts_with("invalid URL") {
            let source = Error::from_str("the environment names a proxy that is no URL");
            return RemoteFault::Connection { server, source }.into();
        }
        // libssh2 tells a key that it cannot decrypt as any other error.
        let is_of_key = error.message().starts_with("failed to authenticate SSH session");
        if error.code() == ErrorCode::Auth || is_of_key {
            return self.denied(error.message().to_owned()).into();
        }
        // libgit2 has a code for it, but forgets it where a caller leaves the decision to the system.
        let is_of_certificate =
            error.class() == ErrorClass::Ssl && error.message().contains("certificate");
        if error.code() == ErrorCode::Certificate || is_of_certificate {
            return RemoteFault::Certificate { server, source: error }.into();
        }
        let status = error.message().strip_prefix("unexpected http status code: ");
        match status {
            Some("401" | "403") => {
                self.denied("the server does not let this user do it".to_owned()).into()
            }
            Some("404") => {
                let user = self.access.username().unwrap_or("nobody").to_owned();
                RemoteFault::NoRepository { server, user }.into()
            }
            Some(_) | None if is_of_connection(&error) => {
                RemoteFault::Connection { server, source: error }.into()
            }
            Some(_) | None => Fault::Git(error),
        }
    }

    fn denied(&self, reason: String) -> RemoteFault {
        let user = self.url.user().or_else(|| self.access.username()).unwrap_or("nobody");
        RemoteFault::Authentication { user: user.to_owned(), server: self.server(), reason }
    }
}

/// Lets the environment say whether HTTP goes by a proxy: `https_proxy`, `http_proxy`, `no_proxy`.
fn proxy<'a>() -> ProxyOptions<'a> {
    let mut options = ProxyOptions::new();
    options.auto();
    options
}

/// Keeps a fault and returns the error that makes libgit2 stop.
fn stop(heard: &mut Heard, fault: RemoteFault) -> Error {
    let error = Error::new(ErrorCode::User, ErrorClass::Callback, fault.to_string());
    drop(heard.fault.replace(fault));
    error
}

/// Tells whether an error is about the connection; all others are about files of the clone.
fn is_of_connection(error: &Error) -> bool {
    use ErrorClass::{Callback, Http, Net, None, Os, Ssh, Ssl};
    // A name that cannot be resolved or a port that nobody listens at is told as one of the system.
    let is_socket = || error.message().contains("connect") || error.message().contains("resolve");
    matches!(error.class(), Net | Http | Ssl | Ssh | Callback | None)
        || (error.class() == Os && is_socket())
}

/// Returns a key as `ssh-keygen -l` shows it.
fn shown(certificate: &Cert<'_>) -> String {
    let Some(host) = certificate.as_hostkey() else { return "no key".to_owned() };
    let kind = host.hostkey().and_then(known_hosts::key_type).unwrap_or("unknown");
    let hash = host.hash_sha256().map(|hash| data_encoding::BASE64_NOPAD.encode(hash));
    format!("{kind} SHA256:{}", hash.unwrap_or_default())
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> RemoteFault {
    |source| RemoteFault::File { path: path.to_owned(), source }
}
