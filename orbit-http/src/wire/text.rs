//! What the texts of users may hold.

/// How long a text may be, and whether it may have several lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    max: usize,
    lines: bool,
}

impl Rule {
    /// A username: 128 characters.
    pub(crate) const USERNAME: Self = Self::line(128);
    /// Any text with a grammar of its own, which refuses it with better words: 128 characters.
    pub(crate) const WORD: Self = Self::line(128);
    /// The name of an image: 200 characters.
    pub(crate) const NAME: Self = Self::line(200);
    /// A category, a part, a tail number, an airline, a person's name: 100 characters.
    pub(crate) const LABEL: Self = Self::line(100);
    /// A mail address: 254 characters, as SMTP has it.
    pub(crate) const EMAIL: Self = Self::line(254);
    /// A description: 5,000 characters, with line breaks and tabs.
    pub(crate) const DESCRIPTION: Self = Self { max: 5_000, lines: true };
    /// The text of a search: 200 characters.
    pub(crate) const SEARCH: Self = Self::line(200);

    const fn line(max: usize) -> Self {
        Self { max, lines: false }
    }

    /// Checks a text.
    ///
    /// # Errors
    /// What was found and what was expected.
    pub(crate) fn check(self, text: &str) -> Result<(), String> {
        let length = text.chars().count();
        if length > self.max {
            return Err(format!("has {length} characters, expected at most {}", self.max));
        }
        let may_be = |c: char| !c.is_control() || (self.lines && matches!(c, '\n' | '\r' | '\t'));
        match text.chars().find(|&c| !may_be(c)) {
            None => Ok(()),
            Some(found) => {
                Err(format!("may not hold the control character U+{:04X}", u32::from(found)))
            }
        }
    }
}

/// Returns the name of the user who acts without authentication.
pub(crate) fn username(claimed: Option<String>) -> String {
    claimed.unwrap_or_else(|| "local".to_owned())
}

/// The media types of a picture.
const PICTURES: [&str; 4] = ["image/png", "image/jpeg", "image/webp", "image/gif"];
/// The longest data URL of a picture: 512 KiB.
const MAX_PICTURE: usize = 512 * 1024;

/// Checks a picture that comes as a data URL.
///
/// # Errors
/// What was found and what was expected.
pub(crate) fn picture(url: &str) -> Result<(), String> {
    if url.len() > MAX_PICTURE {
        return Err(format!("has {} bytes, expected at most {MAX_PICTURE}", url.len()));
    }
    let parts = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    match parts {
        Some((media_type, data)) if PICTURES.contains(&media_type) && is_base64(data) => Ok(()),
        Some(_) | None => Err(
            "is not a data URL such as data:image/png;base64,…; png, jpeg, webp and gif are taken"
                .to_owned(),
        ),
    }
}

fn is_base64(data: &str) -> bool {
    let body = data.strip_suffix("==").or_else(|| data.strip_suffix('=')).unwrap_or(data);
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    !body.is_empty() && data.len().is_multiple_of(4) && body.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_no_control_character() {
        for text in ["a\nb", "a\0", "\u{85}", "\u{1b}[0m"] {
            assert!(Rule::NAME.check(text).is_err(), "{text:?}");
        }
        assert_eq!(Rule::DESCRIPTION.check("two\nlines\tand a tab"), Ok(()));
        let detail = Rule::DESCRIPTION.check("a\0").unwrap_err();
        assert_eq!(detail, "may not hold the control character U+0000");
    }

    #[test]
    fn length_counts_characters_not_bytes() {
        assert_eq!(Rule::NAME.check(&"映".repeat(200)), Ok(()));
        let detail = Rule::NAME.check(&"x".repeat(201)).unwrap_err();
        assert_eq!(detail, "has 201 characters, expected at most 200");
    }

    #[test]
    fn a_picture_is_a_base64_data_url_of_four_types() {
        for url in ["data:image/png;base64,iVBORw0KGgo=", "data:image/gif;base64,R0lGODlh"] {
            assert_eq!(picture(url), Ok(()), "{url}");
        }
        for url in [
            "",
            "https://example.com/a.png",
            "data:image/svg+xml;base64,AAAA",
            "data:image/png,AAAA",
            "data:image/png;base64,",
            "data:image/png;base64,A",
            "data:image/png;base64,<a>=",
            "data:text/html;base64,AAAA",
        ] {
            assert!(picture(url).is_err(), "{url}");
        }
        let long = format!("data:image/png;base64,{}", "A".repeat(MAX_PICTURE));
        assert!(picture(&long).unwrap_err().starts_with("has 524310 bytes"));
    }
}
