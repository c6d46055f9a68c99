//! What an agent is doing now: the tool it uses, the last it said.

use crate::{agents::acp::TurnEvent, stdx::text};

const SAID_BYTES: usize = 500;
const TOOL_BYTES: usize = 200;
/// Of calls that are under way; one that never ends is forgotten in time.
const CALLS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Now {
    /// Calls under way, the newest last: id and title.
    calls: Vec<(String, String)>,
    /// What was told last.
    told: Option<String>,
    said: String,
    fresh: bool,
}

impl Now {
    pub(super) fn enter(&mut self, event: &TurnEvent) {
        let TurnEvent::ToolCall {
            id, title, status, ..
        } = event
        else {
            return;
        };
        let over = matches!(status.as_str(), "completed" | "failed");
        let known = self.calls.iter().position(|(known, _)| known == id);
        match (known, over) {
            (Some(at), true) => drop(self.calls.remove(at)),
            (Some(at), false) if !title.is_empty() => {
                text::head(title, TOOL_BYTES).clone_into(&mut self.calls[at].1);
            }
            (None, false) => {
                if self.calls.len() >= CALLS {
                    self.calls.remove(0);
                }
                let title = text::head(title, TOOL_BYTES).to_owned();
                self.calls.push((id.clone(), title));
            }
            (Some(_), false) | (None, true) => {}
        }
    }

    /// More of what it said, without secrets: cut anywhere, half of one would be left.
    pub(super) fn say(&mut self, more: &str) {
        self.said.push_str(text::tail(more, SAID_BYTES));
        self.said = text::tail(&self.said, SAID_BYTES).to_owned();
        self.fresh = true;
    }

    /// The tool and the words that were not told yet.
    pub(super) fn news(&mut self) -> (Option<Option<String>>, Option<String>) {
        let using = self.calls.last().map(|(_, title)| title.clone());
        let tool = (using != self.told).then(|| using.clone());
        self.told = using;
        let said = std::mem::take(&mut self.fresh).then(|| self.said.clone());
        (tool, said)
    }

    /// They could not be told.
    pub(super) fn take_back(&mut self, tool: bool, said: bool) {
        if said {
            // The words come again with their events.
            self.said.clear();
        }
        if tool {
            // Unlike any that there is, so that it is told again.
            self.told = Some(String::from("\0"));
        }
    }
}
