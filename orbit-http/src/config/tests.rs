use super::*;

fn read(text: &str) -> Result<Config, ConfigFault> {
    Config::read(Some(("orbit.toml", text)), [])
}

fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigFault> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Config::read(Some(("orbit.toml", "git.branch = 'file'")), variables.iter().map(owned))
}

const FULL: &str = r#"
data_dir = "/var/lib/orbit"
listen = "[::1]:9000"
log = "json"
[images]
store = "directory"
[registry]
host = "registry.example.com"
organisation = "apps"
[git]
branch = "deploy"
[sync]
mode = "none"
[limits]
archive_bytes = 1000
uploads_at_once = 2
idle_seconds = 5
[[environments]]
name = "Staging"
image_pull_secret = "docker-hub"
protected = false
[[environments]]
name = "moon"
suffix = "k8m"
cluster = "Lunar"
namespace = "apps"
"#;

#[test]
fn nothing_is_needed() {
    let config = read("").unwrap();
    assert_eq!(config.data_dir, Path::new("./orbit-data"));
    assert_eq!(config.server, Settings::default());
    assert_eq!(config.core, action::Settings::default());
    assert_eq!((config.branch.as_str(), config.log), ("main", LogForm::Text));
    assert_eq!(config.default_file(), Path::new("./orbit.toml"));
}

#[test]
fn every_key_that_is_used_has_its_effect() {
    let config = read(FULL).unwrap();
    assert_eq!(config.default_file(), Path::new("/var/lib/orbit.toml"));
    assert_eq!(config.server.listen.to_string(), "[::1]:9000");
    assert_eq!((config.branch.as_str(), config.log), ("deploy", LogForm::Json));
    assert_eq!(config.core.registry, "registry.example.com/apps");
    let limits = Limits {
        archive_bytes: 1000,
        uploads_at_once: 2,
        idle: Duration::from_secs(5),
        ..Limits::default()
    };
    assert_eq!(config.server.limits, limits);
    let environments: Vec<EnvironmentSpec> = config.core.environments.into();
    let spec = |name: &str, cluster: &str, namespace: &str, suffix: &str| EnvironmentSpec {
        name: name.parse().unwrap(),
        cluster: cluster.to_owned(),
        namespace: namespace.to_owned(),
        suffix: suffix.to_owned(),
        image_pull_secret: None,
    };
    let mut staging = spec("staging", "K3s Staging Cluster", "staging", "k8s");
    staging.image_pull_secret = Some("docker-hub".to_owned());
    assert_eq!(environments, [staging, spec("moon", "Lunar", "apps", "k8m")]);
}

#[test]
fn variables_win() {
    let config = with(&[
        ("ORBIT_GIT__BRANCH", "123"),
        ("ORBIT_LIMITS__CONNECTIONS", "7"),
        ("ORBIT_DATA_DIR", "/srv/orbit"),
        ("HOME", "/root"),
    ])
    .unwrap();
    assert_eq!(config.branch, "123");
    assert_eq!(config.server.limits.connections, 7);
    assert_eq!(config.data_dir, Path::new("/srv/orbit"));
    assert_eq!(with(&[]).unwrap().branch, "file");
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    let cases = [
        ("lisen = 'x'", "sets \"lisen\", which is not known (did you mean \"listen\"?)"),
        (
            "git.brunch = 'x'",
            "sets \"git.brunch\", which is not known (did you mean \"git.branch\"?)",
        ),
        ("colour = 'red'", "sets \"colour\", which is not known"),
        ("log = 'xml'", "sets log to \"xml\", expected text or json"),
        ("listen = 'here'", "sets listen to \"here\", expected an address such as 127.0.0.1:8080"),
        ("data_dir = ''", "sets data_dir to \"\", expected a text that is not empty"),
        ("limits = 3", "sets limits to 3, expected a table"),
        ("limits.connections = 0", "sets limits.connections to 0, expected a whole number above 0"),
        (
            "images.store = 's3'",
            "sets images.store, which this version does not support: images are kept in the data \
             directory",
        ),
        (
            "git.url = 'https://gitlab.example.com/a.git'",
            "sets git.url, which this version does not support: deployments are committed to the \
             repository in the data directory",
        ),
        (
            "sync.mode = 'argocd'",
            "sets sync.mode, which this version does not support: no cluster is attached",
        ),
        ("environments = ['a']", "sets environments to \"a\", expected [[environments]]"),
        (
            "[[environments]]\nnam = 'a'",
            "sets \"environments.nam\", which is not known (did you mean \"environments.name\"?)",
        ),
        ("[[environments]]", "sets environments.name to nothing, expected a text"),
        ("[[environments]]\nname = 'moon'", "sets environments.suffix to nothing, expected a text"),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).unwrap_err().to_string(), format!("orbit.toml {expected}"), "{text}");
    }
}

#[test]
fn a_variable_that_is_not_known_names_the_nearest_one() {
    let fault = with(&[("ORBIT_GIT__BRUNCH", "x")]).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "the environment sets \"ORBIT_GIT__BRUNCH\", which is not known (did you mean \
         \"ORBIT_GIT__BRANCH\"?)"
    );
    let fault = with(&[("ORBIT_LISTEN", "x")]).unwrap_err();
    assert!(fault.to_string().starts_with("ORBIT_LISTEN sets listen to \"x\""), "{fault}");
}

#[test]
fn what_no_cluster_could_pull_from_is_no_registry() {
    for host in ["https://docker.io/", "docker.io/", "a b", "docker.io\n", "Docker.io", "a@b"] {
        let fault = with(&[("ORBIT_REGISTRY__HOST", host)]).unwrap_err();
        assert!(matches!(fault, ConfigFault::Value { .. }), "{host}: {fault}");
    }
    for organisation in ["/a", "a/", "a//b", "A", "a:b"] {
        let fault = with(&[("ORBIT_REGISTRY__ORGANISATION", organisation)]).unwrap_err();
        assert!(matches!(fault, ConfigFault::Value { .. }), "{organisation}: {fault}");
    }
    let config = with(&[("ORBIT_REGISTRY__HOST", "localhost:5000")]).unwrap();
    assert_eq!(config.core.registry, "localhost:5000/k8or-orbit-aws");
}

#[test]
fn a_number_that_is_as_good_as_no_limit_is_taken() {
    for name in ["UPLOADS_AT_ONCE", "ACTIONS_AT_ONCE", "CONNECTIONS", "UPLOAD_SECONDS"] {
        let name = format!("ORBIT_LIMITS__{name}");
        let config = with(&[(&name, "9223372036854775807")]).unwrap();
        assert!(tokio::sync::Semaphore::MAX_PERMITS > config.server.limits.uploads_at_once);
        assert!(config.server.limits.upload < Duration::from_secs(1 << 30));
    }
}

#[test]
fn two_environments_of_one_name_are_refused() {
    let text = "[[environments]]\nname = 'testing'\n[[environments]]\nname = 'Testing'";
    assert_eq!(read(text).unwrap_err().to_string(), "environment testing is configured twice");
    assert_eq!(read("environments = []").unwrap_err().to_string(), "no environment is configured");
}

#[test]
fn without_authentication_only_loopback_is_listened_on() {
    for listen in ["127.0.0.1:0", "127.8.8.8:80", "[::1]:80"] {
        assert!(with(&[("ORBIT_LISTEN", listen)]).is_ok(), "{listen}");
    }
    for listen in ["0.0.0.0:80", "[::]:80", "192.168.0.1:80"] {
        let fault = with(&[("ORBIT_LISTEN", listen)]).unwrap_err();
        assert!(matches!(fault, ConfigFault::NotLoopback(_)), "{listen}: {fault}");
    }
}

#[test]
fn a_file_that_is_not_toml_is_named() {
    let fault = read("a = ").unwrap_err();
    assert_eq!(fault.to_string(), "orbit.toml is not TOML");
}
