use super::*;

#[test]
fn a_branch_that_moved_is_tried_again() {
    for status in [
        "non-fast-forward",
        "fetch first",
        "stale info",
        "incorrect old value provided",
        "reference already exists",
        "cannot lock ref 'refs/heads/main': is at 1 but expected 2",
    ] {
        assert_eq!(classify(Some(status), ""), Status::Moved, "{status}");
    }
}

#[test]
fn a_branch_that_is_locked_is_tried_again() {
    for status in [
        "cannot lock ref 'refs/heads/main': Unable to create 'main.lock': File exists.",
        "failed to update ref",
    ] {
        assert_eq!(classify(Some(status), ""), Status::Locked, "{status}");
    }
}

#[test]
fn a_refusal_carries_what_the_server_said() {
    let said = "GitLab: You are not allowed to push code to protected branches on this project.";
    let refused = classify(Some("pre-receive hook declined"), said);
    let expected = format!("{said} (pre-receive hook declined)");
    assert_eq!(refused, Status::Refused(expected.clone()));
    assert!(is_about_branch("protected branch hook declined"));
    for status in [
        "pre-receive hook declined",
        "hook declined",
        "protected branch hook declined",
        "deletion prohibited",
        "branch is currently checked out, refusing to update",
    ] {
        assert_eq!(classify(Some(status), ""), Status::Refused(status.to_owned()), "{status}");
    }
}

#[test]
fn what_nobody_foresaw_may_pass() {
    for status in ["internal server error", "unpacker error", "missing necessary objects"] {
        assert_eq!(classify(Some(status), ""), Status::Failed(status.to_owned()), "{status}");
    }
    assert_eq!(classify(None, "all well"), Status::Taken);
}

#[test]
fn the_text_of_a_server_is_one_plain_line() {
    let text =
        "\n====\n\u{1b}[31mGitLab:\u{1b}[0m  no\u{202e}\u{200b} \x07way\r\nat\tall\u{0}\n----\n";
    assert_eq!(clean(text), "GitLab: no way at all");
    assert_eq!(clean("\u{1b}"), "");
    assert_eq!(clean("\u{1b}[31"), "");
}

#[test]
fn the_text_of_a_server_is_cut() {
    for text in ["word ".repeat(10_000), "x".repeat(100_000)] {
        let cleaned = clean(&text);
        assert!(cleaned.ends_with(" …"), "{cleaned}");
        assert!(cleaned.chars().count() <= MAX_TEXT + 2, "{}", cleaned.len());
    }
}
