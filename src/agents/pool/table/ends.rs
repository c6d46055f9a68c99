//! Which agents end, and which are kept.

use super::{Effect, Entry, Heft, Phase, Table, WarmKey};
use crate::domain::fault::{ErrorKind, Fault};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

impl<L: Clone> Table<L> {
    /// What runs in a root that a person works in is that person's from now on, also once the person has left: then it is as idle as any.
    pub(super) fn keep(&mut self, roots: BTreeSet<PathBuf>, now: i64) {
        for (key, entry) in &mut self.entries {
            if roots.contains(&key.root) {
                entry.spawned = false;
            } else if self.kept.contains(&key.root)
                && let Phase::Ready(ready) = &mut entry.phase
            {
                ready.idle_since = now;
            }
        }
        self.kept = roots;
    }

    /// Who waits for a start is refused; what is being started is closed once it has come.
    pub(super) fn stop(&mut self, root: &Path) -> Vec<Effect<L>> {
        let of_root = self.entries.extract_if(.., |key, _| key.root == root);
        let entries: Vec<_> = of_root.map(|(_, entry)| entry).collect();
        let stopped = || {
            Fault::new(
                ErrorKind::Busy,
                "its project was stopped while its agent started",
            )
        };
        let mut effects = self.end_leaving(|key| key.root == root);
        self.deaths.forget(|key| key.root == root);
        effects.extend(entries.into_iter().flat_map(|entry| entry.end(stopped)));
        effects
    }

    /// Those that work there end their turns; nobody new comes to them, and they go with the last who is there.
    pub(super) fn forget(&mut self, root: &Path) {
        self.entries
            .retain(|key, entry| key.root != root || matches!(entry.phase, Phase::Starting { .. }));
    }

    pub(super) fn tick(&mut self, now: i64) -> Vec<Effect<L>> {
        self.deaths.fade(now);
        let mut effects = self.end_idle(now);
        effects.extend(self.end_heavy());
        effects
    }

    /// Ends idle agents, the least recently used first, until those that are left are as light as they may be: those in roots that people
    /// work in last, those that are pinned or at work never.
    fn end_heavy(&mut self) -> Vec<Effect<L>> {
        let Heft { budget, of } = self.heft;
        if budget == 0 {
            return Vec::new();
        }
        let leaving = self.leaving.iter().map(|one| of(&one.link));
        let ready = self.entries.values().filter_map(Entry::link).map(of);
        let mut sum: u64 = ready.chain(leaving).sum();
        let mut idle: Vec<(bool, i64, WarmKey, u64)> = self
            .entries
            .iter()
            .filter_map(|(key, entry)| match &entry.phase {
                Phase::Ready(ready) if ready.busy == 0 && !self.is_pinned(key) => {
                    let kept = self.kept.contains(&key.root);
                    Some((kept, ready.idle_since, key.clone(), of(&ready.link)))
                }
                Phase::Ready(_) | Phase::Starting { .. } => None,
            })
            .collect();
        idle.sort_unstable();
        let mut effects = Vec::new();
        for (_, _, key, bytes) in idle {
            if sum <= budget {
                break;
            }
            if let Some(entry) = self.entries.remove(&key) {
                tracing::info!(agent.name = %key.agent, root = %key.root.display(), bytes, "ended an idle agent, as all together take too much memory");
                sum = sum.saturating_sub(bytes);
                effects.extend(entry.end(closing));
            }
        }
        effects
    }

    pub(super) fn end_idle(&mut self, now: i64) -> Vec<Effect<L>> {
        let (ttl, pins, kept) = (self.idle_ttl_ms, &self.pins, &self.kept);
        let idle = self
            .entries
            .extract_if(.., |key, entry| match &entry.phase {
                Phase::Starting { .. } => false,
                Phase::Ready(ready) => {
                    ready.busy == 0
                        && now.saturating_sub(ready.idle_since) >= ttl
                        && !kept.contains(&key.root)
                        && !pins.iter().any(|(pinned, _)| pinned == key)
                }
            });
        idle.flat_map(|(_, entry)| entry.end(closing)).collect()
    }

    pub(super) fn close_all(&mut self) -> Vec<Effect<L>> {
        self.closing = true;
        let mut effects = self.end_leaving(|_all| true);
        let all = std::mem::take(&mut self.entries).into_values();
        effects.extend(all.flat_map(|entry| entry.end(closing)));
        effects
    }
}

pub(super) fn closing() -> Fault {
    Fault::new(ErrorKind::Busy, "the hub is about to end")
}

impl<L> Entry<L> {
    fn link(&self) -> Option<&L> {
        match &self.phase {
            Phase::Starting { .. } => None,
            Phase::Ready(ready) => Some(&ready.link),
        }
    }

    fn end(self, why: impl Fn() -> Fault) -> Vec<Effect<L>> {
        match self.phase {
            Phase::Starting { waiters } => waiters
                .into_iter()
                .map(|ticket| Effect::Refuse {
                    ticket,
                    fault: why(),
                })
                .collect(),
            Phase::Ready(ready) => vec![Effect::Close { link: ready.link }],
        }
    }
}
