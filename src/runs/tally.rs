//! What an attempt's turns add up to, counted as it is heard: it is there however the attempt ends.

use crate::{agents::acp::TurnEvent, domain::conclusion::ToolCounts, stdx::text};
use std::collections::HashMap;
use tokio::time::Instant;

/// Of what the agent said, its end is kept.
const SAID: usize = 256 * 1024;
/// Calls of a turn that are told apart; an agent that makes more is still counted.
const CALLS: usize = 50_000;

#[derive(Debug, Default)]
pub(super) struct Tally {
    begun: Option<Instant>,
    said: String,
    /// Kind and whether it failed, by id.
    calls: HashMap<String, (String, bool)>,
    /// Beyond [`CALLS`].
    more: u32,
    /// Of the turns before.
    before: ToolCounts,
}

impl Tally {
    /// The prompt is about to be put.
    pub(super) fn begin(&mut self) {
        self.begun.get_or_insert_with(Instant::now);
    }

    /// A further turn begins: its calls may have the ids of earlier ones.
    pub(super) fn next_turn(&mut self) {
        self.before = self.tools();
        self.calls.clear();
        self.more = 0;
        self.said.clear();
    }

    pub(super) fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Since it began.
    pub(super) fn duration_ms(&self) -> i64 {
        let elapsed = self.begun.map(|begun| begun.elapsed().as_millis());
        elapsed.map_or(0, |ms| i64::try_from(ms).unwrap_or(i64::MAX))
    }

    pub(super) fn enter(&mut self, event: &TurnEvent) {
        match event {
            TurnEvent::Message { text } => {
                self.said.push_str(text);
                if self.said.len() > 2 * SAID {
                    self.said = text::tail(&self.said, SAID).to_owned();
                }
            }
            TurnEvent::ToolCall {
                id, kind, status, ..
            } => self.call(id, kind, status),
            TurnEvent::Thought { .. }
            | TurnEvent::Plan { .. }
            | TurnEvent::Usage { .. }
            | TurnEvent::Permission { .. }
            | TurnEvent::Learnt { .. } => {}
        }
    }

    /// The end of what was said in the last turn, without the paragraphs that the turn's own text has.
    pub(super) fn said(&self) -> &str {
        text::tail(&self.said, SAID)
    }

    pub(super) fn tools(&self) -> ToolCounts {
        let mut counts = self.before.clone();
        counts.total += self.more;
        for (kind, failed) in self.calls.values() {
            counts.total += 1;
            counts.failed += u32::from(*failed);
            let kind = if kind.is_empty() { "other" } else { kind };
            *counts.by_kind.entry(kind.to_owned()).or_default() += 1;
        }
        counts
    }

    fn call(&mut self, id: &str, kind: &str, status: &str) {
        let failed = status == "failed";
        if let Some(known) = self.calls.get_mut(id) {
            if !kind.is_empty() {
                kind.clone_into(&mut known.0);
            }
            known.1 = failed;
        } else if self.calls.len() < CALLS {
            let kind = text::head(kind, 40).to_owned();
            self.calls.insert(id.to_owned(), (kind, failed));
        } else {
            self.more = self.more.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use crate::agents::acp::TurnEvent;

    fn call(id: &str, kind: &str, status: &str) -> TurnEvent {
        TurnEvent::ToolCall {
            id: id.to_owned(),
            title: String::new(),
            kind: kind.to_owned(),
            status: status.to_owned(),
            locations: Vec::new(),
        }
    }

    #[test]
    fn a_call_counts_once_whatever_is_told_of_it() {
        let mut tally = Tally::default();
        for event in [
            call("1", "edit", "pending"),
            call("1", "", "completed"),
            call("2", "read", "failed"),
            call("3", "", "pending"),
            call("3", "edit", "failed"),
            call("4", "", "completed"),
        ] {
            tally.enter(&event);
        }
        let tools = tally.tools();
        assert_eq!((tools.total, tools.failed), (4, 2));
        let kinds: Vec<_> = tools
            .by_kind
            .iter()
            .map(|(k, n)| (k.as_str(), *n))
            .collect();
        assert_eq!(kinds, [("edit", 2), ("other", 1), ("read", 1)]);
    }

    #[test]
    fn turns_add_up_though_their_calls_have_the_same_ids() {
        let mut tally = Tally::default();
        for turn in ["first", "second"] {
            tally.next_turn();
            tally.enter(&call("1", "edit", "completed"));
            tally.enter(&call("2", "read", "failed"));
            let text = turn.to_owned();
            tally.enter(&TurnEvent::Message { text });
        }
        let tools = tally.tools();
        assert_eq!((tools.total, tools.failed), (4, 2));
        assert_eq!(tools.by_kind.get("edit"), Some(&2));
        assert_eq!(tally.said(), "second");
    }

    #[test]
    fn the_end_of_much_talk_is_kept() {
        let mut tally = Tally::default();
        for n in 0..40_000 {
            let text = format!("word {n} é ");
            tally.enter(&TurnEvent::Message { text });
        }
        assert!(tally.said().ends_with("word 39999 é ") && tally.said().len() <= super::SAID);
    }
}
