//! Giving a run back to the queue, whoever does it and why: the one way from held to queued.

use super::append::{note, redact};
use crate::{
    domain::{
        event::{EventKind, NewEvent},
        retry::Left,
        run::{AttemptOutcome, RunState, Waiting},
        time::Timestamp,
    },
    store::{
        Back, Lease, Progress, Redactor, StoreError,
        sql::{
            classes,
            log::{Subject, append, append_all, count, event, gone},
            requests,
            settle::{END_ATTEMPT, Settlement, settle},
            tx::Tx,
            value::values,
            words::{json, word, word_of},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// A number that is given back is 1, one that is used up 0.
pub(in crate::store::sql) const BACK: &str = "UPDATE run SET state='queued', fence=NULL, attempt=attempt-$4, event_seq=event_seq+$5, leftover=coalesce($6,leftover), \
 started_at=CASE WHEN attempt=$4 THEN NULL ELSE started_at END, step=NULL, tool=NULL, said=NULL, warm=FALSE, continuity=NULL, usage=coalesce($7,usage), worktree=coalesce($8,worktree), turns=turns+$9, \
 waited_ms=waited_ms+CASE WHEN $3>input_since THEN $3-input_since ELSE 0 END, deadline=deadline+CASE WHEN $3>input_since THEN $3-input_since ELSE 0 END, input_since=NULL \
 WHERE id=$1 AND fence=$2 AND NOT cancel_requested RETURNING event_seq, project, instance";
pub(in crate::store::sql) const LEAVE: &str = "UPDATE session SET lease_holder=NULL, lease_until=NULL, overflow=FALSE, waiting=$4, \
 ready_rank=CASE WHEN $5<=0 THEN $3 END, wake_at=CASE WHEN $5>0 THEN $3+$5 END WHERE id=$1 AND head_run=$2 AND lease_until>0";

/// A run on its way back.
#[derive(Debug)]
pub(super) struct Returned<'a> {
    pub(super) lease: Lease,
    /// Of its attempt.
    pub(super) outcome: AttemptOutcome,
    pub(super) reason: &'a str,
    pub(super) waiting: Option<Waiting>,
    pub(super) delay_ms: i64,
    /// An attempt is used up.
    pub(super) counts: bool,
    /// For the next attempt; `None`: as it was.
    pub(super) left: Option<Left>,
    pub(super) stderr_tail: Option<&'a str>,
    /// What is known of its attempt, and the events before the last one.
    pub(super) progress: Option<&'a Progress>,
}

impl<'a> Returned<'a> {
    /// At once, and without an attempt being used up.
    pub(super) fn new(lease: Lease, outcome: AttemptOutcome, reason: &'a str) -> Self {
        Self {
            lease,
            outcome,
            reason,
            waiting: None,
            delay_ms: 0,
            counts: false,
            left: None,
            stderr_tail: None,
            progress: None,
        }
    }

    /// It is told as a retry where an attempt failed, also at a limit that uses none.
    fn told(&self) -> NewEvent {
        let mut said = data!({
            "attempt": self.lease.attempt,
            "fence": self.lease.fence,
            "outcome": self.outcome,
            "waiting": self.waiting,
            "reason": self.reason,
        });
        let left = self.left.as_ref();
        let Some(left) = left.filter(|left| self.counts || left.parks > 0) else {
            return event(EventKind::Released, said);
        };
        said["kind"] = data!(left.error.kind);
        said["delay_ms"] = data!(self.delay_ms);
        if left.asks {
            said["asks"] = data!(true);
        }
        if left.parks > 0 {
            said["parked"] = data!(true);
        }
        event(EventKind::Retried, said)
    }
}

#[derive(FromRow, Deserialize)]
struct Row {
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

/// The run is queued again, and what it asks stays asked. One whose end was asked for ends.
pub(super) async fn hand_back(tx: &mut Tx<'_>, back: &Returned<'_>) -> Result<(), StoreError> {
    let Lease { run, fence, .. } = back.lease;
    let left = back.left.as_ref().map(|left| Left {
        at: Timestamp(tx.now),
        ..left.clone()
    });
    let usage = left.as_ref().map(|left| &left.spent.usage);
    let usage = usage.filter(|usage| !usage.is_empty());
    let worktree = back.progress.and_then(|one| one.worktree.as_ref());
    let events = back.progress.map_or(&[][..], |one| &one.events);
    let row: Option<Row> = tx
        .optional(
            BACK,
            values![
                run.0,
                fence,
                tx.now,
                i64::from(!back.counts),
                count(events.len() + 1),
                left.as_ref().map(json).transpose()?,
                usage.map(json).transpose()?,
                worktree.map(json).transpose()?,
                back.progress.map_or(0, |one| one.turns)
            ],
        )
        .await?;
    let Some(row) = row else {
        return cancel(tx, back).await;
    };
    tx.execute(
        END_ATTEMPT,
        values![
            run.0,
            back.lease.attempt,
            word(&back.outcome)?,
            tx.now,
            back.reason,
            back.stderr_tail
        ],
    )
    .await?;
    leave(tx, back).await?;
    requests::end::leave(tx, run.0).await?;
    let subject = Subject {
        run: run.0,
        project: row.project,
        instance: row.instance,
    };
    append_all(tx, subject, row.event_seq - 1, events).await?;
    append(tx, subject, row.event_seq, &back.told()).await?;
    if let Some(progress) = back.progress {
        note(tx, back.lease, &progress.note).await?;
    }
    if let (AttemptOutcome::Failed, Some(left)) = (back.outcome, &left) {
        classes::blame(tx, run.0, back.lease.attempt, left.error.kind).await?;
    }
    tx.changed(run, RunState::Queued);
    Ok(())
}

/// A run whose end was asked for does not go back to the queue.
async fn cancel(tx: &mut Tx<'_>, back: &Returned<'_>) -> Result<(), StoreError> {
    let Lease { run, fence, .. } = back.lease;
    let settlement = Settlement {
        outcome: Some(AttemptOutcome::Cancelled),
        reason: Some(back.reason),
        stderr_tail: back.stderr_tail,
        progress: back.progress,
        ..Settlement::new(run.0, Some(fence), RunState::Cancelled)
    };
    if settle(tx, &settlement).await? {
        Ok(())
    } else {
        Err(StoreError::LeaseLost(run))
    }
}

async fn leave(tx: &mut Tx<'_>, back: &Returned<'_>) -> Result<(), StoreError> {
    let left = tx
        .execute(
            LEAVE,
            values![
                back.lease.session.0,
                back.lease.run.0,
                tx.now,
                word_of(back.waiting.as_ref())?,
                back.delay_ms
            ],
        )
        .await?;
    if left == 1 {
        Ok(())
    } else {
        Err(gone(back.lease.run.0))
    }
}

/// An attempt that did not do its run's work, its texts redacted.
#[derive(Debug)]
pub(super) struct Again {
    lease: Lease,
    back: Back,
}

impl Again {
    pub(super) fn new(
        lease: Lease,
        mut back: Back,
        redactor: &Redactor,
    ) -> Result<Self, StoreError> {
        redactor.redact_in_place(&mut back.reason);
        redact(&mut back.progress, redactor);
        if let Some(tail) = &mut back.stderr_tail {
            redactor.redact_in_place(tail);
        }
        back.left = match back.left {
            Some(left) => Some(clean(left, redactor)?),
            None => None,
        };
        Ok(Self { lease, back })
    }
}

fn clean(mut left: Left, redactor: &Redactor) -> Result<Left, StoreError> {
    let internal = |error: serde_json::Error| StoreError::Internal(error.to_string());
    left.error = redactor.fault(left.error);
    for touched in &mut left.touched {
        redactor.redact_in_place(touched);
    }
    if let Some(conclusion) = left.conclusion.take() {
        let mut value = serde_json::to_value(conclusion).map_err(internal)?;
        redactor.redact_json(&mut value);
        left.conclusion = Some(serde_json::from_value(value).map_err(internal)?);
    }
    Ok(left)
}

#[async_trait]
impl Write for Again {
    type Answer = ();
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let back = Returned {
            lease: self.lease,
            outcome: self.back.outcome,
            reason: &self.back.reason,
            waiting: (self.back.delay_ms > 0).then_some(Waiting::Retry),
            delay_ms: self.back.delay_ms,
            counts: self.back.counts,
            left: self.back.left.clone(),
            stderr_tail: self.back.stderr_tail.as_deref(),
            progress: Some(&self.back.progress),
        };
        hand_back(tx, &back).await
    }
}
