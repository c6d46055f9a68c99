//! `claude --print --verbose --output-format stream-json`.

use super::{Heard, Trouble, list, plan, said, session, text, thought, tool};
use crate::domain::usage::Usage;
use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(in crate::agents::cli) struct Reader {
    /// What it says of an answer that the model did not give.
    trouble: Option<String>,
}

impl Reader {
    pub(super) fn read(&mut self, line: &Value) -> Vec<Heard> {
        match text(&line["type"]) {
            "system" => system(line),
            "assistant" => self.assistant(line),
            "user" => results(&line["message"]),
            "result" => self.result(line),
            _ => Vec::new(),
        }
    }

    fn assistant(&mut self, line: &Value) -> Vec<Heard> {
        let message = &line["message"];
        if let Some(trouble) = line["error"].as_str() {
            // What stands in it is an error message, not an answer; the result repeats it.
            self.trouble = Some(trouble.to_owned());
            return Vec::new();
        }
        // What a subagent says is said to the agent.
        let own = line["parent_tool_use_id"].is_null();
        let blocks = list(&message["content"]).iter();
        blocks
            .filter_map(|block| match text(&block["type"]) {
                "text" if own => Some(said(text(&block["text"]), message["id"].as_str())),
                "thinking" if own => Some(thought(text(&block["thinking"]))),
                "tool_use" if block["name"] == "TodoWrite" => Some(todo(&block["input"])),
                "tool_use" => Some(tool::begun(
                    text(&block["id"]),
                    text(&block["name"]),
                    &block["input"],
                )),
                _ => None,
            })
            .collect()
    }

    fn result(&mut self, line: &Value) -> Vec<Heard> {
        let mut heard = vec![Heard::Usage(usage(line))];
        let answer = line["result"].as_str();
        if line["is_error"] == true || text(&line["subtype"]).starts_with("error") {
            let errors: Vec<&str> = list(&line["errors"]).iter().map(text).collect();
            let message = match (answer, errors.as_slice()) {
                (Some(answer), []) => answer.to_owned(),
                (_, errors) => errors.join("; "),
            };
            if line["subtype"] == "error_max_turns" {
                heard.push(ended("max_turn_requests", None));
                return heard;
            }
            let data = json!({
                "status": line["api_error_status"],
                "error": self.trouble.take(),
                "subtype": line["subtype"],
            });
            heard.push(Heard::Failed(Trouble::new(message, data)));
            return heard;
        }
        let stop = match text(&line["stop_reason"]) {
            "" | "end_turn" | "stop_sequence" | "tool_use" => "end_turn",
            word => word,
        };
        heard.push(ended(stop, answer));
        heard
    }
}

fn ended(stop_reason: &str, answer: Option<&str>) -> Heard {
    Heard::Ended {
        stop_reason: stop_reason.to_owned(),
        answer: answer.map(str::to_owned),
    }
}

fn system(line: &Value) -> Vec<Heard> {
    let heard = match text(&line["subtype"]) {
        "init" => session(&line["session_id"]),
        "permission_denied" => Some(Heard::Denied {
            id: text(&line["tool_use_id"]).to_owned(),
        }),
        _ => None,
    };
    heard.into_iter().collect()
}

fn results(message: &Value) -> Vec<Heard> {
    let results = list(&message["content"]).iter();
    results
        .filter(|block| block["type"] == "tool_result")
        .map(|block| tool::done(text(&block["tool_use_id"]), block["is_error"] == true))
        .collect()
}

fn todo(input: &Value) -> Heard {
    let entries = list(&input["todos"]).iter();
    let entry = |todo: &Value| json!({"content": todo["content"], "status": todo["status"]});
    plan(&entries.map(entry).collect::<Vec<_>>())
}

/// Its tokens are those of this process. Its cost is that of the whole conversation, unless it also says what came since.
fn usage(line: &Value) -> Usage {
    let tokens = &line["usage"];
    let count = |name: &str| tokens[name].as_u64();
    let caches = ["cache_creation_input_tokens", "cache_read_input_tokens"];
    let cached: u64 = caches.iter().filter_map(|name| count(name)).sum();
    let (input, output) = (count("input_tokens"), count("output_tokens"));
    let since = line["model_usage_since_last_result"].as_object();
    let since = since.map(|models| {
        models
            .values()
            .filter_map(|one| one["costUSD"].as_f64())
            .sum()
    });
    Usage {
        input_tokens: input,
        output_tokens: output,
        total_tokens: input.map(|input| input + output.unwrap_or(0) + cached),
        cost_usd: since.or(line["total_cost_usd"].as_f64()),
    }
}
