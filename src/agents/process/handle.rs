//! The hold on a started agent.

use super::{
    grip::Grip,
    lineage,
    shim::{CANNOT_START, CANNOT_START_TEXT},
    stderr::Tail,
    stdin::StdinGate,
    weight::{Peak, Weight},
};
use crate::stdx::text::tail;
use rustix::process::Signal;
use std::{
    fmt, os::unix::process::ExitStatusExt as _, process::ExitStatus, sync::Arc, time::Duration,
};
use tokio::{sync::watch, time::timeout};

/// From the end of stdin to SIGTERM.
const STDIN_GRACE: Duration = Duration::from_millis(1_500);
/// From SIGTERM to SIGKILL: longer than the shim gives those below it, so that the shim comes first.
const TERM_GRACE: Duration = Duration::from_secs(2);
/// For the kernel to make SIGKILL true.
const KILL_GRACE: Duration = Duration::from_secs(1);

/// Bytes of stderr that a fault quotes.
const LAST_WORDS: usize = 2_048;

/// How an agent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; above 128 usually a signal's number and 128.
    pub code: Option<i32>,
    /// The signal that ended the shim itself, which no agent's end does.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        Self {
            code: status.code(),
            signal: status.signal(),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code @ 129..=192), _) => write!(f, "exit status {code} (signal {})", code - 128),
            (Some(code), _) => write!(f, "exit status {code}"),
            (None, Some(signal)) => write!(f, "signal {signal}"),
            (None, None) => f.write_str("unknown exit status"),
        }
    }
}

/// A started agent. Cheap to clone; when the last clone is dropped the agent and all it started are killed.
#[derive(Clone, Debug)]
pub struct ProcessHandle {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    pid: u32,
    grip: Grip,
    stdin: StdinGate,
    tail: Tail,
    exit: watch::Receiver<Option<Exit>>,
    weight: Arc<Weight>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.exit.borrow().is_none() {
            // The shim kills everything below it, which a SIGKILL to itself would set free.
            self.grip.signal(Signal::USR1);
        }
    }
}

impl ProcessHandle {
    pub(super) fn new(
        pid: u32,
        grip: Grip,
        stdin: StdinGate,
        tail: Tail,
        exit: watch::Receiver<Option<Exit>>,
        weight: Arc<Weight>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                pid,
                grip,
                stdin,
                tail,
                exit,
                weight,
            }),
        }
    }

    /// The process id of the agent's shim, which leads the agent's process group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.inner.pid
    }

    /// The last 64 KiB of stderr, redacted.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        self.inner.tail.text()
    }

    /// The end of stderr for a fault; nothing when there is none.
    #[must_use]
    pub fn last_words(&self) -> Option<String> {
        let stderr = self.stderr_tail();
        let words = tail(stderr.trim(), LAST_WORDS);
        (!words.is_empty()).then(|| format!("; stderr ends with:\n{words}"))
    }

    /// Bytes of memory that the agent takes with all it started, when that was looked at last; `None` before the first look.
    #[must_use]
    pub fn memory(&self) -> Option<u64> {
        self.inner.weight.bytes()
    }

    /// The most of it from now on.
    #[must_use]
    pub fn peak_memory(&self) -> Peak {
        self.inner.weight.peak()
    }

    /// What it takes counts there from now on: with the processes before and after it.
    pub fn count_in(&self, peak: &Peak) {
        self.inner.weight.count_in(peak);
    }

    /// How the agent ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        *self.inner.exit.borrow()
    }

    /// The agent's program could not be started; [`Self::stderr_tail`] says why.
    #[must_use]
    pub fn never_started(&self) -> bool {
        let code = self.exit().and_then(|exit| exit.code);
        code == Some(i32::from(CANNOT_START)) && self.stderr_tail().contains(CANNOT_START_TEXT)
    }

    /// Waits until the agent has ended and its last words are in. Any number may wait.
    pub async fn exited(&self) -> Exit {
        let mut exit = self.inner.exit.clone();
        let seen = exit
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|exit| *exit);
        // The watcher goes without a word only when its runtime does.
        seen.unwrap_or(Exit {
            code: None,
            signal: None,
        })
    }

    /// As [`Self::exited`], but without a hold: who waits so does not keep the agent alive.
    pub fn gone(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut exit = self.inner.exit.clone();
        // The watcher goes without a word only when its runtime does.
        async move { drop(exit.wait_for(Option::is_some).await) }
    }

    /// Has the agent and all it started killed, now and without waiting.
    pub fn kill(&self) {
        if self.exit().is_none() {
            self.inner.grip.signal(Signal::USR1);
        }
    }

    /// Ends the agent by the ladder: end of stdin, 1.5 s, SIGTERM, 2 s, SIGKILL. Returns when it has ended; several may call.
    pub async fn close(&self) {
        self.inner.stdin.close();
        if self.ends_within(STDIN_GRACE).await {
            return;
        }
        self.terminate().await;
    }

    /// The ladder from its second rung on, for an agent whose stdin has ended long ago.
    pub async fn terminate(&self) {
        // To the shim alone: it passes the signal on to all below it, also to those that left the process group.
        self.inner.grip.signal(Signal::TERM);
        if self.ends_within(TERM_GRACE).await {
            return;
        }
        self.kill();
        if self.ends_within(KILL_GRACE).await {
            return;
        }
        // The shim itself is stuck: stopped, or starved.
        lineage::signal_below(self.inner.pid, Signal::KILL);
        self.inner.grip.signal(Signal::KILL);
        self.ends_within(KILL_GRACE).await;
    }

    async fn ends_within(&self, limit: Duration) -> bool {
        timeout(limit, self.exited()).await.is_ok()
    }
}
