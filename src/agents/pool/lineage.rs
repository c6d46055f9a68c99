//! Which processes are agents of ours, and for which sessions they work: how the hub tells a person from an agent's child.

use crate::domain::{caller::Caller, ids::SessionId};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};

/// Shared with the socket's accept path, which asks from synchronous code; hence a lock, held for a look-up.
#[derive(Clone, Debug, Default)]
pub struct Lineage(Arc<Mutex<BTreeMap<u32, BTreeSet<SessionId>>>>);

impl Lineage {
    /// Who a process below `pid` is; `None` when `pid` is not an agent of ours. An agent that serves several sessions at once leaves open
    /// which of them asks, so its children have the rights of none.
    #[must_use]
    pub fn caller(&self, pid: u32) -> Option<Caller> {
        let agents = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = agents.get(&pid)?;
        let mut sessions = sessions.iter();
        Some(match (sessions.next(), sessions.next()) {
            (Some(only), None) => Caller::Session(*only),
            _ => Caller::Stray,
        })
    }

    /// An agent was launched; it is one of ours until it is `gone`, with all it started.
    pub fn watch(&self, pid: u32, gone: impl Future<Output = ()> + Send + 'static) {
        self.edit(|agents| drop(agents.insert(pid, BTreeSet::new())));
        let lineage = self.clone();
        tokio::spawn(async move {
            gone.await;
            lineage.edit(|agents| drop(agents.remove(&pid)));
        });
    }

    /// An agent that has ended meanwhile works for nobody: its number may soon be another process's.
    pub(in crate::agents) fn begins(&self, pid: u32, session: SessionId) {
        self.edit(|agents| {
            if let Some(sessions) = agents.get_mut(&pid) {
                sessions.insert(session);
            }
        });
    }

    pub(in crate::agents) fn ends(&self, pid: u32, session: SessionId) {
        self.edit(|agents| {
            if let Some(sessions) = agents.get_mut(&pid) {
                sessions.remove(&session);
            }
        });
    }

    fn edit(&self, change: impl FnOnce(&mut BTreeMap<u32, BTreeSet<SessionId>>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
