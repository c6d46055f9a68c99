//! `opencode run --format json`.

use super::{Heard, Trouble, said, session, text, thought, tool};
use crate::domain::usage::Usage;
use serde_json::Value;

#[derive(Debug, Default)]
pub(in crate::agents::cli) struct Reader {
    named: bool,
    usage: Usage,
}

impl Reader {
    pub(super) fn read(&mut self, line: &Value) -> Vec<Heard> {
        let mut heard = Vec::new();
        if !self.named
            && let Some(named) = session(&line["sessionID"])
        {
            self.named = true;
            heard.push(named);
        }
        let part = &line["part"];
        match text(&line["type"]) {
            "text" => heard.push(said(text(&part["text"]), part["id"].as_str())),
            "reasoning" => heard.push(thought(text(&part["text"]))),
            "tool_use" => heard.extend(call(part)),
            "step_finish" => heard.extend(self.step(part)),
            "error" => heard.push(Heard::Failed(trouble(&line["error"]))),
            _ => {}
        }
        heard
    }

    /// Each step has its own tokens, and the last says that the turn is over.
    fn step(&mut self, part: &Value) -> Vec<Heard> {
        let tokens = &part["tokens"];
        let count = |name: &str| tokens[name].as_u64();
        self.usage = self.usage.plus(Usage {
            input_tokens: count("input"),
            output_tokens: count("output"),
            total_tokens: count("total"),
            // A model without a price costs nothing that is known.
            cost_usd: part["cost"].as_f64().filter(|cost| *cost > 0.0),
        });
        let usage = Heard::Usage(self.usage);
        let stop = match text(&part["reason"]) {
            "stop" => "end_turn",
            "length" => "max_tokens",
            "content-filter" => "refusal",
            _ => return vec![usage],
        };
        let ended = Heard::Ended {
            stop_reason: stop.to_owned(),
            answer: None,
        };
        vec![usage, ended]
    }
}

/// A call is told once it is over.
fn call(part: &Value) -> Vec<Heard> {
    let (id, state) = (text(&part["callID"]), &part["state"]);
    let error = state["error"].as_str();
    let refused = error.is_some_and(|error| error.contains("rejected permission"));
    let mut heard = vec![tool::begun(id, text(&part["tool"]), &state["input"])];
    if refused {
        heard.push(Heard::Denied { id: id.to_owned() });
    }
    heard.push(tool::done(id, error.is_some()));
    heard
}

fn trouble(error: &Value) -> Trouble {
    let data = &error["data"];
    let message = data["message"].as_str().unwrap_or(text(&error["name"]));
    Trouble::new(message, error.clone())
}
