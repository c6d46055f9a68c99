//! `agent.*`: programs that do the work, and whether they are there.

mod add;
mod ask;
mod jobs;
mod verbs;

pub(crate) use jobs::Jobs;
pub(crate) use verbs::AgentVerbs;

use crate::{
    agents::{
        definitions::{Registry, Shelf},
        depot::Depot,
        pool::Pool,
    },
    domain::{agent::AgentDefinition, fault::Fault},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Finds agents. Definitions are read anew for each question: there are few, and a person edits them while the hub runs.
#[derive(Clone, Debug)]
pub(crate) struct AgentDesk {
    definitions: PathBuf,
    shelf: Arc<Shelf>,
    /// Where programs are looked up when no caller's PATH is at hand.
    path: Option<String>,
    own_binary: PathBuf,
    depot: Depot,
    /// Where they run, once they can.
    pool: Option<Pool>,
}

impl AgentDesk {
    /// A desk over the definitions in a directory and the built-in ones, with programs in a depot.
    #[must_use]
    pub(crate) fn new(
        definitions: &Path,
        path: Option<String>,
        own_binary: &Path,
        depot: Depot,
    ) -> Self {
        Self {
            definitions: definitions.to_owned(),
            shelf: Arc::default(),
            path,
            own_binary: own_binary.to_owned(),
            depot,
            pool: None,
        }
    }

    /// From now on they run there.
    pub(crate) fn served_by(&mut self, pool: Pool) {
        self.pool = Some(pool);
    }

    /// A person has looked at why an agent ended by itself again and again. Whether one had.
    pub(crate) async fn mend(&self, id: String) -> bool {
        match &self.pool {
            Some(pool) => pool.mend(id).await,
            None => false,
        }
    }

    /// Where programs are installed.
    pub(crate) fn depot(&self) -> &Depot {
        &self.depot
    }

    /// Ids of those that are there, on the hub's own PATH.
    pub(crate) fn installed(&self) -> Vec<String> {
        let registry = self.registry();
        let path = self.path.as_deref();
        let there = registry.all().iter();
        there
            .filter(|one| registry.find(&one.id, path).is_ok())
            .map(|one| one.id.clone())
            .collect()
    }

    /// All definitions.
    pub(crate) fn registry(&self) -> Registry {
        Registry::from(&self.shelf, &self.definitions, &self.own_binary)
            .with_depot(self.depot.clone())
    }

    /// The definition of that id and where its program is: in the depot, on the caller's PATH, or else on the hub's. What the program needs
    /// before the definition's own arguments stands there with them.
    ///
    /// # Errors
    /// `agent_not_found` with the nearest id, or with the command that installs it.
    pub(crate) fn find(
        &self,
        id: &str,
        path: Option<&str>,
    ) -> Result<(AgentDefinition, PathBuf), Fault> {
        let path = path.or(self.path.as_deref());
        let (mut definition, program) = self.registry().find(id, path)?;
        definition.launch.args.splice(0..0, program.before);
        Ok((definition, program.path))
    }
}
