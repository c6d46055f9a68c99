//! What is known of one tool call, gathered from all messages about it.

use super::{
    input::{Input, PATHS, join},
    shown::Shown,
    update::TurnEvent,
};
use crate::{domain::policy::Given, stdx::text::head};
use serde_json::Value;
use std::path::PathBuf;

/// Bytes of a title, and of what is a word by the protocol.
const TITLE: usize = 4096;
const WORD: usize = 256;

/// What is known of a tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tool {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) locations: Vec<PathBuf>,
    /// All paths it names anywhere.
    pub(super) paths: Vec<PathBuf>,
    /// Those of its input, and all that stood beside one.
    pub(super) files: Vec<PathBuf>,
    pub(super) beside: Vec<PathBuf>,
    /// It named more than are kept.
    pub(super) is_cut: bool,
    /// Where it is to happen, in its own input's words.
    pub(super) directories: Vec<PathBuf>,
    pub(super) command: Option<String>,
    /// Of its input.
    pub(super) given: Given,
    /// A change, or a process, stood in what it shows.
    pub(super) acts: bool,
    pub(super) shown: Shown,
}

impl Tool {
    /// Fields that a message lacks stay as they were.
    pub(super) fn learn(&mut self, call: &Value) {
        // A line may hold megabytes of each.
        let set = |field: &mut String, name: &str, most: usize| {
            if let Some(text) = call[name].as_str() {
                head(text, most).clone_into(field);
            }
        };
        // Whole: another's that begins like it is another call.
        set(&mut self.id, "toolCallId", usize::MAX);
        set(&mut self.title, "title", TITLE);
        set(&mut self.kind, "kind", WORD);
        set(&mut self.status, "status", WORD);
        if let Some(locations) = call["locations"].as_array() {
            let paths = locations.iter();
            let paths = paths.filter_map(|place| Some(place["path"].as_str()?.into()));
            self.locations = Vec::new();
            self.is_cut |= join(&mut self.locations, paths, PATHS);
        }
        let beside = diffs(call).chain(self.locations.clone());
        self.is_cut |= join(&mut self.beside, beside, PATHS);
        self.acts |= parts(call).any(|part| part["type"] == "diff" || part["type"] == "terminal");
        let input = &call["rawInput"];
        if !input.is_null() {
            // An input is whole: what an earlier one said must not decide about this one.
            let input = Input::read(input);
            self.command = input.command;
            self.given = input.given;
            self.files = input.files;
            self.directories = input.directories;
            self.is_cut |= input.is_cut;
        }
        self.paths = Vec::new();
        let named = self.files.iter().chain(&self.beside);
        self.is_cut |= join(&mut self.paths, named.cloned(), PATHS);
        self.shown.learn(call);
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed")
    }

    /// It is of a kind that leaves traces, or shows some.
    pub(super) fn changes(&self) -> bool {
        self.acts || matches!(self.kind.as_str(), "edit" | "delete" | "move" | "execute")
    }

    /// What it shows of itself, whatever its kind says.
    pub(super) fn shows(&self) -> Given {
        if self.acts {
            self.given.max(Given::More)
        } else {
            self.given
        }
    }

    pub(super) fn event(&self) -> TurnEvent {
        TurnEvent::ToolCall {
            id: head(&self.id, WORD).to_owned(),
            title: self.title.clone(),
            kind: self.kind.clone(),
            status: self.status.clone(),
            locations: self.locations.clone(),
        }
    }
}

fn parts(call: &Value) -> impl Iterator<Item = &Value> {
    let content = call["content"].as_array();
    content.map(Vec::as_slice).unwrap_or_default().iter()
}

fn diffs(call: &Value) -> impl Iterator<Item = PathBuf> {
    let diffs = parts(call).filter(|part| part["type"] == "diff");
    diffs.filter_map(|part| part["path"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::{PATHS, Tool};
    use serde_json::{Value, json};
    use std::path::Path;

    fn tool(call: &Value) -> Tool {
        let mut tool = Tool::default();
        tool.learn(call);
        tool
    }

    #[test]
    fn all_paths_that_a_call_names_count() {
        let tool = tool(&json!({"toolCallId": "t", "locations": [{"path": "a"}],
            "rawInput": {"file_path": "/etc/b", "command": ["git", "push"]}, "content": [{"type": "diff", "path": "c"}]}));
        assert_eq!(
            tool.paths,
            [Path::new("/etc/b"), Path::new("c"), Path::new("a")]
        );
        assert_eq!(tool.command.as_deref(), Some("git push"));
    }

    #[test]
    fn of_very_many_paths_some_are_kept_and_that_is_known() {
        for (count, is_cut) in [(PATHS, false), (20_000, true)] {
            let places: Vec<_> = (0..count)
                .map(|n| json!({"path": format!("{n}")}))
                .collect();
            let tool = tool(&json!({"locations": places}));
            assert_eq!((tool.paths.len(), tool.is_cut), (PATHS, is_cut));
        }
    }

    #[test]
    fn a_new_input_takes_the_place_of_the_one_before() {
        let mut tool = tool(&json!({"kind": "execute", "locations": [{"path": "a"}],
            "rawInput": {"command": "git status", "cwd": "sub", "path": "b"}}));
        tool.learn(&json!({"status": "in_progress", "rawInput": null}));
        assert_eq!(tool.command.as_deref(), Some("git status"));
        tool.learn(&json!({"rawInput": {"script": "rm -rf ."}}));
        assert_eq!((tool.command, tool.directories.len()), (None, 0));
        assert_eq!(tool.paths, [Path::new("a")]);
    }
}
