//! All agents that can be named.

use super::{builtin, user};
use crate::{
    agents::{environment, resolve},
    domain::{
        agent::{Agent, AgentDefinition, AgentSource},
        fault::{ErrorKind, Fault},
    },
    stdx,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Definitions by id, read once. Cheap to read again when a file has changed.
#[derive(Clone, Debug)]
pub struct Registry {
    agents: Vec<AgentDefinition>,
    faults: Vec<(PathBuf, Fault)>,
    own_binary: PathBuf,
}

impl Registry {
    /// The built-in definitions and those of `dir` (`<home>/agents`), which override a built-in one of the same id.
    /// A file that is no definition is skipped and reported by [`Registry::faults`]; a missing `dir` is an empty one.
    #[must_use]
    pub fn load(dir: &Path, own_binary: &Path) -> Self {
        let mut registry = Self {
            agents: builtin::all(),
            faults: Vec::new(),
            own_binary: own_binary.to_owned(),
        };
        for path in registry.files(dir) {
            match user::read(&path) {
                Ok(definition) => registry.take(path, definition),
                Err(fault) => registry.faults.push((path, fault)),
            }
        }
        registry
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

    fn take(&mut self, path: PathBuf, definition: AgentDefinition) {
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
    pub fn all(&self) -> &[AgentDefinition] {
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
    ) -> Result<PathBuf, Fault> {
        resolve::resolve(definition, path, &self.own_binary)
    }

    /// An agent as the API shows it.
    #[must_use]
    pub fn describe(&self, definition: &AgentDefinition, path: Option<&str>) -> Agent {
        let found = self.resolve(definition, path).ok();
        Agent {
            definition: definition.clone(),
            installed: found.is_some(),
            path: found.map(|path| path.display().to_string()),
        }
    }

    /// The names and patterns that a face sends when it joins: the common set and what any agent may see.
    #[must_use]
    pub fn env_names(&self) -> Vec<String> {
        let own = self
            .agents
            .iter()
            .flat_map(|agent| agent.env.pass.iter().chain(&agent.env.required))
            .map(String::as_str);
        let names: BTreeSet<&str> = environment::COMMON.iter().copied().chain(own).collect();
        names.into_iter().map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests;
