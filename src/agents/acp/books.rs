//! The books of a turn of an agent that is heard otherwise than by ACP: what it says is put in the shape of updates, and means the same.

use super::{
    meaning,
    permission::Permit,
    touch::Touch,
    turn::{TurnEnd, end},
    update::{Ledger, TurnEvent},
};
use crate::{
    domain::{fault::ErrorKind, time::Timestamp, usage::Usage},
    stdx::clock,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Of one turn.
#[derive(Debug)]
pub(in crate::agents) struct Books {
    ledger: Ledger,
    events: mpsc::UnboundedSender<TurnEvent>,
    touches: Option<mpsc::UnboundedSender<Touch>>,
    said: bool,
}

impl Books {
    pub(in crate::agents) fn open(
        permit: &Permit,
        events: mpsc::UnboundedSender<TurnEvent>,
    ) -> Self {
        Self {
            ledger: Ledger::default(),
            events,
            touches: permit.touches.clone(),
            said: false,
        }
    }

    /// Enters an update, and tells what it means.
    pub(in crate::agents) fn enter(&mut self, update: &Value) {
        let event = self.ledger.enter(update);
        if let (Some(tool), Some(touches)) = (self.ledger.begun(), &self.touches) {
            drop(touches.send(Touch::told(&tool)));
        }
        if let Some(event) = event {
            self.said |= matches!(&event, TurnEvent::Message { text } if !text.trim().is_empty());
            self.tell(event);
        }
    }

    /// The agent was not let do this, by what it was told of the policy.
    pub(in crate::agents) fn deny(&mut self, id: &str) {
        let tool = self.ledger.tool(&json!({ "toolCallId": id }));
        self.ledger.ruled(&tool, false);
        self.tell(TurnEvent::Permission {
            title: tool.title,
            decision: "rejected",
            option: None,
            why: "the agent keeps to what it was told, and cannot ask",
        });
    }

    pub(in crate::agents) fn tell(&self, event: TurnEvent) {
        // A listener that left has cancelled the turn, or does not care.
        drop(self.events.send(event));
    }

    /// It has said something.
    pub(in crate::agents) fn has_said(&self) -> bool {
        self.said
    }

    pub(in crate::agents) fn close(self, stop_reason: String, usage: Option<Usage>) -> TurnEnd {
        let summary = self.ledger.close(&mut 0.0);
        let cost_usd = usage.and_then(|usage| usage.cost_usd);
        let summary = super::update::Summary {
            cost_usd,
            ..summary
        };
        end(stop_reason, usage, summary)
    }
}

/// What an agent's own words for what went wrong mean, and when it may go better.
pub(in crate::agents) fn blame(message: &str, data: &Value) -> (ErrorKind, Option<Timestamp>) {
    let now = Timestamp(clock::now_ms());
    let meaning = meaning::read(meaning::INTERNAL, message, Some(data), now);
    (meaning.kind, meaning.retry_at)
}
