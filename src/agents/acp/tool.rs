//! What is known of one tool call, gathered from all messages about it.

use super::{shown::Shown, update::TurnEvent};
use serde_json::Value;
use std::{collections::HashSet, path::PathBuf};

/// Paths of one tool call that are known; one that names more is not looked through.
const PATHS: usize = 256;

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
    pub(super) given: Vec<PathBuf>,
    pub(super) beside: Vec<PathBuf>,
    /// It named more than are kept.
    pub(super) is_cut: bool,
    /// Where it is to happen, in its own input's words.
    pub(super) directories: Vec<PathBuf>,
    pub(super) command: Option<String>,
    pub(super) shown: Shown,
}

impl Tool {
    /// Fields that a message lacks stay as they were.
    pub(super) fn learn(&mut self, call: &Value) {
        let set = |field: &mut String, name: &str| {
            if let Some(text) = call[name].as_str() {
                text.clone_into(field);
            }
        };
        set(&mut self.id, "toolCallId");
        set(&mut self.title, "title");
        set(&mut self.kind, "kind");
        set(&mut self.status, "status");
        if let Some(locations) = call["locations"].as_array() {
            self.locations = locations
                .iter()
                .filter_map(|place| Some(place["path"].as_str()?.into()))
                .collect();
        }
        self.is_cut |= join(&mut self.beside, diffs(call).chain(self.locations.clone()));
        let input = &call["rawInput"];
        if !input.is_null() {
            // An input is whole: what an earlier one said must not decide about this one.
            self.command = command(input);
            self.given = texts(input, &FILES).collect();
            self.directories = texts(input, &DIRECTORIES).collect();
        }
        self.paths = Vec::new();
        let named = self.given.iter().chain(&self.beside);
        self.is_cut |= join(&mut self.paths, named.cloned());
        self.shown.learn(call);
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "failed")
    }

    /// It is of a kind that leaves traces.
    pub(super) fn changes(&self) -> bool {
        matches!(self.kind.as_str(), "edit" | "delete" | "move" | "execute")
    }

    pub(super) fn event(&self) -> TurnEvent {
        TurnEvent::ToolCall {
            id: self.id.clone(),
            title: self.title.clone(),
            kind: self.kind.clone(),
            status: self.status.clone(),
            locations: self.locations.clone(),
        }
    }
}

/// Paths beside `locations`: in the tool's own input, where agents have words of their own, and in diffs. What a call names anywhere counts,
/// so that a harmless location cannot stand for another file.
const FILES: [&str; 8] = [
    "path",
    "file_path",
    "filePath",
    "filepath",
    "notebook_path",
    "absolute_path",
    "old_path",
    "new_path",
];

/// Agents' words for where a command runs.
const DIRECTORIES: [&str; 9] = [
    "cwd",
    "workdir",
    "work_dir",
    "workDir",
    "directory",
    "dir",
    "working_directory",
    "workingDirectory",
    "dir_path",
];

fn texts<'a>(input: &'a Value, words: &'a [&str]) -> impl Iterator<Item = PathBuf> + 'a {
    let all = words.iter().filter_map(|word| input[word].as_str());
    all.filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn diffs(call: &Value) -> impl Iterator<Item = PathBuf> {
    let content = call["content"].as_array();
    let parts = content.map(Vec::as_slice).unwrap_or_default().iter();
    let diffs = parts.filter(|part| part["type"] == "diff");
    diffs.filter_map(|part| part["path"].as_str().map(PathBuf::from))
}

/// Adds those that are new, as long as there is room; whether there was not.
fn join(paths: &mut Vec<PathBuf>, more: impl Iterator<Item = PathBuf>) -> bool {
    let mut known: HashSet<PathBuf> = paths.iter().cloned().collect();
    for path in more {
        if known.contains(&path) {
            continue;
        }
        if paths.len() >= PATHS {
            return true;
        }
        known.insert(path.clone());
        paths.push(path);
    }
    false
}

/// A command line, or its words, with the arguments that some agents give beside it. `None` when not all of it is known.
fn command(input: &Value) -> Option<String> {
    let mut line = match &input["command"] {
        Value::String(line) => line.clone(),
        Value::Array(words) => quoted(words)?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    for name in ["args", "arguments"] {
        match &input[name] {
            Value::Null => {}
            Value::Array(words) if words.is_empty() => {}
            Value::Array(words) => line = format!("{line} {}", quoted(words)?),
            Value::String(words) => line = format!("{line} {words}"),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
        }
    }
    Some(line)
}

/// The words as one line that a shell would read as just these.
fn quoted(words: &[Value]) -> Option<String> {
    let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
    let words: Vec<_> = words?.into_iter().map(quote).collect();
    Some(words.join(" "))
}

fn quote(word: &str) -> String {
    let parts = |c: char| c.is_whitespace() || matches!(c, '\'' | '"');
    if word.is_empty() || word.contains(parts) {
        format!("'{}'", word.replace('\'', "'\"'\"'"))
    } else {
        word.to_owned()
    }
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

    #[test]
    fn a_command_is_whole_and_happens_where_it_says() {
        for (input, command) in [
            (json!({"command": ["cat", "a b"]}), Some("cat 'a b'")),
            (
                json!({"command": ["cat", "it's"]}),
                Some("cat 'it'\"'\"'s'"),
            ),
            (
                json!({"command": "cat", "args": ["/etc/x"]}),
                Some("cat /etc/x"),
            ),
            (json!({"command": "cat", "args": {"0": "x"}}), None),
            (json!({"command": ["cat", 1]}), None),
        ] {
            let tool = tool(&json!({"rawInput": input}));
            assert_eq!(tool.command.as_deref(), command, "{input}");
        }
        for word in ["cwd", "workdir", "directory", "working_directory"] {
            let tool = tool(&json!({"rawInput": {"command": "ls", word: "/etc"}}));
            assert_eq!(tool.directories, [Path::new("/etc")], "{word}");
        }
    }
}
