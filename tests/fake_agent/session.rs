//! What the agent keeps of a conversation.

use std::{
    sync::{Condvar, Mutex},
    time::Duration,
};

#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) cwd: String,
    pub(crate) system: Option<String>,
    pub(crate) model: Mutex<String>,
    pub(crate) prompts: Mutex<u32>,
    pub(crate) cancelled: Mutex<bool>,
    pub(crate) woken: Condvar,
}

impl Session {
    pub(crate) fn begin_turn(&self) {
        *self.cancelled.lock().unwrap() = false;
        *self.prompts.lock().unwrap() += 1;
    }

    pub(crate) fn cancel(&self) {
        *self.cancelled.lock().unwrap() = true;
        self.woken.notify_all();
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        *self.cancelled.lock().unwrap()
    }

    /// Sleeps until the time is over or the turn is cancelled.
    pub(crate) fn sleep(&self, time: Duration) {
        let cancelled = self.cancelled.lock().unwrap();
        drop(
            self.woken
                .wait_timeout_while(cancelled, time, |cancelled| !*cancelled)
                .unwrap(),
        );
    }
}
