//! An agent as an attempt reaches it: by an ACP link, or as a CLI that is run once a turn. The one place where the two part.

use crate::{
    agents::{
        acp::{Link, Permit, TurnEnd, TurnEvent},
        cli::Cli,
        process::Peak,
    },
    domain::fault::Fault,
};
use tokio::sync::mpsc;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub enum Contact {
    Link(Link),
    Cli(Cli),
}

impl Contact {
    /// Puts a prompt to a session and waits for the end of the turn.
    ///
    /// # Errors
    /// Those of [`Link::prompt`] and [`Cli::prompt`].
    pub async fn prompt(
        &self,
        session: &str,
        text: String,
        permit: Permit,
        events: mpsc::UnboundedSender<TurnEvent>,
    ) -> Result<TurnEnd, Fault> {
        match self {
            Self::Link(link) => link.prompt(session, text, permit, events).await,
            Self::Cli(cli) => cli.prompt(text, permit, events).await,
        }
    }

    /// Asks the agent to end the session's turn.
    pub fn cancel(&self, session: &str) {
        match self {
            Self::Link(link) => link.cancel(session),
            Self::Cli(cli) => cli.cancel(),
        }
    }

    /// The agent has tools of ours in its session.
    #[must_use]
    pub fn has_tools(&self, session: &str) -> bool {
        match self {
            Self::Link(link) => link.has_tools(session),
            Self::Cli(cli) => cli.has_tools(),
        }
    }

    /// It still has a process that serves nobody any more, and may have hold of the tree.
    #[must_use]
    pub fn is_useless(&self) -> bool {
        match self {
            Self::Link(link) => link.is_useless(),
            Self::Cli(cli) => cli.is_running(),
        }
    }

    /// Its process, if there is one now.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Link(link) => Some(link.process().pid()),
            Self::Cli(cli) => cli.pid(),
        }
    }

    /// The most memory that its process, or any of those it is run by, takes from now on.
    #[must_use]
    pub fn peak_memory(&self) -> Peak {
        match self {
            Self::Link(link) => link.process().peak_memory(),
            Self::Cli(cli) => cli.peak_memory(),
        }
    }

    /// The last 64 KiB of its stderr, redacted.
    #[must_use]
    pub fn stderr_tail(&self) -> String {
        match self {
            Self::Link(link) => link.process().stderr_tail(),
            Self::Cli(cli) => cli.stderr_tail(),
        }
    }

    /// What it says of the trust that it lacks, where it has said it.
    #[must_use]
    pub fn trust_wanted(&self) -> Option<String> {
        match self {
            Self::Link(link) => link.trust_wanted(),
            Self::Cli(_) => None,
        }
    }

    /// Has it and all it started killed, now and without waiting.
    pub fn kill(&self) {
        match self {
            Self::Link(link) => link.kill(),
            Self::Cli(cli) => cli.kill(),
        }
    }

    /// Returns when it has no process.
    pub async fn exited(&self) {
        match self {
            Self::Link(link) => drop(link.process().exited().await),
            Self::Cli(cli) => cli.exited().await,
        }
    }
}
