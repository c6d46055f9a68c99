//! `codex exec --json`.

use super::{Heard, Trouble, list, plan, said, session, text, thought, tool};
use crate::domain::usage::Usage;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(in crate::agents::cli) struct Reader;

impl Reader {
    #[allow(clippy::unused_self, reason = "all readers are called alike")]
    pub(super) fn read(&mut self, line: &Value) -> Vec<Heard> {
        match text(&line["type"]) {
            "thread.started" => session(&line["thread_id"]).into_iter().collect(),
            "item.started" | "item.updated" | "item.completed" => {
                item(&line["item"], line["type"] == "item.completed")
                    .into_iter()
                    .collect()
            }
            "turn.completed" => vec![
                Heard::Usage(usage(&line["usage"])),
                Heard::Ended {
                    stop_reason: "end_turn".to_owned(),
                    answer: None,
                },
            ],
            "turn.failed" => vec![Heard::Failed(trouble(&line["error"]))],
            // It tries again, and says `turn.failed` when it gives up.
            "error" => vec![Heard::Trouble(trouble(line))],
            _ => Vec::new(),
        }
    }
}

fn item(item: &Value, done: bool) -> Option<Heard> {
    let id = text(&item["id"]);
    match text(&item["type"]) {
        // Only what is complete is said: an update repeats what came before.
        "agent_message" if done => Some(said(text(&item["text"]), Some(id))),
        "reasoning" if done => Some(thought(text(&item["text"]))),
        "command_execution" => {
            let command = text(&item["command"]);
            let input = json!({"command": command});
            Some(tool::call(id, command, "execute", status(item), &input))
        }
        "file_change" => {
            let paths: Vec<&str> = list(&item["changes"])
                .iter()
                .map(|change| text(&change["path"]))
                .collect();
            let title = format!("edit {}", paths.join(", "));
            let input = json!({"paths": paths});
            Some(tool::call(id, &title, "edit", status(item), &input))
        }
        "mcp_tool_call" => {
            let title = format!("{}.{}", text(&item["server"]), text(&item["tool"]));
            Some(tool::call(
                id,
                &title,
                "other",
                status(item),
                &item["arguments"],
            ))
        }
        "web_search" => {
            let title = format!("search {}", text(&item["query"]));
            let status = if done { "completed" } else { "in_progress" };
            Some(tool::call(id, &title, "fetch", status, &Value::Null))
        }
        "todo_list" => {
            let steps: Vec<Value> = list(&item["items"]).iter().map(step).collect();
            Some(plan(&steps))
        }
        _ => None,
    }
}

fn step(step: &Value) -> Value {
    let status = if step["completed"] == true {
        "completed"
    } else {
        "pending"
    };
    json!({"content": step["text"], "status": status})
}

fn status(item: &Value) -> &'static str {
    match text(&item["status"]) {
        "completed" => "completed",
        "failed" | "declined" => "failed",
        _ => "in_progress",
    }
}

fn trouble(error: &Value) -> Trouble {
    Trouble::new(text(&error["message"]), error.clone())
}

fn usage(tokens: &Value) -> Usage {
    let count = |name: &str| tokens[name].as_u64();
    let (input, output) = (count("input_tokens"), count("output_tokens"));
    Usage {
        input_tokens: input,
        output_tokens: output,
        total_tokens: input.zip(output).map(|(input, output)| input + output),
        cost_usd: None,
    }
}
