use orbit_core::port::chain;

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
    assert!(matches!(config.git, GitIn::Directory));
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
fn stores_that_cannot_be_used_are_refused_with_their_place() {
    let cases = [
        ("images.store = 's4'", "sets images.store to \"s4\", expected directory or s3"),
        (
            "images.region = 'eu-west-1'",
            "sets images.region, which has an effect only with images.store = \"s3\"",
        ),
        (
            "tables.endpoint = 'http://127.0.0.1:8000'",
            "sets tables.endpoint, which has an effect only with tables.store = \"dynamodb\"",
        ),
        (
            "names.deleted-image-bucket = 'trash'",
            "sets names, which has an effect only with images.store = \"s3\"",
        ),
        (
            "images.store = 's3'\nnames.deleted-image-buckets = 'trash'",
            "sets \"names.deleted-image-buckets\", which is not known (did you mean \
             \"deleted-image-bucket\"?)",
        ),
        ("names.x = 3", "sets names.x to 3, expected a text"),
        ("names = 3", "sets names to 3, expected a table"),
        (
            "catalog.url = 'mysql://root:secret@localhost/orbit'",
            "sets catalog.url, which is a secret: set catalog.url_file, or the variable \
             ORBIT_CATALOG__URL",
        ),
        ("catalog.store = 'mysql'", "sets catalog.url_file to nothing, expected a text"),
        (
            "images.store = 's3'\nimages.endpoint = 'http://user@host'",
            "sets images.endpoint to \"http://<redacted>@host\", expected an address such as \
             http://127.0.0.1:8333, without user and path",
        ),
        (
            "limits.lease_seconds = 10\nlimits.call_seconds = 5",
            "sets limits.call_seconds to 5, expected a number of seconds that is less than half of \
             limits.lease_seconds",
        ),
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
    assert!(fault.to_string().starts_with("orbit.toml:1:"), "{fault}");
}

#[test]
fn what_may_be_a_secret_is_not_shown_wherever_it_stands() {
    let url = "mysql://orbit:hidden@db/orbit";
    for (text, expected) in [
        (
            format!("listen = '[::1]:0'\n[catalog]\nurl = \"{url}\n"),
            "orbit.toml:3:37 is not TOML: invalid basic string, expected `\"`",
        ),
        (
            format!("catalog.store = 'mysql'\ncatalog.url_file = '{url}'"),
            "orbit.toml sets catalog.url_file to \"mysql://<redacted>@db/orbit\", expected the path of \
             a file",
        ),
        (
            format!("catalog = '{url}'"),
            "orbit.toml sets catalog to \"mysql://<redacted>@db/orbit\", expected a table",
        ),
        (
            format!("catalog.store = '{url}'"),
            "orbit.toml sets catalog.store to \"mysql://<redacted>@db/orbit\", expected sqlite or mysql",
        ),
    ] {
        assert_eq!(read(&text).unwrap_err().to_string(), expected);
    }
}

/// A file for a secret, in a folder that goes with it.
pub(super) fn secret_file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    fs::write(&path, text).unwrap();
    (folder, path.display().to_string())
}

#[test]
fn each_store_is_chosen_on_its_own() {
    let s3 = read("[images]\nstore = 's3'\nregion = 'eu-west-1'\npart_bytes = 5242880").unwrap();
    assert_eq!(s3.stores.tables, TablesIn::Sqlite);
    assert_eq!(s3.stores.catalog, CatalogIn::Sqlite);
    let ImagesIn::S3 { aws, part_bytes, copy_bytes } = &s3.stores.images else { panic!("{s3:?}") };
    assert_eq!((aws.region.as_deref(), *part_bytes), (Some("eu-west-1"), Some(5_242_880)));
    assert_eq!(*copy_bytes, None);
    assert_eq!(s3.server.driving.take_over, TakeOver::Immediately, "SQLite admits one process");
    let dynamodb = read("tables.store = 'dynamodb'\ntables.endpoint = 'http://[::1]:80'").unwrap();
    let TablesIn::DynamoDb(aws) = &dynamodb.stores.tables else { panic!("{dynamodb:?}") };
    assert_eq!(aws.endpoint.as_deref(), Some("http://[::1]:80"));
}

#[test]
fn where_nothing_is_in_the_directory_processes_wait_for_each_others_leases() {
    let (_folder, path) = secret_file("mysql://orbit:s3cr3t@db/orbit\n");
    let text = format!(
        "images.store = 's3'\ntables.store = 'dynamodb'\nlimits.lease_seconds = 6\n\
         limits.tick_seconds = 1\n\
         [catalog]\nstore = 'mysql'\nurl_file = '{path}'\nmigrate_at_start = true"
    );
    let config = read(&text).unwrap();
    assert_eq!(config.stores.sharing(), Sharing::Shared);
    let driving = &config.server.driving;
    assert_eq!(driving.take_over, TakeOver::After(Duration::from_secs(6)));
    assert_eq!((driving.lease, driving.tick), (Duration::from_secs(6), Duration::from_secs(1)));
    let CatalogIn::MySql { settings, migrate_at_start } = &config.stores.catalog else {
        panic!("{config:?}")
    };
    assert_eq!(settings.url, "mysql://orbit:s3cr3t@db/orbit".parse().unwrap());
    assert!(*migrate_at_start);
    let expected = Duration::from_secs(2);
    assert_eq!(settings.call_timeout, expected, "a call ends before a lease does");
    assert!(!format!("{config:?}").contains("s3cr3t"));
}

#[test]
fn a_secret_comes_from_its_variable_before_its_file() {
    let (_folder, path) = secret_file("mysql://db/of_the_file");
    let variables = [
        ("ORBIT_CATALOG__STORE", "mysql"),
        ("ORBIT_CATALOG__URL_FILE", path.as_str()),
        ("ORBIT_CATALOG__URL", "mysql://db/of_the_variable"),
    ];
    let database = |variables: &[(&str, &str)]| match with(variables).unwrap().stores.catalog {
        CatalogIn::MySql { settings, .. } => settings.url.database().to_owned(),
        CatalogIn::Sqlite => panic!("the catalog is in SQLite"),
    };
    assert_eq!(database(&variables), "of_the_variable");
    assert_eq!(database(&variables[..2]), "of_the_file");
    let odd = [variables[0], ("ORBIT_CATALOG__URL", "postgres://root:s3cr3t@db")];
    let fault = with(&odd).unwrap_err().to_string();
    assert_eq!(fault, "catalog.url: expected mysql://USER:PASSWORD@HOST:PORT/DATABASE");
    let missing = [variables[0], ("ORBIT_CATALOG__URL_FILE", "/nowhere/url")];
    let fault = with(&missing).unwrap_err().to_string();
    assert_eq!(fault, "cannot read catalog.url_file /nowhere/url");
    let (_folder, empty) = secret_file(" \n");
    let fault = with(&[variables[0], ("ORBIT_CATALOG__URL_FILE", &empty)]).unwrap_err();
    assert_eq!(chain(&fault), format!("cannot read catalog.url_file {empty}: it is empty"));
}

#[test]
fn every_bucket_and_table_can_have_a_name_of_its_own() {
    let text = "[images]\nstore = 's3'\nbucket_suffix = '-acme'\n\
                [tables]\nstore = 'dynamodb'\n\
                [names]\napp-image-1206-bkt-k8d-aws = 'acme-images'\ndeleted-helm-chart = 'Charts'";
    let names = read(text).unwrap().stores.names;
    assert!(names.buckets().contains(&"acme-images".to_owned()));
    assert!(names.buckets().contains(&"deleted-image-bucket-acme".to_owned()));
    assert!(names.tables().contains(&"Charts".to_owned()));
    let fault = read("images.store = 's3'\nimages.bucket_suffix = '_'").unwrap_err();
    assert!(matches!(fault, ConfigFault::Names(NamingFault::Bucket { .. })), "{fault}");
}
