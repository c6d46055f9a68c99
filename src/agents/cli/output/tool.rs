//! A tool call of a CLI as an update: what its name says of its kind.

use super::Heard;
use serde_json::{Value, json};

/// A call that has begun. Whether it is allowed the program decides later, and says so if it was not.
pub(super) fn begun(id: &str, name: &str, input: &Value) -> Heard {
    Heard::Update(json!({
        "sessionUpdate": "tool_call",
        "toolCallId": id,
        "title": title(name, input),
        "kind": kind(name),
        "status": "in_progress",
        "rawInput": input,
    }))
}

/// How a call ended.
pub(super) fn done(id: &str, failed: bool) -> Heard {
    let status = if failed { "failed" } else { "completed" };
    Heard::Update(json!({"sessionUpdate": "tool_call_update", "toolCallId": id, "status": status}))
}

/// A call under another title, or of which the kind is known.
pub(super) fn call(id: &str, title: &str, kind: &str, status: &str, input: &Value) -> Heard {
    Heard::Update(json!({
        "sessionUpdate": "tool_call",
        "toolCallId": id,
        "title": title,
        "kind": kind,
        "status": status,
        "rawInput": input,
    }))
}

/// The protocol's word for a tool of this name. One that nobody knows is `other`: it may be anything, and says nothing of a change.
pub(super) fn kind(name: &str) -> &'static str {
    match name.to_ascii_lowercase().as_str() {
        "read" | "read_file" | "read_many_files" | "notebookread" | "view" => "read",
        "glob"
        | "grep"
        | "ls"
        | "list"
        | "search_file_content"
        | "grep_search"
        | "list_directory"
        | "codesearch"
        | "toolsearch"
        | "lsp" => "search",
        "edit" | "write" | "multiedit" | "notebookedit" | "patch" | "apply_patch" | "replace"
        | "write_file" | "enterworktree" => "edit",
        "bash" | "run_shell_command" | "shell" | "exec_command" | "monitor" | "workflow" => {
            "execute"
        }
        "webfetch" | "websearch" | "web_fetch" | "google_web_search" => "fetch",
        _ => "other",
    }
}

/// What it does, in a line: the command, or the tool and what it is put to.
fn title(name: &str, input: &Value) -> String {
    let word = |names: &[&str]| {
        let found = names.iter().find_map(|name| input[*name].as_str());
        found.filter(|text| !text.is_empty())
    };
    if let Some(command) = word(&["command", "cmd"]) {
        return command.to_owned();
    }
    match word(&[
        "file_path",
        "filePath",
        "path",
        "absolute_path",
        "pattern",
        "query",
        "url",
        "description",
    ]) {
        Some(about) => format!("{name} {about}"),
        None => name.to_owned(),
    }
}
