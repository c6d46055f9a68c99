//! All agents that can be named.

use super::{Shelf, builtin};
use crate::{
    agents::{
        depot::Depot,
        environment,
        resolve::{self, Places, Program},
    },
    domain::{
        agent::{Agent, AgentDefinition, AgentSource},
        fault::{ErrorKind, Fault},
    },
    stdx,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
};

/// Made once, as definitions are read anew for every run.
static BUILTIN: LazyLock<Vec<Arc<AgentDefinition>>> =
    LazyLock::new(|| builtin::all().into_iter().map(Arc::new).collect());

/// Definitions by id, read once. Cheap to read again when a file has changed.
#[derive(Clone, Debug)]
pub struct Registry {
    agents: Vec<Arc<AgentDefinition>>,
    faults: Vec<(PathBuf, Fault)>,
    own_binary: PathBuf,
    depot: Option<Depot>,
}

impl Registry {
    /// As [`Registry::from`], with nothing known of before.
    #[must_use]
    pub fn load(dir: &Path, own_binary: &Path) -> Self {
        Self::from(&Shelf::default(), dir, own_binary)
    }

    /// The built-in definitions and those of `dir` (`<home>/agents`), which override a built-in one of the same id.
    /// A file that is no definition is skipped and reported by [`Registry::faults`]; a missing `dir` is an empty one.
    #[must_use]
    pub fn from(shelf: &Shelf, dir: &Path, own_binary: &Path) -> Self {
        let mut registry = Self {
            agents: BUILTIN.clone(),
            faults: Vec::new(),
            own_binary: own_binary.to_owned(),
            depot: None,
        };
        for path in registry.files(dir) {
            match shelf.read(&path) {
                Ok(definition) => registry.take(path, definition),
                Err(fault) => registry.faults.push((path, fault)),
            }
        }
        registry
    }

    /// The same definitions, with programs looked for in a depot too.
    #[must_use]
    pub fn with_depot(mut self, depot: Depot) -> Self {
        self.depot = Some(depot);
        self
    }

    /// The `*.toml` files of a folder, in the order of their names, so that the outcome does not hang on the disk.
    fn files(&mut self, dir: &Path) -> Vec<PathBuf> {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
            Err(error) => {
                let detail = format!("{} cannot be read: {error}", dir.display());
                self.faults
                    .push((dir.to_owned(), Fault::new(ErrorKind::InvalidParams, detail)));
                return Vec::new();
            }
        };
        let mut files: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|end| end == "toml") && path.is_file())
            .collect();
        files.sort();
        files
    }

    fn take(&mut self, path: PathBuf, definition: Arc<AgentDefinition>) {
        match self.agents.iter_mut().find(|a| a.id == definition.id) {
            Some(twin) if twin.source == AgentSource::User => {
                let detail = format!(
                    "agent definition {}: another file already defines \"{}\"",
                    path.display(),
                    definition.id
                );
                self.faults
                    .push((path, Fault::new(ErrorKind::NameExists, detail)));
            }
            Some(builtin) => *builtin = definition,
            None => self.agents.push(definition),
        }
    }

    /// One definition.
    ///
    /// # Errors
    /// `agent_not_found`, with the nearest id.
    pub fn get(&self, id: &str) -> Result<&AgentDefinition, Fault> {
        if let Some(found) = self.agents.iter().find(|agent| agent.id == id) {
            return Ok(found);
        }
        let known = self.agents.iter().map(|agent| agent.id.as_str());
        let hint = match stdx::nearest(id, known) {
            Some(near) => format!("did you mean \"{near}\"? list them with agent.list"),
            None => "list them with agent.list".to_owned(),
        };
        Err(Fault::new(ErrorKind::AgentNotFound, format!("no agent \"{id}\"")).hint(hint))
    }

    /// Every definition: the built-in ones first, then the others by file name.
    #[must_use]
    pub fn all(&self) -> &[Arc<AgentDefinition>] {
        &self.agents
    }

    /// The files that were skipped, and why.
    #[must_use]
    pub fn faults(&self) -> &[(PathBuf, Fault)] {
        &self.faults
    }

    /// Where an agent's program lies; `path` is the PATH to search.
    ///
    /// # Errors
    /// `agent_not_found`, with the command that installs it.
    pub fn resolve(
        &self,
        definition: &AgentDefinition,
        path: Option<&str>,
    ) -> Result<Program, Fault> {
        let places = Places {
            path,
            own_binary: &self.own_binary,
            depot: self.depot.as_ref(),
        };
        resolve::resolve(definition, places)
    }

    /// The agent of this id as it can be had, and its program: as it is defined, else its CLI run once a turn.
    ///
    /// # Errors
    /// As [`Registry::get`] and [`Registry::resolve`].
    pub fn find(&self, id: &str, path: Option<&str>) -> Result<(AgentDefinition, Program), Fault> {
        let definition = self.get(id)?;
        let missing = match self.resolve(definition, path) {
            Ok(program) => return Ok((definition.clone(), program)),
            Err(missing) => missing,
        };
        let stand_in = definition.stand_in().ok_or(missing.clone())?;
        let program = self.resolve(&stand_in, path).map_err(|_worse| missing)?;
        Ok((stand_in, program))
    }

    /// An agent as the API shows it.
    #[must_use]
    pub fn describe(&self, definition: &AgentDefinition, path: Option<&str>) -> Agent {
        let found = self.find(&definition.id, path).ok();
        let found = found.map(|(_, program)| program);
        let depot = self.depot.as_ref();
        Agent {
            definition: definition.clone(),
            installed: found.is_some(),
            found_by: found.as_ref().map(|found| found.source),
            installed_version: found.as_ref().and_then(|found| found.version.clone()),
            path: found.map(|found| found.shown()),
            depot: depot.map_or_else(Vec::new, |depot| depot.describe(definition)),
            installing: None,
        }
    }

    /// The names and patterns that a face sends when it joins: the common set, what any agent may see, and what installing goes by.
    #[must_use]
    pub fn env_names(&self) -> Vec<String> {
        let own = self
            .agents
            .iter()
            .flat_map(|agent| agent.env.pass.iter().chain(&agent.env.required))
            .map(String::as_str);
        let ours = [
            environment::COMMON,
            environment::TOOLS,
            environment::FETCHING,
        ];
        let ours = ours.into_iter().flatten().copied();
        let names: BTreeSet<&str> = ours.chain(own).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests;
