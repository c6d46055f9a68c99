//! The pool as a pure machine: events in, effects out; no clock, no process, no async.

use super::key::{Digest, WarmKey};
use crate::domain::{fault::Fault, ids::InstanceId};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Names who waits for an agent.
pub(super) type Ticket = u64;

/// Conversations an agent keeps open for follow-ups; the least recently used is closed beyond that.
const OPEN_SESSIONS: usize = 6;

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
    Died {
        key: WarmKey,
        generation: u64,
    },
    /// A turn is over; its session stays open. `opening` is what a spare should be opened with.
    Returned {
        key: WarmKey,
        generation: u64,
        session: Option<String>,
        opening: Option<Digest>,
    },
    SpareOpened {
        key: WarmKey,
        generation: u64,
        opening: Digest,
        session: Option<String>,
    },
    Pinned {
        key: WarmKey,
        instance: InstanceId,
    },
    Unpinned {
        instance: InstanceId,
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
        opening: Digest,
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
    /// Sessions that nobody has used: what they were opened with.
    spares: BTreeMap<Digest, Spare>,
    /// Used sessions, least recently used first.
    open: VecDeque<String>,
}

/// A session that nobody has used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spare {
    /// It will be reported, or its failure.
    Opening,
    Open(String),
}

#[derive(Debug)]
enum Phase<L> {
    Starting { waiters: Vec<Ticket> },
    Ready(Ready<L>),
}

#[derive(Debug)]
struct Entry<L> {
    generation: u64,
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
}

/// All warm agents.
#[derive(Debug)]
pub(super) struct Table<L> {
    entries: BTreeMap<WarmKey, Entry<L>>,
    pins: BTreeSet<(WarmKey, InstanceId)>,
    generation: u64,
    idle_ttl_ms: i64,
    closing: bool,
}

impl<L: Clone> Table<L> {
    pub(super) fn new(idle_ttl_ms: i64) -> Self {
        Self {
            entries: BTreeMap::new(),
            pins: BTreeSet::new(),
            generation: 0,
            idle_ttl_ms,
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
            Event::Died { key, generation } => {
                self.evict(&key, generation);
                Vec::new()
            }
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
                session,
            } => {
                self.spare_opened(&key, generation, opening, session);
                Vec::new()
            }
            Event::Pinned { key, instance } => {
                self.pins.insert((key, instance));
                Vec::new()
            }
            Event::Unpinned { instance } => {
                self.pins.retain(|(_, pinned)| *pinned != instance);
                Vec::new()
            }
            Event::Ticked => self.end_idle(now),
            Event::Closing => self.close_all(),
        }
    }

    /// Takes a session that was opened ahead with `opening`, or is about to be: one taker each.
    pub(super) fn take_spare(
        &mut self,
        key: &WarmKey,
        generation: u64,
        opening: Digest,
    ) -> Option<Spare> {
        self.ready(key, generation)?.spares.remove(&opening)
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
        self.entries
            .iter()
            .filter_map(|(key, entry)| match &entry.phase {
                Phase::Starting { .. } => None,
                Phase::Ready(ready) => Some(Row {
                    key: key.clone(),
                    generation: entry.generation,
                    link: ready.link.clone(),
                    busy: ready.busy,
                    spare: u32::try_from(
                        ready
                            .spares
                            .values()
                            .filter(|s| **s != Spare::Opening)
                            .count(),
                    )
                    .unwrap_or(u32::MAX),
                    pinned: self.is_pinned(key),
                }),
            })
            .collect()
    }

    pub(super) fn has_pins(&self) -> bool {
        !self.pins.is_empty()
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
            }) if *current == generation => Some(ready),
            _ => None,
        }
    }

    fn wanted(&mut self, key: WarmKey, ticket: Ticket) -> Vec<Effect<L>> {
        if self.closing {
            let fault = Fault::new(
                crate::domain::fault::ErrorKind::Busy,
                "the hub is about to end",
            );
            return vec![Effect::Refuse { ticket, fault }];
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
        self.entries
            .insert(key.clone(), Entry { generation, phase });
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
        let waiters = match self.entries.get_mut(key) {
            Some(Entry {
                generation: current,
                phase: Phase::Starting { waiters },
            }) if *current == generation => std::mem::take(waiters),
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
                    spares: BTreeMap::new(),
                    open: VecDeque::new(),
                };
                let phase = Phase::Ready(ready);
                self.entries
                    .insert(key.clone(), Entry { generation, phase });
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

    fn evict(&mut self, key: &WarmKey, generation: u64) {
        if self.ready(key, generation).is_some() {
            self.entries.remove(key);
        }
    }

    fn returned(
        &mut self,
        key: &WarmKey,
        generation: u64,
        session: Option<String>,
        opening: Option<Digest>,
        now: i64,
    ) -> Vec<Effect<L>> {
        let Some(ready) = self.ready(key, generation) else {
            return Vec::new();
        };
        ready.busy = ready.busy.saturating_sub(1);
        ready.idle_since = now;
        let mut effects = Vec::new();
        ready.open.extend(session);
        while ready.open.len() > OPEN_SESSIONS {
            if let Some(session) = ready.open.pop_front() {
                effects.push(Effect::CloseSession {
                    link: ready.link.clone(),
                    session,
                });
            }
        }
        if let Some(opening) = opening.filter(|opening| !ready.spares.contains_key(opening)) {
            // One spare an agent: what was asked for last is what will most likely be asked for next.
            for spare in std::mem::take(&mut ready.spares).into_values() {
                if let Spare::Open(session) = spare {
                    effects.push(Effect::CloseSession {
                        link: ready.link.clone(),
                        session,
                    });
                }
            }
            ready.spares.insert(opening, Spare::Opening);
            effects.push(Effect::OpenSpare {
                key: key.clone(),
                generation,
                opening,
                link: ready.link.clone(),
            });
        }
        effects
    }

    fn spare_opened(
        &mut self,
        key: &WarmKey,
        generation: u64,
        opening: Digest,
        session: Option<String>,
    ) {
        let Some(ready) = self.ready(key, generation) else {
            return;
        };
        ready.spares.remove(&opening);
        if let Some(session) = session {
            ready.spares.insert(opening, Spare::Open(session));
        }
    }

    fn end_idle(&mut self, now: i64) -> Vec<Effect<L>> {
        let (ttl, pins) = (self.idle_ttl_ms, &self.pins);
        let idle = self
            .entries
            .extract_if(.., |key, entry| match &entry.phase {
                Phase::Starting { .. } => false,
                Phase::Ready(ready) => {
                    ready.busy == 0
                        && now.saturating_sub(ready.idle_since) >= ttl
                        && !pins.iter().any(|(pinned, _)| pinned == key)
                }
            });
        idle.filter_map(|(_, entry)| entry.close()).collect()
    }

    fn close_all(&mut self) -> Vec<Effect<L>> {
        self.closing = true;
        let mut effects = Vec::new();
        for (_, entry) in std::mem::take(&mut self.entries) {
            if let Phase::Starting { waiters } = &entry.phase {
                let fault = Fault::new(
                    crate::domain::fault::ErrorKind::Busy,
                    "the hub is about to end",
                );
                effects.extend(waiters.iter().map(|ticket| Effect::Refuse {
                    ticket: *ticket,
                    fault: fault.clone(),
                }));
            }
            effects.extend(entry.close());
        }
        effects
    }
}

impl<L> Entry<L> {
    fn close(self) -> Option<Effect<L>> {
        match self.phase {
            Phase::Starting { .. } => None,
            Phase::Ready(ready) => Some(Effect::Close { link: ready.link }),
        }
    }
}

#[cfg(test)]
mod tests;
