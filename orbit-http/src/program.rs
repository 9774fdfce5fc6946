//! The `orbit` program: its arguments, its start, and its end.

use std::error::Error;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use orbit_core::Environment;
use orbit_core::port::chain;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tracing::warn;

use crate::config::Config;
use crate::lists::{ListCommand, Refusal, Report};
use crate::serve::Server;
use crate::{compose, lists, setup, telemetry};

/// The exit status of a command that found something wrong.
const FOUND: u8 = 1;
/// The exit status of a command that could not read or write, as of wrong arguments.
const NOT_READ: u8 = 2;

type Fault = Box<dyn Error + Send + Sync>;

/// What `orbit --help` says of the settings.
const SETTINGS: &str = "\
Settings come from the configuration file, or from variables, which win: each key is also a
variable in upper case, with two underscores for a dot.

  data_dir               where everything is kept (./orbit-data)
  listen                 address to listen on (127.0.0.1:8080)
  log                    text or json (text)
  images.*               store: directory or s3 (directory); endpoint, region, bucket_suffix,
                         part_bytes, copy_bytes
  tables.*               store: sqlite or dynamodb (sqlite); endpoint, region, table_suffix
  catalog.*              store: sqlite or mysql (sqlite); url_file, connections, migrate_at_start
  [names]                own names of buckets and tables, by the usual ones; in the file only
  git.*                  branch (main), name and email of who commits; url of a repository on a
                         server; username, token_file, or private_key_file, passphrase_file,
                         known_hosts_file
  argocd.*               namespace, project, destination, repository, webhook: in the manifests that
                         `orbit setup` commits
  registry.host          registry in image references (docker.io)
  registry.organisation  organisation in image references (k8or-orbit-aws)
  limits.*               archive_bytes, json_bytes, header_bytes, connections, uploads_at_once,
                         actions_at_once, idle_seconds, upload_seconds, shutdown_seconds,
                         lease_seconds, call_seconds, tick_seconds
  [[environments]]       name, cluster, namespace, suffix, image_pull_secret,
                         protected; in the file only

Credentials for AWS come from where its other programs find them; secrets may also be in
ORBIT_CATALOG__URL, ORBIT_GIT__TOKEN and ORBIT_GIT__PASSPHRASE. `orbit setup` creates what the stores
and the repository need.

  ORBIT_DATA_DIR=/srv/orbit ORBIT_LIMITS__UPLOADS_AT_ONCE=2 orbit serve";

/// Stores, promotes and deploys container images, and logs every step.
#[derive(Debug, Parser)]
#[command(name = "orbit", version, after_help = SETTINGS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the HTTP API, with everything kept in one data directory.
    Serve {
        /// The configuration; by default orbit.toml beside the data directory, if there is one.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Create what is missing of the stores that are configured, and print what was done.
    ///
    /// Buckets and tables on AWS, the schema of the catalog in MySQL, and the id of the installation,
    /// which every store holds. A second call changes nothing.
    Setup {
        /// The configuration; by default orbit.toml beside the data directory, if there is one.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Create nothing: print buckets and tables as a CloudFormation template.
        #[arg(long)]
        print: bool,
    },
    /// Check deploy-list.yaml and delete-list.yaml files, as before every push.
    ///
    /// Prints `file:line:column: message` for all that is wrong. The exit status is 0 if nothing is, 1
    /// if something is, and 2 if a file cannot be read or an argument is wrong. The other list of the
    /// same folder is read too, and must be there below `environments/`. A file of another name than
    /// deploy-list.yaml and delete-list.yaml is checked as a deploy list that has no other list beside
    /// it, unless it is a link to one of those.
    Lint {
        /// The environment of the lists; by default that of a path `environments/<env>/…`.
        #[arg(long, value_name = "NAME")]
        environment: Option<Environment>,
        /// The lists; those of one folder are checked together.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Show or edit one list; comments, order and quoting of everything else stay.
    ///
    /// The exit status is 0 if it was done, 1 if it was refused, and 2 if a file cannot be read or
    /// written or an argument is wrong.
    List {
        #[command(subcommand)]
        command: ListCommand,
    },
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}")]
struct Unbound {
    address: SocketAddr,
    source: io::Error,
}

/// Runs the program with the arguments of this process.
///
/// What goes wrong is written to standard error as one line for people.
pub fn run() -> ExitCode {
    match Arguments::parse().command {
        Command::Serve { config } => done(serve(config.as_deref())),
        Command::Setup { config, print: false } => done(setup::set_up(config.as_deref())),
        Command::Setup { config, print: true } => done(setup::print(config.as_deref())),
        Command::Lint { files, environment } => match lists::lint(&files, environment.as_ref()) {
            Ok(report) => judge(&report),
            Err(refusal) => refuse(&refusal),
        },
        Command::List { command } => match lists::run(&command) {
            Ok(()) => ExitCode::SUCCESS,
            Err(refusal) => refuse(&refusal),
        },
    }
}

fn done(result: Result<(), Fault>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => fail(&format!("orbit: {}", chain(&*fault)), FOUND),
    }
}

fn fail(text: &str, status: u8) -> ExitCode {
    // There is nowhere left to tell that this could not be told.
    drop(writeln!(io::stderr(), "{text}"));
    ExitCode::from(status)
}

fn judge(report: &Report) -> ExitCode {
    for refusal in &report.unread {
        refuse(refusal);
    }
    match (report.unread.is_empty(), report.findings.is_empty()) {
        (false, _) => ExitCode::from(NOT_READ),
        (true, false) => ExitCode::from(FOUND),
        (true, true) => ExitCode::SUCCESS,
    }
}

fn refuse(refusal: &Refusal) -> ExitCode {
    match refusal {
        // Who reads no further, as `head`, wants to hear no more.
        Refusal::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::from(NOT_READ)
        }
        Refusal::File { .. } | Refusal::Output(_) => fail(&refusal.to_string(), NOT_READ),
        Refusal::Unread(_)
        | Refusal::Unsound { .. }
        | Refusal::NotListed { .. }
        | Refusal::NoName
        | Refusal::Key { .. } => fail(&refusal.to_string(), FOUND),
    }
}

fn serve(file: Option<&Path>) -> Result<(), Fault> {
    let config = Config::of_process(file)?;
    telemetry::start(config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        // It may wait long for a store that is away.
        let (orbit, stores) = tokio::select! {
            opened = compose::open(&config) => opened?,
            () = first_of(&mut terminate, &mut interrupt) => {
                warn!("Told to end before every store could be used");
                return Ok(());
            }
        };
        let address = config.server.listen;
        let server = Server::bind(orbit, config.server.clone()).await;
        let server = server.map_err(|source| Unbound { address, source })?;
        write!(io::stdout(), "{}", greeting(server.address()?, &config))?;
        let told = Notify::new();
        let signals = async {
            first_of(&mut terminate, &mut interrupt).await;
            told.notify_one();
            first_of(&mut terminate, &mut interrupt).await;
        };
        tokio::select! {
            () = server.run(told.notified()) => {}
            () = signals => warn!("Told to end twice: what still runs is broken off"),
        }
        stores.close().await;
        Ok(())
    })
}

async fn first_of(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Returns what the program says when it is ready.
fn greeting(address: SocketAddr, config: &Config) -> String {
    let places = config.places();
    format!(
        r#"Orbit listens on http://{address}, on this machine only: no authentication is configured.
{places}

Upload an image next:

  docker pull hello-world && docker save -o hello-world.tar hello-world
  curl 'http://{address}/v1/images?wait=30' \
    -F 'metadata={{"imageMetadata":{{"imageName":"Hello","imageVersion":"v0-0-01","imageCategory":"Demo"}}}}' \
    -F 'image=@hello-world.tar'

"#
    )
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_well_formed() {
        Arguments::command().debug_assert();
        let parsed = Arguments::try_parse_from(["orbit", "serve", "--config", "a.toml"]).unwrap();
        let Command::Serve { config } = parsed.command else { panic!("{parsed:?}") };
        assert_eq!(config.as_deref(), Some(Path::new("a.toml")));
        assert!(Arguments::try_parse_from(["orbit"]).is_err());
    }

    #[test]
    fn the_upload_that_is_shown_would_be_taken() {
        let config = Config::read(None, []).unwrap();
        let greeting = greeting("127.0.0.1:8080".parse().unwrap(), &config);
        assert!(greeting.contains("\nIts data are in ./orbit-data.\n"), "{greeting}");
        assert!(greeting.contains("curl 'http://127.0.0.1:8080/v1/images?wait=30'"));
        let metadata = greeting.split("'metadata=").nth(1).unwrap().split('\'').next().unwrap();
        let metadata = crate::wire::parse(metadata.as_bytes()).unwrap();
        assert!(crate::wire::request::upload(metadata).is_ok());
    }
}
