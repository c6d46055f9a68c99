//! Where an agent's program is found: each place one file behind one trait, looked at in turn. Nothing is fetched here.

mod depot;
mod explicit;
mod path;

use super::depot::{Depot, told};
use crate::domain::{
    agent::AgentDefinition,
    distribution::SourceKind,
    fault::{ErrorKind, Fault},
};
use std::path::{Path, PathBuf};

/// A program that can be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    pub path: PathBuf,
    /// Before the definition's own arguments: the script, where the program is what runs it.
    pub before: Vec<String>,
    /// By which way it was found.
    pub source: SourceKind,
    /// Known of what lies in the depot.
    pub version: Option<String>,
}

impl Program {
    /// What a person takes for it: the script, where there is one.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.before.first() {
            Some(script) => script.clone(),
            None => self.path.display().to_string(),
        }
    }

    fn plain(path: PathBuf, source: SourceKind) -> Self {
        Self {
            path,
            before: Vec::new(),
            source,
            version: None,
        }
    }
}

/// Who looks, and where.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// The PATH to search, the caller's rather than the hub's: a hub that was started by a login manager knows little of where a person
    /// installs things.
    pub path: Option<&'a str>,
    /// Our own executable.
    pub own_binary: &'a Path,
    pub depot: Option<&'a Depot>,
}

/// A place where a program may lie already.
trait Shelf: Sync {
    fn kind(&self) -> SourceKind;

    /// The program, or why it is not there.
    fn look(&self, definition: &AgentDefinition, places: Places<'_>) -> Result<Program, Fault>;

    /// It alone decides: no other place is looked at.
    fn decides(&self, _: &AgentDefinition) -> bool {
        false
    }
}

/// In the order in which they are looked at.
const SHELVES: [&dyn Shelf; 3] = [&explicit::Explicit, &depot::InDepot, &path::OnPath];

/// Finds the program.
///
/// # Errors
/// `agent_not_found` with what each place says, and with the command that installs it. A damaged lock file is an error of its own.
pub fn resolve(definition: &AgentDefinition, places: Places<'_>) -> Result<Program, Fault> {
    let mut said = Vec::new();
    for shelf in SHELVES {
        match shelf.look(definition, places) {
            Ok(program) => return Ok(program),
            Err(fault) if fault.kind != ErrorKind::AgentNotFound => return Err(fault),
            Err(fault) if shelf.decides(definition) => {
                return Err(missing(definition, &fault.detail));
            }
            Err(fault) => said.push((shelf.kind(), fault)),
        }
    }
    let said: Vec<String> = said
        .iter()
        .filter(|(kind, _)| *kind != SourceKind::Explicit)
        .map(|(kind, fault)| told(*kind, fault))
        .collect();
    Err(missing(definition, &said.join("; ")))
}

fn missing(definition: &AgentDefinition, why: &str) -> Fault {
    let fault = Fault::new(
        ErrorKind::AgentNotFound,
        format!("agent \"{}\" is not installed: {why}", definition.id),
    );
    match &definition.install {
        Some(command) => fault.hint(format!("install it with: {command}")),
        None => fault.hint("correct `launch.command` in its definition, or add its folder to PATH"),
    }
}

fn not_there(why: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::AgentNotFound, why)
}

#[cfg(test)]
mod tests;
