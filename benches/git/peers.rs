//! The same deployments by git's own commands. The list is edited in this process, in no time to speak
//! of, so that only the work with git is compared.

use std::fs;
use std::time::{Duration, Instant};

use orbit_core::intent::{Commit, Intent, app_path, deploy_list_path};
use orbit_core::list::{self, Change};

use crate::Took;
use crate::data::{Site, write_file};
use crate::servers::{Bare, git};

/// Returns the files that a deployment writes, with their paths in the repository.
fn files(mine: &Commit, list: &str) -> Vec<(String, String)> {
    let Intent::Deploy { entry, files, .. } = &mine.intent else {
        panic!("only deployments are measured")
    };
    let directory = app_path(&mine.environment, &entry.name);
    let list = list::apply(list, &[Change::put(entry.as_ref())]).unwrap();
    let files = files.iter().map(|(path, text)| (format!("{directory}/{path}"), text.clone()));
    files.chain([(deploy_list_path(&mine.environment), list)]).collect()
}

fn message(mine: &Commit) -> String {
    format!("{}\n\nOrbit-Action: {}\n", mine.subject, mine.action)
}

/// A bare clone and an index that are kept: blobs, index, tree, commit, push.
pub(crate) fn plumbing(site: &Site, n_runs: u32) -> Took {
    let work = site.keep();
    let (here, url) = (work.as_path(), site.url_with_token());
    git(here, &["clone", "--quiet", "--bare", "--depth", "1", "--branch", "main", &url, "."]);
    git(here, &["read-tree", "refs/heads/main"]);
    let times = (0..n_runs).map(|_| {
        let mine = site.next();
        let ready = Instant::now();
        let list = git(here, &["show", &format!("main:{}", deploy_list_path(&mine.environment))]);
        let files = files(&mine, &list);
        let names: Vec<_> = (0..files.len()).map(|number| format!("new-{number}")).collect();
        for (name, (_, text)) in names.iter().zip(&files) {
            fs::write(here.join(name), text).unwrap();
        }
        let mut hash = vec!["hash-object", "-w", "--no-filters"];
        hash.extend(names.iter().map(String::as_str));
        let ids = git(here, &hash);
        let lines = ids.lines().zip(&files);
        let cached: Vec<_> = lines.map(|(id, (path, _))| format!("100644,{id},{path}")).collect();
        let mut update = vec!["update-index", "--add"];
        update.extend(cached.iter().flat_map(|line| ["--cacheinfo", line.as_str()]));
        git(here, &update);
        let tree = git(here, &["write-tree"]);
        let (tree, text) = (tree.trim(), message(&mine));
        let commit = git(here, &["commit-tree", tree, "-p", "refs/heads/main", "-m", &text]);
        git(here, &["update-ref", "refs/heads/main", commit.trim()]);
        git(here, &["push", "--quiet", &url, "main:main"]);
        ready.elapsed()
    });
    let times = times.collect();
    assert_eq!(git(here, &["rev-parse", "main"]).trim(), site.bare.head());
    Took::of(times)
}

/// A clone for each deployment, as short as it can be.
pub(crate) fn porcelain(site: &Site, n_runs: u32) -> Took {
    let url = site.url_with_token();
    let work = site.keep();
    let times = (0..n_runs).map(|number| {
        let mine = site.next();
        let here = &work.join(number.to_string());
        fs::create_dir(here).unwrap();
        let ready = Instant::now();
        git(here, &["clone", "--quiet", "--depth", "1", "--branch", "main", &url, "."]);
        let list = fs::read_to_string(here.join(deploy_list_path(&mine.environment))).unwrap();
        for (path, text) in files(&mine, &list) {
            write_file(&here.join(path), &text);
        }
        git(here, &["add", "--all"]);
        git(here, &["commit", "--quiet", "--message", &message(&mine)]);
        git(here, &["push", "--quiet", "origin", "HEAD:main"]);
        let took = ready.elapsed();
        assert_eq!(git(here, &["rev-parse", "HEAD"]).trim(), site.bare.head());
        took
    });
    Took::of(times.collect())
}

/// Lets git push commits that are there, one after the other, from Orbit's own clone to a repository
/// that ends with `before`.
pub(crate) fn push_again(site: &Site, before: &str, heads: &[String]) -> Duration {
    let name = format!("from-{before}.git");
    let (again, there) = (Bare::new(&site.root(), &name), site.bare.path().to_string_lossy());
    site.bare.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    again.git(&["fetch", "--quiet", &there, &format!("{before}:refs/heads/main")]);
    let url = site.url_with_token().replace("deployments.git", &name);
    let ready = Instant::now();
    for head in heads {
        git(&site.cache(), &["push", "--quiet", &url, &format!("{head}:refs/heads/main")]);
    }
    let took = ready.elapsed();
    assert_eq!(again.head(), site.bare.head());
    took
}
