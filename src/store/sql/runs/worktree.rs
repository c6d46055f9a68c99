//! Worktrees of runs, once their attempts are over.

use super::read::not_found;
use crate::{
    domain::{event::EventKind, ids::RunId, run::Run, worktree::Worktree},
    store::{
        StoreError,
        sql::{
            connection::Readers,
            log::{Subject, append, event},
            row::{RunRow, run_columns},
            tx::Tx,
            value::values,
            words::{json, state},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// Until it has ended, the run's worktree is its attempt's.
pub(in crate::store::sql) const SET: &str = "UPDATE run SET worktree=$2, event_seq=event_seq+1 WHERE id=$1 AND ended_at IS NOT NULL \
 RETURNING state, event_seq, project, instance";
const STATE: &str = "SELECT state FROM run WHERE id=$1";
pub(in crate::store::sql) const LEFT: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM run r INDEXED BY run_worktree CROSS JOIN session s ON s.id=r.session \
     WHERE r.worktree_state IN ('planned', 'open', 'kept') AND s.place=$1 ORDER BY r.created_at, r.id"
);

/// What has become of a worktree.
#[derive(Debug)]
pub(super) struct SetWorktree {
    pub(super) run: RunId,
    pub(super) worktree: Worktree,
}

#[derive(FromRow, Deserialize)]
struct Stood {
    state: String,
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

#[async_trait]
impl Write for SetWorktree {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let stood: Option<Stood> = tx
            .optional(SET, values![self.run.0, json(&self.worktree)?])
            .await?;
        let Some(stood) = stood else {
            return Err(self.refusal(tx).await?);
        };
        let subject = Subject {
            run: self.run.0,
            project: stood.project,
            instance: stood.instance,
        };
        let told = event(EventKind::WorktreeChanged, data!(self.worktree));
        append(tx, subject, stood.event_seq, &told).await?;
        tx.changed(self.run, state(&stood.state)?);
        Ok(())
    }
}

impl SetWorktree {
    async fn refusal(&self, tx: &mut Tx<'_>) -> Result<StoreError, StoreError> {
        let there: Option<String> = tx.optional_scalar(STATE, values![self.run.0]).await?;
        Ok(match there {
            Some(state) => StoreError::Internal(format!(
                "the worktree of run {} is its attempt's while it is {state}",
                self.run
            )),
            None => not_found("run", &self.run),
        })
    }
}

/// Those that take up room, or may, oldest first.
pub(super) async fn left(readers: &Readers, place: &str) -> Result<Vec<Run>, StoreError> {
    let rows: Vec<RunRow> = readers.all(LEFT, values![place]).await?;
    rows.into_iter().map(Run::try_from).collect()
}
