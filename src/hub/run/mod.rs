//! `run.*`: durable delegations.

mod delegate;
mod values;

pub(crate) use values::RunValues;

use super::{
    agent::AgentDesk, ending::Ending, peers::PeerRef, project::ProjectDesk, rights::person_only,
};
use crate::{
    api::run::{Delegate, RunApiServer, RunCancel, RunEvents, RunList, RunRef, RunWait},
    domain::{
        event::Event,
        fault::{ErrorKind, Fault},
        ids::{InstanceId, RunId},
        instance::Instance,
        page::Page,
        run::{Attempt, Run},
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
    /// Longest prompt, in bytes.
    pub(crate) prompt_bytes: usize,
    /// Agent for whoever prefers none.
    pub(crate) default_agent: Option<String>,
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

    /// Asks for the end of a run: on disk first, then of its attempt.
    pub(crate) async fn end(&self, run: RunId, reason: String) -> Result<(), Fault> {
        if self.store.runs.cancel(run, reason).await?.is_held() {
            self.dispatch.cancel(run);
        }
        Ok(())
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
        })
    }
}

#[async_trait]
impl RunApiServer for RunDesk {
    async fn delegate(&self, ext: &Extensions, params: Delegate) -> Result<Run, Fault> {
        person_only(ext)?;
        if self.ending.draining() {
            return Err(Fault::new(
                ErrorKind::Busy,
                "the hub takes no new work: it is about to end",
            )
            .hint("try again in a moment"));
        }
        self.accept(params, ext.get::<PeerRef>()).await
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
        Ok(self.store.runs.list(filter, at).await?)
    }

    async fn wait(&self, params: RunWait) -> Result<Run, Fault> {
        let limit = Duration::from_millis(params.wait_ms.min(WAIT_MS));
        tokio::select! {
            run = runs::wait(&self.store, params.id, limit) => Ok(run?),
            () = self.ending.begun().cancelled() => self.get(RunRef { id: params.id }).await,
        }
    }

    async fn cancel(&self, ext: &Extensions, params: RunCancel) -> Result<Run, Fault> {
        person_only(ext)?;
        self.end(
            params.id,
            params
                .reason
                .unwrap_or_else(|| "cancelled by a person".to_owned()),
        )
        .await?;
        self.get(RunRef { id: params.id }).await
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
}
