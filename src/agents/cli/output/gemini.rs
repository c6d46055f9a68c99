//! `gemini --output-format stream-json`.

use super::{Heard, Trouble, said, session, text, tool};
use crate::domain::usage::Usage;
use serde_json::Value;

#[derive(Debug, Default)]
pub(in crate::agents::cli) struct Reader;

impl Reader {
    #[allow(clippy::unused_self, reason = "all readers are called alike")]
    pub(super) fn read(&mut self, line: &Value) -> Vec<Heard> {
        let heard = match text(&line["type"]) {
            "init" => session(&line["session_id"]),
            "message" if line["role"] == "assistant" => Some(said(text(&line["content"]), None)),
            "tool_use" => Some(tool::begun(
                text(&line["tool_id"]),
                text(&line["tool_name"]),
                &line["parameters"],
            )),
            "tool_result" => return result_of(line),
            "error" if line["severity"] == "error" => Some(Heard::Trouble(trouble(line))),
            "result" => return result(line),
            _ => None,
        };
        heard.into_iter().collect()
    }
}

/// A tool that may not run without a person is no tool to it, or one that the policy denied.
fn result_of(line: &Value) -> Vec<Heard> {
    let id = text(&line["tool_id"]);
    let failed = line["status"] == "error";
    let denied = [
        "policy_violation",
        "tool_not_registered",
        "execution_denied",
    ]
    .contains(&text(&line["error"]["type"]).to_ascii_lowercase().as_str());
    let mut heard = vec![tool::done(id, failed)];
    if failed && denied {
        heard.insert(0, Heard::Denied { id: id.to_owned() });
    }
    heard
}

fn result(line: &Value) -> Vec<Heard> {
    let stats = &line["stats"];
    let count = |name: &str| stats[name].as_u64();
    let usage = Usage {
        input_tokens: count("input_tokens"),
        output_tokens: count("output_tokens"),
        total_tokens: count("total_tokens"),
        cost_usd: None,
    };
    let end = match text(&line["error"]["type"]) {
        "FatalTurnLimitedError" => ended("max_turn_requests"),
        _ if line["status"] == "error" => Heard::Failed(trouble(&line["error"])),
        _ => ended("end_turn"),
    };
    vec![Heard::Usage(usage), end]
}

fn ended(stop_reason: &str) -> Heard {
    Heard::Ended {
        stop_reason: stop_reason.to_owned(),
        answer: None,
    }
}

fn trouble(error: &Value) -> Trouble {
    Trouble::new(text(&error["message"]), error.clone())
}
