//! What time does to queued runs, to leases, to degraded classes, and to requests that nobody waits for.

use super::recover::expire;
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::{HubId, RunId},
        run::RunState,
    },
    store::{
        StoreError,
        sql::{
            classes,
            connection::Readers,
            requests,
            settle::{Settlement, settle},
            tx::Tx,
            value::values,
            writer::Write,
        },
    },
};
use async_trait::async_trait;

use uuid::Uuid;

/// Milliseconds until the next moment at which a sweep would find something; not above 0: now.
pub(in crate::store::sql) const NEXT: &str = "SELECT min(at)-CAST(unixepoch('subsec')*1000 AS INTEGER) FROM ( \
 SELECT min(wake_at) AS at FROM session INDEXED BY session_wake WHERE wake_at IS NOT NULL \
 UNION ALL SELECT min(deadline) FROM run INDEXED BY run_deadline WHERE state='queued' AND deadline IS NOT NULL \
 UNION ALL SELECT min(deadline) FROM request INDEXED BY request_left WHERE decided_by IS NULL AND fence IS NULL AND deadline IS NOT NULL \
 UNION ALL SELECT min(lease_until) FROM session INDEXED BY session_active WHERE lease_holder IS NOT NULL AND lease_holder<>$1 \
 UNION ALL SELECT min(judge_at) FROM class INDEXED BY class_judged WHERE judge_at IS NOT NULL) AS due";
pub(in crate::store::sql) const LATE: &str = "SELECT id FROM run INDEXED BY run_deadline WHERE state='queued' AND deadline IS NOT NULL AND deadline<=$1 \
 ORDER BY deadline LIMIT 500";
pub(in crate::store::sql) const PROMOTE: &str = "UPDATE session SET wake_at=NULL, waiting=NULL, ready_rank=$1 WHERE id IN ( \
 SELECT id FROM session INDEXED BY session_wake WHERE wake_at IS NOT NULL AND wake_at<=$1 ORDER BY wake_at LIMIT 500) RETURNING head_run";

/// Milliseconds until there is something to sweep.
pub(super) async fn next(readers: &Readers, own: HubId) -> Result<Option<i64>, StoreError> {
    let left: Option<i64> = readers.scalar(NEXT, values![own.0]).await?;
    Ok(left.map(|ms| ms.max(0)))
}

/// Ends what is late, promotes what is due. What is above 500 of either is left to the next sweep, which is then due at once.
#[derive(Debug)]
pub(super) struct Sweep {
    /// Whose leases are let be.
    pub(super) own: HubId,
}

#[async_trait]
impl Write for Sweep {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let late: Vec<Uuid> = tx.scalars(LATE, values![tx.now]).await?;
        let fault = Fault::new(
            ErrorKind::TimedOut,
            "its time was over before an agent could take it",
        )
        .hint("delegate again with a longer `timeout_ms`");
        for run in late {
            let settlement = Settlement {
                error: Some(&fault),
                ..Settlement::new(run, None, RunState::TimedOut)
            };
            settle(tx, &settlement).await?;
        }
        expire(tx, self.own).await?;
        requests::end::sweep(tx).await?;
        classes::sweep(tx).await?;
        let due: Vec<Uuid> = tx.scalars(PROMOTE, values![tx.now]).await?;
        for run in due {
            tx.changed(RunId(run), RunState::Queued);
        }
        Ok(())
    }
}
