//! How the text of a command becomes its list of words.

use std::str::Chars;

use serde_json::Value;

use super::form::FormFault;

/// Returns the words of a command.
///
/// A JSON list of texts is taken as it is. Any other text is split as a POSIX shell splits words:
/// at blanks, with `'…'`, `"…"` and `\`. Nothing is expanded, and `|`, `>`, `;`, `#` mean
/// themselves, because no shell will run.
///
/// # Errors
/// [`FormFault::OpenQuote`] and [`FormFault::NotTexts`].
pub(super) fn words(text: &str) -> Result<Vec<String>, FormFault> {
    match serde_json::from_str::<Vec<Value>>(text) {
        Ok(items) => items.into_iter().map(word).collect(),
        Err(_) => split(text),
    }
}

fn word(item: Value) -> Result<String, FormFault> {
    let Value::String(text) = item else {
        return Err(FormFault::NotTexts);
    };
    Ok(text)
}

fn split(text: &str) -> Result<Vec<String>, FormFault> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' => single(&mut rest, word.get_or_insert_default())?,
            '"' => double(&mut rest, word.get_or_insert_default())?,
            '\\' => match rest.next().ok_or(FormFault::OpenQuote { quote: '\\' })? {
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single(rest: &mut Chars<'_>, word: &mut String) -> Result<(), FormFault> {
    loop {
        match rest.next().ok_or(FormFault::OpenQuote { quote: '\'' })? {
            '\'' => return Ok(()),
            letter => word.push(letter),
        }
    }
}

/// A backslash in double quotes escapes only what would have a meaning there.
fn double(rest: &mut Chars<'_>, word: &mut String) -> Result<(), FormFault> {
    let open = || FormFault::OpenQuote { quote: '"' };
    loop {
        match rest.next().ok_or_else(open)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or_else(open)? {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            letter => word.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn text_is_split_as_a_shell_splits_it() {
        let cases: [(&str, &[&str]); 9] = [
            ("", &[]),
            (" \t\n", &[]),
            ("/app/run.sh", &["/app/run.sh"]),
            ("sh -c 'echo \"$HOME\" # x'", &["sh", "-c", "echo \"$HOME\" # x"]),
            (r#"a"b c"'d e'\ f"#, &["ab cd e f"]),
            (r#""\$\"\\\n""#, &[r#"$"\\n"#]),
            ("'' \"\"", &["", ""]),
            ("a\\\nb", &["ab"]),
            ("[ -f /x ]", &["[", "-f", "/x", "]"]),
        ];
        for (text, expected) in cases {
            assert_eq!(words(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn a_json_list_is_taken_as_it_is() {
        assert_eq!(words(r#" ["sh", "-c", "a 'b"] "#).unwrap(), ["sh", "-c", "a 'b"]);
        assert_eq!(words(r#"["sleep", 5]"#), Err(FormFault::NotTexts));
    }

    #[test]
    fn an_open_quote_is_refused_by_name() {
        for (text, quote) in [("a 'b", '\''), ("\"a", '"'), ("\"a\\", '"'), ("a\\", '\\')] {
            assert_eq!(words(text), Err(FormFault::OpenQuote { quote }), "{text}");
        }
    }

    proptest! {
        #[test]
        fn quoted_words_come_back_whole(list in proptest::collection::vec(any::<String>(), 0..5)) {
            let quoted: Vec<_> =
                list.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
            prop_assert_eq!(words(&quoted.join(" ")).unwrap(), list);
        }
    }
}
