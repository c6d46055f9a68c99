//! Our own executable, or an absolute path: where a definition says it outright.

use super::{Places, Program, Shelf, not_there};
use crate::{
    agents::definitions::OWN,
    domain::{agent::AgentDefinition, distribution::SourceKind, fault::Fault},
};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Explicit;

impl Shelf for Explicit {
    fn kind(&self) -> SourceKind {
        SourceKind::Explicit
    }

    fn look(&self, definition: &AgentDefinition, places: Places<'_>) -> Result<Program, Fault> {
        let command = definition.launch.command.as_str();
        if command == OWN {
            return Ok(Program::plain(places.own_binary.to_owned(), self.kind()));
        }
        if Path::new(command).is_absolute() {
            return which::which_in(command, None::<&str>, "/")
                .map(|path| Program::plain(path, self.kind()))
                .map_err(|why| not_there(format!("{command} is not an executable file ({why})")));
        }
        if command.contains('/') {
            return Err(not_there(format!(
                "`{command}` is neither a name nor an absolute path"
            )));
        }
        Err(not_there(format!("`{command}` is a name")))
    }

    fn decides(&self, definition: &AgentDefinition) -> bool {
        definition.launch.command.contains('/')
    }
}
