//! A name on PATH.

use super::{Places, Program, Shelf, not_there};
use crate::domain::{agent::AgentDefinition, distribution::SourceKind, fault::Fault};

#[derive(Debug)]
pub(super) struct OnPath;

impl Shelf for OnPath {
    fn kind(&self) -> SourceKind {
        SourceKind::Path
    }

    fn look(&self, definition: &AgentDefinition, places: Places<'_>) -> Result<Program, Fault> {
        let command = definition.launch.command.as_str();
        let folders = absolute_folders(places.path.unwrap_or_default());
        which::which_in(command, Some(folders), "/")
            .map(|path| Program::plain(path, self.kind()))
            .map_err(|why| not_there(format!("`{command}` is not on PATH ({why})")))
    }
}

/// PATH without its empty and relative entries: they would mean whatever directory the hub happens to run in.
fn absolute_folders(path: &str) -> String {
    path.split(':')
        .filter(|folder| folder.starts_with('/'))
        .collect::<Vec<_>>()
        .join(":")
}
