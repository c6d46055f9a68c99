//! What asking and answering do to the run.

use crate::{
    domain::{
        event::{EventKind, NewEvent},
        ids::RunId,
    },
    store::{
        Lease, StoreError,
        sql::{
            log::{Subject, append, event, gone},
            tx::Tx,
            value::values,
            words::state,
        },
    },
};
use serde::Deserialize;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

/// The fence is on the run only while it is held.
pub(in crate::store::sql) const WAIT: &str = "UPDATE run SET event_seq=event_seq+1, state='input_required', input_since=coalesce(input_since,$3) \
 WHERE id=$1 AND fence=$2 RETURNING state, event_seq, project, instance";
/// Whether the attempt that holds the run still waits for an answer.
pub(in crate::store::sql) const WAITS: &str = "SELECT EXISTS(SELECT 1 FROM request q INDEXED BY request_open JOIN run r ON r.id=q.run \
 WHERE q.run=$1 AND q.decided_by IS NULL AND q.fence=r.fence)";
pub(in crate::store::sql) const TOLD: &str = "UPDATE run SET event_seq=event_seq+1 WHERE id=$1 RETURNING state, event_seq, project, instance";
/// The time that it took does not count.
pub(in crate::store::sql) const GO_ON: &str = "UPDATE run SET event_seq=event_seq+1, state='running', waited_ms=waited_ms+CASE WHEN $2>input_since THEN $2-input_since ELSE 0 END, \
 deadline=deadline+CASE WHEN $2>input_since THEN $2-input_since ELSE 0 END, input_since=NULL WHERE id=$1 AND state='input_required' \
 RETURNING state, event_seq, project, instance";

/// A run after it was written to.
#[derive(FromRow, Deserialize)]
struct Stood {
    state: String,
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

/// The run waits for a person, and its log says for what.
pub(super) async fn wait(tx: &mut Tx<'_>, lease: Lease, data: Value) -> Result<(), StoreError> {
    let stood: Stood = tx
        .optional(WAIT, values![lease.run.0, lease.fence, tx.now])
        .await?
        .ok_or(StoreError::LeaseLost(lease.run))?;
    tell(tx, lease.run, &stood, &event(EventKind::Requested, data)).await
}

/// One of its requests is decided: the log says so, and the run goes on unless its attempt waits for another.
pub(super) async fn go_on(tx: &mut Tx<'_>, run: RunId, data: Value) -> Result<(), StoreError> {
    let waits: bool = tx.scalar(WAITS, values![run.0]).await?;
    let mut stood: Option<Stood> = None;
    if !waits {
        stood = tx.optional(GO_ON, values![run.0, tx.now]).await?;
    }
    let stood = match stood {
        Some(stood) => stood,
        None => tx
            .optional(TOLD, values![run.0])
            .await?
            .ok_or_else(|| gone(run.0))?,
    };
    tell(tx, run, &stood, &event(EventKind::Answered, data)).await
}

async fn tell(
    tx: &mut Tx<'_>,
    run: RunId,
    stood: &Stood,
    event: &NewEvent,
) -> Result<(), StoreError> {
    let subject = Subject {
        run: run.0,
        project: stood.project,
        instance: stood.instance,
    };
    append(tx, subject, stood.event_seq, event).await?;
    tx.changed(run, state(&stood.state)?);
    Ok(())
}
