//! What an attempt asks of the floors above it.

use crate::{
    agents::{acp::Reporting, pool::Launch},
    domain::{fault::Fault, ids::RunId, policy::Policy, run::Warning, worktree::Worktree},
    store::Claimed,
};
use async_trait::async_trait;
use std::path::PathBuf;

/// All that an attempt works from.
#[derive(Clone, Debug)]
pub struct Brief {
    pub launch: Launch,
    /// The one text that makes the agent this persona.
    pub persona: Option<String>,
    /// Model id in the agent's own words.
    pub model: Option<String>,
    /// Of the run.
    pub policy: Policy,
    /// What the tools that Eyas gives the session offer; `None` gives none.
    pub reporting: Option<Reporting>,
    /// The instance's workspace, which the agent may read.
    pub workspace: Option<PathBuf>,
    /// Why the attempt must be cold, if it must; what a run that insists on a warm agent fails with.
    pub cold: Option<Fault>,
    /// What it is told once, when its conversation begins.
    pub briefing: Option<String>,
    /// The worktree that was made for it, where it has one.
    pub worktree: Option<Worktree>,
    /// What a reader of the run should know before it begins.
    pub warnings: Vec<Warning>,
}

/// Gives attempts what they work from.
#[async_trait]
pub trait Supply: Send + Sync + std::fmt::Debug {
    /// The brief of a claimed run.
    ///
    /// # Errors
    /// `agent_not_found`; `environment_missing`, on which the run goes back to the queue.
    async fn brief(&self, claimed: &Claimed) -> Result<Brief, Fault>;
    /// The run has ended, by whatever: what was kept for it may go.
    fn ended(&self, run: RunId);
    /// Runs for which something is kept.
    fn kept(&self) -> Vec<RunId>;
}
