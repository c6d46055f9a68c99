//! Giving a run back to the queue, and calling those that wait.

use crate::{
    domain::{
        event::EventKind,
        ids::RunId,
        run::{AttemptOutcome, RunState, Waiting},
    },
    store::{
        Lease, Redactor, Release, StoreError,
        sql::{
            connection::Readers,
            log::{Subject, append, event, gone},
            requests,
            settle::{END_ATTEMPT, Settlement, settle},
            tx::Tx,
            value::values,
            words::{word, word_of},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

pub(in crate::store::sql) const BACK: &str = "UPDATE run SET state='queued', fence=NULL, attempt=attempt-1, event_seq=event_seq+1, \
 started_at=CASE WHEN attempt=1 THEN NULL ELSE started_at END, step=NULL, tool=NULL, said=NULL, warm=FALSE, continuity=NULL, \
 waited_ms=waited_ms+CASE WHEN $3>input_since THEN $3-input_since ELSE 0 END, deadline=deadline+CASE WHEN $3>input_since THEN $3-input_since ELSE 0 END, input_since=NULL \
 WHERE id=$1 AND fence=$2 AND NOT cancel_requested RETURNING event_seq, project, instance";
pub(in crate::store::sql) const LEAVE: &str = "UPDATE session SET lease_holder=NULL, lease_until=NULL, overflow=FALSE, waiting=$4, \
 ready_rank=CASE WHEN $5<=0 THEN $3 END, wake_at=CASE WHEN $5>0 THEN $3+$5 END WHERE id=$1 AND head_run=$2 AND lease_until>0";
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

#[derive(FromRow)]
struct Returned {
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

impl GiveBack {
    pub(super) fn new(lease: Lease, mut release: Release, redactor: &Redactor) -> Self {
        redactor.redact_in_place(&mut release.reason);
        Self { lease, release }
    }

    /// A run whose end was asked for does not go back to the queue.
    async fn cancel(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let settlement = Settlement {
            outcome: Some(AttemptOutcome::Cancelled),
            reason: Some(&self.release.reason),
            ..Settlement::new(
                self.lease.run.0,
                Some(self.lease.fence),
                RunState::Cancelled,
            )
        };
        if settle(tx, &settlement).await? {
            Ok(())
        } else {
            Err(StoreError::LeaseLost(self.lease.run))
        }
    }

    async fn leave(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let left = tx
            .execute(
                LEAVE,
                values![
                    self.lease.session.0,
                    self.lease.run.0,
                    tx.now,
                    word_of(self.release.waiting.as_ref())?,
                    self.release.delay_ms
                ],
            )
            .await?;
        if left == 1 {
            Ok(())
        } else {
            Err(gone(self.lease.run.0))
        }
    }

    async fn end_attempt(
        &self,
        tx: &mut Tx<'_>,
        outcome: AttemptOutcome,
    ) -> Result<(), StoreError> {
        tx.execute(
            END_ATTEMPT,
            values![
                self.lease.run.0,
                self.lease.attempt,
                word(&outcome)?,
                tx.now,
                &self.release.reason,
                None::<&str>
            ],
        )
        .await?;
        Ok(())
    }
}

#[async_trait]
impl Write for GiveBack {
    type Answer = ();
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        self.back(tx, AttemptOutcome::Released).await
    }
}

impl GiveBack {
    /// The run is queued again; `outcome` says how its attempt ended.
    pub(super) async fn back(
        &self,
        tx: &mut Tx<'_>,
        outcome: AttemptOutcome,
    ) -> Result<(), StoreError> {
        let returned: Option<Returned> = tx
            .optional(BACK, values![self.lease.run.0, self.lease.fence, tx.now])
            .await?;
        let Some(returned) = returned else {
            return self.cancel(tx).await;
        };
        self.end_attempt(tx, outcome).await?;
        self.leave(tx).await?;
        requests::end::leave(tx, self.lease.run.0).await?;
        let subject = Subject {
            run: self.lease.run.0,
            project: returned.project,
            instance: returned.instance,
        };
        let told = event(
            EventKind::Released,
            data!({
                "attempt": self.lease.attempt,
                "fence": self.lease.fence,
                "waiting": self.release.waiting,
                "reason": self.release.reason,
            }),
        );
        append(tx, subject, returned.event_seq, &told).await?;
        tx.changed(self.lease.run, RunState::Queued);
        Ok(())
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
