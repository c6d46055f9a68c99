//! A session at the desk: the turn under way, those that wait for it, and what comes just after one has ended.

use super::{Current, Ledger, Turn, TurnEvent};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

/// A session that has had a turn.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) current: Option<Current>,
    /// First come, first served.
    pub(super) waiting: VecDeque<Turn>,
    pub(super) stuck: bool,
    /// Who still listens to what comes after the end of the last turn, and until when.
    pub(super) late: Option<(mpsc::UnboundedSender<TurnEvent>, Instant)>,
    /// Whoever waits for its turns to end holds the other end.
    pub(super) awaited: Vec<oneshot::Sender<()>>,
    /// US dollars so far, as the agent sums them up over the session.
    pub(super) spent: f64,
}

impl Session {
    /// Lets the next turn begin, if none is in flight. Its driver must finish it, even if its caller has left.
    pub(super) fn grant(&mut self) {
        while self.current.is_none()
            && let Some(Turn {
                permit,
                events,
                cancelled,
                granted,
            }) = self.waiting.pop_front()
        {
            if granted.send(!self.stuck).is_ok() && !self.stuck {
                self.current = Some(Current {
                    permit,
                    events,
                    cancelled,
                    ledger: Ledger::after(self.spent),
                    looking: HashMap::new(),
                    asked: HashMap::new(),
                    held: HashMap::new(),
                    kept: false,
                });
            }
        }
    }

    /// It was sent before the turn's end was heard of, or a moment too late.
    pub(super) fn straggler(&mut self, update: &Value) {
        let now = Instant::now();
        let mut ledger = Ledger::after(self.spent);
        let event = ledger.enter(update);
        // What it says of its cost is of no later turn.
        ledger.close(&mut self.spent);
        self.late = self.late.take().filter(|(events, until)| {
            // Who has left is told nothing more.
            *until > now && event.is_none_or(|event| events.send(event).is_ok())
        });
    }

    pub(super) fn is_idle(&self) -> bool {
        self.current.is_none() && self.waiting.is_empty()
    }

    pub(super) fn cancel_all(&mut self) {
        if let Some(current) = &mut self.current {
            current.cancelled.cancel();
            current.withdraw();
        }
        for turn in &self.waiting {
            turn.cancelled.cancel();
        }
    }
}
