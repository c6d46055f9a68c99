//! The end of a connection, seen by whoever still works for it.

use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the hub has for calls that were read before the end.
const GRACE: Duration = Duration::from_secs(1);
/// After this nothing is waited for, not even a client that does not read its answers.
const LAST: Duration = Duration::from_millis(1500);

/// The two moments of an end: nothing more will be asked; nothing more will be answered.
#[derive(Clone, Debug, Default)]
pub(in crate::faces) struct Closing {
    ended: CancellationToken,
    overdue: CancellationToken,
}

impl Closing {
    /// The input has ended, the output is broken, or the parent is dead.
    pub(in crate::faces) fn end(&self) {
        self.ended.cancel();
    }

    /// Nothing more will be asked: waits answer with what they know.
    pub(in crate::faces) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Calls to the hub are given up.
    pub(in crate::faces) async fn overdue(&self) {
        self.overdue.cancelled().await;
    }

    /// Tells the time from the end on; completes when the process should wait no longer.
    pub(in crate::faces) async fn run_out(&self) {
        self.ended.cancelled().await;
        tokio::time::sleep(GRACE).await;
        self.overdue.cancel();
        tokio::time::sleep(LAST.saturating_sub(GRACE)).await;
    }
}
