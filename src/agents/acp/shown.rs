//! What of a tool call a person is shown before deciding about it, in short.

use crate::{agents::pool::Digest, stdx::text::head};
use serde_json::Value;
use std::fmt::Write as _;

/// Of the agent's own text, and of a tool's input.
const PART: usize = 1024;
/// Diffs that are counted.
const DIFFS: usize = 20;

/// Gathered from all messages about a tool call; never holds what is large.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    diffs: Vec<Diff>,
    /// What the agent wrote for the person to read.
    text: String,
    /// The tool's input as JSON, where it has one.
    input: String,
    /// Of all that was said of input and content.
    digests: [String; 2],
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Diff {
    path: String,
    added: usize,
    removed: usize,
}

impl Shown {
    /// Fields that a message lacks stay as they were.
    pub(super) fn learn(&mut self, call: &Value) {
        let input = &call["rawInput"];
        if !input.is_null() {
            let whole = input.to_string();
            self.digests[0] = Digest::of([whole.as_str()]).hex();
            head(&whole, PART).clone_into(&mut self.input);
        }
        if let Some(parts) = call["content"].as_array() {
            self.digests[1] = Digest::of([call["content"].to_string().as_str()]).hex();
            let diffs = parts.iter().filter(|part| part["type"] == "diff");
            self.diffs = diffs.take(DIFFS).map(Diff::of).collect();
            let texts = parts
                .iter()
                .filter_map(|part| part["content"]["text"].as_str());
            let whole: Vec<_> = texts.map(|text| head(text, PART)).take(DIFFS).collect();
            head(&whole.join("\n"), PART).clone_into(&mut self.text);
        }
    }

    /// What is to be changed or given, for a person. The input only where nothing says it better.
    pub(super) fn words(&self, with_input: bool) -> String {
        let mut words = String::new();
        for Diff {
            path,
            added,
            removed,
        } in &self.diffs
        {
            writeln!(words, "{path}: +{added} -{removed} lines").ok();
        }
        for part in [
            self.text.as_str(),
            if with_input { &self.input } else { "" },
        ] {
            if !part.is_empty() {
                writeln!(words, "{part}").ok();
            }
        }
        words
    }

    /// Tells what is asked from anything else that is asked in the same title.
    pub(super) fn digest(&self) -> String {
        self.digests.join(" ")
    }
}

impl Diff {
    fn of(part: &Value) -> Self {
        let lines = |name: &str| -> Vec<&str> {
            part[name]
                .as_str()
                .map(|text| text.lines().collect())
                .unwrap_or_default()
        };
        let (old, new) = (lines("oldText"), lines("newText"));
        let same = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let (old, new) = (&old[same..], &new[same..]);
        let ends = old.iter().rev().zip(new.iter().rev());
        let same = ends.take_while(|(a, b)| a == b).count();
        Self {
            path: part["path"].as_str().unwrap_or_default().to_owned(),
            added: new.len() - same,
            removed: old.len() - same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shown;
    use serde_json::json;

    #[test]
    fn a_change_is_shown_in_lines_and_input_where_nothing_else_says_it() {
        let mut shown = Shown::default();
        shown.learn(&json!({"rawInput": {"x": 1}}));
        assert_eq!(shown.words(true), "{\"x\":1}\n");
        let before = shown.digest();
        shown.learn(&json!({"content": [
            {"type": "diff", "path": "a.rs", "oldText": "a\nb\nc", "newText": "a\nX\nY\nc"},
            {"type": "content", "content": {"type": "text", "text": "why"}},
        ]}));
        assert_eq!(shown.words(false), "a.rs: +2 -1 lines\nwhy\n");
        assert_ne!(shown.digest(), before);
    }
}
