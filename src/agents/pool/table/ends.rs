//! Which agents end, and which are kept.

use super::{Effect, Entry, Phase, Table};
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
        entries
            .into_iter()
            .flat_map(|entry| entry.end(stopped))
            .collect()
    }

    /// Those that work there end their turns; nobody new comes to them, and they go with the last who is there.
    pub(super) fn forget(&mut self, root: &Path) {
        self.entries
            .retain(|key, entry| key.root != root || matches!(entry.phase, Phase::Starting { .. }));
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
        std::mem::take(&mut self.entries)
            .into_values()
            .flat_map(|entry| entry.end(closing))
            .collect()
    }
}

pub(super) fn closing() -> Fault {
    Fault::new(ErrorKind::Busy, "the hub is about to end")
}

impl<L> Entry<L> {
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
