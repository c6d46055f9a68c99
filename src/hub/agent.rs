//! `agent.*`: programs that do the work, and whether they are there.

use crate::{
    agents::definitions::Registry,
    api::agent::{AgentApiServer, AgentId, AgentList},
    domain::{
        agent::{Agent, AgentDefinition},
        fault::Fault,
        page::Page,
    },
};
use async_trait::async_trait;
use std::path::{Path, PathBuf};

/// Serves `agent.*`. Definitions are read anew for each question: there are few, and a person edits them while the hub runs.
#[derive(Clone, Debug)]
pub(crate) struct AgentDesk {
    definitions: PathBuf,
    /// Where programs are looked up when no caller's PATH is at hand.
    path: Option<String>,
    own_binary: PathBuf,
}

impl AgentDesk {
    /// A desk over the definitions in a directory and the built-in ones.
    #[must_use]
    pub(crate) fn new(definitions: &Path, path: Option<String>, own_binary: &Path) -> Self {
        Self {
            definitions: definitions.to_owned(),
            path,
            own_binary: own_binary.to_owned(),
        }
    }

    /// Ids of those that are there, on the hub's own PATH.
    pub(crate) fn installed(&self) -> Vec<String> {
        let registry = self.registry();
        let path = self.path.as_deref();
        let there = registry.all().iter();
        there
            .filter(|one| registry.resolve(one, path).is_ok())
            .map(|one| one.id.clone())
            .collect()
    }

    /// All definitions.
    pub(crate) fn registry(&self) -> Registry {
        Registry::load(&self.definitions, &self.own_binary)
    }

    /// The definition of that id and where its program is: on the caller's PATH, or else on the hub's.
    ///
    /// # Errors
    /// `agent_not_found` with the nearest id, or with the command that installs it.
    pub(crate) fn find(
        &self,
        id: &str,
        path: Option<&str>,
    ) -> Result<(AgentDefinition, PathBuf), Fault> {
        let registry = self.registry();
        let definition = registry.get(id)?;
        let program = registry.resolve(definition, path.or(self.path.as_deref()))?;
        Ok((definition.clone(), program))
    }
}

#[async_trait]
impl AgentApiServer for AgentDesk {
    async fn list(&self, _: AgentList) -> Result<Page<Agent>, Fault> {
        let registry = self.registry();
        for (path, fault) in registry.faults() {
            tracing::warn!(path = %path.display(), %fault, "skipped an agent definition");
        }
        let items = registry
            .all()
            .iter()
            .map(|definition| registry.describe(definition, self.path.as_deref()))
            .collect();
        Ok(Page {
            items,
            next_cursor: None,
        })
    }

    async fn get(&self, params: AgentId) -> Result<Agent, Fault> {
        let registry = self.registry();
        registry
            .get(&params.id)
            .map(|definition| registry.describe(definition, self.path.as_deref()))
    }

    async fn resolve(&self, params: AgentId) -> Result<Agent, Fault> {
        self.find(&params.id, None)?;
        self.get(params).await
    }
}
