//! The version in the depot that `agents.lock` pins, or the newest there.

use super::{Places, Program, Shelf, not_there};
use crate::domain::{agent::AgentDefinition, distribution::SourceKind, fault::Fault};

#[derive(Debug)]
pub(super) struct InDepot;

impl Shelf for InDepot {
    fn kind(&self) -> SourceKind {
        SourceKind::Depot
    }

    fn look(&self, definition: &AgentDefinition, places: Places<'_>) -> Result<Program, Fault> {
        match places.depot {
            Some(depot) => depot.program(definition),
            None => Err(not_there("there is none")),
        }
    }
}
