//! The program itself: its arguments, its start, its log and its end.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use orbit_core::testing::archives::docker_archive;
use serde_json::{Value, json};

use crate::harness::{HeldUpload, Image, Server, image, metadata, orbit};

/// Runs the program to its end, in a directory of its own.
fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    orbit(arguments).current_dir(home.path()).envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Checks that the program does not start, and returns the line that it says last.
fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout), "");
    let said = text(&output.stderr);
    let line = said.lines().last().and_then(|line| line.strip_prefix("orbit: "));
    line.unwrap_or_else(|| panic!("{said:?}")).to_owned()
}

#[test]
fn the_program_says_what_it_can_do() {
    let help = run(&["--help"], &[]);
    assert!(help.status.success());
    let said = text(&help.stdout);
    for word in ["Stores, promotes and deploys container images", "serve", "--version"] {
        assert!(said.contains(word), "{word:?} is not in {said}");
    }
    let version = run(&["--version"], &[]);
    assert_eq!(text(&version.stdout), concat!("orbit ", env!("CARGO_PKG_VERSION"), "\n"));
    let nothing = run(&[], &[]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(text(&nothing.stderr).contains("Usage: orbit"));
    let unknown = run(&["server"], &[]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(text(&unknown.stderr).contains("serve"), "{}", text(&unknown.stderr));
}

#[test]
fn a_configuration_that_is_not_understood_is_refused_with_the_nearest_key() {
    let home = tempfile::tempdir().unwrap();
    let check = |config: &str, expected: &str| {
        fs::write(home.path().join("orbit.toml"), config).unwrap();
        let mut command = orbit(&["serve", "--config", "orbit.toml"]);
        let said = complaint(&command.current_dir(home.path()).output().unwrap());
        assert_eq!(said, expected);
    };
    check(
        "data_dri = \"x\"",
        "orbit.toml sets \"data_dri\", which is not known (did you mean \"data_dir\"?)",
    );
    check(
        "[limits]\nconections = 5",
        "orbit.toml sets \"limits.conections\", which is not known \
         (did you mean \"limits.connections\"?)",
    );
    check(
        "[limits]\nconnections = 0",
        "orbit.toml sets limits.connections to 0, expected a whole number above 0",
    );
    check(
        "listen = \"0.0.0.0:8080\"",
        "listen is 0.0.0.0:8080, but without authentication the server listens on loopback only, \
         such as 127.0.0.1:8080",
    );
    let variable = run(&["serve"], &[("ORBIT_DATA_DRI", "x")]);
    let said = complaint(&variable);
    assert!(said.contains("\"ORBIT_DATA_DRI\"") && said.contains("\"ORBIT_DATA_DIR\""), "{said}");
    let missing = complaint(&run(&["serve", "--config", "nowhere.toml"], &[]));
    assert!(missing.starts_with("cannot read the configuration nowhere.toml: "), "{missing}");
}

#[test]
fn a_home_that_cannot_be_entered_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // Not even root gets to the end of it.
    let home = folder.path().join("home");
    std::os::unix::fs::symlink("home", &home).unwrap();
    let home = home.display().to_string();
    let said = complaint(&run(&["serve"], &[("HOME", &home), ("ORBIT_LISTEN", "127.0.0.1:0")]));
    assert!(said.contains("HOME must be a directory that Orbit may enter"), "{said}");
    assert!(said.contains(&home), "{said}");
}

#[test]
fn a_second_process_on_the_same_data_is_refused_and_the_first_goes_on() {
    let server = Server::start();
    let image = server.uploaded("Trolls");
    let data = server.data().display().to_string();
    let variables = [("ORBIT_DATA_DIR", data.as_str()), ("ORBIT_LISTEN", "127.0.0.1:0")];
    let expected = format!(
        "the data directory {data} is open in another process, expected to be the only one"
    );
    assert_eq!(complaint(&run(&["serve"], &variables)), expected);
    server.done(&image, "deploy");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let server = Server::start();
    let said = complaint(&run(&["serve"], &[("ORBIT_LISTEN", server.address())]));
    let expected = format!("cannot listen on {}: Address already in use", server.address());
    assert!(said.starts_with(&expected), "{said}");
}

#[test]
fn a_new_start_goes_on_where_the_last_one_was() {
    let mut server = Server::start();
    let image = server.uploaded("Trolls");
    let path = format!("{}?wait=60", image.path("deploy"));
    let key = [("idempotency-key", "k")];
    let deploy = server.post_with(&path, &key, &json!({})).expect(200);
    let (world, actions) = (server.world(), server.all("/v1/actions"));
    let (events, errors) = (server.all("/v1/events"), server.all("/v1/errors"));
    server.program().kill();
    server.start_again();
    assert_eq!(server.world(), world);
    assert_eq!(server.all("/v1/actions"), actions);
    assert_eq!((server.all("/v1/events"), server.all("/v1/errors")), (events, errors));
    assert_eq!(server.post_with(&path, &key, &json!({})).expect(200), deploy);
    server.done(&image, "transfer");
}

#[test]
fn an_upload_that_a_crash_cut_off_has_failed_at_the_next_start() {
    let mut server = Server::start();
    let before = server.world();
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let path = format!("/v1/actions/{}?wait=60", held.action["actionId"].as_str().unwrap());
    server.program().kill();
    server.start_again();
    let action = server.get(&path).expect(200);
    assert_eq!(action["state"], "failed");
    assert_eq!(action["error"]["errorType"], "upload-incomplete");
    assert_eq!(server.world(), before);
    assert_eq!(server.last_error()["actionId"], action["actionId"]);
}

/// Returns once nobody can connect any more.
fn wait_for_the_end_of_listening(address: &str) {
    for _ in 0..100_000 {
        if TcpStream::connect(address).is_err() {
            return;
        }
    }
    panic!("{address} is still listened on");
}

#[test]
fn the_end_is_graceful_and_a_running_request_is_answered() {
    let mut server = Server::start();
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let address = server.address().to_owned();
    server.program().terminate();
    wait_for_the_end_of_listening(&address);
    let (status, answer) = held.finish();
    assert!(matches!(status, 200 | 202), "{answer:#}");
    assert_eq!(server.program().wait().code(), Some(0));
    server.start_again();
    let path = format!("/v1/actions/{}?wait=60", answer["actionId"].as_str().unwrap());
    let action = server.get(&path).expect(200);
    assert_eq!(action["state"], "succeeded", "{action:#}");
    assert_eq!(server.shown(&Image::of(&action))["status"], "stored");
}

#[test]
fn a_second_signal_breaks_off_what_holds_the_first_up() {
    let mut server = Server::start();
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let path = format!("/v1/actions/{}?wait=60", held.action["actionId"].as_str().unwrap());
    let address = server.address().to_owned();
    server.program().terminate();
    wait_for_the_end_of_listening(&address);
    server.program().terminate();
    assert_eq!(server.program().wait().code(), Some(0));
    assert!(server.program().log().contains("Told to end twice"));
    drop(held);
    server.start_again();
    assert_eq!(server.get(&path).expect(200)["error"]["errorType"], "upload-incomplete");
}

#[test]
fn a_signal_ends_a_start_that_waits_for_a_store() {
    let home = tempfile::tempdir().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = orbit(&["serve"]);
    command.current_dir(home.path()).stderr(Stdio::piped()).stdout(Stdio::null());
    command.envs([("AWS_ACCESS_KEY_ID", "AK"), ("AWS_SECRET_ACCESS_KEY", "SK")]);
    command.envs([("ORBIT_IMAGES__STORE", "s3"), ("ORBIT_IMAGES__REGION", "us-east-1")]);
    command.env("ORBIT_IMAGES__ENDPOINT", format!("http://{nobody}"));
    let mut child = command.spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    let first = log.next().unwrap().unwrap();
    assert!(first.contains("cannot use S3 yet; it is tried again"), "{first}");
    let terminate = format!("kill -TERM {}", child.id());
    assert!(Command::new("sh").args(["-c", &terminate]).status().unwrap().success());
    let rest: Vec<_> = log.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:#?}");
    assert!(rest.last().unwrap().contains("Told to end before every store"), "{rest:#?}");
}

#[test]
fn a_stream_of_events_ends_with_the_program() {
    let mut server = Server::start();
    let archive = docker_archive(&image("Trolls"));
    let held = HeldUpload::begin(&server, &metadata("Trolls", "v0-0-01"), &archive);
    let path = format!("/v1/actions/{}/events", held.action["actionId"].as_str().unwrap());
    let mut stream = server.follow(&path, &[("accept", "text/event-stream")]);
    server.program().terminate();
    let mut events = String::new();
    std::io::Read::read_to_string(&mut stream, &mut events).unwrap();
    assert!(events.contains("event: upload-initiated\n"), "{events}");
    assert_eq!(held.cut().0, 400);
    assert_eq!(server.program().wait().code(), Some(0));
}

#[test]
fn the_log_is_one_json_object_a_line_and_carries_no_secret() {
    let server = Server::start_with(&[("ORBIT_LOG", "json")]);
    let mut said = metadata("a-name-that-nobody-logs", "v0-0-01");
    said["imageMetadata"]["envVars"] = json!([{ "key": "PASSWORD", "value": "hunter2" }]);
    let archive = docker_archive(&image("the-content-of-a-layer"));
    let image = Image::of(&server.upload(&said, &archive).expect(200));
    let headers =
        [("authorization", "Bearer a-token"), ("cookie", "a-cookie"), ("idempotency-key", "a-key")];
    let path = format!("{}?wait=60", image.path("deploy"));
    let deploy = server.post_with(&path, &headers, &json!({})).expect(200);
    server.get("/v1/images?q=what-is-searched-for").expect(200);
    let log = server.log();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let deployed = lines.iter().find(|line| line["actionId"] == deploy["actionId"]).unwrap();
    assert_eq!(deployed["method"], "POST");
    assert_eq!(deployed["path"], image.path("deploy"));
    assert_eq!(deployed["status"], 200);
    assert_eq!(deployed["message"], format!("POST {} 200", image.path("deploy")));
    for secret in [
        "a-name-that-nobody-logs",
        "hunter2",
        "the-content-of-a-layer",
        "a-token",
        "a-cookie",
        "a-key",
        "what-is-searched-for",
    ] {
        assert!(!log.contains(secret), "{secret} is in {log}");
    }
}

#[test]
fn a_log_that_no_terminal_shows_has_no_colours() {
    let server = Server::start();
    server.get("/healthz").expect(200);
    let log = server.log();
    assert!(log.contains("GET /healthz 200"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}
