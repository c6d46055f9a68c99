//! Hiding ended runs from lists.

use crate::{
    domain::{ids::RunId, run::RunState},
    store::{
        StoreError,
        sql::{tx::Tx, value::values, words::state, writer::Write},
    },
};
use async_trait::async_trait;

pub(in crate::store::sql) const STATE: &str = "SELECT state FROM run WHERE id=$1";
pub(in crate::store::sql) const HIDE: &str =
    "UPDATE run SET archived_at=coalesce(archived_at,$2) WHERE id=$1 AND ended_at IS NOT NULL";
pub(in crate::store::sql) const SHOW: &str = "UPDATE run SET archived_at=NULL WHERE id=$1";

/// Hides a run, or shows it again.
#[derive(Debug)]
pub(super) struct Archive {
    pub(super) run: RunId,
    pub(super) archived: bool,
}

#[async_trait]
impl Write for Archive {
    type Answer = RunState;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<RunState, StoreError> {
        let found: Option<String> = tx.optional_scalar(STATE, values![self.run.0]).await?;
        let found = found.ok_or_else(|| super::read::not_found("run", &self.run))?;
        if self.archived {
            tx.execute(HIDE, values![self.run.0, tx.now]).await?;
        } else {
            tx.execute(SHOW, values![self.run.0]).await?;
        }
        state(&found)
    }
}
