//! Agents that ended unasked, and when it is enough: a program that always dies is not started for ever.

use super::{Effect, Table, Ticket, WarmKey};
use crate::domain::fault::{ErrorKind, Fault};
use std::collections::{BTreeMap, VecDeque};

/// How often an agent that ended by itself is started anew, within which time, before a person must look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restarts {
    pub max: u32,
    pub within_ms: i64,
}

impl Default for Restarts {
    fn default() -> Self {
        Self {
            max: 3,
            within_ms: 60_000,
        }
    }
}

/// An agent that is not started any more until a person says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agents::pool) struct Broken {
    /// When it ended for the last time.
    pub(in crate::agents::pool) since: i64,
    /// How often it had ended within the time that counts.
    pub(in crate::agents::pool) times: u32,
}

#[derive(Debug)]
pub(super) struct Deaths {
    restarts: Restarts,
    /// Moments of those that count, oldest first.
    recent: BTreeMap<WarmKey, VecDeque<i64>>,
    broken: BTreeMap<WarmKey, Broken>,
}

impl Deaths {
    pub(super) fn new(restarts: Restarts) -> Self {
        Self {
            restarts,
            recent: BTreeMap::new(),
            broken: BTreeMap::new(),
        }
    }

    /// It has ended unasked. True when that was once too often.
    fn add(&mut self, key: &WarmKey, now: i64) -> bool {
        let since = now.saturating_sub(self.restarts.within_ms);
        let recent = self.recent.entry(key.clone()).or_default();
        recent.retain(|at| *at > since);
        recent.push_back(now);
        let times = u32::try_from(recent.len()).unwrap_or(u32::MAX);
        if times <= self.restarts.max {
            return false;
        }
        self.recent.remove(key);
        self.broken
            .insert(key.clone(), Broken { since: now, times });
        true
    }

    /// What is long ago counts no more; what is broken stays so.
    pub(super) fn fade(&mut self, now: i64) {
        let since = now.saturating_sub(self.restarts.within_ms);
        self.recent
            .retain(|_, at| at.back().is_some_and(|last| *last > since));
    }

    pub(super) fn forget(&mut self, which: impl Fn(&WarmKey) -> bool) -> bool {
        let before = self.broken.len();
        self.recent.retain(|key, _| !which(key));
        self.broken.retain(|key, _| !which(key));
        self.broken.len() < before
    }

    pub(super) fn knows(&self, key: &WarmKey) -> bool {
        self.recent.contains_key(key) || self.broken.contains_key(key)
    }
}

impl<L: Clone> Table<L> {
    /// Evicts an agent that has ended, or is of no use; `unasked`: it ended, and nobody had told it to.
    pub(super) fn died(&mut self, key: &WarmKey, generation: u64, unasked: bool, now: i64) {
        self.leaving
            .retain(|one| one.generation != generation || one.key != *key);
        if self.ready(key, generation).is_none() {
            return;
        }
        self.entries.remove(key);
        if unasked && self.deaths.add(key, now) {
            tracing::error!(agent.name = %key.agent, root = %key.root.display(), "an agent ends again and again, and is not started any more");
        }
    }

    /// Why nobody gets the agent of this key.
    pub(super) fn refusal(&self, key: &WarmKey, ticket: Ticket) -> Option<Effect<L>> {
        let broken = self.deaths.broken.get(key)?;
        let fault = Fault::new(
            ErrorKind::AgentBroken,
            format!(
                "agent \"{}\" ended by itself {} times within {} s, and is not started any more",
                key.agent,
                broken.times,
                self.deaths.restarts.within_ms / 1_000
            ),
        );
        let fault = fault.hint(format!(
            "see what its log says (logs/agent-{0}.log), then: eyas agent reset {0}",
            key.agent
        ));
        Some(Effect::Refuse { ticket, fault })
    }

    /// Those that a person must look at.
    pub(in crate::agents::pool) fn broken(&self) -> impl Iterator<Item = (&WarmKey, &Broken)> {
        self.deaths.broken.iter()
    }

    /// A person has looked at it: the agents of this id are started again. Whether one was broken.
    pub(in crate::agents::pool) fn mend(&mut self, agent: &str) -> bool {
        self.deaths.forget(|key| key.agent == agent)
    }
}
