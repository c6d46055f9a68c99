//! The task that owns the attempts of this hub: claims what is ready, renews leases, stops what is to stop.

use super::{
    attempt::{self, Tools},
    supply::Supply,
};
use crate::{
    agents::pool::Pool,
    domain::{
        ids::{HubId, RunId},
        run::RunState,
    },
    store::{Change, Lease, Store},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc, oneshot, watch},
    task::{Id, JoinSet},
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

/// What dispatch works with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Holder of this hub's leases.
    pub hub: HubId,
    pub store: Store,
    pub pool: Pool,
    pub supply: Arc<dyn Supply>,
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

impl Dispatch {
    /// Starts dispatching.
    #[must_use]
    pub fn start(parts: Parts) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        tokio::spawn(Loop::new(parts).run(inbox));
        Self { commands }
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
    tools: Tools,
    attempts: JoinSet<()>,
    working: HashMap<Id, Working>,
    draining: bool,
}

/// What woke the loop.
enum Woken {
    /// Something may be ready.
    Look,
    Ended(Id),
    Renew,
    Told(Option<Command>),
}

impl Loop {
    fn new(parts: Parts) -> Self {
        let Parts {
            store,
            pool,
            supply,
            ..
        } = parts.clone();
        let tools = Tools {
            store,
            pool,
            supply,
        };
        Self {
            parts,
            tools,
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
                Some(ended) = self.attempts.join_next_with_id() => Woken::Ended(ended.map_or_else(|error| error.id(), |(id, ())| id)),
                change = changes.recv() => match change {
                    Ok(change) if !self.heard(&change) => continue,
                    Ok(_) | Err(RecvError::Lagged(_)) => Woken::Look,
                    Err(RecvError::Closed) => return,
                },
                _ = renewals.tick() => Woken::Renew,
                () = tokio::time::sleep_until(next_look) => Woken::Look,
            };
            match woken {
                Woken::Look => next_look = self.look().await,
                Woken::Ended(id) => {
                    self.working.remove(&id);
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

    /// Whether there may be work now. What is kept for a run that ended without an attempt goes here.
    fn heard(&self, change: &Change) -> bool {
        if let (Some(run), Some(state)) = (change.run, change.state)
            && state.is_terminal()
        {
            self.parts.supply.ended(run);
        }
        frees_work(change)
    }

    /// Claims and starts what is ready; answers when to look again unasked.
    async fn look(&mut self) -> Instant {
        let soon = Instant::now() + POLL;
        if self.draining {
            return soon;
        }
        let free = HOST_CAP.saturating_sub(self.working.len());
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        if limit > 0 {
            match self
                .parts
                .store
                .runs
                .claim(self.parts.hub, limit, LEASE_MS)
                .await
            {
                Ok(claimed) => claimed.into_iter().for_each(|claimed| self.begin(claimed)),
                Err(error) => tracing::warn!(%error, "could not claim"),
            }
        }
        match self.parts.store.runs.sweep().await {
            Ok(Some(ms)) => soon
                .min(Instant::now() + Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1))),
            Ok(None) => soon,
            Err(error) => {
                tracing::warn!(%error, "could not sweep");
                soon
            }
        }
    }

    fn begin(&mut self, claimed: crate::store::Claimed) {
        let (stop, stopped) = watch::channel(None);
        let lease = claimed.lease;
        let tools = self.tools.clone();
        tracing::info!(run.id = %lease.run, run.attempt = lease.attempt, "an attempt begins");
        let id = self
            .attempts
            .spawn(async move { attempt::drive(&tools, claimed, stopped).await })
            .id();
        self.working.insert(id, Working { lease, stop });
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
