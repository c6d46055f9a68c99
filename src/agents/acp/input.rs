//! The input of a tool call, in agents' own words: what it names, what it runs, and whether all of it is understood.

use crate::domain::policy::Given;
use serde_json::{Map, Value};
use std::{borrow::Cow, collections::HashSet, path::PathBuf};

/// Paths of one tool call that are known; one that names more is not looked through.
pub(super) const PATHS: usize = 256;
/// Bytes of one, as the kernel counts; a longer one names nothing.
const PATH: usize = 4096;
/// Directories likewise; each path may lie in any of them.
const PLACES: usize = 16;

/// Paths beside `locations`. What a call names anywhere counts, so that a harmless location cannot stand for another file.
const FILES: [&str; 12] = [
    "path",
    "paths",
    "file",
    "files",
    "file_path",
    "file_paths",
    "filePath",
    "filepath",
    "notebook_path",
    "absolute_path",
    "old_path",
    "new_path",
];
/// Where a command runs, or a search begins.
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
/// What files are to match: paths too, once a shell's stars are taken for what they stand for.
const PATTERNS: [&str; 8] = [
    "pattern", "glob", "globs", "include", "includes", "exclude", "excludes", "ignore",
];
/// A command line, or its words.
const COMMANDS: [&str; 4] = ["command", "cmd", "command_line", "commandLine"];
const ARGUMENTS: [&str; 2] = ["args", "arguments"];
/// What runs otherwise, or makes a command another one than it seems.
const RUNS: [&str; 15] = [
    "script",
    "code",
    "shell",
    "argv",
    "program",
    "executable",
    "exec",
    "run",
    "bash",
    "env",
    "environment",
    "stdin",
    "input",
    "expression",
    "interpreter",
];
/// Some editors are told in a word what to do with a path.
const EDITS: [&str; 6] = [
    "view",
    "create",
    "str_replace",
    "insert",
    "undo_edit",
    "write",
];
/// How much is to be read, what is searched for, what is planned: nothing that could change anything.
#[rustfmt::skip]
const LOOKS: &[&str] = &[
    "offset", "limit", "line", "lines", "start", "end", "start_line", "end_line", "startLine", "endLine", "view_range", "range", "encoding",
    "page", "pages", "head", "tail", "count", "recursive", "depth", "max_depth", "maxDepth", "max_results", "maxResults", "head_limit", "query",
    "regex", "type", "types", "file_type", "output_mode", "-A", "-B", "-C", "-n", "-i", "-o", "context", "before", "after", "multiline",
    "case_sensitive", "caseSensitive", "respect_git_ignore", "respectGitIgnore", "file_filtering_options", "hidden", "description", "reason",
    "explanation", "thought", "thoughts", "todos", "plan", "prompt", "subagent_type", "subject", "activeForm", "status", "taskId", "task_id",
    "model", "title",
];

/// What an input comes to.
#[derive(Debug, Default)]
pub(super) struct Input {
    pub(super) files: Vec<PathBuf>,
    pub(super) directories: Vec<PathBuf>,
    /// It named more than are kept.
    pub(super) is_cut: bool,
    /// `None` when there is none, or not all of it is known.
    pub(super) command: Option<String>,
    pub(super) given: Given,
}

impl Input {
    /// Some agents write theirs as JSON in a string.
    pub(super) fn read(raw: &Value) -> Self {
        let whole: Cow<'_, Value> = match raw {
            Value::String(text) => {
                serde_json::from_str(text).map_or(Cow::Borrowed(raw), Cow::Owned)
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => Cow::Borrowed(raw),
        };
        let Some(fields) = whole.as_object() else {
            return Self {
                given: Given::More,
                ..Self::default()
            };
        };
        let mut input = Self::default();
        let edits = edits(fields);
        for (key, value) in fields {
            if !(is_empty(value) || edits && COMMANDS.contains(&key.as_str())) {
                let given = input.learn(key, value);
                input.given = input.given.max(given);
            }
        }
        if edits && fields["command"] != "view" {
            input.given = input.given.max(Given::More);
        }
        if input.given == Given::Runs {
            input.command = command(fields);
        }
        input
    }

    fn learn(&mut self, key: &str, value: &Value) -> Given {
        if FILES.contains(&key) {
            return self.take(value, PATHS, |input| &mut input.files);
        }
        if DIRECTORIES.contains(&key) {
            return self.take(value, PLACES, |input| &mut input.directories);
        }
        if PATTERNS.contains(&key) {
            let Some(texts) = texts(value) else {
                return Given::More;
            };
            // Without a slash it stays where it is.
            let lead = texts.into_iter().filter(|text| text.contains(['/', '~']));
            self.is_cut |= join(&mut self.files, lead.map(PathBuf::from), PATHS);
            return Given::Looks;
        }
        let runs = [&COMMANDS[..], &ARGUMENTS, &RUNS].concat();
        if runs.contains(&key) {
            return Given::Runs;
        }
        if LOOKS.contains(&key) {
            return Given::Looks;
        }
        Given::More
    }

    fn take(
        &mut self,
        value: &Value,
        most: usize,
        field: fn(&mut Self) -> &mut Vec<PathBuf>,
    ) -> Given {
        let Some(texts) = texts(value) else {
            return Given::More;
        };
        let texts = texts.into_iter().filter(|text| !text.is_empty());
        self.is_cut |= join(field(self), texts.map(PathBuf::from), most);
        Given::Looks
    }
}

/// A text, or a list of nothing but texts.
fn texts(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(text) => Some(vec![text]),
        Value::Array(all) => all.iter().map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Its command is a word for an editor, with a path to edit.
fn edits(fields: &Map<String, Value>) -> bool {
    let word = fields.get("command").and_then(Value::as_str);
    let others = COMMANDS.iter().skip(1);
    word.is_some_and(|word| EDITS.contains(&word))
        && FILES.iter().any(|key| fields.contains_key(*key))
        && !others
            .chain(&ARGUMENTS)
            .any(|key| fields.contains_key(*key))
}

/// Adds those that are new, as long as there is room; whether there was not, or one is too long to be a path.
pub(super) fn join(
    paths: &mut Vec<PathBuf>,
    more: impl Iterator<Item = PathBuf>,
    most: usize,
) -> bool {
    let mut known: HashSet<PathBuf> = paths.iter().cloned().collect();
    let mut is_cut = false;
    for path in more {
        if path.as_os_str().len() > PATH {
            is_cut = true;
            continue;
        }
        if known.contains(&path) {
            continue;
        }
        if paths.len() >= most {
            return true;
        }
        known.insert(path.clone());
        paths.push(path);
    }
    is_cut
}

/// A command line, or its words, with the arguments that some agents give beside it. `None` when not all of it is known.
fn command(fields: &Map<String, Value>) -> Option<String> {
    let there = |key: &&str| fields.get(*key).filter(|value| !is_empty(value));
    if RUNS.iter().any(|key| there(key).is_some()) {
        return None;
    }
    let mut lines = COMMANDS.iter().filter_map(&there);
    let (line, None) = (lines.next()?, lines.next()) else {
        return None;
    };
    let mut line = match line {
        Value::String(line) => line.clone(),
        Value::Array(words) => quoted(words)?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    for arguments in ARGUMENTS.iter().filter_map(there) {
        match arguments {
            Value::Array(words) => line = format!("{line} {}", quoted(words)?),
            Value::String(words) => line = format!("{line} {words}"),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
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
    use super::Input;
    use crate::domain::policy::Given;
    use serde_json::json;
    use std::path::Path;

    #[test]
    fn what_agents_give_is_told_apart() {
        for (raw, given) in [
            (json!({}), Given::Nothing),
            (
                json!({"path": "a", "offset": 1, "limit": null}),
                Given::Looks,
            ),
            (json!({"pattern": "**/*.rs"}), Given::Looks),
            (
                json!({"paths": ["a", "b"], "include": ["*.md"]}),
                Given::Looks,
            ),
            (json!({"todos": [{"content": "x"}]}), Given::Looks),
            (
                json!({"prompt": "look", "subagent_type": "x"}),
                Given::Looks,
            ),
            (json!({"command": "view", "path": "a"}), Given::Looks),
            (json!("{\"path\": \"a\"}"), Given::Looks),
            (json!({"command": "create", "path": "a"}), Given::More),
            (json!({"path": "a", "content": "x"}), Given::More),
            (json!({"path": {"a": 1}}), Given::More),
            (json!({"fact": "x"}), Given::More),
            (json!({"url": "https://example.org"}), Given::More),
            (json!("rm x"), Given::More),
            (json!(["rm", "x"]), Given::More),
            (json!({"path": "a", "command": "rm a"}), Given::Runs),
            (json!({"command": "create"}), Given::Runs),
            (
                json!({"command": "view", "args": ["x"], "path": "a"}),
                Given::Runs,
            ),
            (json!({"cmd": ["rm", "a"]}), Given::Runs),
            (json!({"path": "a", "script": "x"}), Given::Runs),
            (json!("{\"cmd\": \"rm a\"}"), Given::Runs),
        ] {
            assert_eq!(Input::read(&raw).given, given, "{raw}");
        }
    }

    #[test]
    fn a_pattern_that_leads_somewhere_is_a_path() {
        let input = Input::read(&json!({"pattern": "/etc/*", "path": "a", "glob": "*.rs"}));
        let files: Vec<_> = input.files.iter().map(|file| file.to_str()).collect();
        assert_eq!(files.len(), 2, "{files:?}");
        assert!(files.contains(&Some("/etc/*")));
    }

    #[test]
    fn of_many_paths_none_is_lost_unnoticed() {
        let mut same = vec!["a"; 1000];
        same.push("/etc/x");
        let input = Input::read(&json!({ "paths": same }));
        assert_eq!((input.files.len(), input.is_cut), (2, false));
        let many: Vec<_> = (0..1000).map(|n| n.to_string()).collect();
        assert!(Input::read(&json!({"paths": many})).is_cut);
        assert!(Input::read(&json!({"cwd": many})).is_cut);
    }

    #[test]
    fn a_command_is_whole_and_happens_where_it_says() {
        for (raw, command) in [
            (json!({"command": ["cat", "a b"]}), Some("cat 'a b'")),
            (
                json!({"command": ["cat", "it's"]}),
                Some("cat 'it'\"'\"'s'"),
            ),
            (
                json!({"command": "cat", "args": ["/etc/x"]}),
                Some("cat /etc/x"),
            ),
            (json!({"cmd": "cat x", "env": {}}), Some("cat x")),
            (json!({"command": "cat", "args": {"0": "x"}}), None),
            (json!({"command": ["cat", 1]}), None),
            (json!({"command": "cat x", "cmd": "rm x"}), None),
            (json!({"command": "cat x", "stdin": "x"}), None),
            (json!({"command": "git log", "env": {"PAGER": "x"}}), None),
            (json!({"command": "git log", "shell": "./x"}), None),
        ] {
            assert_eq!(Input::read(&raw).command.as_deref(), command, "{raw}");
        }
        for word in ["cwd", "workdir", "directory", "working_directory"] {
            let input = Input::read(&json!({"command": "ls", word: "/etc"}));
            assert_eq!(input.directories, [Path::new("/etc")], "{word}");
        }
    }
}
