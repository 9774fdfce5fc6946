//! The message of a commit: one line of subject, an empty line, one line a trailer.

use orbit_core::ActionId;
use orbit_core::intent::Commit;

use crate::fault::Fault;

/// The trailer that tells an action's commit from all others.
const ACTION: &str = "Orbit-Action";

/// Returns the message of a commit.
///
/// What cannot be told from another line, or would be invisible, is refused: no text of a user can
/// make a line of its own, and so forge a trailer.
pub(crate) fn compose(commit: &Commit) -> Result<String, Fault> {
    check_line("subject", &commit.subject)?;
    let mut message = format!("{}\n\n", commit.subject);
    for (key, value) in &commit.trailers {
        check_key(key)?;
        check_line(key, value)?;
        message += &format!("{key}: {value}\n");
    }
    if carries(&message, &commit.action) {
        return Ok(message);
    }
    Err(Fault::Unsigned { action: commit.action.to_string(), expected: trailer(&commit.action) })
}

/// Tells whether a message says that its commit is the action's, or has the action's commit in it.
pub(crate) fn carries(message: &str, action: &ActionId) -> bool {
    actions(message).any(|carried| carried == action.as_str())
}

/// Returns the actions whose commit a message says that its commit is, or has in it.
pub(crate) fn actions(message: &str) -> impl Iterator<Item = &str> {
    message.lines().skip(1).filter_map(|line| line.strip_prefix(ACTION)?.strip_prefix(": "))
}

fn trailer(action: &ActionId) -> String {
    format!("{ACTION}: {action}")
}

fn check_line(what: &str, text: &str) -> Result<(), Fault> {
    let breaks = |c: &char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    match text.chars().find(breaks) {
        Some(found) => Err(Fault::NotOneLine { what: what.to_owned(), found }),
        None => Ok(()),
    }
}

/// Refuses a key that git would not read as one.
fn check_key(key: &str) -> Result<(), Fault> {
    let is_odd = |c: &char| !c.is_ascii_alphanumeric() && *c != '-';
    match key.chars().find(is_odd) {
        Some(found) => Err(Fault::NotOneLine { what: format!("trailer {key:?}"), found }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
