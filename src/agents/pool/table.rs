//! The pool as a pure machine: events in, effects out; no clock, no process, no async.

mod deaths;
mod ends;
mod leaving;

pub(super) use deaths::Broken;
pub use deaths::Restarts;

use super::key::WarmKey;
use crate::{
    agents::acp::{Opened, Opening},
    domain::{fault::Fault, ids::InstanceId},
};
use deaths::Deaths;
use leaving::Leaving;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    path::PathBuf,
};

/// Names who waits for an agent.
pub(super) type Ticket = u64;

/// What has happened.
#[derive(Debug)]
pub(super) enum Event<L> {
    /// Somebody needs the agent of this key.
    Wanted {
        key: WarmKey,
        ticket: Ticket,
    },
    Started {
        key: WarmKey,
        generation: u64,
        outcome: Result<L, Fault>,
    },
    /// It has ended, or is of no further use; `unasked`: it ended, and nobody had told it to.
    Died {
        key: WarmKey,
        generation: u64,
        unasked: bool,
    },
    /// Another program lies where the agent of this key was started from.
    Outdated {
        key: WarmKey,
    },
    /// A turn is over; its session stays open. `opening` is what a spare should be opened with.
    Returned {
        key: WarmKey,
        generation: u64,
        session: Option<String>,
        opening: Option<Opening>,
    },
    /// `None`: it could not be opened.
    SpareOpened {
        key: WarmKey,
        generation: u64,
        opening: Opening,
        opened: Option<Opened>,
    },
    Pinned {
        key: WarmKey,
        instance: InstanceId,
    },
    Unpinned {
        instance: InstanceId,
    },
    /// The roots that people work in now: agents there are theirs, and stay however long they are idle.
    Kept {
        roots: BTreeSet<PathBuf>,
    },
    /// A person ends all agents of a root.
    Stopped {
        root: PathBuf,
    },
    /// Another directory is where this root was; what works in the old one is of no use to who comes now.
    Replaced {
        root: PathBuf,
    },
    /// Time has passed.
    Ticked,
    /// The pool ends.
    Closing,
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Effect<L> {
    Start {
        key: WarmKey,
        generation: u64,
    },
    /// Hand the agent to who waits.
    Give {
        ticket: Ticket,
        key: WarmKey,
        generation: u64,
        link: L,
        reused: bool,
    },
    Refuse {
        ticket: Ticket,
        fault: Fault,
    },
    /// Open a session ahead.
    OpenSpare {
        key: WarmKey,
        generation: u64,
        opening: Opening,
        link: L,
    },
    CloseSession {
        link: L,
        session: String,
    },
    /// End the agent.
    Close {
        link: L,
    },
}

#[derive(Debug)]
struct Ready<L> {
    link: L,
    busy: u32,
    idle_since: i64,
    /// The session that nobody has used yet. One an agent: what was asked for last is what will most likely be asked for next.
    spare: Option<Spare>,
    /// Used sessions, least recently used first.
    open: VecDeque<String>,
}

#[derive(Debug)]
struct Spare {
    opening: Opening,
    /// `None` while it is being opened.
    opened: Option<Opened>,
}

#[derive(Debug)]
enum Phase<L> {
    Starting { waiters: Vec<Ticket> },
    Ready(Ready<L>),
}

#[derive(Debug)]
struct Entry<L> {
    generation: u64,
    /// For a delegation, and no person has taken it over since.
    spawned: bool,
    phase: Phase<L>,
}

/// A warm agent as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<L> {
    pub(super) key: WarmKey,
    pub(super) generation: u64,
    pub(super) link: L,
    pub(super) busy: u32,
    pub(super) spare: u32,
    pub(super) pinned: bool,
    pub(super) spawned: bool,
    pub(super) open: Vec<String>,
}

/// All warm agents.
#[derive(Debug)]
pub(super) struct Table<L> {
    entries: BTreeMap<WarmKey, Entry<L>>,
    pins: BTreeSet<(WarmKey, InstanceId)>,
    kept: BTreeSet<PathBuf>,
    generation: u64,
    idle_ttl_ms: i64,
    keeps: fn(&L) -> usize,
    heft: Heft<L>,
    leaving: Vec<Leaving<L>>,
    deaths: Deaths,
    closing: bool,
}

/// How many bytes agents may take together before idle ones end, and how many one takes.
#[derive(Debug)]
pub(super) struct Heft<L> {
    /// 0: as many as they like.
    pub(super) budget: u64,
    pub(super) of: fn(&L) -> u64,
}

/// What bounds a table beside time.
#[derive(Debug)]
pub(super) struct Bounds<L> {
    pub(super) heft: Heft<L>,
    pub(super) restarts: Restarts,
}

impl<L: Clone> Table<L> {
    /// `keeps`: how many conversations an agent keeps open for follow-ups; beyond that the least recently used is closed.
    pub(super) fn new(idle_ttl_ms: i64, keeps: fn(&L) -> usize, bounds: Bounds<L>) -> Self {
        Self {
            entries: BTreeMap::new(),
            pins: BTreeSet::new(),
            kept: BTreeSet::new(),
            generation: 0,
            idle_ttl_ms,
            keeps,
            heft: bounds.heft,
            leaving: Vec::new(),
            deaths: Deaths::new(bounds.restarts),
            closing: false,
        }
    }

    /// One step. `now` in milliseconds, of any clock that does not go back.
    pub(super) fn handle(&mut self, event: Event<L>, now: i64) -> Vec<Effect<L>> {
        match event {
            Event::Wanted { key, ticket } => self.wanted(key, ticket),
            Event::Started {
                key,
                generation,
                outcome,
            } => self.started(&key, generation, outcome, now),
            Event::Died {
                key,
                generation,
                unasked,
            } => {
                self.died(&key, generation, unasked, now);
                Vec::new()
            }
            Event::Outdated { key } => self.outdate(&key),
            Event::Returned {
                key,
                generation,
                session,
                opening,
            } => self.returned(&key, generation, session, opening, now),
            Event::SpareOpened {
                key,
                generation,
                opening,
                opened,
            } => self.spare_opened(&key, generation, opening, opened),
            Event::Pinned { key, instance } => {
                if let Some(entry) = self.entries.get_mut(&key) {
                    entry.spawned = false;
                }
                self.pins.insert((key, instance));
                Vec::new()
            }
            Event::Unpinned { instance } => {
                self.pins.retain(|(_, pinned)| *pinned != instance);
                Vec::new()
            }
            Event::Kept { roots } => {
                self.keep(roots, now);
                Vec::new()
            }
            Event::Stopped { root } => self.stop(&root),
            Event::Replaced { root } => {
                self.forget(&root);
                Vec::new()
            }
            Event::Ticked => self.tick(now),
            Event::Closing => self.close_all(),
        }
    }

    /// The agent of a key, if it has started.
    pub(super) fn link(&self, key: &WarmKey) -> Option<(u64, &L)> {
        let entry = self.entries.get(key)?;
        match &entry.phase {
            Phase::Starting { .. } => None,
            Phase::Ready(ready) => Some((entry.generation, &ready.link)),
        }
    }

    /// Takes the session that was opened ahead with `opening`; one that is on its way, `Some(None)`, is its taker's alone once it comes.
    pub(super) fn take_spare(
        &mut self,
        key: &WarmKey,
        generation: u64,
        opening: &Opening,
    ) -> Option<Option<Opened>> {
        let is_it = |spare: &mut Spare| spare.opening == *opening;
        let spare = self.ready(key, generation)?.spare.take_if(is_it)?;
        Some(spare.opened)
    }

    /// Takes a used session that is still open, so that nobody closes it meanwhile.
    pub(super) fn take_open(&mut self, key: &WarmKey, generation: u64, session: &str) -> bool {
        let Some(ready) = self.ready(key, generation) else {
            return false;
        };
        let before = ready.open.len();
        ready.open.retain(|open| open != session);
        ready.open.len() < before
    }

    pub(super) fn rows(&self) -> Vec<Row<L>> {
        let leaving = self.leaving.iter().map(|one| Row {
            key: one.key.clone(),
            generation: one.generation,
            link: one.link.clone(),
            busy: one.busy,
            spare: 0,
            pinned: false,
            spawned: true,
            open: Vec::new(),
        });
        let ready = self.ready_rows();
        ready.into_iter().chain(leaving).collect()
    }

    /// Whether anything is remembered of a key.
    pub(super) fn knows(&self, key: &WarmKey) -> bool {
        self.entries.contains_key(key) || self.deaths.knows(key)
    }

    /// The agent of a key is on its way.
    pub(super) fn is_starting(&self, key: &WarmKey) -> bool {
        let entry = self.entries.get(key);
        entry.is_some_and(|entry| matches!(entry.phase, Phase::Starting { .. }))
    }

    fn ready_rows(&self) -> Vec<Row<L>> {
        self.entries
            .iter()
            .filter_map(|(key, entry)| match &entry.phase {
                Phase::Starting { .. } => None,
                Phase::Ready(ready) => Some(Row {
                    key: key.clone(),
                    generation: entry.generation,
                    link: ready.link.clone(),
                    busy: ready.busy,
                    spare: ready
                        .spare
                        .iter()
                        .filter_map(|s| s.opened.as_ref())
                        .map(|_| 1)
                        .sum(),
                    pinned: self.is_pinned(key),
                    spawned: entry.spawned,
                    open: ready.open.iter().cloned().collect(),
                }),
            })
            .collect()
    }

    fn is_pinned(&self, key: &WarmKey) -> bool {
        self.pins.iter().any(|(pinned, _)| pinned == key)
    }

    /// An event of an earlier process of the same key finds nothing here.
    fn ready(&mut self, key: &WarmKey, generation: u64) -> Option<&mut Ready<L>> {
        match self.entries.get_mut(key) {
            Some(Entry {
                generation: current,
                phase: Phase::Ready(ready),
                ..
            }) if *current == generation => Some(ready),
            _ => None,
        }
    }

    fn wanted(&mut self, key: WarmKey, ticket: Ticket) -> Vec<Effect<L>> {
        if self.closing {
            return vec![Effect::Refuse {
                ticket,
                fault: ends::closing(),
            }];
        }
        if let Some(refusal) = self.refusal(&key, ticket) {
            return vec![refusal];
        }
        if let Some(entry) = self.entries.get_mut(&key) {
            return match &mut entry.phase {
                Phase::Starting { waiters } => {
                    waiters.push(ticket);
                    Vec::new()
                }
                Phase::Ready(ready) => {
                    ready.busy += 1;
                    let (link, generation) = (ready.link.clone(), entry.generation);
                    vec![Effect::Give {
                        ticket,
                        key,
                        generation,
                        link,
                        reused: true,
                    }]
                }
            };
        }
        self.generation += 1;
        let generation = self.generation;
        let phase = Phase::Starting {
            waiters: vec![ticket],
        };
        let entry = Entry {
            generation,
            spawned: !self.kept.contains(&key.root),
            phase,
        };
        self.entries.insert(key.clone(), entry);
        vec![Effect::Start { key, generation }]
    }

    /// The first who waited started it; the others got an agent that was there.
    fn started(
        &mut self,
        key: &WarmKey,
        generation: u64,
        outcome: Result<L, Fault>,
        now: i64,
    ) -> Vec<Effect<L>> {
        let (waiters, spawned) = match self.entries.get_mut(key) {
            Some(Entry {
                generation: current,
                spawned,
                phase: Phase::Starting { waiters },
            }) if *current == generation => (std::mem::take(waiters), *spawned),
            _ => return outcome.map_or_else(|_| Vec::new(), |link| vec![Effect::Close { link }]),
        };
        match outcome {
            Err(fault) => {
                self.entries.remove(key);
                let refuse = |ticket| Effect::Refuse {
                    ticket,
                    fault: fault.clone(),
                };
                waiters.into_iter().map(refuse).collect()
            }
            Ok(link) => {
                let busy = u32::try_from(waiters.len()).unwrap_or(u32::MAX);
                let ready = Ready {
                    link: link.clone(),
                    busy,
                    idle_since: now,
                    spare: None,
                    open: VecDeque::new(),
                };
                let entry = Entry {
                    generation,
                    spawned,
                    phase: Phase::Ready(ready),
                };
                self.entries.insert(key.clone(), entry);
                let give = |(n, ticket)| Effect::Give {
                    ticket,
                    key: key.clone(),
                    generation,
                    link: link.clone(),
                    reused: n > 0,
                };
                waiters.into_iter().enumerate().map(give).collect()
            }
        }
    }

    fn returned(
        &mut self,
        key: &WarmKey,
        generation: u64,
        session: Option<String>,
        opening: Option<Opening>,
        now: i64,
    ) -> Vec<Effect<L>> {
        let keeps = self.keeps;
        let Some(ready) = self.ready(key, generation) else {
            return self.returned_late(key, generation);
        };
        ready.busy = ready.busy.saturating_sub(1);
        ready.idle_since = now;
        let mut effects = Vec::new();
        ready.open.extend(session);
        while ready.open.len() > keeps(&ready.link) {
            if let Some(session) = ready.open.pop_front() {
                effects.push(Effect::CloseSession {
                    link: ready.link.clone(),
                    session,
                });
            }
        }
        let wanted = opening.filter(|opening| {
            ready
                .spare
                .as_ref()
                .is_none_or(|spare| spare.opening != *opening)
        });
        if let Some(opening) = wanted {
            let spare = Spare {
                opening: opening.clone(),
                opened: None,
            };
            let old = ready.spare.replace(spare).and_then(|old| old.opened);
            effects.extend(old.map(|old| Effect::CloseSession {
                link: ready.link.clone(),
                session: old.session,
            }));
            effects.push(Effect::OpenSpare {
                key: key.clone(),
                generation,
                opening,
                link: ready.link.clone(),
            });
        }
        effects
    }

    /// A spare that nobody waits for any more is kept if there is room; one that came too late, because another was wanted meanwhile, is
    /// closed.
    fn spare_opened(
        &mut self,
        key: &WarmKey,
        generation: u64,
        opening: Opening,
        opened: Option<Opened>,
    ) -> Vec<Effect<L>> {
        let Some(ready) = self.ready(key, generation) else {
            return Vec::new();
        };
        let awaited = |spare: &mut Spare| spare.opening == opening && spare.opened.is_none();
        let room = ready.spare.take_if(awaited).is_some() || ready.spare.is_none();
        match opened {
            Some(late) if !room => vec![Effect::CloseSession {
                link: ready.link.clone(),
                session: late.session,
            }],
            Some(opened) => {
                let opened = Some(opened);
                ready.spare = Some(Spare { opening, opened });
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}

#[cfg(test)]
mod endurance;
#[cfg(test)]
mod tests;
