//! The seam between a hub's shell (socket, peers, end) and what it serves (runs, agents, stores).

use super::{caller::Lineage, ending::Ending, peers::Peers, vault::Vault};
use crate::{
    agents::badge::Worn,
    api::hub::{BrokenAgent, WarmAgent},
    config::{Environment, Settings},
    domain::{
        breaker::ClassView,
        caller::{Caller, Token},
        fault::Fault,
        host::Host,
        ids::{HubId, RunId},
    },
};
use async_trait::async_trait;
use futures::future::BoxFuture;
use jsonrpsee::Methods;
use std::{fmt, sync::Arc};

/// What the shell gives to the work.
#[derive(Clone, Debug)]
pub struct Ground {
    pub settings: Arc<Settings>,
    pub env: Arc<Environment>,
    /// This life of the hub, the holder of its leases.
    pub hub: HubId,
    pub peers: Peers,
    pub vault: Vault,
    pub ending: Ending,
    /// It serves the face of this very process alone: nobody else can come in.
    pub in_process: bool,
}

/// What the shell asks of the work.
#[async_trait]
pub trait Work: fmt::Debug + Send + Sync + 'static {
    /// Runs that have not ended, queued ones too.
    async fn open_runs(&self) -> Result<Vec<RunId>, Fault>;

    /// How many those are; asked with every `hub.info`.
    async fn open_run_count(&self) -> Result<u32, Fault> {
        let runs = self.open_runs().await?;
        Ok(u32::try_from(runs.len()).unwrap_or(u32::MAX))
    }

    /// Whether something will be due without anybody being there: it keeps the hub from ending.
    async fn awaits(&self) -> bool {
        false
    }

    /// Machines that share the store, this one among them.
    async fn hosts(&self) -> Vec<Host> {
        Vec::new()
    }

    /// Warm agents. A pinned one keeps the hub from ending for want of anything to do.
    async fn agents(&self) -> Vec<WarmAgent>;

    /// Agents that a person must look at.
    async fn broken(&self) -> Vec<BrokenAgent> {
        Vec::new()
    }

    /// Names whose values faces should send: the union over all agents. `agent.env_passthrough` is added by the shell.
    fn env_names(&self) -> Vec<String>;

    /// Names that trusted project files add to those; they may change while the hub lives.
    fn project_env_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Classes of work that have something to do, or that are degraded.
    async fn classes(&self) -> Result<Vec<ClassView>, Fault> {
        Ok(Vec::new())
    }

    /// Whose child a pid is, if it is that of an agent's process that we launched.
    fn whose(&self, pid: u32) -> Option<Caller>;

    /// What a token is that the tools of a session show.
    fn badge(&self, _: &Token) -> Option<Worn> {
        None
    }

    /// A face has joined, perhaps with values that runs wait for.
    async fn joined(&self) {}

    /// Cancels attempts, writes outcomes, releases leases, ends agents, closes the store: at most 10 s, and at once when
    /// [`Ending::hurried`] is cancelled.
    async fn stop(&self);
}

/// The work with the methods it answers.
#[derive(Debug)]
pub struct Served {
    /// Everything but `hub.*` and `rpc.discover`, which the shell answers.
    pub methods: Methods,
    pub work: Arc<dyn Work>,
}

impl Served {
    pub(super) fn lineage(&self) -> Lineage {
        let (work, badges) = (self.work.clone(), self.work.clone());
        Lineage::new(move |pid| work.whose(pid)).with_badges(move |token| badges.badge(token))
    }
}

/// Builds the work once the home is ours.
#[derive(Clone)]
pub struct Builder(Arc<dyn Fn(Ground) -> BoxFuture<'static, Result<Served, Fault>> + Send + Sync>);

impl Builder {
    /// `build` is called once per life of a hub.
    pub fn new<F>(build: impl Fn(Ground) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Served, Fault>> + Send + 'static,
    {
        Self(Arc::new(move |ground| Box::pin(build(ground))))
    }

    /// Builds the work.
    ///
    /// # Errors
    /// Those of the function it was made of.
    pub async fn build(&self, ground: Ground) -> Result<Served, Fault> {
        (self.0)(ground).await
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Builder")
    }
}

/// A hub without anything to do: the shell alone.
#[derive(Clone, Copy, Debug)]
pub struct NoWork;

#[async_trait]
impl Work for NoWork {
    async fn open_runs(&self) -> Result<Vec<RunId>, Fault> {
        Ok(Vec::new())
    }

    async fn agents(&self) -> Vec<WarmAgent> {
        Vec::new()
    }

    fn env_names(&self) -> Vec<String> {
        Vec::new()
    }

    fn whose(&self, _: u32) -> Option<Caller> {
        None
    }

    async fn stop(&self) {}
}
