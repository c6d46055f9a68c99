//! Giving a run back to the queue, and calling those that wait.

use crate::{
    domain::{
        event::EventKind,
        ids::RunId,
        run::{AttemptOutcome, RunState, Waiting},
    },
    store::{
        Lease, Redactor, Release, StoreError,
        sqlite::{
            log::{Subject, append, event, gone},
            requests,
            settle::{END_ATTEMPT, Settlement, settle},
            tx::Tx,
            words::{word, word_of},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::json as data;
use sqlx::{FromRow, SqlitePool};
use uuid::Uuid;

pub(in crate::store::sqlite) const BACK: &str = "UPDATE run SET state='queued', fence=NULL, attempt=attempt-1, event_seq=event_seq+1, \
 started_at=CASE WHEN attempt=1 THEN NULL ELSE started_at END, step=NULL, tool=NULL, said=NULL, warm=0, continuity=NULL, \
 waited_ms=waited_ms+max(0,coalesce(?3-input_since,0)), deadline=deadline+max(0,coalesce(?3-input_since,0)), input_since=NULL \
 WHERE id=?1 AND fence=?2 AND cancel_requested=0 RETURNING event_seq, project, instance";
pub(in crate::store::sqlite) const LEAVE: &str = "UPDATE session SET lease_holder=NULL, lease_until=NULL, waiting=?4, \
 ready_rank=CASE WHEN ?5<=0 THEN ?3 END, wake_at=CASE WHEN ?5>0 THEN ?3+?5 END WHERE id=?1 AND head_run=?2 AND lease_holder IS NOT NULL";
pub(in crate::store::sqlite) const WAITS: &str =
    "SELECT EXISTS(SELECT 1 FROM session WHERE waiting=?1)";
pub(in crate::store::sqlite) const WAKE: &str = "UPDATE session SET waiting=NULL, wake_at=NULL, ready_rank=coalesce(ready_rank,?2) \
 WHERE id IN (SELECT id FROM session WHERE waiting=?1) RETURNING head_run";

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
        let left = sqlx::query(LEAVE)
            .bind(self.lease.session.0)
            .bind(self.lease.run.0)
            .bind(tx.now)
            .bind(word_of(self.release.waiting.as_ref())?)
            .bind(self.release.delay_ms)
            .execute(&mut *tx.connection)
            .await?;
        if left.rows_affected() == 1 {
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
        sqlx::query(END_ATTEMPT)
            .bind(self.lease.run.0)
            .bind(self.lease.attempt)
            .bind(word(&outcome)?)
            .bind(tx.now)
            .bind(&self.release.reason)
            .bind(None::<&str>)
            .execute(&mut *tx.connection)
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
        let returned: Option<Returned> = sqlx::query_as(BACK)
            .bind(self.lease.run.0)
            .bind(self.lease.fence)
            .bind(tx.now)
            .fetch_optional(&mut *tx.connection)
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
pub(super) async fn anyone(readers: &SqlitePool, waiting: Waiting) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(WAITS)
        .bind(word(&waiting)?)
        .fetch_one(readers)
        .await?)
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
        let woken: Vec<Uuid> = sqlx::query_scalar(WAKE)
            .bind(word(&self.waiting)?)
            .bind(tx.now)
            .fetch_all(&mut *tx.connection)
            .await?;
        for run in woken {
            tx.changed(RunId(run), RunState::Queued);
        }
        Ok(())
    }
}
