//! The pool's task: messages to the table, effects to the world.

use super::{
    BrokenRow, Message, Upkeep, WarmRow,
    berth::Berth,
    claims::Claims,
    key::WarmKey,
    launch::Launch,
    lineage::Lineage,
    stamp::Stamp,
    table::{Bounds, Broken, Effect, Event, Heft, Row, Table, Ticket},
};
use crate::{
    agents::{
        acp::{Link, Opened, Opening},
        process::Launcher,
    },
    domain::fault::Fault,
};
use std::{collections::HashMap, path::PathBuf, time::Duration};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

/// How often idleness is looked at, at most.
const TICK: Duration = Duration::from_secs(5);

/// Waits for the spare of this opening that is on its way: it will be there before one that is begun now.
struct Taker {
    key: WarmKey,
    generation: u64,
    opening: Opening,
    reply: oneshot::Sender<Option<Opened>>,
}

type Reply = oneshot::Sender<Result<Berth, Fault>>;

pub(super) struct Actor {
    table: Table<Link>,
    waiting: HashMap<Ticket, Reply>,
    takers: Vec<Taker>,
    starts: JoinSet<()>,
    closings: JoinSet<()>,
    tickets: Ticket,
    /// From which program each was started last.
    stamps: HashMap<WarmKey, Stamp>,
    born: Instant,
    tick: Duration,
    launcher: Launcher,
    lineage: Lineage,
    claims: Claims,
    own: mpsc::UnboundedSender<Message>,
    /// Agents have come or gone.
    changed: watch::Sender<()>,
}

impl Actor {
    pub(super) fn new(
        launcher: Launcher,
        lineage: Lineage,
        (own, changed): (mpsc::UnboundedSender<Message>, watch::Sender<()>),
        claims: Claims,
        upkeep: Upkeep,
    ) -> Self {
        let ttl = Duration::from_millis(u64::try_from(upkeep.idle_ttl_ms).unwrap_or_default());
        let bounds = Bounds {
            heft: Heft {
                budget: upkeep.memory_bytes,
                of: heft,
            },
            restarts: upkeep.restarts,
        };
        Self {
            table: Table::new(upkeep.idle_ttl_ms, keeps, bounds),
            waiting: HashMap::new(),
            takers: Vec::new(),
            starts: JoinSet::new(),
            closings: JoinSet::new(),
            tickets: 0,
            stamps: HashMap::new(),
            born: Instant::now(),
            tick: (ttl / 4).clamp(Duration::from_millis(50), TICK),
            launcher,
            lineage,
            claims,
            own,
            changed,
        }
    }

    /// Until the pool is closed.
    pub(super) async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let mut ticks = tokio::time::interval(self.tick);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let message = tokio::select! {
                message = inbox.recv() => message,
                _ = ticks.tick() => Some(Message::Event(Event::Ticked)),
            };
            match message {
                None => return,
                Some(Message::Close { reply }) => {
                    self.close(&mut inbox).await;
                    reply.send(()).ok();
                    return;
                }
                Some(message) => self.on(message),
            }
        }
    }

    /// What is being started is killed, what runs is closed; an agent that had started just now is among the messages.
    async fn close(&mut self, inbox: &mut mpsc::UnboundedReceiver<Message>) {
        self.starts.shutdown().await;
        self.event(Event::Closing);
        while let Ok(message) = inbox.try_recv() {
            self.on(message);
        }
        while self.closings.join_next().await.is_some() {}
    }

    fn on(&mut self, message: Message) {
        while self.closings.try_join_next().is_some() {}
        while self.starts.try_join_next().is_some() {}
        match message {
            Message::Wanted {
                launch,
                stamp,
                reply,
            } => self.wanted(&launch, stamp, reply),
            Message::Event(Event::Ticked) => {
                self.event(Event::Ticked);
                self.stamps.retain(|key, _| self.table.knows(key));
            }
            Message::Event(event) => self.event(event),
            Message::Retired { link } => self.end(link),
            Message::Forsaken { link, session } => {
                self.carry_out(Effect::CloseSession { link, session });
            }
            Message::SpareOpened {
                key,
                generation,
                opening,
                opened,
            } => self.spare_opened(key, generation, opening, opened),
            Message::TakeSpare {
                key,
                generation,
                opening,
                reply,
            } => self.take_spare(Taker {
                key,
                generation,
                opening,
                reply,
            }),
            Message::TakeOpen {
                key,
                generation,
                session,
                reply,
            } => {
                reply
                    .send(self.table.take_open(&key, generation, &session))
                    .ok();
            }
            Message::End { root, reply } => self.end_all(root, reply),
            Message::Rows { reply } => drop(reply.send(self.rows())),
            Message::Broken { reply } => drop(reply.send(self.broken())),
            Message::Mend { agent, reply } => {
                reply.send(self.table.mend(&agent)).ok();
            }
            // The loop answers the first; whoever closes once more has nothing to wait for.
            Message::Close { reply } => drop(reply.send(())),
        }
    }

    fn take_spare(&mut self, taker: Taker) {
        let spare = self
            .table
            .take_spare(&taker.key, taker.generation, &taker.opening);
        match spare {
            Some(None) => self.takers.push(taker),
            Some(opened) => self.hand_over(taker, opened),
            None => drop(taker.reply.send(None)),
        }
    }

    fn spare_opened(
        &mut self,
        key: WarmKey,
        generation: u64,
        opening: Opening,
        opened: Option<Opened>,
    ) {
        let waits = |taker: &Taker| {
            taker.generation == generation && taker.key == key && taker.opening == opening
        };
        if let Some(at) = self.takers.iter().position(waits) {
            let taker = self.takers.remove(at);
            return self.hand_over(taker, opened);
        }
        self.event(Event::SpareOpened {
            key,
            generation,
            opening,
            opened,
        });
    }

    /// `None` is the news that there is no spare: then he opens a session himself. What a taker who has gone leaves is another's.
    fn hand_over(&mut self, taker: Taker, opened: Option<Opened>) {
        let Taker {
            key,
            generation,
            opening,
            reply,
        } = taker;
        if let Err(back) = reply.send(opened) {
            self.spare_opened(key, generation, opening, back);
        }
    }

    fn wanted(&mut self, launch: &Launch, stamp: Option<Stamp>, reply: Reply) {
        let key = launch.key();
        self.look_at(&key, stamp);
        if self.claims.is_replaced(&key.root) {
            let root = key.root.clone();
            self.event(Event::Replaced { root });
        }
        // The word of its end is on its way to us; who comes now need not find out by himself.
        if let Some((generation, link)) = self.table.link(&key)
            && link.is_useless()
        {
            let (key, unasked) = (key.clone(), link.has_ended());
            self.event(Event::Died {
                key,
                generation,
                unasked,
            });
        }
        self.tickets += 1;
        let ticket = self.tickets;
        self.waiting.insert(ticket, reply);
        for effect in self.table.handle(Event::Wanted { key, ticket }, self.now()) {
            if let Effect::Start { key, generation } = effect {
                self.start(key, generation, launch.clone());
            } else {
                self.carry_out(effect);
            }
        }
    }

    /// Whether the program that is to be started is the one that was.
    fn look_at(&mut self, key: &WarmKey, stamp: Option<Stamp>) {
        // Who joins a start gets what is started, whichever that is.
        let Some(stamp) = stamp.filter(|_| !self.table.is_starting(key)) else {
            return;
        };
        let before = self.stamps.insert(key.clone(), stamp);
        if before.is_some_and(|before| before != stamp) {
            tracing::info!(agent.name = %key.agent, "an agent's program was replaced");
            self.event(Event::Outdated { key: key.clone() });
        }
    }

    /// Agents that are about to start end once they have come; of those it is not waited for.
    fn end_all(&mut self, root: PathBuf, reply: oneshot::Sender<()>) {
        let mut links = JoinSet::new();
        for effect in self.table.handle(Event::Stopped { root }, self.now()) {
            if let Effect::Close { link } = effect {
                links.spawn(async move { link.close().await });
            } else {
                self.carry_out(effect);
            }
        }
        self.changed.send_replace(());
        self.closings.spawn(async move {
            while links.join_next().await.is_some() {}
            reply.send(()).ok();
        });
    }

    fn event(&mut self, event: Event<Link>) {
        if may_change(&event) {
            self.changed.send_replace(());
        }
        for effect in self.table.handle(event, self.now()) {
            self.carry_out(effect);
        }
    }

    fn now(&self) -> i64 {
        i64::try_from(self.born.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn carry_out(&mut self, effect: Effect<Link>) {
        match effect {
            // Only somebody's want starts an agent: see there.
            Effect::Start { .. } => {}
            Effect::Give {
                ticket,
                key,
                generation,
                link,
                reused,
            } => {
                // Made here, so that the place is given back also when whoever asked is gone, or goes before he reads the answer.
                let (pool, lineage) = (self.own.clone(), self.lineage.clone());
                let berth = Berth::warm(link, (key, generation), reused, pool, lineage);
                self.answer(ticket, Ok(berth));
            }
            Effect::Refuse { ticket, fault } => self.answer(ticket, Err(fault)),
            Effect::OpenSpare {
                key,
                generation,
                opening,
                link,
            } => self.open_spare(key, generation, opening, link),
            Effect::CloseSession { link, session } => {
                self.closings
                    .spawn(async move { link.close_session(&session).await });
            }
            Effect::Close { link } => self.end(link),
        }
    }

    fn answer(&mut self, ticket: Ticket, given: Result<Berth, Fault>) {
        if let Some(reply) = self.waiting.remove(&ticket) {
            drop(reply.send(given));
        }
    }

    fn end(&mut self, link: Link) {
        self.changed.send_replace(());
        self.closings.spawn(async move { link.close().await });
    }

    fn start(&mut self, key: WarmKey, generation: u64, launch: Launch) {
        let (launcher, lineage, own) = (
            self.launcher.clone(),
            self.lineage.clone(),
            self.own.clone(),
        );
        let claiming = self.claims.claiming(&key.root);
        self.starts.spawn(async move {
            let outcome = launch.serve(&launcher, &lineage, claiming).await;
            // No hold on the link: an agent that nobody uses any more must not live because it is watched.
            let watched = outcome
                .as_ref()
                .ok()
                .map(|link| (link.process().pid(), link.useless()));
            // Before anything can be said of its end.
            drop(own.send(Message::Event(Event::Started {
                key: key.clone(),
                generation,
                outcome,
            })));
            if let Some((pid, useless)) = watched {
                tokio::spawn(watch(pid, useless, key, generation, own));
            }
        });
    }

    fn open_spare(&self, key: WarmKey, generation: u64, opening: Opening, link: Link) {
        let own = self.own.clone();
        tokio::spawn(async move {
            let opened = link.open(opening.clone()).await;
            if let Err(fault) = &opened {
                tracing::info!(agent.name = %key.agent, %fault, "no session was opened ahead");
            }
            drop(own.send(Message::SpareOpened {
                key,
                generation,
                opening,
                opened: opened.ok(),
            }));
        });
    }

    fn broken(&self) -> Vec<BrokenRow> {
        let now = self.now();
        let row = |(key, broken): (&WarmKey, &Broken)| BrokenRow {
            agent: key.agent.clone(),
            root: key.root.clone(),
            times: broken.times,
            since_ms: now.saturating_sub(broken.since),
        };
        self.table.broken().map(row).collect()
    }

    fn rows(&self) -> Vec<WarmRow> {
        let row = |row: Row<Link>| WarmRow {
            agent: row.key.agent,
            root: row.key.root,
            pid: row.link.process().pid(),
            busy: row.busy,
            spare: row.spare,
            pinned: row.pinned,
            spawned: row.spawned,
            open: row.open,
            generation: row.generation,
            memory_bytes: row.link.process().memory(),
        };
        self.table.rows().into_iter().map(row).collect()
    }
}

/// What is not known yet weighs nothing: it was started just now.
fn heft(link: &Link) -> u64 {
    link.process().memory().unwrap_or_default()
}

/// Who looks afterwards may find other agents than before.
fn may_change(event: &Event<Link>) -> bool {
    match event {
        Event::Started { .. }
        | Event::Died { .. }
        | Event::Kept { .. }
        | Event::Stopped { .. }
        | Event::Replaced { .. }
        | Event::Outdated { .. }
        | Event::Closing => true,
        // Those that it ends are told of as they are closed.
        Event::Ticked
        | Event::Wanted { .. }
        | Event::Returned { .. }
        | Event::SpareOpened { .. }
        | Event::Pinned { .. }
        | Event::Unpinned { .. } => false,
    }
}

/// An open conversation may be a process of the agent's own, so few are kept where another attempt can load them again; where it cannot,
/// closing one is losing it; and where the agent cannot close any, forgetting one frees nothing.
fn keeps(link: &Link) -> usize {
    let can = link.capabilities();
    match (can.close, can.load || can.resume) {
        (true, true) => 6,
        (true, false) => 32,
        (false, _) => 1_024,
    }
}

/// Tells of a warm agent's end.
async fn watch(
    pid: u32,
    useless: impl Future<Output = bool>,
    key: WarmKey,
    generation: u64,
    own: mpsc::UnboundedSender<Message>,
) {
    tracing::info!(agent.name = %key.agent, agent.pid = pid, root = %key.root.display(), "started a warm agent");
    let unasked = useless.await;
    tracing::info!(agent.name = %key.agent, agent.pid = pid, "a warm agent has ended, or is of no further use");
    drop(own.send(Message::Event(Event::Died {
        key,
        generation,
        unasked,
    })));
}
