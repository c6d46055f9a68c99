//! The pool's task: messages to the table, effects to the world.

use super::{
    Given, Message, WarmRow,
    berth::digest,
    key::{Digest, WarmKey},
    launch::Launch,
    lineage::Lineage,
    table::{Effect, Event, Spare, Table, Ticket},
};
use crate::{
    agents::{
        acp::{Link, Opened, Opening},
        process::Launcher,
    },
    domain::fault::Fault,
};
use std::{collections::HashMap, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{Instant, MissedTickBehavior},
};

/// How often idleness is looked at, at most.
const TICK: Duration = Duration::from_secs(5);

/// Waits for the next spare of this opening.
struct Taker {
    key: WarmKey,
    generation: u64,
    opening: Digest,
    reply: oneshot::Sender<Option<Opened>>,
}

pub(super) struct Actor {
    table: Table<Link>,
    waiting: HashMap<Ticket, oneshot::Sender<Result<Given, Fault>>>,
    /// How to start the agent of a key, from its first caller until it has started.
    launches: HashMap<WarmKey, Launch>,
    openings: HashMap<Digest, Opening>,
    /// Spares by the agent's own session id.
    spares: HashMap<String, Opened>,
    /// Who waits for a spare that is being opened: it will be there before one that is begun now.
    takers: Vec<Taker>,
    closings: JoinSet<()>,
    tickets: Ticket,
    born: Instant,
    tick: Duration,
    launcher: Launcher,
    lineage: Lineage,
    own: mpsc::UnboundedSender<Message>,
}

impl Actor {
    pub(super) fn new(
        launcher: Launcher,
        lineage: Lineage,
        own: mpsc::UnboundedSender<Message>,
        idle_ttl_ms: i64,
    ) -> Self {
        let ttl = Duration::from_millis(u64::try_from(idle_ttl_ms).unwrap_or_default());
        Self {
            table: Table::new(idle_ttl_ms),
            waiting: HashMap::new(),
            launches: HashMap::new(),
            openings: HashMap::new(),
            spares: HashMap::new(),
            takers: Vec::new(),
            closings: JoinSet::new(),
            tickets: 0,
            born: Instant::now(),
            tick: (ttl / 4).clamp(Duration::from_millis(50), TICK),
            launcher,
            lineage,
            own,
        }
    }

    /// Until every handle is gone or the pool is closed.
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
                    self.event(Event::Closing);
                    while self.closings.join_next().await.is_some() {}
                    reply.send(()).ok();
                }
                Some(message) => self.on(message),
            }
        }
    }

    fn on(&mut self, message: Message) {
        while self.closings.try_join_next().is_some() {}
        match message {
            Message::Wanted { launch, reply } => self.wanted(*launch, reply),
            Message::Event(event) => self.event(event),
            Message::Returned {
                key,
                generation,
                session,
                opening,
            } => {
                let opening = opening.map(|opening| self.remember(opening));
                self.event(Event::Returned {
                    key,
                    generation,
                    session,
                    opening,
                });
            }
            Message::SpareOpened {
                key,
                generation,
                opening,
                opened,
            } => {
                if let Err(opened) = self.hand_over(&key, generation, opening, opened) {
                    self.keep(key, generation, opening, opened);
                }
            }
            Message::TakeSpare {
                key,
                generation,
                opening,
                reply,
            } => match self.table.take_spare(&key, generation, opening) {
                Some(Spare::Opening) => self.takers.push(Taker {
                    key,
                    generation,
                    opening,
                    reply,
                }),
                Some(Spare::Open(session)) => {
                    if let Err(opened) = reply.send(self.spares.remove(&session)) {
                        self.keep(key, generation, opening, opened);
                    }
                }
                None => drop(reply.send(None)),
            },
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
            Message::Rows { reply } => drop(reply.send((self.rows(), self.table.has_pins()))),
            // Answered by the loop, which waits for the closings.
            Message::Close { reply } => drop(reply.send(())),
        }
    }

    /// Gives a spare to who waits for it, or the news that there is none: then he opens a session himself.
    ///
    /// # Errors
    /// What nobody took.
    fn hand_over(
        &mut self,
        key: &WarmKey,
        generation: u64,
        opening: Digest,
        mut opened: Option<Opened>,
    ) -> Result<(), Option<Opened>> {
        while let Some(at) = self.takers.iter().position(|taker| {
            taker.generation == generation && taker.opening == opening && taker.key == *key
        }) {
            match self.takers.remove(at).reply.send(opened) {
                Ok(()) => return Ok(()),
                // That attempt has ended meanwhile.
                Err(back) => opened = back,
            }
        }
        Err(opened)
    }

    /// Files a spare for whoever comes.
    fn keep(&mut self, key: WarmKey, generation: u64, opening: Digest, opened: Option<Opened>) {
        let session = opened.as_ref().map(|opened| opened.session.clone());
        self.spares
            .extend(opened.map(|opened| (opened.session.clone(), opened)));
        self.event(Event::SpareOpened {
            key,
            generation,
            opening,
            session,
        });
    }

    fn wanted(&mut self, launch: Launch, reply: oneshot::Sender<Result<Given, Fault>>) {
        self.tickets += 1;
        self.waiting.insert(self.tickets, reply);
        let key = launch.key();
        self.launches.insert(key.clone(), launch);
        self.event(Event::Wanted {
            key,
            ticket: self.tickets,
        });
    }

    /// Few are in use at once; the map is emptied rather than aged.
    fn remember(&mut self, opening: Opening) -> Digest {
        if self.openings.len() > 64 {
            self.openings.clear();
        }
        let digest = digest(&opening);
        self.openings.insert(digest, opening);
        digest
    }

    fn event(&mut self, event: Event<Link>) {
        let now = i64::try_from(self.born.elapsed().as_millis()).unwrap_or(i64::MAX);
        for effect in self.table.handle(event, now) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<Link>) {
        match effect {
            Effect::Start { key, generation } => self.start(key, generation),
            Effect::Give {
                ticket,
                key,
                generation,
                link,
                reused,
            } => {
                self.launches.remove(&key);
                let Some(reply) = self.waiting.remove(&ticket) else {
                    return;
                };
                let given = Given {
                    key,
                    generation,
                    link,
                    reused,
                };
                // Whoever asked is gone: the place is free again.
                if let Err(Ok(given)) = reply.send(Ok(given)) {
                    let Given {
                        key, generation, ..
                    } = given;
                    drop(self.own.send(Message::Returned {
                        key,
                        generation,
                        session: None,
                        opening: None,
                    }));
                }
            }
            Effect::Refuse { ticket, fault } => {
                if let Some(reply) = self.waiting.remove(&ticket) {
                    drop(reply.send(Err(fault)));
                }
            }
            Effect::OpenSpare {
                key,
                generation,
                opening,
                link,
            } => self.open_spare(key, generation, opening, link),
            Effect::CloseSession { link, session } => {
                self.spares.remove(&session);
                self.closings
                    .spawn(async move { link.close_session(&session).await });
            }
            Effect::Close { link } => {
                self.closings.spawn(async move { link.close().await });
            }
        }
    }

    fn start(&mut self, key: WarmKey, generation: u64) {
        let Some(launch) = self.launches.remove(&key) else {
            return;
        };
        let (launcher, lineage, own) = (
            self.launcher.clone(),
            self.lineage.clone(),
            self.own.clone(),
        );
        tokio::spawn(async move {
            let outcome = launch.link(&launcher, &lineage).await;
            // No hold on the link: an agent that nobody uses any more must not live because it is watched.
            let watched = outcome
                .as_ref()
                .ok()
                .map(|link| (link.process().pid(), link.useless()));
            if let Some((pid, _)) = &watched {
                tracing::info!(agent.name = %key.agent, agent.pid = pid, root = %key.root.display(), "started a warm agent");
            }
            drop(own.send(Message::Event(Event::Started {
                key: key.clone(),
                generation,
                outcome,
            })));
            if let Some((pid, useless)) = watched {
                useless.await;
                tracing::info!(agent.name = %key.agent, agent.pid = pid, "a warm agent has ended, or is of no further use");
                drop(own.send(Message::Event(Event::Died { key, generation })));
            }
        });
    }

    fn open_spare(&mut self, key: WarmKey, generation: u64, opening: Digest, link: Link) {
        let wanted = self.openings.get(&opening).cloned();
        let own = self.own.clone();
        tokio::spawn(async move {
            let opened = match wanted {
                Some(opening) => link.open(opening).await.ok(),
                None => None,
            };
            drop(own.send(Message::SpareOpened {
                key,
                generation,
                opening,
                opened,
            }));
        });
    }

    fn rows(&self) -> Vec<WarmRow> {
        let row = |row: super::table::Row<Link>| WarmRow {
            agent: row.key.agent,
            root: row.key.root,
            pid: row.link.process().pid(),
            busy: row.busy,
            spare: row.spare,
            pinned: row.pinned,
            generation: row.generation,
        };
        self.table.rows().into_iter().map(row).collect()
    }
}
