//! What lies where, as one text.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::program::Server;
use super::tools::git;

const ENVIRONMENTS: [&str; 3] = ["development", "testing", "production"];

impl Server {
    /// Runs git in the repository.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        git(&self.data().join("repository.git"), arguments)
    }

    /// Returns a file of the repository's branch.
    pub(crate) fn committed(&self, path: &str) -> String {
        self.git(&["show", &format!("main:{path}")])
    }

    /// Returns one of an environment's lists.
    pub(crate) fn list(&self, environment: &str, list: &str) -> Vec<Value> {
        let page = self.get(&format!("/v1/environments/{environment}/{list}-list")).expect(200);
        page["items"].as_array().unwrap().clone()
    }

    /// Returns everything that lies anywhere, with the images called A, B, C by when they came, and
    /// with no action, event or error.
    pub(crate) fn world(&self) -> String {
        let images = self.all("/v1/images?sort=createdAt");
        let mut world = String::new();
        for image in &images {
            writeln!(world, "{}", self.line_of(image)).unwrap();
        }
        for path in self.files() {
            writeln!(world, "{path}").unwrap();
        }
        for environment in ENVIRONMENTS {
            for app in self.apps(environment) {
                writeln!(world, "{environment} app: {app}").unwrap();
            }
            for list in ["deploy", "delete"] {
                for entry in self.list(environment, list) {
                    let (name, version) = (text(&entry, "name"), text(&entry, "imageVersion"));
                    let uid = text(&entry, "imageUID");
                    assert_eq!(entry["environment"], environment);
                    writeln!(world, "{environment} {list}-list: {name} {uid} {version}").unwrap();
                }
            }
        }
        for subject in self.git(&["log", "--reverse", "--format=%s", "main"]).lines() {
            writeln!(world, "commit: {subject}").unwrap();
        }
        name_images(&world, &images)
    }

    /// Returns the applications that have a directory in the repository.
    fn apps(&self, environment: &str) -> Vec<String> {
        let apps = format!("environments/{environment}/apps/");
        let listed = self.git(&["ls-tree", "--name-only", "main", &apps]);
        listed.lines().map(|path| path.trim_start_matches(&apps).to_owned()).collect()
    }

    fn line_of(&self, image: &Value) -> String {
        let (uid, version) = (text(image, "imageUID"), text(image, "imageVersion"));
        let chart = self.get(&format!("/v1/images/{uid}/{version}/chart")).status;
        let cluster = image["cluster"].as_str().unwrap_or("-");
        format!(
            "{uid} {version} {} {} {cluster} scanned:{} chart:{chart}",
            text(image, "currentEnvironment"),
            text(image, "status"),
            image["scanned"],
        )
    }

    /// Returns every file of the image store, the registry's images, and what is half written.
    ///
    /// An object and what is known of it are two files, which are always both there.
    pub(crate) fn files(&self) -> BTreeSet<String> {
        let (images, registry) = (self.data().join("images"), self.data().join("registry"));
        let all = files_below(&images, "");
        let objects: BTreeSet<_> =
            all.iter().filter(|path| !path.ends_with(".json")).cloned().collect();
        let known: BTreeSet<_> =
            all.iter().filter_map(|path| path.strip_suffix(".json")).map(str::to_owned).collect();
        assert_eq!(known, objects, "objects and what is known of them");
        let partial = files_below(&self.data().join("partial"), "partial: ");
        objects.into_iter().chain(partial).chain(registered(&registry)).collect()
    }
}

fn registered(registry: &Path) -> Vec<String> {
    let Ok(index) = fs::read_to_string(registry.join("index.json")) else { return Vec::new() };
    let index: Value = serde_json::from_str(&index).unwrap();
    let manifests = index["manifests"].as_array().unwrap().iter();
    let name = |manifest: &Value| {
        let name = &manifest["annotations"]["org.opencontainers.image.ref.name"];
        format!("registry: {}", name.as_str().unwrap())
    };
    manifests.map(name).collect()
}

fn files_below(directory: &Path, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            found.extend(files_below(&path, &format!("{prefix}{name}/")));
        } else {
            found.push(format!("{prefix}{name}"));
        }
    }
    found
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value:#}"))
}

/// Puts letters in the place of UIDs and of the part of an application's name that is made of them.
fn name_images(world: &str, images: &[Value]) -> String {
    let mut named = world.to_owned();
    let mut uids: Vec<&str> = Vec::new();
    for image in images {
        let uid = text(image, "imageUID");
        if !uids.contains(&uid) {
            uids.push(uid);
        }
    }
    for (uid, letter) in uids.iter().zip('A'..='Z') {
        let mark = orbit_core::AppName::of("x", &uid.parse().unwrap()).to_string();
        let mark = mark.strip_prefix('x').unwrap();
        named = named.replace(uid, &letter.to_string());
        named = named.replace(mark, &format!("-{letter}"));
    }
    named
}
