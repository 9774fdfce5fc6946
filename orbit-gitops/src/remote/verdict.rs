//! What a server's answer to a push means.

use orbit_core::list::is_hidden;

/// The longest text of a server that is passed on, in characters.
const MAX_TEXT: usize = 500;

/// What the server did with a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Status {
    /// The branch has it.
    Taken,
    /// The branch was somewhere else than the push said.
    Moved,
    /// Somebody else held the branch.
    Locked,
    /// The server does not want it, and will not want it later: what it said.
    Refused(String),
    /// The server could not: what it said.
    Failed(String),
}

/// What a server says when the branch is not where the push has it. GitLab's Gitaly compares with
/// the advertised value in words of its own.
const MOVED: [&str; 8] = [
    "non-fast-forward",
    "fetch first",
    "stale info",
    "incorrect old value provided",
    "reference already exists",
    "but expected",
    "remote ref changed",
    "reference update was rejected by concurrent",
];

/// What a server says when it could not lock the branch.
const LOCKED: [&str; 5] = [
    "cannot lock ref",
    "failed to update ref",
    "failed to lock",
    "unable to lock",
    "reference is already locked",
];

/// What a server says when rules of the repository or of whoever runs it forbid the push.
const REFUSED: [&str; 8] = [
    "declined",
    "protected branch",
    "prohibited",
    "not allowed",
    "denied",
    "deny",
    "refus",
    "forbidden",
];

/// Classifies the status that a server reports of the branch: `None` is success.
///
/// `said` is what it wrote for people, in the lines that git prefixes by `remote:`. What is in no
/// list may pass: an action must not be lost to a word that nobody foresaw.
pub(crate) fn classify(status: Option<&str>, said: &str) -> Status {
    let Some(status) = status else { return Status::Taken };
    let lower = status.to_ascii_lowercase();
    let is_one_of = |list: &[&str]| list.iter().any(|word| lower.contains(word));
    let text =
        || if said.is_empty() { clean(status) } else { format!("{said} ({})", clean(status)) };
    if is_one_of(&MOVED) {
        Status::Moved
    } else if is_one_of(&LOCKED) {
        Status::Locked
    } else if is_one_of(&REFUSED) {
        Status::Refused(text())
    } else {
        Status::Failed(text())
    }
}

/// Tells whether a refusal is about the branch, so that no other commit would fare better.
pub(crate) fn is_about_branch(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["protected branch", "read-only", "archived", "push code to this project"]
        .iter()
        .any(|word| lower.contains(word))
}

/// Returns what a server said for people as one line without anything that moves a cursor, hides
/// text or draws frames, cut to a length that can be shown.
pub(crate) fn clean(text: &str) -> String {
    let plain = without_escapes(text);
    let words = plain.split_whitespace().filter(|word| word.contains(char::is_alphanumeric));
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{} …", line.get(..end).unwrap_or_default().trim_end()),
        None => line,
    }
}

/// Takes out the sequences that begin with an escape, and whatever is no text of a line.
fn without_escapes(text: &str) -> String {
    let mut letters = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => {
                // `ESC [ … letter` colours and moves; of any other sequence one letter is taken.
                if letters.next() == Some('[') {
                    letters.find(char::is_ascii_alphabetic);
                }
            }
            '\n' | '\r' | '\t' => plain.push(' '),
            _ if is_hidden(letter) => {}
            _ => plain.push(letter),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
