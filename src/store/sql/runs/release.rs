//! Giving a run back to the queue, and calling those that wait.

use super::back::{Returned, hand_back};
use crate::{
    domain::{
        ids::RunId,
        run::{AttemptOutcome, RunState, Waiting},
    },
    store::{
        Lease, Redactor, Release, StoreError,
        sql::{connection::Readers, tx::Tx, value::values, words::word, writer::Write},
    },
};
use async_trait::async_trait;
use uuid::Uuid;

pub(in crate::store::sql) const WAITS: &str =
    "SELECT EXISTS(SELECT 1 FROM session WHERE waiting=$1)";
pub(in crate::store::sql) const WAKE: &str = "UPDATE session SET waiting=NULL, wake_at=NULL, ready_rank=coalesce(ready_rank,$2) \
 WHERE id IN (SELECT id FROM session WHERE waiting=$1) RETURNING head_run";

/// An attempt that ends without being counted.
#[derive(Debug)]
pub(super) struct GiveBack {
    pub(super) lease: Lease,
    pub(super) release: Release,
}

impl GiveBack {
    pub(super) fn new(lease: Lease, mut release: Release, redactor: &Redactor) -> Self {
        redactor.redact_in_place(&mut release.reason);
        Self { lease, release }
    }
}

#[async_trait]
impl Write for GiveBack {
    type Answer = ();
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Release {
            waiting,
            delay_ms,
            reason,
        } = &self.release;
        let returned = Returned {
            waiting: *waiting,
            delay_ms: *delay_ms,
            ..Returned::new(self.lease, AttemptOutcome::Released, reason)
        };
        hand_back(tx, &returned).await
    }
}

/// Whether a wake would find anyone.
pub(super) async fn anyone(readers: &Readers, waiting: Waiting) -> Result<bool, StoreError> {
    Ok(readers.scalar(WAITS, values![word(&waiting)?]).await?)
}

/// Makes those that wait for something claimable.
#[derive(Debug)]
pub(super) struct Wake {
    pub(super) waiting: Waiting,
}

#[async_trait]
impl Write for Wake {
    type Answer = ();

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let woken: Vec<Uuid> = tx
            .scalars(WAKE, values![word(&self.waiting)?, tx.now])
            .await?;
        for run in woken {
            tx.changed(RunId(run), RunState::Queued);
        }
        Ok(())
    }
}
