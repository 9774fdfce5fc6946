//! Several processes on the same stores.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::harness::{Server, orbit};
use crate::servers::{self, KEY_ID, SECRET};

/// The stores of a fleet.
pub(crate) struct Stores {
    pub(crate) s3: Borrowed,
    pub(crate) dynamodb: Borrowed,
    pub(crate) mysql: Borrowed,
}

/// A server of this test, or one that it shares with others and must not stop.
pub(crate) enum Borrowed {
    Own(servers::Server),
    Shared(&'static servers::Server),
}

impl std::ops::Deref for Borrowed {
    type Target = servers::Server;

    fn deref(&self) -> &servers::Server {
        match self {
            Self::Own(server) => server,
            Self::Shared(server) => server,
        }
    }
}

impl Stores {
    pub(crate) fn shared() -> Self {
        Self {
            s3: Borrowed::Shared(servers::seaweedfs()),
            dynamodb: Borrowed::Shared(servers::ministack()),
            mysql: Borrowed::Shared(servers::mariadb()),
        }
    }

    pub(crate) fn own() -> Self {
        Self {
            s3: Borrowed::Own(servers::own_seaweedfs()),
            dynamodb: Borrowed::Own(servers::own_ministack()),
            mysql: Borrowed::Own(servers::own_mariadb()),
        }
    }
}

/// Processes on buckets, tables and a database of their own, and on one data directory.
pub(crate) struct Fleet {
    servers: Vec<Server>,
    suffix: String,
    _data: TempDir,
}

/// Variables of the environment, by their names.
pub(crate) type Variables = Vec<(&'static str, String)>;

impl Fleet {
    /// Sets the stores up, and starts the processes on them, with more variables than those that say
    /// where the stores are. The name is part of those of buckets, tables and the database.
    pub(crate) fn start(
        stores: &Stores,
        (name, n_processes): (&str, usize),
        more: &[(&'static str, &str)],
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        let suffix = format!("-{name}");
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let variables: Vec<_> =
            variables(stores, data.path(), &suffix).into_iter().chain(more).collect();
        let said = set_up(&patient(&variables));
        assert!(said.ends_with(": ready\n"), "{said}");
        let again = set_up(&patient(&variables));
        assert!(
            again.starts_with("installation ") && again.ends_with(": nothing was missing\n"),
            "{again}"
        );
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let servers = (0..n_processes).map(|_| Server::start_with(&variables)).collect();
        Self { servers, suffix, _data: data }
    }

    pub(crate) fn server(&self, place: usize) -> &Server {
        &self.servers[place]
    }

    /// Returns what ends the names of the fleet's buckets and tables.
    pub(crate) fn suffix(&self) -> &str {
        &self.suffix
    }

    pub(crate) fn kill_and_start_again(&mut self, place: usize) {
        let server = &mut self.servers[place];
        server.program().kill();
        server.start_again();
    }

    /// Returns once a process says that every store answers.
    pub(crate) fn wait_until_ready(&self, place: usize) {
        let begun = Instant::now();
        loop {
            let answer = self.server(place).get("/readyz");
            if answer.status == 200 {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", answer.text());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Returns what all processes have logged.
    pub(crate) fn logs(&self) -> String {
        self.servers.iter().map(Server::log).collect()
    }
}

/// Returns the URL of a database whose name ends so.
pub(crate) fn database_url(stores: &Stores, suffix: &str) -> String {
    let port = stores.mysql.port();
    let password = servers::SECRET_OF_MARIADB.replace('\'', "%27").replace(' ', "%20");
    let database = format!("orbit{}", suffix.replace('-', "_"));
    format!("mysql://orbit:{password}@127.0.0.1:{port}/{database}")
}

/// Returns the variables that put everything into the stores.
pub(crate) fn variables(stores: &Stores, data: &Path, suffix: &str) -> Variables {
    vec![
        ("ORBIT_DATA_DIR", data.display().to_string()),
        ("ORBIT_IMAGES__STORE", "s3".to_owned()),
        ("ORBIT_IMAGES__ENDPOINT", stores.s3.endpoint()),
        ("ORBIT_IMAGES__REGION", "us-east-1".to_owned()),
        ("ORBIT_IMAGES__BUCKET_SUFFIX", suffix.to_owned()),
        ("ORBIT_TABLES__STORE", "dynamodb".to_owned()),
        ("ORBIT_TABLES__ENDPOINT", stores.dynamodb.endpoint()),
        ("ORBIT_TABLES__REGION", "us-east-1".to_owned()),
        ("ORBIT_TABLES__TABLE_SUFFIX", suffix.to_owned()),
        ("ORBIT_CATALOG__STORE", "mysql".to_owned()),
        ("ORBIT_CATALOG__URL", database_url(stores, suffix)),
        ("AWS_ACCESS_KEY_ID", KEY_ID.to_owned()),
        ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ]
}

/// Returns the variables with time for calls to servers that have only just started: SeaweedFS answers
/// before it can write.
pub(crate) fn patient(variables: &Variables) -> Variables {
    let time = [("ORBIT_LIMITS__LEASE_SECONDS", "120"), ("ORBIT_LIMITS__CALL_SECONDS", "50")];
    let time = time.map(|(name, value)| (name, value.to_owned()));
    variables.iter().cloned().chain(time).collect()
}

/// Runs `orbit setup`, and returns what it printed.
fn set_up(variables: &Variables) -> String {
    let mut command = orbit(&["setup"]);
    command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
