//! How a hub learns that it is to end, and tells those who wait.

use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// A cheap handle on the hub's end.
#[derive(Clone, Debug, Default)]
pub struct Ending(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    drain: CancellationToken,
    begun: CancellationToken,
    hurry: CancellationToken,
}

impl Ending {
    /// New work is refused; the hub ends with its last run.
    #[must_use]
    pub fn draining(&self) -> bool {
        self.0.drain.is_cancelled() || self.0.begun.is_cancelled()
    }

    /// Take no new work, and end with the last run.
    pub fn drain(&self) {
        self.0.drain.cancel();
    }

    /// Cancelled when no new work is taken any more.
    #[must_use]
    pub fn drained(&self) -> &CancellationToken {
        &self.0.drain
    }

    /// End now, in good order.
    pub fn begin(&self) {
        self.0.begun.cancel();
    }

    /// Cancelled when the end has begun: a long wait answers with what it knows.
    #[must_use]
    pub fn begun(&self) -> &CancellationToken {
        &self.0.begun
    }

    /// End without good order: somebody asked twice.
    pub fn hurry(&self) {
        self.0.begun.cancel();
        self.0.hurry.cancel();
    }

    /// Cancelled when there is no time for good order: kill.
    #[must_use]
    pub fn hurried(&self) -> &CancellationToken {
        &self.0.hurry
    }
}
