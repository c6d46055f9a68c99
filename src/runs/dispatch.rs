//! The task that owns the attempts of this hub: claims what is ready, renews leases, stops what is to stop.

use super::{
    attempt,
    calls::Calls,
    ending::{self, Claimer, Next},
    freed::Freed,
    supply::Supply,
    ties::{Stop, Ties, Working},
    vigil::Pace,
};
use crate::{
    agents::pool::Pool,
    domain::ids::{HubId, RunId},
    store::{Accepted, Change, Claimed, Lease, NewRun, Renewed, Store, StoreError},
};
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::{
    sync::{
        OwnedSemaphorePermit, Semaphore,
        broadcast::{
            self,
            error::{RecvError, TryRecvError},
        },
        mpsc, oneshot, watch,
    },
    task::{Id, JoinError, JoinSet},
    time::{Instant, MissedTickBehavior, timeout},
};

/// Until the next renewal, after the cancellation of a run that is not here.
const SOON: Duration = Duration::from_millis(100);
/// Between two looks for what other hubs may have written, of which each of their commits tells.
const PACE: Duration = Duration::from_millis(50);
/// A look without being told, as the safety net.
const POLL: Duration = Duration::from_secs(5);
/// Attempts of one hub at once, over all classes.
pub const HOST_CAP: usize = 64;

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
    pub pace: Pace,
}

impl Parts {
    pub(super) fn claimer(&self) -> Claimer {
        Claimer {
            hub: self.hub,
            lease_ms: self.pace.lease_ms(),
        }
    }
}

#[derive(Debug)]
enum Command {
    /// Claimed as it was accepted, or another in its place; after this moment.
    Begin(Box<Claimed>, OwnedSemaphorePermit, Instant),
    Cancel(RunId),
    Drain(oneshot::Sender<()>),
}

/// The handle of the dispatching task.
#[derive(Clone, Debug)]
pub struct Dispatch {
    commands: mpsc::UnboundedSender<Command>,
    slots: Slots,
}

/// Room for attempts, shared by the task and its handles.
#[derive(Clone, Debug)]
struct Slots {
    free: Arc<Semaphore>,
    /// Who claims, and for how long, once the task has been started.
    hub: Arc<OnceLock<Claimer>>,
}

/// What a handle asks for, until somebody does it.
#[derive(Debug)]
pub struct Orders {
    inbox: mpsc::UnboundedReceiver<Command>,
    slots: Slots,
}

impl Orders {
    /// Starts dispatching.
    pub fn start(self, parts: Parts) {
        // A second start has a handle of its own.
        self.slots.hub.get_or_init(|| parts.claimer());
        tokio::spawn(Loop::new(parts, self.slots.free).run(self.inbox));
    }
}

impl Dispatch {
    /// A handle, and what starts the task once the rest of the hub is there.
    #[must_use]
    pub fn new() -> (Self, Orders) {
        let (commands, inbox) = mpsc::unbounded_channel();
        let slots = Slots {
            free: Arc::new(Semaphore::new(HOST_CAP)),
            hub: Arc::default(),
        };
        let own = slots.clone();
        (
            Self {
                commands,
                slots: own,
            },
            Orders { inbox, slots },
        )
    }

    /// Puts a run on disk and, where there is room for an attempt, claims in the same commit.
    ///
    /// # Errors
    /// Those of [`crate::store::Runs::accept`].
    pub async fn accept(&self, store: &Store, run: NewRun) -> Result<Accepted, StoreError> {
        let slot = Arc::clone(&self.slots.free).try_acquire_owned();
        let (Some(Claimer { hub, lease_ms }), Ok(slot)) = (self.slots.hub.get(), slot) else {
            return store.runs.accept(run).await;
        };
        let before = Instant::now();
        let (accepted, claimed) = store.runs.accept_and_claim(run, *hub, *lease_ms).await;
        match claimed {
            Ok(Some(claimed)) => self.begin(store, claimed, (slot, before)).await,
            Ok(None) => {}
            // The task looks for itself.
            Err(error) => tracing::warn!(%error, "could not claim with what was accepted"),
        }
        accepted
    }

    /// Hands it to the task; one that is gone begins nothing more.
    async fn begin(
        &self,
        store: &Store,
        claimed: Claimed,
        (slot, before): (OwnedSemaphorePermit, Instant),
    ) {
        let lease = claimed.lease;
        let begin = Command::Begin(Box::new(claimed), slot, before);
        if self.commands.send(begin).is_err()
            && let Err(error) = store.runs.release(lease, ending::hub_ends()).await
        {
            tracing::warn!(run.id = %lease.run, %error, "could not give back");
        }
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

struct Loop {
    parts: Parts,
    slots: Arc<Semaphore>,
    attempts: JoinSet<Next>,
    working: HashMap<Id, Working>,
    draining: bool,
    /// When it looked last.
    looked: Instant,
}

/// When a look is due.
enum Due {
    Now,
    /// Others may have written something.
    Soon,
}

/// What woke the loop.
enum Woken {
    /// Something may be ready.
    Look,
    Changed(Result<Change, RecvError>),
    Ended(Result<(Id, Next), JoinError>),
    Renew,
    Told(Option<Command>),
}

impl Loop {
    fn new(parts: Parts, slots: Arc<Semaphore>) -> Self {
        Self {
            parts,
            slots,
            attempts: JoinSet::new(),
            working: HashMap::new(),
            draining: false,
            looked: Instant::now(),
        }
    }

    async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Command>) {
        let mut changes = self.parts.store.changes.subscribe();
        let mut renewals = tokio::time::interval(self.parts.pace.renew);
        renewals.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut next_look = self.look().await;
        loop {
            let woken = tokio::select! {
                command = inbox.recv() => Woken::Told(command),
                Some(ended) = self.attempts.join_next_with_id() => Woken::Ended(ended),
                change = changes.recv() => Woken::Changed(change),
                _ = renewals.tick() => Woken::Renew,
                () = tokio::time::sleep_until(next_look) => Woken::Look,
            };
            match woken {
                Woken::Look => next_look = self.look().await,
                Woken::Changed(first) => match self.take_in(first, &mut changes).await {
                    Some(Due::Now) => next_look = self.look().await,
                    Some(Due::Soon) => next_look = next_look.min(self.looked + PACE),
                    None => {}
                },
                // What frees a place makes nothing due.
                Woken::Ended(ended) => {
                    if self.ended(ended) {
                        self.claim().await;
                    }
                }
                Woken::Renew => {
                    self.disown().await;
                    self.renew().await;
                }
                Woken::Told(Some(Command::Begin(claimed, slot, before))) => {
                    self.begin(*claimed, Some(slot), before);
                }
                Woken::Told(Some(Command::Cancel(run))) => {
                    // One that is about to be begun: its renewal says what is on disk.
                    if !self.stop_run(run, Stop::Cancelled) {
                        renewals.reset_after(SOON);
                    }
                }
                Woken::Told(Some(Command::Drain(reply))) => {
                    self.drain(&mut inbox).await;
                    reply.send(()).ok();
                }
                Woken::Told(None) => return self.drain(&mut inbox).await,
            }
        }
    }

    /// Takes in a change and all that have come since, so that a burst of them costs one look. When one is due.
    async fn take_in(
        &self,
        first: Result<Change, RecvError>,
        changes: &mut broadcast::Receiver<Change>,
    ) -> Option<Due> {
        let (mut freed, mut hint, mut lagged) = (Freed::default(), false, false);
        // It cannot be closed while we hold the store: else we have lagged.
        let mut heard = first.or(Err(TryRecvError::Lagged(0)));
        loop {
            match heard {
                Ok(change) => {
                    freed.hear(&change);
                    hint |= change.run.is_none();
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
        if freed.is_some() || lagged {
            return Some(Due::Now);
        }
        hint.then_some(Due::Soon)
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
        self.looked = Instant::now();
        self.claim().await;
        self.heed().await;
        match self.parts.store.runs.sweep(self.parts.hub).await {
            Ok(Some(ms)) => soon
                .min(Instant::now() + Duration::from_millis(u64::try_from(ms).unwrap_or(0).max(1))),
            Ok(None) => soon,
            Err(error) => {
                tracing::warn!(%error, "could not sweep");
                soon
            }
        }
    }

    /// Does what was asked by way of another hub, where there may be one.
    async fn heed(&self) {
        let store = &self.parts.store;
        if self.working.is_empty() || !store.hosts.shared() {
            return;
        }
        let asked = match store.runs.asked(self.parts.hub).await {
            Ok(asked) => asked,
            Err(error) => return tracing::warn!(%error, "what others asked was not looked for"),
        };
        for one in asked {
            if one.end {
                self.stop_run(one.run, Stop::Cancelled);
            } else if one.cut {
                self.parts.calls.interrupt(one.session);
            }
        }
    }

    /// Most looks find nothing; those write nothing.
    async fn claim(&mut self) {
        // Not by the slots that are free: of those that a handle has in hand most come back, and nobody would look again then.
        let free = HOST_CAP.saturating_sub(self.working.len());
        let limit = u32::try_from(free).unwrap_or(u32::MAX);
        if self.draining || limit == 0 {
            return;
        }
        let Parts {
            hub, store, pace, ..
        } = self.parts.clone();
        let before = Instant::now();
        let claimed = match store.runs.ready().await {
            Ok(true) => store.runs.claim(hub, limit, pace.lease_ms()).await,
            Ok(false) => return,
            Err(error) => Err(error),
        };
        match claimed {
            Ok(claimed) => {
                for claimed in claimed {
                    let slot = Arc::clone(&self.slots).try_acquire_owned().ok();
                    self.begin(claimed, slot, before);
                }
            }
            Err(error) => tracing::warn!(%error, "could not claim"),
        }
    }

    fn begin(&mut self, claimed: Claimed, slot: Option<OwnedSemaphorePermit>, before: Instant) {
        let lease = claimed.lease;
        if self.draining {
            let record = ending::Record::Release(ending::hub_ends());
            return self.record(lease, (slot, before), record);
        }
        let tools = self.parts.clone();
        tracing::info!(run.id = %lease.run, run.attempt = lease.attempt, "an attempt begins");
        let stale = self.stale(lease.run);
        // Beyond the host's cap nothing follows upon it.
        let claimer = slot.as_ref().map(|_| tools.claimer());
        self.work(lease, (slot, before), async move |ties| {
            for mut over in stale {
                // It says nothing but that it is closed.
                while over.changed().await.is_ok() {}
            }
            Box::pin(attempt::drive(&tools, claimed, ties, claimer)).await
        });
    }

    /// Attempts of the same run that this hub has lost and that are not over: two would work side by side, where the hub was stopped for so
    /// long that its lease was taken from it, and then was the first to claim again.
    fn stale(&self, run: RunId) -> Vec<watch::Receiver<()>> {
        let same = self.working.values().filter(|one| one.lease.run == run);
        same.map(|one| one.over.clone()).collect()
    }

    /// Has something done under a lease, which is renewed until it is done.
    fn work<F>(
        &mut self,
        lease: Lease,
        (slot, before): (Option<OwnedSemaphorePermit>, Instant),
        what: impl FnOnce(Ties) -> F,
    ) where
        F: Future<Output = Next> + Send + 'static,
    {
        let (alive, over) = watch::channel(());
        let (working, ties) = Working::new(lease, slot, before, over);
        if self.draining {
            working.stop(Stop::HubEnds);
        }
        let work = what(ties);
        let work = async move {
            let next = work.await;
            drop(alive);
            next
        };
        let id = self.attempts.spawn(work).id();
        self.working.insert(id, working);
    }

    /// Begins what was claimed with its end. Whether a claim may find more.
    fn ended(&mut self, ended: Result<(Id, Next), JoinError>) -> bool {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(working) = self.working.remove(&id) else {
            return true;
        };
        match ended {
            // What came before we heard of this end, and found no room, has not been looked for since.
            Ok((_, Next::Nothing)) => self.working.len() + 1 >= HOST_CAP,
            Ok((_, Next::Unknown)) => true,
            Ok((_, Next::Run(claimed, before))) => {
                self.begin(*claimed, working.slot, before);
                true
            }
            Err(error) => {
                self.broke(working, &error);
                true
            }
        }
    }

    /// An attempt that panicked has written nothing, and nobody else will end its run.
    fn broke(&mut self, working: Working, error: &JoinError) {
        let Working {
            lease,
            slot,
            renewed,
            ..
        } = working;
        tracing::error!(run.id = %lease.run, %error, "an attempt broke");
        let before = *renewed.borrow();
        let record = ending::broken("the attempt broke; the hub's log says where");
        self.record(lease, (slot, before), record);
    }

    /// Writes what becomes of a lease under which nothing more is done.
    fn record(
        &mut self,
        lease: Lease,
        held: (Option<OwnedSemaphorePermit>, Instant),
        record: ending::Record,
    ) {
        let store = self.parts.store.clone();
        self.work(lease, held, async move |ties| {
            drop(ending::write(&store, lease, record, None, ties.stop).await);
            Next::Unknown
        });
    }

    /// Whether it is one of ours.
    fn stop_run(&self, run: RunId, why: Stop) -> bool {
        let ours = self.working.values().find(|one| one.lease.run == run);
        if let Some(working) = ours {
            working.stop(why);
        }
        ours.is_some()
    }

    /// Gives back what is leased to us and nobody works on: a connection that broke within a commit has told nobody what it claimed. Any
    /// that is worked on, or about to be, is renewed long before.
    async fn disown(&mut self) {
        let overdue = match self.parts.store.runs.overdue(self.parts.hub).await {
            Ok(overdue) => overdue,
            Err(error) => return tracing::warn!(%error, "own leases were not looked at"),
        };
        for lease in overdue {
            if self.working.values().all(|one| one.lease != lease) {
                tracing::warn!(run.id = %lease.run, run.attempt = lease.attempt, "a lease of ours was nobody's");
                let record = ending::Record::Release(ending::unheard());
                self.record(lease, (None, Instant::now()), record);
            }
        }
    }

    async fn renew(&mut self) {
        if self.working.is_empty() {
            return;
        }
        let leases = self.working.values().map(|working| working.lease).collect();
        let (before, pace) = (Instant::now(), self.parts.pace);
        let renewal = self.parts.store.runs.renew(leases, pace.lease_ms());
        // A database that does not answer must not keep us from what else is to be done.
        match timeout(pace.renew, renewal).await {
            Ok(Ok(renewed)) => {
                for Renewed {
                    lease,
                    held,
                    cancel_requested,
                } in renewed
                {
                    if !held {
                        self.stop_lease(lease, Stop::LeaseLost);
                    } else if cancel_requested {
                        self.stop_lease(lease, Stop::Cancelled);
                    }
                }
                for working in self.working.values() {
                    working.renewed.send_replace(before);
                }
            }
            Ok(Err(error)) => tracing::warn!(%error, "could not renew leases"),
            Err(_elapsed) => tracing::warn!("leases were not renewed in time"),
        }
    }

    fn stop_lease(&self, lease: Lease, why: Stop) {
        for working in self.working.values().filter(|one| one.lease == lease) {
            working.stop(why);
        }
    }

    async fn drain(&mut self, inbox: &mut mpsc::UnboundedReceiver<Command>) {
        self.draining = true;
        self.slots.close();
        for working in self.working.values() {
            working.stop(Stop::HubEnds);
        }
        let mut others = Vec::new();
        // What was claimed with its acceptance, and not begun, is given back too.
        while let Ok(command) = inbox.try_recv() {
            match command {
                Command::Begin(claimed, slot, before) => {
                    self.begin(*claimed, Some(slot), before);
                }
                Command::Cancel(_) => {}
                Command::Drain(reply) => others.push(reply),
            }
        }
        while let Some(ended) = self.attempts.join_next_with_id().await {
            // What was claimed as it ended is given back by one more.
            self.ended(ended);
        }
        self.working.clear();
        for reply in others {
            reply.send(()).ok();
        }
    }
}
