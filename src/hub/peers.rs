//! Who is connected.

use super::{
    caller::{Descent, Lineage, Worth},
    vault::Vault,
};
use crate::{
    api::hub::{HubJoin, PeerView},
    domain::{
        caller::{Caller, Token},
        fault::{ErrorKind, Fault},
        ids::{PeerId, ProjectId},
        time::Timestamp,
    },
    stdx::{clock, mint},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::watch;

/// A cheap handle on the table of connected faces.
#[derive(Clone, Debug)]
pub struct Peers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    table: Mutex<Table>,
    /// Somebody came or went.
    changed: watch::Sender<()>,
    calls: AtomicU32,
    vault: Vault,
}

#[derive(Debug, Default)]
struct Table {
    /// Nobody comes in any more.
    closed: bool,
    peers: BTreeMap<PeerId, PeerView>,
    /// The project that a peer works in.
    active: BTreeMap<PeerId, ProjectId>,
}

/// A handler's word for the peer whose call it answers: in every call's extensions, beside its [`Caller`].
#[derive(Clone, Debug)]
pub struct PeerRef {
    pub id: PeerId,
    peers: Peers,
    standing: Arc<Standing>,
}

/// What decides, with every call anew, who a peer is.
#[derive(Debug)]
struct Standing {
    descent: Descent,
    lineage: Lineage,
    /// What it has shown; it is looked up with every call, as it may be worth something else by then.
    token: OnceLock<Token>,
}

impl PeerRef {
    /// The directory it said that it runs in.
    #[must_use]
    pub fn cwd(&self) -> Option<String> {
        self.peers.table().peers.get(&self.id)?.cwd.clone()
    }

    /// The project that it works in.
    #[must_use]
    pub fn active(&self) -> Option<ProjectId> {
        self.peers.table().active.get(&self.id).copied()
    }

    /// Says which project it works in from now on; answers the one until now. Who has left works in none.
    pub(super) fn activate(&self, project: Option<ProjectId>) -> Option<ProjectId> {
        let mut table = self.peers.table();
        let project = project.filter(|_| table.peers.contains_key(&self.id));
        let before = match project {
            Some(project) => table.active.insert(self.id, project),
            None => table.active.remove(&self.id),
        };
        drop(table);
        self.peers.0.changed.send_replace(());
        before
    }

    /// What it said that it is: face and version.
    #[must_use]
    pub fn face(&self) -> Option<String> {
        let table = self.peers.table();
        let view = table.peers.get(&self.id)?;
        let face = format!("{} {}", view.face, view.version);
        Some(face.trim().to_owned()).filter(|face| !face.is_empty())
    }

    /// What its agents may see.
    #[must_use]
    pub fn values(&self) -> BTreeMap<String, String> {
        self.peers.0.vault.values_for(Some(self.id))
    }

    /// Who it is now.
    pub(super) fn caller(&self) -> Caller {
        let Standing {
            descent,
            lineage,
            token,
        } = &*self.standing;
        match token.get() {
            None => descent.caller,
            Some(token) => match lineage.worth(token, *descent) {
                Worth::Session(session) => Caller::Session(session),
                Worth::Idle | Worth::Nothing => Caller::Stray,
            },
        }
    }

    /// It speaks for a session alone.
    pub(super) fn has_badge(&self) -> bool {
        self.standing.token.get().is_some()
    }

    /// Takes the token that the peer shows, once and for all.
    ///
    /// # Errors
    /// `forbidden` for one that nobody was given, or somebody else.
    fn show(&self, token: &Token) -> Result<(), Fault> {
        let Standing {
            descent, lineage, ..
        } = &*self.standing;
        let refused = || Fault::new(ErrorKind::Forbidden, "this token is not the caller's");
        if lineage.worth(token, *descent) == Worth::Nothing {
            return Err(refused());
        }
        let shown = self.standing.token.get_or_init(|| token.clone());
        if shown == token {
            Ok(())
        } else {
            Err(refused())
        }
    }
}

/// One connection being there; its end takes the peer off the table.
#[derive(Debug)]
pub(super) struct Present {
    pub(super) peer: PeerRef,
}

/// One call being answered.
#[derive(Debug)]
pub(super) struct Call(Peers);

impl Peers {
    /// An empty table; who leaves it leaves the vault too.
    #[must_use]
    pub fn new(vault: Vault) -> Self {
        Self(Arc::new(Inner {
            table: Mutex::default(),
            changed: watch::Sender::default(),
            calls: AtomicU32::new(0),
            vault,
        }))
    }

    /// A connection has come in; `None` when the hub is about to end.
    pub(super) fn enter(
        &self,
        pid: Option<u32>,
        descent: Descent,
        lineage: Lineage,
    ) -> Option<Present> {
        let mut table = self.table();
        if table.closed {
            return None;
        }
        let id = PeerId(mint());
        let view = PeerView {
            id,
            face: String::new(),
            version: String::new(),
            pid,
            cwd: None,
            caller: word(descent.caller).to_owned(),
            joined_at: Timestamp(clock::now_ms()),
        };
        table.peers.insert(id, view);
        drop(table);
        self.0.changed.send_replace(());
        let standing = Standing {
            descent,
            lineage,
            token: OnceLock::new(),
        };
        let peer = PeerRef {
            id,
            peers: self.clone(),
            standing: Arc::new(standing),
        };
        Some(Present { peer })
    }

    /// A face says of itself what it is.
    ///
    /// # Errors
    /// `forbidden` for a token that is not the face's.
    pub(super) fn join(&self, peer: &PeerRef, said: HubJoin) -> Result<(), Fault> {
        if let Some(token) = said.token {
            peer.show(&token)?;
        }
        let is_person = peer.caller() == Caller::Person;
        let peer_word = if peer.has_badge() {
            "session"
        } else {
            word(peer.caller())
        };
        let peer = peer.id;
        if let Some(view) = self.table().peers.get_mut(&peer) {
            peer_word.clone_into(&mut view.caller);
            view.face = said.face;
            view.version = said.version;
            view.cwd = said.cwd;
        }
        // What an agent's child sends must not reach the agents of others.
        if is_person {
            self.0.vault.keep(peer, said.env);
        }
        Ok(())
    }

    /// Everybody there, by the moment of coming.
    #[must_use]
    pub fn list(&self) -> Vec<PeerView> {
        self.table().peers.values().cloned().collect()
    }

    /// How many are there.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.table().peers.len()).unwrap_or(u32::MAX)
    }

    /// Calls being answered.
    #[must_use]
    pub fn calls(&self) -> u32 {
        self.0.calls.load(Ordering::Relaxed)
    }

    pub(super) fn call(&self) -> Call {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Call(self.clone())
    }

    /// The projects that anybody works in.
    #[must_use]
    pub fn active(&self) -> BTreeSet<ProjectId> {
        self.table().active.values().copied().collect()
    }

    /// Nobody works in this project any more.
    pub(super) fn leave(&self, project: ProjectId) {
        self.table().active.retain(|_, active| *active != project);
        self.0.changed.send_replace(());
    }

    /// Lets nobody in any more.
    pub(super) fn close(&self) {
        self.table().closed = true;
    }

    /// Lets nobody in any more if nobody is there: one decision, so that nobody comes in between.
    pub(super) fn close_if_empty(&self) -> bool {
        let mut table = self.table();
        table.closed = table.closed || table.peers.is_empty();
        table.closed
    }

    /// Waits until nobody is there.
    pub(super) async fn gone(&self) {
        let mut changed = self.changes();
        // The sender lives as long as we do.
        while self.count() > 0 && changed.changed().await.is_ok() {}
    }

    /// Tells of every coming and going from now on.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.0.changed.subscribe()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let peers = &self.peer.peers;
        let mut table = peers.table();
        table.peers.remove(&self.peer.id);
        table.active.remove(&self.peer.id);
        drop(table);
        peers.0.vault.forget(self.peer.id);
        peers.0.changed.send_replace(());
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Call {
    /// The call has come in by way of this connection.
    pub(super) fn of(present: &Present) -> Self {
        present.peer.peers.call()
    }
}

fn word(caller: Caller) -> &'static str {
    match caller {
        Caller::Person => "person",
        Caller::Session(_) => "session",
        Caller::Stray => "stray",
    }
}

#[cfg(test)]
mod tests {
    use super::{Descent, Lineage, Peers, Vault};
    use crate::{
        api::hub::HubJoin,
        config::{Environment, Flags, Settings},
        domain::{caller::Caller, ids::SessionId},
        stdx::mint,
    };

    #[test]
    fn only_a_persons_values_reach_agents() {
        let env = Environment {
            vars: [("EYAS_HOME".to_owned(), "/nowhere".to_owned())].into(),
            ..Environment::default()
        };
        let settings = Settings::load(&env, &Flags::default()).expect("nothing is wrong");
        let vault = Vault::new(&settings, &env);
        let peers = Peers::new(vault.clone());
        let session = Caller::Session(SessionId(mint()));
        for (caller, kept) in [
            (Caller::Stray, false),
            (session, false),
            (Caller::Person, true),
        ] {
            let descent = Descent {
                caller,
                agent: None,
            };
            let lineage = Lineage::new(|_| None);
            let present = peers.enter(None, descent, lineage).expect("it is open");
            let said = HubJoin {
                env: [("ANTHROPIC_BASE_URL".to_owned(), "http://mine".to_owned())].into(),
                ..HubJoin::default()
            };
            peers.join(&present.peer, said).expect("no token");
            assert_eq!(
                vault.values_for(None).contains_key("ANTHROPIC_BASE_URL"),
                kept
            );
        }
    }
}
