//! What an agent says just after the end of its turn.
//!
//! Nobody waits for it: what is there when the end is written is written with it, and what comes in the moment after that is added to the log of
//! the run, which has ended then.

use super::{attempt::Attempt, pump::Pump};
use crate::{
    agents::acp::{STRAGGLERS, TurnEvent},
    domain::ids::RunId,
    store::Store,
};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{Instant, timeout_at},
};

/// The ear that is left of a turn.
pub(super) struct Late {
    told: UnboundedReceiver<TurnEvent>,
    until: Instant,
}

impl Late {
    /// Of a turn that has ended just now.
    pub(super) fn new(told: UnboundedReceiver<TurnEvent>) -> Self {
        Self {
            told,
            until: Instant::now() + STRAGGLERS,
        }
    }

    /// Waits for what still comes, and writes it.
    async fn gather(mut self, mut pump: Pump, store: Store, run: RunId) {
        let mut heard = false;
        while let Ok(Some(event)) = timeout_at(self.until, self.told.recv()).await {
            pump.push(event);
            heard = true;
        }
        if !heard {
            return;
        }
        let events = pump.take().events;
        if let Err(error) = store.runs.trail(run, events).await {
            tracing::warn!(run.id = %run, %error, "what an agent said after its turn was not written");
        }
    }
}

impl Attempt<'_> {
    /// Takes in what came since the turn ended.
    pub(super) fn hear_late(&mut self) {
        while let Some(event) = self
            .late
            .as_mut()
            .and_then(|late| late.told.try_recv().ok())
        {
            self.pump.push(event);
        }
    }

    /// The end is written: what still comes of its last turn is added when it is there.
    pub(super) fn trail(&mut self) {
        if let Some(late) = self.late.take() {
            let store = self.tools.store.clone();
            let pump = Pump::new(store.redactor.clone());
            tokio::spawn(late.gather(pump, store, self.claimed.lease.run));
        }
    }
}
