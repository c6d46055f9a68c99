//! Removing what is older than anybody wants to keep.

use crate::{
    domain::time::Timestamp,
    store::{
        StoreError,
        sql::{tx::Tx, value::values, writer::Write},
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// Runs at once: others write between two batches.
const BATCH: u32 = 50;

/// A run ends after it was created, so the index by age leads to all of them and to little else. One whose worktree is there stays: without
/// it nobody would know whose that is.
pub(in crate::store::sql) const OLD: &str = "SELECT id, session FROM run INDEXED BY run_newest \
 WHERE created_at<$1 AND ended_at IS NOT NULL AND ended_at<$1 \
 AND coalesce(worktree_state,'dropped') NOT IN ('open', 'kept') ORDER BY created_at LIMIT $2+0";
pub(in crate::store::sql) const EVENTS: &str = "DELETE FROM event WHERE run=$1";
pub(in crate::store::sql) const ATTEMPTS: &str = "DELETE FROM attempt WHERE run=$1";
pub(in crate::store::sql) const REQUESTS: &str = "DELETE FROM request WHERE run=$1";
pub(in crate::store::sql) const INPUTS: &str = "DELETE FROM input WHERE run=$1";
pub(in crate::store::sql) const RUN: &str = "DELETE FROM run WHERE id=$1";
pub(in crate::store::sql) const SESSION: &str = "DELETE FROM session WHERE id=$1 AND head_run IS NULL \
 AND NOT EXISTS(SELECT 1 FROM run WHERE session=$1)";
/// What happened beside the runs.
pub(in crate::store::sql) const BESIDE: &str =
    "DELETE FROM event INDEXED BY event_beside WHERE run IS NULL AND at<$1";
/// Once at the end of it all, as these are walked from end to end.
const KEYS: &str = "DELETE FROM idempotency WHERE created_at<$1 AND NOT EXISTS(SELECT 1 FROM run WHERE run.id=idempotency.run)";
const OUTBOX: &str = "DELETE FROM outbox WHERE at<$1";

/// Removes ended runs with all that belongs to them. Answers how many; fewer than a batch: that was all.
#[derive(Debug)]
pub(super) struct Prune {
    pub(super) ended_before: Timestamp,
}

#[derive(FromRow, Deserialize)]
struct Old {
    id: Uuid,
    session: Uuid,
}

#[async_trait]
impl Write for Prune {
    type Answer = u32;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<u32, StoreError> {
        let before = self.ended_before.0;
        let old: Vec<Old> = tx.all(OLD, values![before, BATCH]).await?;
        for Old { id, session } in &old {
            for (sql, key) in [
                (EVENTS, id),
                (ATTEMPTS, id),
                (REQUESTS, id),
                (INPUTS, id),
                (RUN, id),
                (SESSION, session),
            ] {
                tx.execute(sql, values![key]).await?;
            }
        }
        if old.is_empty() {
            for sql in [BESIDE, KEYS, OUTBOX] {
                tx.execute(sql, values![before]).await?;
            }
        }
        Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
    }
}
