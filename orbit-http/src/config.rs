//! The configuration: one TOML file and variables, of which the variables win.

mod git;
mod keys;
mod known;
mod stores;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{env, fs, io};

use orbit_core::place::NamingFault;
use orbit_core::{Environment, EnvironmentSpec, Environments, EnvironmentsFault, action, archive};
use orbit_gitops::{Identity, UrlFault};
use orbit_store::{MySqlUrlFault, Sharing};
use toml::Table;

pub use self::git::GitIn;
use self::keys::Keys;
use self::stores::Secret;
pub use self::stores::{CatalogIn, ImagesIn, Stores, TablesIn};
use crate::settings::{Driving, Limits, Settings, TakeOver};

/// A lease that lasts this long is as good as none.
const LONGEST_LEASE: Duration = Duration::from_secs(3601);

/// Everything that is configured.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// How the log is written.
    pub log: LogForm,
    /// The branch that deployments are committed to.
    pub branch: String,
    /// Who commits.
    pub identity: Identity,
    /// Where the GitOps repository lies.
    pub git: GitIn,
    /// How long one call of a store or server may take.
    pub call_timeout: Duration,
    /// Where everything else is kept.
    pub stores: Stores,
    /// What decisions depend on.
    pub core: action::Settings,
    /// What the server is told.
    pub server: Settings,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogForm {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigFault {
    /// A file cannot be read.
    #[error("cannot read {what} {}", path.display())]
    Unreadable {
        /// What it is, or the key that names it.
        what: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is not TOML. The line itself is not shown: it may hold a secret.
    #[error("{place}:{line}:{column} is not TOML: {reason}")]
    Malformed {
        /// The file.
        place: String,
        /// The line where it ends to be.
        line: usize,
        /// The character in it.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// A key that Orbit does not know.
    #[error("{place} sets {key:?}, which is not known{near}")]
    UnknownKey {
        /// The key, or the variable.
        key: String,
        /// The file or the environment.
        place: String,
        /// The nearest known one, in brackets.
        near: String,
    },
    /// A value outside of what its key takes.
    #[error("{place} sets {key} to {found}, expected {expected}")]
    Value {
        /// The key.
        key: String,
        /// The file or the variable.
        place: String,
        /// The value.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A key or value of the design that this version cannot act on.
    #[error("{place} sets {key}, which this version does not support: {reason}")]
    Unsupported {
        /// The key.
        key: String,
        /// The file or the variable.
        place: String,
        /// What it does instead.
        reason: &'static str,
    },
    /// A key that has no effect without another.
    #[error("{place} sets {key}, which has an effect only with {needs}")]
    Unused {
        /// The key.
        key: String,
        /// The file or the variable.
        place: String,
        /// The other one.
        needs: &'static str,
    },
    /// A secret in the configuration file.
    #[error("{place} sets {key}, which is a secret: set {key}_file, or the variable {variable}")]
    SecretInFile {
        /// The key.
        key: String,
        /// The file.
        place: String,
        /// The variable that may hold it.
        variable: String,
    },
    /// The URL of the catalog cannot be used; it is not shown.
    #[error("catalog.url: {0}")]
    CatalogUrl(MySqlUrlFault),
    /// The repository's URL cannot be used; what is secret in it is not shown.
    #[error("git.url: {0}")]
    GitUrl(UrlFault),
    /// What is secret in the URL that Argo CD has would be committed; it is not shown.
    #[error(
        "argocd.repository holds a user, password or token, and `orbit setup` would commit it: take \
         it out, and give it to Argo CD as the Secret of a repository"
    )]
    ArgoSecret,
    /// Buckets or tables cannot be called so.
    #[error(transparent)]
    Names(NamingFault),
    /// The environments cannot be worked with.
    #[error(transparent)]
    Environments(#[from] EnvironmentsFault),
    /// Without authentication only the machine itself may ask.
    #[error(
        "listen is {0}, but without authentication the server listens on loopback only, such as 127.0.0.1:8080"
    )]
    NotLoopback(SocketAddr),
}

impl Config {
    /// Reads the configuration of this process: the named file, else `orbit.toml` beside the data
    /// directory if there is one, and the variables that begin with `ORBIT_`.
    ///
    /// # Errors
    /// Every variant of [`ConfigFault`].
    pub fn of_process(file: Option<&Path>) -> Result<Self, ConfigFault> {
        let variables: Vec<_> = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let path = match file {
            Some(file) => file.to_owned(),
            None => {
                let config = Self::read(None, variables.clone())?;
                let beside = config.default_file();
                if !beside.is_file() {
                    return Ok(config);
                }
                beside
            }
        };
        let text = fs::read_to_string(&path).map_err(|source| {
            let (what, path) = ("the configuration".to_owned(), path.clone());
            ConfigFault::Unreadable { what, path, source }
        })?;
        Self::read(Some((&path.display().to_string(), &text)), variables)
    }

    /// Returns the configuration of a file's name and text, if there is one, and of variables.
    ///
    /// # Errors
    /// Every variant of [`ConfigFault`] but [`ConfigFault::Unreadable`].
    pub fn read(
        file: Option<(&str, &str)>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigFault> {
        let mut keys = Keys::default();
        if let Some((place, text)) = file {
            let table: Table = text.parse().map_err(|fault| malformed(place, text, &fault))?;
            keys.add_file(place, &table)?;
        }
        keys.add_variables(variables)?;
        Self::of(&mut keys)
    }

    fn of(keys: &mut Keys) -> Result<Self, ConfigFault> {
        let defaults = Settings::default();
        let listen = keys.parsed("listen", "an address such as 127.0.0.1:8080")?;
        let listen: SocketAddr = listen.unwrap_or(defaults.listen);
        if !listen.ip().is_loopback() {
            return Err(ConfigFault::NotLoopback(listen));
        }
        let log = match keys.one_of("log", &["text", "json"])?.as_deref() {
            Some("json") => LogForm::Json,
            Some(_) | None => LogForm::Text,
        };
        let host = "a host in lower case, with a port if need be, such as docker.io";
        let host = keys.reference("registry.host", host, &['.', '-', ':'])?;
        let host = host.unwrap_or_else(|| "docker.io".to_owned());
        let organisation = "lower-case letters, digits, '.', '_', '-' and '/'";
        let organisation =
            keys.reference("registry.organisation", organisation, &['.', '_', '-', '/'])?;
        let organisation = organisation.unwrap_or_else(|| "k8or-orbit-aws".to_owned());
        let (environments, protected) = environments(keys)?;
        let git = git::git(keys, protected)?;
        let mut driving = driving(keys)?;
        let call_timeout = stores::call_timeout(keys, &driving)?;
        let stores = stores::stores(keys, &environments, call_timeout)?;
        driving.take_over = match stores.sharing() {
            Sharing::Alone => TakeOver::Immediately,
            Sharing::Shared => TakeOver::After(driving.lease),
        };
        let server = Settings { listen, limits: limits(keys)?, driving };
        let config = Self {
            data_dir: keys.text("data_dir")?.unwrap_or_else(|| "./orbit-data".to_owned()).into(),
            log,
            branch: keys.text("git.branch")?.unwrap_or_else(|| "main".to_owned()),
            identity: Identity {
                name: keys.text("git.name")?.unwrap_or_else(|| "Orbit".to_owned()),
                email: keys.text("git.email")?.unwrap_or_else(|| "orbit@localhost".to_owned()),
            },
            git,
            call_timeout,
            core: action::Settings {
                environments,
                registry: format!("{host}/{organisation}"),
                limits: archive::Limits {
                    archive: server.limits.archive_bytes,
                    ..archive::Limits::default()
                },
            },
            stores,
            server,
        };
        keys.expect_all_used()?;
        Ok(config)
    }

    fn default_file(&self) -> PathBuf {
        self.data_dir.parent().unwrap_or(Path::new("")).join("orbit.toml")
    }
}

fn malformed(place: &str, text: &str, fault: &toml::de::Error) -> ConfigFault {
    let before = fault.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let in_line = before.rsplit('\n').next().unwrap_or_default();
    ConfigFault::Malformed {
        place: place.to_owned(),
        line: before.matches('\n').count().saturating_add(1),
        column: in_line.chars().count().saturating_add(1),
        reason: fault.message().trim_end().replace('\n', ", "),
    }
}

fn limits(keys: &mut Keys) -> Result<Limits, ConfigFault> {
    let default = Limits::default();
    let mut seconds = |key, default| -> Result<Duration, ConfigFault> {
        let longest = 10 * 365 * 24 * 60 * 60;
        Ok(keys.number(key)?.map_or(default, |n| Duration::from_secs(n.min(longest))))
    };
    let (idle, upload, shutdown) = (
        seconds("limits.idle_seconds", default.idle)?,
        seconds("limits.upload_seconds", default.upload)?,
        seconds("limits.shutdown_seconds", default.shutdown)?,
    );
    Ok(Limits {
        archive_bytes: keys.number("limits.archive_bytes")?.unwrap_or(default.archive_bytes),
        json_bytes: keys.count("limits.json_bytes")?.unwrap_or(default.json_bytes),
        header_bytes: keys.count("limits.header_bytes")?.unwrap_or(default.header_bytes),
        connections: keys.count("limits.connections")?.unwrap_or(default.connections),
        uploads_at_once: keys.count("limits.uploads_at_once")?.unwrap_or(default.uploads_at_once),
        idle,
        upload,
        shutdown,
    })
}

fn driving(keys: &mut Keys) -> Result<Driving, ConfigFault> {
    let default = Driving::default();
    let at_once = keys.count("limits.actions_at_once")?;
    let mut seconds = |key, default| -> Result<Duration, ConfigFault> {
        let expected = "a number of seconds from 1 to 3600";
        Ok(keys.number_below(key, LONGEST_LEASE, expected)?.unwrap_or(default))
    };
    Ok(Driving {
        lease: seconds("limits.lease_seconds", default.lease)?,
        tick: seconds("limits.tick_seconds", default.tick)?,
        actions_at_once: at_once.unwrap_or(default.actions_at_once),
        ..default
    })
}

/// Returns the environments, and those of them that are protected.
fn environments(keys: &mut Keys) -> Result<(Environments, BTreeSet<Environment>), ConfigFault> {
    let Some(mut tables) = keys.environments() else {
        return Ok((Environments::default(), BTreeSet::new()));
    };
    let mut protected = BTreeSet::new();
    let mut specs = Vec::new();
    for table in &mut tables {
        let spec = environment(table)?;
        if table.flag("environments.protected")?.unwrap_or_default() {
            protected.insert(spec.name.clone());
        }
        specs.push(spec);
    }
    Ok((Environments::new(specs)?, protected))
}

fn environment(keys: &mut Keys) -> Result<EnvironmentSpec, ConfigFault> {
    let name: Option<Environment> =
        keys.parsed("environments.name", "letters, digits and '-', beginning with a letter")?;
    let name = name.ok_or_else(|| keys.missing("environments.name"))?;
    let suffix = match keys.text("environments.suffix")? {
        Some(suffix) => suffix,
        None => known_suffix(&name).ok_or_else(|| keys.missing("environments.suffix"))?.to_owned(),
    };
    let cluster = keys.text("environments.cluster")?;
    Ok(EnvironmentSpec {
        cluster: cluster.unwrap_or_else(|| format!("K3s {} Cluster", name.label())),
        namespace: keys.text("environments.namespace")?.unwrap_or_else(|| name.to_string()),
        suffix,
        image_pull_secret: keys.text("environments.image_pull_secret")?,
        name,
    })
}

/// Returns the suffix that the naming convention gives an environment.
fn known_suffix(name: &Environment) -> Option<&'static str> {
    match name.as_str() {
        "development" => Some("k8d"),
        "testing" => Some("k8t"),
        "staging" => Some("k8s"),
        "production" => Some("k8p"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
