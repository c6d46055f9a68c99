//! The task that owns the attempts of this hub: claims what is ready, renews leases, stops what is to stop.

use super::{attempt, calls::Calls, ending, supply::Supply};
use crate::{
    agents::pool::Pool,
    domain::{
        ids::{HubId, RunId},
        run::RunState,
    },
    store::{Change, Claimed, Lease, Store},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{
        broadcast::{
            self,
            error::{RecvError, TryRecvError},
        },
        mpsc, oneshot, watch,
    },
    task::{Id, JoinError, JoinSet},
    time::{Instant, MissedTickBehavior},
};

/// A lease outlives three missed renewals.
const LEASE_MS: i64 = 45_000;
const RENEW: Duration = Duration::from_secs(10);
/// A look without being told, as the safety net.
const POLL: Duration = Duration::from_secs(5);
/// Attempts of one hub at once, over all classes.
const HOST_CAP: usize = 64;

/// Why an attempt must stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A person cancelled the run.
    Cancelled,
    /// The run's time is over.
    TimedOut,
    /// Another attempt may own the session: nothing more is written.
    LeaseLost,
    /// The run goes back to the queue.
    HubEnds,
}

/// What dispatch and its attempts work with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Holder of this hub's leases.
    pub hub: HubId,
    pub store: Store,
    pub pool: Pool,
    pub supply: Arc<dyn Supply>,
    /// The way to the attempts for what agents say by Eyas' own tools.
    pub calls: Calls,
}

#[derive(Debug)]
enum Command {
    Cancel(RunId),
    Drain(oneshot::Sender<()>),
}

/// The handle of the dispatching task.
#[derive(Clone, Debug)]
pub struct Dispatch {
    commands: mpsc::UnboundedSender<Command>,
}

/// What a handle asks for, until somebody does it.
#[derive(Debug)]
pub struct Orders {
    inbox: mpsc::UnboundedReceiver<Command>,
}

impl Orders {
    /// Starts dispatching.
    pub fn start(self, parts: Parts) {
        tokio::spawn(Loop::new(parts).run(self.inbox));
    }
}

impl Dispatch {
    /// A handle, and what starts the task once the rest of the hub is there.
    #[must_use]
    pub fn new() -> (Self, Orders) {
        let (commands, inbox) = mpsc::unbounded_channel();
        (Self { commands }, Orders { inbox })
    }

    /// Stops the attempt of a run whose cancellation is on disk; a run of another hub hears of it at its next renewal.
    pub fn cancel(&self, run: RunId) {
        drop(self.commands.send(Command::Cancel(run)));
    }

    /// Claims nothing more, stops every attempt and gives its run back to the queue.
    pub async fn drain(&self) {
        let (reply, answer) = oneshot::channel();
        drop(self.commands.send(Command::Drain(reply)));
        drop(answer.await);
    }
}

/// A run came or came back, or one that never ran left its place in its session to the next.
fn frees_work(change: &Change) -> bool {
    matches!(
        change.state,
        Some(RunState::Queued | RunState::Cancelled | RunState::TimedOut)
    )
}

struct Working {
    lease: Lease,
    stop: watch::Sender<Option<Stop>>,
}

struct Loop {
    parts: Parts,
    attempts: JoinSet<()>,
    working: HashMap<Id, Working>,
    draining: bool,
}

/// What woke the loop.
enum Woken {
    /// Something may be ready.
    Look,
    Changed(Result<Change, RecvError>),
    Ended(Result<Id, JoinError>),
    Renew,
    Told(Option<Command>),
}

impl Loop {
    fn new(parts: Parts) -> Self {
        Self {
            parts,
            attempts: JoinSet::new(),
            working: HashMap::new(),
            draining: false,
        }
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut changes = self.parts.store.changes.subscribe();
        let mut renewals = tokio::time::interval(RENEW);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_look = self.look().await;
        loop {
            let woken = tokio::select! {
                command = inbox.recv() => Woken::Told(command),
                Some(ended) = self.attempts.join_next_with_id() => Woken::Ended(ended.map(|(id, ())| id)),
                change = changes.recv() => Woken::Changed(change),
                _ = renewals.tick() => Woken::Renew,
                () = tokio::time::sleep_until(next_look) => Woken::Look,
            };
            match woken {
                Woken::Look => next_look = self.look().await,
                Woken::Changed(first) => {
                    if self.take_in(first, &mut changes).await {
                        next_look = self.look().await;
                    }
                }
                Woken::Ended(ended) => {
                    self.ended(ended);
                    next_look = self.look().await;
                }
                Woken::Renew => self.renew().await,
                Woken::Told(Some(Command::Cancel(run))) => self.stop_run(run, Stop::Cancelled),
                Woken::Told(Some(Command::Drain(reply))) => {
                    self.drain().await;
                    reply.send(()).ok();
                }
                Woken::Told(None) => return self.drain().await,
            }
        }
    }

    /// Takes in a change and all that have come since, so that a burst of them costs one look. Whether a look is due.
    async fn take_in(
        &self,
        first: Result<Change, RecvError>,
        changes: &mut broadcast::Receiver<Change>,
    ) -> bool {
        let (mut work, mut lagged) = (false, false);
        // It cannot be closed while we hold the store: else we have lagged.
        let mut heard = first.or(Err(TryRecvError::Lagged(0)));
        loop {
            match heard {
                Ok(change) => {
                    work |= frees_work(&change);
                    self.forget_if_ended(&change);
                }
                Err(TryRecvError::Lagged(_)) => lagged = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
            heard = changes.try_recv();
        }
        if lagged {
            self.forget_all_ended().await;
        }
        work || lagged
    }

    /// By whatever it ended: its attempt, a cancellation while it was queued, its time, the recovery of a dead hub's runs.
    fn forget_if_ended(&self, change: &Change) {
        if let (Some(run), Some(state)) = (change.run, change.state)
            && state.is_terminal()
        {
            self.parts.supply.ended(run);
        }
    }

    async fn forget_all_ended(&self) {
        for run in self.parts.supply.kept() {
            let open = match self.parts.store.runs.get(run).await {
                Ok(run) => !run.state.is_terminal(),
                // One that is about to be accepted is not there yet.
                Err(_) => true,
            };
            if !open {
                self.parts.supply.ended(run);
            }
        }
    }

    /// Claims and starts what is ready; answers when to look again unasked.
    async fn look(&mut self) -> Instant {
        let soon = Instant::now() + POLL;
        if self.draining {
            return soon;
        }
        let free = HOST_CAP.saturating_sub(self.working.len());
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        let Parts { hub, store, .. } = self.parts.clone();
        if limit > 0 {
            match store.runs.claim(hub, limit, LEASE_MS).await {
                Ok(claimed) => claimed.into_iter().for_each(|claimed| self.begin(claimed)),
                Err(error) => tracing::warn!(%error, "could not claim"),
            }
        }
        match store.runs.sweep().await {
            Ok(Some(ms)) => soon
                .min(Instant::now() + Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1))),
            Ok(None) => soon,
            Err(error) => {
                tracing::warn!(%error, "could not sweep");
                soon
            }
        }
    }

    fn begin(&mut self, claimed: Claimed) {
        let lease = claimed.lease;
        let tools = self.parts.clone();
        tracing::info!(run.id = %lease.run, run.attempt = lease.attempt, "an attempt begins");
        self.work(lease, async move |stopped| {
            attempt::drive(&tools, claimed, stopped).await;
        });
    }

    /// Has something done under a lease, which is renewed until it is done.
    fn work<F>(&mut self, lease: Lease, what: impl FnOnce(watch::Receiver<Option<Stop>>) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (stop, stopped) = watch::channel(None);
        let id = self.attempts.spawn(what(stopped)).id();
        self.working.insert(id, Working { lease, stop });
    }

    /// An attempt that panicked has written nothing, and nobody else will end its run.
    fn ended(&mut self, ended: Result<Id, JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |id| *id);
        let Some(Working { lease, .. }) = self.working.remove(&id) else {
            return;
        };
        if let Err(error) = ended {
            tracing::error!(run.id = %lease.run, %error, "an attempt broke");
            let store = self.parts.store.clone();
            let record = ending::broken("the attempt broke; the hub's log says where");
            self.work(lease, async move |stopped| {
                ending::write(&store, lease, record, stopped).await;
            });
        }
    }

    fn stop_run(&self, run: RunId, why: Stop) {
        for working in self
            .working
            .values()
            .filter(|working| working.lease.run == run)
        {
            working.stop.send(Some(why)).ok();
        }
    }

    async fn renew(&mut self) {
        if self.working.is_empty() {
            return;
        }
        let leases = self.working.values().map(|working| working.lease).collect();
        match self.parts.store.runs.renew(leases, LEASE_MS).await {
            Ok(renewed) => {
                for lease in renewed {
                    if !lease.held {
                        self.stop_run(lease.lease.run, Stop::LeaseLost);
                    } else if lease.cancel_requested {
                        self.stop_run(lease.lease.run, Stop::Cancelled);
                    }
                }
            }
            Err(error) => tracing::warn!(%error, "could not renew leases"),
        }
    }

    async fn drain(&mut self) {
        self.draining = true;
        for working in self.working.values() {
            working.stop.send(Some(Stop::HubEnds)).ok();
        }
        while self.attempts.join_next().await.is_some() {}
        self.working.clear();
    }
}
