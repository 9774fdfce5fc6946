use git2::message_trailers_strs;
use orbit_core::Timestamp;
use orbit_core::intent::{CommitId, Intent};

use super::*;

fn action(n: u8) -> ActionId {
    ActionId::new(Timestamp::from_millis(0), [n; 10])
}

fn commit(subject: &str, actor: &str) -> Commit {
    Commit {
        action: action(1),
        environment: "development".parse().unwrap(),
        subject: subject.to_owned(),
        trailers: vec![
            (ACTION.to_owned(), action(1).to_string()),
            ("Orbit-Actor".to_owned(), actor.to_owned()),
        ],
        date: Timestamp::from_millis(0),
        since: CommitId(String::new()),
        intent: Intent::Clear { name: "a".parse().unwrap(), left_by: action(0) },
    }
}

#[test]
fn a_message_is_a_subject_and_a_line_for_each_trailer() {
    let message = compose(&commit("restore(development): a v0-0-01", "jamesbond")).unwrap();
    let id = action(1);
    assert_eq!(
        message,
        format!("restore(development): a v0-0-01\n\nOrbit-Action: {id}\nOrbit-Actor: jamesbond\n")
    );
    assert!(carries(&message, &id));
    assert!(!carries(&message, &action(2)));
}

#[test]
fn no_text_of_a_user_forges_a_trailer() {
    let forged = format!("Orbit-Action: {}", action(2));
    let pieces = [
        "",
        " ",
        "\n",
        "\r",
        "\r\n",
        "\n\n",
        "\t",
        "\0",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "\u{b}",
        "a",
        "---",
        "#",
        ": ",
        "Signed-off-by: x",
        forged.as_str(),
    ];
    let mut composed = 0;
    for first in pieces {
        for second in pieces {
            for third in pieces {
                let text = format!("{first}{second}{third}");
                let both = [commit("s", &text), commit(&text, "a")];
                for message in both.iter().filter_map(|commit| compose(commit).ok()) {
                    assert!(!carries(&message, &action(2)), "{message:?}");
                    assert!(carries(&message, &action(1)), "{message:?}");
                    assert_eq!(message.lines().count(), 4, "{message:?}");
                    composed += 1;
                }
            }
        }
    }
    assert_eq!(composed, 2 * 8_usize.pow(3), "texts of one line are taken, all others refused");
}

#[test]
fn git_reads_the_trailers_that_were_written() {
    let message = compose(&commit("deploy(development): a", "# Orbit: \"a\" <b>")).unwrap();
    let trailers = message_trailers_strs(&message).unwrap();
    let read: Vec<_> = trailers.iter().collect();
    let id = action(1).to_string();
    assert_eq!(read, [(ACTION, id.as_str()), ("Orbit-Actor", "# Orbit: \"a\" <b>")]);
}

#[test]
fn a_commit_must_name_its_action() {
    let mut unsigned = commit("s", "a");
    unsigned.trailers.remove(0);
    assert!(matches!(compose(&unsigned), Err(Fault::Unsigned { .. })));
    let mut of_another = commit("s", "a");
    of_another.action = action(3);
    assert!(matches!(compose(&of_another), Err(Fault::Unsigned { .. })));
}

#[test]
fn a_key_that_git_would_not_read_is_refused() {
    for key in ["a b", "a:", "a\n", "ä", " a"] {
        let mut odd = commit("s", "a");
        odd.trailers.push((key.to_owned(), "value".to_owned()));
        assert!(matches!(compose(&odd), Err(Fault::NotOneLine { .. })), "{key:?}");
    }
}

#[test]
fn an_action_is_found_in_a_squashed_message_but_not_in_a_subject() {
    let id = action(1);
    assert!(carries(&format!("Squash\n\n* one\n\nOrbit-Action: {id}\n\n* two\n"), &id));
    assert!(carries(&format!("Edited\r\n\r\nOrbit-Action: {id}\r\n"), &id));
    assert!(!carries(&format!("Orbit-Action: {id}\n"), &id));
    assert!(!carries(&format!("Talk\n\nof Orbit-Action: {id}\n"), &id));
}
