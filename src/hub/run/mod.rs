//! `run.*`: durable delegations.

mod answer;
mod away;
mod choice;
mod delegate;
mod input;
mod isolation;
mod kept;
mod lineage;
mod occasion;
mod policy;
mod repeat;
mod session_key;
mod setup;
mod site;
mod tree;
mod values;
mod worktrees;

pub(crate) use away::{NOT_KNOWN, elsewhere};
pub(crate) use policy::Policies;
pub(crate) use setup::Setup;
pub(crate) use values::RunValues;
pub(crate) use worktrees::Worktrees;

use super::{
    agent::AgentDesk,
    ending::Ending,
    peers::PeerRef,
    project::ProjectDesk,
    rights::{Asker, Rights, caller, person_only, to_the_end},
};
use crate::{
    api::{
        input::{RunDelivery, RunInput},
        run::{
            Delegate, RunAnswer, RunApiServer, RunArchive, RunCancel, RunDiff, RunDrop, RunEvents,
            RunList, RunRef, RunStatsOf, RunWait,
        },
    },
    domain::{
        event::Event,
        fault::{ErrorKind, Fault},
        ids::{InstanceId, RunId},
        input::Interaction,
        instance::Instance,
        page::Page,
        rights::{self, Deed},
        run::{Attempt, Run, RunState},
        snapshot::Snapshot,
        stats::RunStats,
    },
    runs::{self, Dispatch},
    store::{EventFilter, PageAt, RunFilter, Store, StoreError},
    templates::Catalogue,
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use std::time::Duration;

/// Longest wait of one call, inside every client's time-out.
pub(crate) const WAIT_MS: u64 = 45_000;
const EVENTS: u32 = 50;

/// Serves `run.*`.
#[derive(Clone, Debug)]
pub(crate) struct RunDesk {
    pub(crate) store: Store,
    pub(crate) dispatch: Dispatch,
    pub(crate) projects: ProjectDesk,
    pub(crate) agents: AgentDesk,
    pub(crate) catalogue: Catalogue,
    pub(crate) values: RunValues,
    pub(crate) rights: Rights,
    /// How many runs may stand above a run.
    pub(crate) max_depth: u32,
    pub(crate) worktrees: Worktrees,
    /// Longest prompt, in bytes.
    pub(crate) prompt_bytes: usize,
    /// Agent for whoever prefers none.
    pub(crate) default_agent: Option<String>,
    pub(crate) policies: Policies,
    /// The hub's end: new work is refused, waits answer with what is known.
    pub(crate) ending: Ending,
}

impl RunDesk {
    /// The instance of that name or id.
    ///
    /// # Errors
    /// `not_found` with the nearest name.
    pub(crate) async fn instance(&self, named: &str) -> Result<Instance, Fault> {
        let found = match named.parse::<InstanceId>() {
            Ok(id) => self
                .store
                .instances
                .get(id)
                .await
                .map(|instance| (instance.deleted_at.is_none(), instance)),
            Err(_) => self
                .store
                .instances
                .by_name(named)
                .await
                .map(|instance| (true, instance)),
        };
        match found {
            Ok((true, instance)) => Ok(instance),
            Ok((false, _)) | Err(StoreError::NotFound { .. }) => {
                let known = self
                    .store
                    .instances
                    .list(
                        None,
                        None,
                        PageAt {
                            cursor: None,
                            limit: 200,
                        },
                    )
                    .await?;
                let names = known.items.iter().map(|instance| instance.name.as_str());
                Err(
                    Fault::not_found_among("instance", named, names, "instance_list")
                        .field("instance"),
                )
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks for the end of a run and of all that it began: on disk first, then of their attempts.
    pub(crate) async fn end(&self, run: RunId, reason: String) -> Result<(), Fault> {
        let state = self.store.runs.cancel(run, reason).await?;
        if state.is_held() {
            self.dispatch.cancel(run);
        }
        if state.is_held() || state == RunState::Cancelled {
            runs::end_below(&self.store, &self.dispatch, run, RunState::Cancelled).await?;
        }
        Ok(())
    }

    fn takes_work(&self) -> Result<(), Fault> {
        if !self.ending.draining() {
            return Ok(());
        }
        let detail = "the hub takes no new work: it is about to end";
        Err(Fault::new(ErrorKind::Busy, detail).hint("try again in a moment"))
    }

    /// Those of this host, if the run's is among them.
    async fn worktrees_of(&self, run: RunId) -> Result<Worktrees, Fault> {
        let session = self.store.runs.get(run).await?.session;
        self.must_be_here(session).await?;
        Ok(self.worktrees.clone())
    }

    async fn filter(&self, params: &RunList) -> Result<RunFilter, Fault> {
        let project = match &params.project {
            Some(named) => Some(self.projects.find(named).await?.id),
            None => None,
        };
        let instance = match &params.instance {
            Some(named) => Some(self.instance(named).await?.id),
            None => None,
        };
        Ok(RunFilter {
            state: params.state,
            project,
            instance,
            label: params.label.clone(),
            archived: params.archived,
            here: false,
        })
    }
}

#[async_trait]
impl RunApiServer for RunDesk {
    async fn delegate(&self, ext: &Extensions, params: Delegate) -> Result<Run, Fault> {
        self.takes_work()?;
        let (desk, who, peer) = (self.clone(), caller(ext), ext.get::<PeerRef>().cloned());
        to_the_end(async move {
            let asker = desk.rights.asker(who).await?;
            let origin = desk.origin(asker, peer.as_ref()).await?;
            desk.accept(params, origin, None, None).await
        })
        .await
    }

    async fn get(&self, params: RunRef) -> Result<Run, Fault> {
        Ok(self.store.runs.get(params.id).await?)
    }

    async fn list(&self, params: RunList) -> Result<Page<Run>, Fault> {
        let filter = self.filter(&params).await?;
        let at = PageAt {
            cursor: params.cursor,
            limit: params.limit.unwrap_or(0),
        };
        if let Some(parent) = params.parent {
            return self.children(parent, &filter, &at).await;
        }
        Ok(self.store.runs.list(filter, at).await?)
    }

    async fn wait(&self, params: RunWait) -> Result<Run, Fault> {
        let limit = Duration::from_millis(params.wait_ms.min(WAIT_MS));
        tokio::select! {
            run = runs::wait(&self.store, params.id, limit, params.below) => Ok(run?),
            () = self.ending.begun().cancelled() => self.get(RunRef { id: params.id }).await,
        }
    }

    async fn cancel(&self, ext: &Extensions, params: RunCancel) -> Result<Run, Fault> {
        let asker = self.rights.asker(caller(ext)).await?;
        let by = match &asker {
            Asker::Person => "cancelled by a person",
            Asker::Agent(worker) => {
                let begun_by_it = self.begun_by(worker.session.id, params.id).await?;
                asker.may(&Deed::CancelRun { begun_by_it })?;
                "cancelled by the agent that began it"
            }
            Asker::Stray => return Err(rights::stray()),
        };
        let reason = params.reason.unwrap_or_else(|| by.to_owned());
        self.end(params.id, reason).await?;
        self.get(RunRef { id: params.id }).await
    }

    async fn input(&self, ext: &Extensions, params: RunInput) -> Result<RunDelivery, Fault> {
        let (desk, who, peer) = (self.clone(), caller(ext), ext.get::<PeerRef>().cloned());
        to_the_end(async move {
            let asker = desk.rights.asker(who).await?;
            Box::pin(desk.say(params, asker, peer.as_ref())).await
        })
        .await
    }

    async fn interaction(&self, params: RunRef) -> Result<Interaction, Fault> {
        self.interaction_with(params.id).await
    }

    async fn snapshots(&self, params: RunRef) -> Result<Page<Snapshot>, Fault> {
        self.snapshots_of(params.id).await
    }

    async fn archive(&self, ext: &Extensions, params: RunArchive) -> Result<Run, Fault> {
        person_only(ext)?;
        self.archived(params).await
    }

    async fn stats(&self, params: RunStatsOf) -> Result<RunStats, Fault> {
        self.stats_of(params).await
    }

    async fn answer(&self, ext: &Extensions, params: RunAnswer) -> Result<Run, Fault> {
        answer::person_only(ext)?;
        let face = ext.get::<PeerRef>().and_then(PeerRef::face);
        answer::answer(&self.store, params, face).await
    }

    async fn events(&self, params: RunEvents) -> Result<Page<Event>, Fault> {
        self.store.runs.get(params.id).await?;
        let limit = params.limit.unwrap_or(EVENTS).clamp(1, 200);
        let filter = EventFilter {
            run: Some(params.id),
            ..EventFilter::default()
        };
        let items = self
            .store
            .events
            .after(params.cursor, filter, limit)
            .await?;
        let whole = items.len() == limit as usize;
        let next_cursor = items
            .last()
            .filter(|_| whole)
            .map(|event| event.cursor.clone());
        Ok(Page { items, next_cursor })
    }

    async fn attempts(&self, params: RunRef) -> Result<Page<Attempt>, Fault> {
        self.store.runs.get(params.id).await?;
        Ok(Page {
            items: self.store.runs.attempts(params.id).await?,
            next_cursor: None,
        })
    }

    async fn apply(&self, ext: &Extensions, params: RunRef) -> Result<Run, Fault> {
        person_only(ext)?;
        let worktrees = self.worktrees_of(params.id).await?;
        to_the_end(async move { worktrees.apply(params.id).await }).await?;
        self.get(params).await
    }

    async fn keep(&self, ext: &Extensions, params: RunRef) -> Result<Run, Fault> {
        person_only(ext)?;
        let worktrees = self.worktrees_of(params.id).await?;
        to_the_end(async move { worktrees.keep(params.id).await }).await?;
        self.get(params).await
    }

    async fn drop_worktree(&self, ext: &Extensions, params: RunDrop) -> Result<Run, Fault> {
        person_only(ext)?;
        let worktrees = self.worktrees_of(params.id).await?;
        to_the_end(async move { worktrees.discard(params.id, params.force).await }).await?;
        self.get(RunRef { id: params.id }).await
    }

    async fn diff(&self, ext: &Extensions, params: RunRef) -> Result<RunDiff, Fault> {
        person_only(ext)?;
        self.worktrees_of(params.id).await?.diff(params.id).await
    }
}
