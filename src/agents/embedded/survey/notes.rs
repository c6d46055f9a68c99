//! What authors left for later: TODO, FIXME and their kin.

use super::scan::{line_at, newlines};
use regex::bytes::Regex;
use std::sync::LazyLock;

/// Notes kept with their text; the rest is only counted.
const MAX_KEPT: usize = 200;
/// Of one file.
const MAX_OF_FILE: usize = 50;

static MARK: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(?:TODO|FIXME|HACK|XXX)\b").ok());

/// One note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Note {
    pub(in super::super) path: String,
    /// From 1.
    pub(in super::super) line: usize,
    pub(in super::super) text: String,
}

/// All notes of a project.
#[derive(Debug, Default)]
pub(in super::super) struct Notes {
    pub(in super::super) total: usize,
    pub(in super::super) kept: Vec<Note>,
}

impl Notes {
    /// Finds the notes of a file.
    pub(super) fn find(&mut self, path: &str, bytes: &[u8]) {
        let Some(mark) = MARK.as_ref() else { return };
        let (mut number, mut counted_to, mut last, mut here) = (1_usize, 0_usize, 0_usize, 0_usize);
        for find in mark.find_iter(bytes) {
            number += newlines(&bytes[counted_to..find.start()]);
            counted_to = find.start();
            if number == last || !is_note(bytes, find.start()) {
                continue;
            }
            last = number;
            self.total += 1;
            here += 1;
            if self.kept.len() < MAX_KEPT && here <= MAX_OF_FILE {
                let text = String::from_utf8_lossy(line_at(bytes, find.start())).into_owned();
                self.kept.push(Note {
                    path: path.to_owned(),
                    line: number,
                    text: super::text::plain(&text, 160),
                });
            }
        }
    }
}

/// A mark counts where a comment or a list item begins before it, not in the middle of code: this very file has the word
/// in a string.
fn is_note(bytes: &[u8], mark: usize) -> bool {
    let start = bytes[..mark]
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |at| at + 1);
    let before = String::from_utf8_lossy(&bytes[start.max(mark.saturating_sub(200))..mark]);
    let lead = before.trim();
    let comments = ["//", "#", "/*", "--", "<!--", ";", "%", "\"\"\"", "{-"];
    lead.chars().all(|c| "-*+[] \t".contains(c))
        || comments.iter().any(|open| {
            before
                .rfind(open)
                .is_some_and(|at| !before[at..].contains(['"', '\'', '`']))
        })
}

#[cfg(test)]
mod tests {
    use super::Notes;

    #[test]
    fn notes_are_found_in_comments_and_lists_not_in_code() {
        let text = "// TODO: one\nlet x = \"TODO\";\n    # FIXME two\n- TODO three\nMYTODO\nlet y = 1; // HACK four XXX\nlet z = TODO;\n<!-- TODO five -->\n * TODO six\n";
        let mut notes = Notes::default();
        notes.find("a.rs", text.as_bytes());
        let lines: Vec<usize> = notes.kept.iter().map(|note| note.line).collect();
        assert_eq!(lines, [1, 3, 4, 6, 8, 9]);
        assert_eq!(notes.total, 6);
        assert_eq!(notes.kept[0].text, "// TODO: one");
    }

    #[test]
    fn the_list_is_bounded_and_the_count_is_not() {
        let mut notes = Notes::default();
        for _ in 0..10 {
            notes.find("a", "# TODO x\n".repeat(100).as_bytes());
        }
        assert_eq!((notes.total, notes.kept.len()), (1000, 200));
    }
}
