//! The runs that a run's agent delegated.

use super::RunDesk;
use crate::{
    domain::{fault::Fault, ids::RunId, page::Page, run::Run},
    store::{PageAt, RunFilter, StoreError},
};

impl RunDesk {
    /// The children of a run that a filter lets pass, newest first.
    pub(super) async fn children(
        &self,
        parent: RunId,
        filter: &RunFilter,
        at: &PageAt,
    ) -> Result<Page<Run>, Fault> {
        self.store.runs.get(parent).await?;
        let ids = self.store.runs.children(parent).await?;
        let after = match &at.cursor {
            Some(cursor) => place(&ids, cursor)?,
            None => 0,
        };
        let mut items: Vec<Run> = Vec::new();
        for id in ids.into_iter().skip(after) {
            let run = self.store.runs.get(id).await?;
            if !passes(filter, &run) {
                continue;
            }
            if items.len() == at.rows() {
                let next_cursor = items.last().map(|last| last.id.to_string());
                return Ok(Page { items, next_cursor });
            }
            items.push(run);
        }
        Ok(Page {
            items,
            next_cursor: None,
        })
    }
}

/// What comes after the run that a cursor names.
fn place(ids: &[RunId], cursor: &str) -> Result<usize, StoreError> {
    let last: RunId = cursor.parse().map_err(|_other| StoreError::BadCursor)?;
    let found = ids.iter().position(|id| *id == last);
    found.map(|at| at + 1).ok_or(StoreError::BadCursor)
}

fn passes(filter: &RunFilter, run: &Run) -> bool {
    let RunFilter {
        state,
        project,
        instance,
        label,
        archived,
        here: _,
    } = filter;
    state.is_none_or(|state| run.state == state)
        && (project.is_none() || run.project == *project)
        && (instance.is_none() || run.instance == *instance)
        && (label.is_none() || run.label == *label)
        && (*archived || run.archived_at.is_none())
}
