//! What ties an attempt to the hub: word that it must stop, and how long its lease still holds.

use crate::store::Lease;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Instant,
};

/// Why an attempt must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A person cancelled the run.
    Cancelled,
    /// The run's time is over.
    TimedOut,
    /// Another attempt may own the session: nothing more is written.
    LeaseLost,
    /// The lease could not be renewed, and may be over soon.
    Unrenewed,
    /// The run goes back to the queue.
    HubEnds,
}

/// What ties an attempt to the hub.
pub(super) struct Ties {
    pub(super) stop: watch::Receiver<Option<Stop>>,
    /// When its lease was renewed last.
    pub(super) renewed: watch::Receiver<Instant>,
}

/// An attempt, as the loop that owns it sees it.
pub(super) struct Working {
    pub(super) lease: Lease,
    stop: watch::Sender<Option<Stop>>,
    /// Free again when it is dropped; `None` beyond the host's cap.
    pub(super) slot: Option<OwnedSemaphorePermit>,
    /// When it was claimed, or renewed last: the moment before that was asked for.
    pub(super) renewed: watch::Sender<Instant>,
    /// Closed once all that it did is over.
    pub(super) over: watch::Receiver<()>,
}

impl Working {
    /// One that was claimed after `before`, and its own end of the ties.
    pub(super) fn new(
        lease: Lease,
        slot: Option<OwnedSemaphorePermit>,
        before: Instant,
        over: watch::Receiver<()>,
    ) -> (Self, Ties) {
        let (stop, stopped) = watch::channel(None);
        let (renewed, since) = watch::channel(before);
        let ties = Ties {
            stop: stopped,
            renewed: since,
        };
        let working = Self {
            lease,
            stop,
            slot,
            renewed,
            over,
        };
        (working, ties)
    }

    /// What is lost is lost: nothing that comes later makes it one's own again.
    pub(super) fn stop(&self, why: Stop) {
        self.stop.send_modify(|stop| {
            if *stop != Some(Stop::LeaseLost) {
                *stop = Some(why);
            }
        });
    }
}
