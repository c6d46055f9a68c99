//! What an instance's verbs do to its agent and its runs.

use super::{instance::Surroundings, run::RunDesk, supply::Stockroom};
use crate::{
    agents::pool::Pool,
    domain::{
        caller::Caller, fault::Fault, instance::Instance, project::ProjectRow,
        project_file::ProjectTerms, rights::Who, run::RunState,
    },
    store::{PageAt, RunFilter},
};
use async_trait::async_trait;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

/// The hub's own answer to [`Surroundings`].
#[derive(Clone, Debug)]
pub(crate) struct Control {
    pub(crate) runs: RunDesk,
    pub(crate) stockroom: Arc<Stockroom>,
    pub(crate) pool: Pool,
}

impl Control {
    /// Asks for the end of every run of the filter that is not terminal, whatever its state there; answers how many.
    pub(super) async fn cancel(&self, filter: RunFilter, reason: &str) -> Result<u32, Fault> {
        let mut ended = 0;
        for state in RunState::ALL
            .into_iter()
            .filter(|state| !state.is_terminal())
        {
            let filter = RunFilter {
                state: Some(state),
                ..filter.clone()
            };
            let mut cursor = None;
            loop {
                let page = self
                    .stockroom
                    .store
                    .runs
                    .list(filter.clone(), PageAt { cursor, limit: 200 })
                    .await?;
                for run in page.items {
                    self.runs.end(run.id, reason.to_owned()).await?;
                    ended += 1;
                }
                cursor = page.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
        }
        Ok(ended)
    }

    /// Starts the agent that delegations to this project go to when they name none, and leaves it there. `values`: the environment of who
    /// asks.
    pub(super) async fn warm_up(
        &self,
        row: &ProjectRow,
        values: Option<BTreeMap<String, String>>,
    ) -> Result<(), Fault> {
        let values = values.unwrap_or_else(|| self.stockroom.values(None));
        let terms = self.runs.projects.terms(row);
        let policy = self.runs.policies.under(&terms);
        let file = terms.file;
        let path = values.get("PATH").map(String::as_str);
        let agent = self.runs.agent_in(&file, path)?;
        let root = PathBuf::from(&row.path);
        let launch = self
            .stockroom
            .launch(&agent, root, &values, &file.environment, &policy)?;
        self.pool.checkout(launch).await.map(drop)
    }
}

#[async_trait]
impl Surroundings for Control {
    async fn installed(&self, agent: &str) -> Result<(), Fault> {
        let values = self.stockroom.values(None);
        self.runs
            .agents
            .find(agent, values.get("PATH").map(String::as_str))
            .map(drop)
    }

    async fn who(&self, caller: Option<Caller>) -> Result<Who, Fault> {
        Ok(self.runs.rights.asker(caller).await?.who())
    }

    async fn project(&self, reference: &str) -> Result<ProjectRow, Fault> {
        self.runs.projects.find_or_register(reference).await
    }

    async fn known_project(&self, reference: &str) -> Result<ProjectRow, Fault> {
        self.runs.projects.find(reference).await
    }

    /// Under the policy of its project, where its delegations will look for it: at its project's root, else in its workspace.
    async fn pin(&self, instance: &Instance) -> Result<(), Fault> {
        let (root, terms) = match instance.project {
            Some(id) => {
                let row = self.stockroom.store.projects.get(id).await?;
                let terms = self.runs.projects.terms(&row);
                (PathBuf::from(row.path), terms)
            }
            None => (PathBuf::from(&instance.workspace), ProjectTerms::default()),
        };
        let policy = self.runs.policies.under(&terms);
        let file = terms.file;
        let values = self.stockroom.values(None);
        let agent =
            self.runs
                .agent_of(instance, file.agent, values.get("PATH").map(String::as_str))?;
        let launch = self
            .stockroom
            .launch(&agent, root, &values, &file.environment, &policy)?;
        let launch = self.stockroom.fitted(launch, instance)?;
        self.pool.pin(launch, instance.id).await
    }

    async fn unpin(&self, instance: &Instance) {
        self.pool.unpin(instance.id);
    }

    async fn cancel_runs(&self, instance: &Instance, reason: &str) -> Result<(), Fault> {
        let filter = RunFilter {
            instance: Some(instance.id),
            ..RunFilter::default()
        };
        self.cancel(filter, reason).await.map(drop)
    }
}
