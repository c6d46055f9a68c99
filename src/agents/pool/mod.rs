//! Warm agents: one process per key, shared by all whose root and launch are the same.
//!
//! One task owns the [`table`]; everything else is a message to it. It launches nothing itself: launches, spare sessions and closings run
//! beside it and report back, so that a slow agent never holds up another.

mod actor;
mod berth;
mod claims;
mod contact;
mod key;
mod launch;
mod lineage;
mod stamp;
mod table;

pub use berth::Berth;
pub use claims::Serving;
pub use contact::Contact;
pub use key::Digest;
pub use launch::Launch;
pub use lineage::Lineage;
pub use table::Restarts;

use crate::{
    agents::{
        acp::{Link, Opened, Opening},
        cli::Cli,
        process::Launcher,
    },
    domain::{
        fault::{ErrorKind, Fault},
        ids::InstanceId,
    },
};
use claims::Claims;
use key::WarmKey;
use stamp::Stamp;
use std::{collections::BTreeSet, path::PathBuf};
use table::Event;
use tokio::sync::{mpsc, oneshot, watch};

/// What the pool's task is told.
#[derive(Debug)]
enum Message {
    Wanted {
        launch: Box<Launch>,
        /// Of its program; `None` where that cannot be looked at.
        stamp: Option<Stamp>,
        reply: oneshot::Sender<Result<Berth, Fault>>,
    },
    Event(Event<Link>),
    /// A cold agent has done its work: it is closed while its run is written.
    Retired {
        link: Link,
    },
    /// A conversation that no attempt will come back to.
    Forsaken {
        link: Link,
        session: String,
    },
    /// `None`: it could not be opened.
    SpareOpened {
        key: WarmKey,
        generation: u64,
        opening: Opening,
        opened: Option<Opened>,
    },
    TakeSpare {
        key: WarmKey,
        generation: u64,
        opening: Opening,
        reply: oneshot::Sender<Option<Opened>>,
    },
    TakeOpen {
        key: WarmKey,
        generation: u64,
        session: String,
        reply: oneshot::Sender<bool>,
    },
    End {
        root: PathBuf,
        reply: oneshot::Sender<()>,
    },
    Rows {
        reply: oneshot::Sender<Vec<WarmRow>>,
    },
    Broken {
        reply: oneshot::Sender<Vec<BrokenRow>>,
    },
    /// A person has looked at what made agents of this id end again and again.
    Mend {
        agent: String,
        reply: oneshot::Sender<bool>,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

/// How long agents are kept, and how much of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upkeep {
    /// They end after so long without a turn.
    pub idle_ttl_ms: i64,
    /// Idle ones end while all together take more; 0: whatever they take.
    pub memory_bytes: u64,
    pub restarts: Restarts,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self {
            idle_ttl_ms: 600_000,
            memory_bytes: 0,
            restarts: Restarts::default(),
        }
    }
}

/// An agent that ended by itself too often and is not started any more, until a person says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRow {
    pub agent: String,
    pub root: PathBuf,
    /// How often it had ended, and how long ago it did for the last time.
    pub times: u32,
    pub since_ms: i64,
}

/// A warm agent as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmRow {
    pub agent: String,
    pub root: PathBuf,
    pub pid: u32,
    /// Turns under way.
    pub busy: u32,
    /// Sessions opened ahead.
    pub spare: u32,
    pub pinned: bool,
    /// Started by a delegation, and no person has taken it over since.
    pub spawned: bool,
    /// The agent's own ids of conversations that are open between two turns.
    pub open: Vec<String>,
    pub generation: u64,
    /// What it takes with all it started, when that was looked at last.
    pub memory_bytes: Option<u64>,
}

/// The handle of the pool.
#[derive(Clone, Debug)]
pub struct Pool {
    messages: mpsc::UnboundedSender<Message>,
    launcher: Launcher,
    lineage: Lineage,
    changed: watch::Receiver<()>,
}

impl Pool {
    /// Starts the pool's task; agents end after `idle_ttl_ms` without a turn. Nobody else is thought to serve the same roots.
    #[must_use]
    pub fn start(launcher: Launcher, idle_ttl_ms: i64) -> Self {
        let upkeep = Upkeep {
            idle_ttl_ms,
            ..Upkeep::default()
        };
        Self::keeping(launcher, upkeep)
    }

    /// As [`Pool::start`].
    #[must_use]
    pub fn keeping(launcher: Launcher, upkeep: Upkeep) -> Self {
        Self::run(launcher, upkeep, None)
    }

    /// As [`Pool::start`], for one of several: it starts warm agents only in roots that no other process serves.
    #[must_use]
    pub fn serving(launcher: Launcher, upkeep: Upkeep, serving: Serving) -> Self {
        Self::run(launcher, upkeep, Some(serving))
    }

    fn run(launcher: Launcher, upkeep: Upkeep, serving: Option<Serving>) -> Self {
        let (messages, inbox) = mpsc::unbounded_channel();
        let (changes, changed) = watch::channel(());
        let lineage = Lineage::default();
        let actor = actor::Actor::new(
            launcher.clone(),
            lineage.clone(),
            (messages.clone(), changes),
            Claims::new(serving),
            upkeep,
        );
        tokio::spawn(actor.run(inbox));
        Self {
            messages,
            launcher,
            lineage,
            changed,
        }
    }

    /// Which processes are agents of ours.
    #[must_use]
    pub fn lineage(&self) -> &Lineage {
        &self.lineage
    }

    /// A place at the warm agent of this launch, which is started when it is not there; of one that is run once a turn, as [`Pool::cold`].
    ///
    /// # Errors
    /// Those of the launch and of `initialize`; `busy` when the pool is closing, `external_instance` when another process serves its root,
    /// `agent_broken` when it ended by itself too often.
    pub async fn checkout(&self, launch: Launch) -> Result<Berth, Fault> {
        if launch.definition.by_turn().is_some() {
            return Box::pin(self.cold(launch)).await;
        }
        let stamp = Stamp::of(&launch.program);
        let (reply, answer) = oneshot::channel();
        let message = Message::Wanted {
            launch: Box::new(launch),
            stamp,
            reply,
        };
        self.messages.send(message).map_err(|_gone| closed())?;
        answer.await.map_err(|_gone| closed())?
    }

    /// A process for one attempt alone, or one for each of its turns.
    ///
    /// # Errors
    /// Those of the launch and of `initialize`.
    pub async fn cold(&self, launch: Launch) -> Result<Berth, Fault> {
        if let Some(form) = launch.definition.by_turn().cloned() {
            let (launcher, lineage) = (self.launcher.clone(), self.lineage.clone());
            let cli = Cli::new(launch, form, launcher, lineage.clone());
            return Ok(Berth::by_turn(cli, self.messages.clone(), lineage));
        }
        let link = launch.link(&self.launcher, &self.lineage).await?;
        let (pool, lineage) = (self.messages.clone(), self.lineage.clone());
        Ok(Berth::cold(link, pool, lineage))
    }

    /// Launches the agent and keeps it however long it is idle. Of one that is run once a turn there is nothing to keep.
    ///
    /// # Errors
    /// As [`Pool::checkout`].
    pub async fn pin(&self, launch: Launch, instance: InstanceId) -> Result<(), Fault> {
        if launch.definition.by_turn().is_some() {
            return Ok(());
        }
        let key = launch.key();
        let berth = self.checkout(launch).await?;
        drop(
            self.messages
                .send(Message::Event(Event::Pinned { key, instance })),
        );
        drop(berth);
        Ok(())
    }

    /// Takes back what [`Pool::pin`] said of this instance.
    pub fn unpin(&self, instance: InstanceId) {
        drop(
            self.messages
                .send(Message::Event(Event::Unpinned { instance })),
        );
    }

    /// Keeps the agents of these roots, and of no others, however long they are idle, and makes them their people's.
    pub fn keep(&self, roots: BTreeSet<PathBuf>) {
        drop(self.messages.send(Message::Event(Event::Kept { roots })));
    }

    /// Ends all agents of a root, by the ladder; answers when they have ended.
    pub async fn end(&self, root: PathBuf) {
        let (reply, answer) = oneshot::channel();
        drop(self.messages.send(Message::End { root, reply }));
        drop(answer.await);
    }

    /// Tells whenever agents may have come or gone.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.clone()
    }

    /// Warm agents.
    pub async fn rows(&self) -> Vec<WarmRow> {
        let (reply, answer) = oneshot::channel();
        drop(self.messages.send(Message::Rows { reply }));
        answer.await.unwrap_or_default()
    }

    /// Agents that are not started any more, as they ended by themselves too often.
    pub async fn broken(&self) -> Vec<BrokenRow> {
        let (reply, answer) = oneshot::channel();
        drop(self.messages.send(Message::Broken { reply }));
        answer.await.unwrap_or_default()
    }

    /// A person has looked at the agents of this id: they are started again. Whether one was broken.
    pub async fn mend(&self, agent: String) -> bool {
        let (reply, answer) = oneshot::channel();
        drop(self.messages.send(Message::Mend { agent, reply }));
        answer.await.unwrap_or_default()
    }

    /// Ends all agents, in parallel, by the ladder; new callers are refused.
    pub async fn close(&self) {
        let (reply, answer) = oneshot::channel();
        drop(self.messages.send(Message::Close { reply }));
        drop(answer.await);
    }
}

fn closed() -> Fault {
    Fault::new(ErrorKind::Busy, "the hub is about to end")
        .hint("try again: a new hub is started on demand")
}
