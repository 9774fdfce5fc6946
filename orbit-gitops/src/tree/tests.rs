use tempfile::TempDir;

use super::*;

fn repository() -> (TempDir, Repository) {
    let directory = tempfile::tempdir().unwrap();
    let git = Repository::init_bare(directory.path()).unwrap();
    (directory, git)
}

fn files(paths: &[&str]) -> BTreeMap<String, String> {
    paths.iter().map(|path| ((*path).to_owned(), format!("{path}\n"))).collect()
}

#[test]
fn what_is_written_is_read_back() {
    let (_directory, git) = repository();
    let files = files(&["kustomization.yaml", "base/deployment.yaml", "base/a/b/c.yaml"]);
    let tree = git.find_tree(write(&git, &files).unwrap()).unwrap();
    for (path, text) in &files {
        assert_eq!(read(&git, &tree, path).unwrap().unwrap(), *text);
    }
    assert!(has_directory(&tree, "base/a").unwrap());
    assert!(!has_directory(&tree, "base/b").unwrap());
    assert!(read(&git, &tree, "base/a/missing").unwrap().is_none());
}

#[test]
fn a_path_that_leaves_the_directory_or_hides_is_refused() {
    let (_directory, git) = repository();
    let long = "a".repeat(256);
    for path in [
        "",
        "/etc/passwd",
        "a//b",
        "a/",
        ".",
        "..",
        "../a",
        "a/../b",
        "a/./b",
        ".git",
        ".GIT/config",
        "a/.Git/hooks",
        "git~1/config",
        ".argocd-source.yaml",
        "a\\b",
        "C:a",
        "a\0b",
        "a\nb",
        "\u{200c}.git",
        "ä",
        long.as_str(),
    ] {
        let refused = write(&git, &files(&[path]));
        assert!(matches!(refused, Err(Fault::Path { .. })), "{path:?}: {refused:?}");
    }
}

#[test]
fn a_file_is_never_also_a_directory() {
    let (_directory, git) = repository();
    for paths in [["base", "base/a.yaml"], ["base/a", "base/a/b/c"]] {
        let refused = write(&git, &files(&paths));
        assert!(matches!(refused, Err(Fault::Path { .. })), "{paths:?}: {refused:?}");
    }
    write(&git, &files(&["base-a", "base/a", "base.yaml"])).unwrap();
}

#[test]
fn a_file_that_is_not_utf8_is_refused_at_its_place() {
    let fault = decode("list.yaml", b"- name: a\n  k\xc3\xa4: \xff").unwrap_err();
    assert_eq!(fault.to_string(), "list.yaml:2:7: not UTF-8");
    let fault = decode("list.yaml", b"\xff").unwrap_err();
    assert_eq!(fault.to_string(), "list.yaml:1:1: not UTF-8");
}

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let (_directory, git) = repository();
    for (size, is_read) in [(MAX_BYTES, true), (MAX_BYTES + 1, false)] {
        let files = BTreeMap::from([("list.yaml".to_owned(), "#".repeat(size))]);
        let tree = git.find_tree(write(&git, &files).unwrap()).unwrap();
        assert_eq!(read(&git, &tree, "list.yaml").is_ok(), is_read, "{size}");
    }
}

#[test]
fn only_regular_files_are_read_and_the_refusal_names_what_is_there() {
    let (_directory, git) = repository();
    let blob = git.blob(b"elsewhere").unwrap();
    let inner = write(&git, &files(&["list.yaml"])).unwrap();
    let mut builder = git.treebuilder(None).unwrap();
    builder.insert("link", blob, LINK).unwrap();
    builder.insert("module", blob, SUBMODULE).unwrap();
    builder.insert("directory", inner, TREE).unwrap();
    builder.insert("script", blob, EXECUTABLE).unwrap();
    let tree = git.find_tree(builder.write().unwrap()).unwrap();
    for (path, refusal) in [
        ("link", "link is a symbolic link, expected a regular file"),
        ("module", "module is a submodule, expected a regular file"),
        ("directory", "directory is a directory, expected a regular file"),
        ("link/list.yaml", "link is a symbolic link, expected a directory"),
        ("module/list.yaml", "module is a submodule, expected a directory"),
        ("script/list.yaml", "script is a file, expected a directory"),
    ] {
        assert_eq!(read(&git, &tree, path).unwrap_err().to_string(), refusal);
    }
    let (_, mode) = find_file(&git, &tree, "script").unwrap().unwrap();
    assert_eq!(mode, FileMode::BlobExecutable);
    assert_eq!(read(&git, &tree, "script").unwrap().unwrap(), "elsewhere");
}
