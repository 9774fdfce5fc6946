//! The index of the text search: of each character of an image's text, the bytes that follow it.
//!
//! A text of up to [`LENGTH`] bytes occurs in the images that have a piece which begins with it, so one
//! range of the index answers it, however short it is. Of a longer text every part of [`LENGTH`] bytes
//! is a piece of each image that holds it; the part that the fewest images have leads to few that must
//! be looked at.
//!
//! The full-text indexes of the servers were no way to it. They have no portable parser for parts of
//! words, and with trigrams that are coded as words they collect every match before they return the
//! first: with 200,000 images 50 ms to 2 s where a range of pieces takes 0.2 to 6 ms, for a seventh of
//! the disk.

use std::collections::BTreeSet;

use sqlx::{MySql, QueryBuilder};

/// The bytes of a piece: long enough that few images share one of an average text, and a fifth of a
/// UID, so that pieces of UIDs are all but unique.
const LENGTH: usize = 12;
/// How many parts of a long text are looked at. Each costs less than a millisecond.
const MAX_PARTS: usize = 8;
/// How many pieces are written by one statement.
const BATCH: usize = 1_000;

/// A text that is searched for, or a part of it, as bytes that pieces have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part<'a>(&'a [u8]);

impl Part<'_> {
    /// Says whether images have it exactly if they have the text.
    pub(super) const fn is_whole(self, text: &str) -> bool {
        self.0.len() == text.len()
    }

    /// Says whether an image may have several pieces that begin with it.
    pub(super) const fn repeats(self) -> bool {
        self.0.len() < LENGTH
    }

    /// Goes on with the condition that a piece begins with the part.
    pub(super) fn push(self, sql: &mut QueryBuilder<MySql>) {
        if !self.repeats() {
            sql.push("piece = ").push_bind(self.0.to_vec());
            return;
        }
        let mut end = self.0.to_vec();
        // The last byte of a character is below 0xFF, so it has a next one.
        if let Some(last) = end.last_mut() {
            *last = last.saturating_add(1);
        }
        sql.push("piece >= ").push_bind(self.0.to_vec()).push(" AND piece < ").push_bind(end);
    }
}

/// Returns the parts of a text that is searched for, which is not empty.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let bytes = text.as_bytes();
    if bytes.len() <= LENGTH {
        return vec![Part(bytes)];
    }
    let mut parts: Vec<&[u8]> = Vec::new();
    let mut next = 0;
    for (start, _) in text.char_indices() {
        let part = bytes.get(start..).and_then(|rest| rest.get(..LENGTH));
        let Some(part) = part else { break };
        if start >= next && parts.len() < MAX_PARTS {
            parts.push(part);
            next = start + LENGTH;
        }
    }
    // The end of a text often tells more than its beginning.
    parts.extend(pieces(text).filter(|piece| piece.len() == LENGTH).last());
    parts.dedup();
    parts.into_iter().map(Part).collect()
}

/// Returns which pieces a text has.
pub(super) fn of(text: &str) -> BTreeSet<&[u8]> {
    pieces(text).collect()
}

fn pieces(text: &str) -> impl Iterator<Item = &[u8]> {
    text.char_indices().filter_map(|(start, _)| {
        let rest = text.as_bytes().get(start..)?;
        Some(rest.get(..LENGTH).unwrap_or(rest))
    })
}

/// Returns the statements that add pieces to an image.
pub(super) fn add(id: u32, pieces: &BTreeSet<&[u8]>) -> Vec<QueryBuilder<MySql>> {
    batches(pieces, |batch| {
        let mut sql = QueryBuilder::new("INSERT INTO image_pieces (piece, id) ");
        sql.push_values(batch, |mut row, piece| {
            row.push_bind(piece.to_vec()).push_bind(id);
        });
        sql
    })
}

/// Returns the statements that take pieces from an image.
pub(super) fn remove(id: u32, pieces: &BTreeSet<&[u8]>) -> Vec<QueryBuilder<MySql>> {
    batches(pieces, |batch| {
        let mut sql =
            QueryBuilder::new("DELETE p FROM image_pieces p FORCE INDEX (PRIMARY) WHERE id = ");
        sql.push_bind(id).push(" AND piece IN (");
        let mut list = sql.separated(", ");
        for piece in batch {
            list.push_bind(piece.to_vec());
        }
        list.push_unseparated(")");
        sql
    })
}

/// In ascending order, so that two writers who wait for each other's locks are rare.
fn batches(
    pieces: &BTreeSet<&[u8]>,
    statement: impl Fn(&[&[u8]]) -> QueryBuilder<MySql>,
) -> Vec<QueryBuilder<MySql>> {
    let pieces: Vec<&[u8]> = pieces.iter().copied().collect();
    pieces.chunks(BATCH).map(statement).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<&'a str> {
        pieces.into_iter().map(|piece| str::from_utf8(piece).unwrap()).collect()
    }

    #[test]
    fn a_short_text_is_its_only_part() {
        for text in ["a", "ab", "exactly 12 b", "é"] {
            let parts = parts(text);
            assert_eq!(parts, [Part(text.as_bytes())]);
            assert!(parts[0].is_whole(text));
        }
    }

    #[test]
    fn the_parts_of_a_long_text_are_pieces_of_what_holds_it() {
        for text in [
            "thirteen byte".to_owned(),
            "a text that is a good deal longer than a piece".to_owned(),
            "ÜBER den Wölken, ünd dann".to_owned(),
            "日本語のテキスト、日本語".to_owned(),
            "long ".repeat(40),
        ] {
            let holder = format!("before {text} after");
            let pieces = of(&holder);
            let parts = parts(&text);
            assert!((1..=MAX_PARTS + 1).contains(&parts.len()), "{text}");
            for part in parts {
                assert!(pieces.contains(part.0) && !part.repeats(), "{text}");
            }
        }
    }

    #[test]
    fn a_text_has_a_piece_at_each_of_its_characters() {
        assert_eq!(texts(of("née")), ["e", "née", "ée"]);
        assert_eq!(texts(of("aaaa")), ["a", "aa", "aaa", "aaaa"]);
        assert_eq!(of(&"x".repeat(5_000)).len(), LENGTH);
    }
}
