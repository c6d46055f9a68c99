//! Taking inputs as turns, under a fence.

use super::{
    accept::NUMBER,
    row::{Row, input_columns},
};
use crate::{
    domain::{
        event::EventKind,
        input::{Input, InputState},
        time::Timestamp,
    },
    store::{
        Lease, StoreError, TakenInput,
        sql::{
            log::{Subject, append, event, gone},
            tx::Tx,
            value::values,
            words::state,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// The fence is on the run only while it is held: a stale one matches nothing.
pub(in crate::store::sql) const HELD: &str =
    "SELECT state, project, instance FROM run WHERE id=$1 AND fence=$2";
pub(in crate::store::sql) const PROMPTED: &str =
    "UPDATE run SET prompted=TRUE WHERE id=$1 AND NOT prompted";
pub(in crate::store::sql) const ENDED: &str = "UPDATE input SET ended_at=$3 WHERE run=$1 AND seq=$2 AND state='delivered' AND ended_at IS NULL";
/// One whose turn did not end in order comes first.
pub(in crate::store::sql) const NEXT: &str = concat!(
    "SELECT ",
    input_columns!(),
    " FROM input WHERE run=$1 AND ended_at IS NULL \
     ORDER BY CASE WHEN state='delivered' THEN 0 ELSE 1 END, pos LIMIT 1"
);
pub(in crate::store::sql) const DELIVER: &str = "UPDATE input SET state='delivered', attempt=$3, fence=$4, delivered_at=coalesce(delivered_at,$5) \
 WHERE run=$1 AND seq=$2";

/// The turn that they were to cut is over, whichever of them is put first.
pub(in crate::store::sql) const CUT: &str = "UPDATE input SET cuts=FALSE WHERE run=$1 AND cuts";

#[derive(FromRow, Deserialize)]
struct Held {
    state: String,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

async fn held(tx: &mut Tx<'_>, lease: Lease) -> Result<Held, StoreError> {
    tx.optional(HELD, values![lease.run.0, lease.fence])
        .await?
        .ok_or(StoreError::LeaseLost(lease.run))
}

/// The turn of an input has ended in order; 0: that of the prompt.
async fn end(tx: &mut Tx<'_>, lease: Lease, turn: i64) -> Result<(), StoreError> {
    if turn == 0 {
        tx.execute(PROMPTED, values![lease.run.0]).await?;
    } else {
        tx.execute(ENDED, values![lease.run.0, turn, tx.now])
            .await?;
    }
    Ok(())
}

/// The next input becomes a turn of the attempt.
#[derive(Debug)]
pub(super) struct Take {
    pub(super) lease: Lease,
    pub(super) ended: Option<i64>,
}

impl Take {
    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        held: &Held,
        taken: &TakenInput,
    ) -> Result<(), StoreError> {
        let Lease { run, attempt, .. } = self.lease;
        let number: Option<i64> = tx.optional_scalar(NUMBER, values![run.0]).await?;
        let subject = Subject {
            run: run.0,
            project: held.project,
            instance: held.instance,
        };
        let told = data!({
            "seq": taken.input.seq,
            "state": "delivered",
            "attempt": attempt,
            "again": taken.again,
        });
        let told = event(EventKind::Input, told);
        append(tx, subject, number.ok_or_else(|| gone(run.0))?, &told).await
    }
}

#[async_trait]
impl Write for Take {
    type Answer = Option<TakenInput>;
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Option<TakenInput>, StoreError> {
        let Lease {
            run,
            attempt,
            fence,
            ..
        } = self.lease;
        let held = held(tx, self.lease).await?;
        if let Some(turn) = self.ended {
            end(tx, self.lease, turn).await?;
        }
        let next: Option<Row> = tx.optional(NEXT, values![run.0]).await?;
        let Some(row) = next else { return Ok(None) };
        let (seq, before) = (row.seq, row.fence);
        let mut input = Input::try_from(row)?;
        input.state = InputState::Delivered;
        input.attempt = Some(attempt);
        input.delivered_at = input.delivered_at.or(Some(Timestamp(tx.now)));
        let again = before.is_some_and(|before| before != fence);
        let taken = TakenInput { input, again };
        // Asked for twice, as the first answer was lost.
        if before == Some(fence) {
            return Ok(Some(taken));
        }
        tx.execute(DELIVER, values![run.0, seq, attempt, fence, tx.now])
            .await?;
        if before.is_none() {
            tx.execute(CUT, values![run.0]).await?;
        }
        self.tell(tx, &held, &taken).await?;
        tx.changed(run, state(&held.state)?);
        Ok(Some(taken))
    }
}

/// A turn has ended in order, and its attempt takes no other.
#[derive(Debug)]
pub(super) struct TurnEnded {
    pub(super) lease: Lease,
    pub(super) turn: i64,
}

#[async_trait]
impl Write for TurnEnded {
    type Answer = ();
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        held(tx, self.lease).await?;
        end(tx, self.lease, self.turn).await
    }
}
