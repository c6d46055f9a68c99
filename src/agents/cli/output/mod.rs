//! What a CLI prints, line by line, in the words of a turn: one file per dialect.
//!
//! Whatever happens is told in the shape of ACP's `session/update`, so that one ledger keeps the books of all agents. A line of JSON of a kind
//! that nobody knows is passed over; a line that is none is junk.

mod claude;
mod codex;
mod fields;
mod gemini;
mod opencode;
mod tool;

use crate::domain::{
    turn_form::{Output, TurnForm},
    usage::Usage,
};
use serde_json::{Value, json};

/// What a line says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard {
    /// The program's id of the conversation.
    Session(String),
    /// In the shape of ACP's `session/update`.
    Update(Value),
    /// The tool call of this id was refused by the program itself.
    Denied { id: String },
    /// Of this turn, so far; a later one takes the place of those before.
    Usage(Usage),
    /// What went wrong; the turn may go on.
    Trouble(Trouble),
    /// The turn is over. The whole answer, for when none of it was said before.
    Ended {
        stop_reason: String,
        answer: Option<String>,
    },
    /// The turn is over, and has failed.
    Failed(Trouble),
}

/// What went wrong, in the program's words.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) data: Value,
}

impl Trouble {
    fn new(message: impl Into<String>, data: Value) -> Self {
        Self {
            message: message.into(),
            data,
        }
    }
}

/// Reads the output of one turn.
#[derive(Debug)]
pub(super) enum Reader {
    Text,
    Lines(Box<fields::Reader>),
    Claude(claude::Reader),
    Codex(codex::Reader),
    Gemini(gemini::Reader),
    Opencode(opencode::Reader),
}

impl Reader {
    pub(super) fn of(form: &TurnForm) -> Self {
        match form.output {
            Output::Text => Self::Text,
            Output::JsonLines => Self::Lines(Box::new(fields::Reader::of(&form.fields))),
            Output::Claude => Self::Claude(claude::Reader::default()),
            Output::Codex => Self::Codex(codex::Reader),
            Output::Gemini => Self::Gemini(gemini::Reader),
            Output::Opencode => Self::Opencode(opencode::Reader::default()),
        }
    }

    /// What a line says; `None` when it is none of this dialect.
    pub(super) fn read(&mut self, line: &str) -> Option<Vec<Heard>> {
        if matches!(self, Self::Text) {
            // The program's own lines, blank ones too.
            return Some(vec![said(&format!("{line}\n"), None)]);
        }
        let line = line.trim();
        if line.is_empty() {
            return Some(Vec::new());
        }
        let line: Value = serde_json::from_str(line).ok()?;
        if !line.is_object() {
            return None;
        }
        Some(match self {
            Self::Text => Vec::new(),
            Self::Lines(reader) => reader.read(&line),
            Self::Claude(reader) => reader.read(&line),
            Self::Codex(reader) => reader.read(&line),
            Self::Gemini(reader) => reader.read(&line),
            Self::Opencode(reader) => reader.read(&line),
        })
    }

    /// What it says of the end of a turn comes last: no more follows.
    pub(super) fn says_when_it_is_over(&self) -> bool {
        !matches!(self, Self::Text | Self::Lines(_))
    }

    /// It may end a turn without a word of it.
    pub(super) fn ends_silently(&self) -> bool {
        matches!(self, Self::Text | Self::Lines(_) | Self::Opencode(_))
    }
}

/// A piece of the answer; pieces of different messages are paragraphs.
fn said(text: &str, message: Option<&str>) -> Heard {
    chunk("agent_message_chunk", text, message)
}

fn thought(text: &str) -> Heard {
    chunk("agent_thought_chunk", text, None)
}

fn chunk(kind: &str, text: &str, message: Option<&str>) -> Heard {
    Heard::Update(json!({
        "sessionUpdate": kind,
        "messageId": message,
        "content": {"type": "text", "text": text},
    }))
}

fn plan(entries: &[Value]) -> Heard {
    Heard::Update(json!({"sessionUpdate": "plan", "entries": entries}))
}

fn session(id: &Value) -> Option<Heard> {
    let id = id.as_str().filter(|id| !id.is_empty())?;
    Some(Heard::Session(id.to_owned()))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

#[cfg(test)]
mod tests;
