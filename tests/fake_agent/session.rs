//! What the agent keeps of a conversation.

use crate::tools::Tools;
use serde_json::Value;
use std::{
    process::Command,
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
    /// The MCP servers it was given, and the first of them once it is used.
    pub(crate) servers: Vec<Value>,
    pub(crate) tools: Mutex<Option<Tools>>,
    /// Its process, while a call is under way.
    pub(crate) calling: Mutex<Option<u32>>,
    /// Code and text with which the prompt is to be refused.
    pub(crate) refusal: Mutex<Option<(i64, String)>>,
    pub(crate) mode: Mutex<String>,
    pub(crate) args: Vec<String>,
    /// What is said after the end of the turn, and how long after.
    pub(crate) late: Mutex<Vec<(Duration, String)>>,
    /// Memory that is held.
    pub(crate) eaten: Mutex<Vec<Vec<u8>>>,
    /// Of the request that opened it.
    pub(crate) meta: Value,
    /// The version of the protocol that was asked for.
    pub(crate) version: Value,
}

impl Session {
    pub(crate) fn begin_turn(&self) {
        *self.cancelled.lock().unwrap() = false;
        *self.prompts.lock().unwrap() += 1;
    }

    pub(crate) fn cancel(&self) {
        *self.cancelled.lock().unwrap() = true;
        self.woken.notify_all();
        // A call that waits would outlast the turn.
        if let Some(pid) = *self.calling.lock().unwrap() {
            let kill = Command::new("kill").args(["-9", &pid.to_string()]).status();
            drop(kill);
        }
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
