//! Appending to the log.

use super::value::values;
use super::{tx::Tx, words::json};
use crate::{
    domain::{
        event::{EventKind, NewEvent},
        ids::{InstanceId, ProjectId, RunId},
    },
    store::StoreError,
};
use serde_json::Value;
use uuid::Uuid;

pub(super) const INSERT: &str =
    "INSERT INTO event(at,run,run_seq,project,instance,kind,data) VALUES($1,$2,$3,$4,$5,$6,$7)";

/// As many as are open once this transaction is done, unless it opens or ends more.
pub(super) const COUNT: &str = "INSERT INTO event(at,project,kind,data) SELECT $1, $2, $3, '{\"count\":'|| \
 (SELECT count(*) FROM run INDEXED BY run_open WHERE ended_at IS NULL AND project=$2)||'}'";

/// Whom an event belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject {
    pub(super) run: Uuid,
    pub(super) project: Option<Uuid>,
    pub(super) instance: Option<Uuid>,
}

/// Writes event number `run_seq` of a run; the caller has drawn the number from the run's row.
pub(super) async fn append(
    tx: &mut Tx<'_>,
    subject: Subject,
    run_seq: i64,
    event: &NewEvent,
) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        values![
            tx.now,
            subject.run,
            run_seq,
            subject.project,
            subject.instance,
            event.kind.as_str(),
            json(&event.data)?
        ],
    )
    .await?;
    Ok(())
}

/// Writes several, the last of which has number `last`.
pub(super) async fn append_all(
    tx: &mut Tx<'_>,
    subject: Subject,
    last: i64,
    events: &[NewEvent],
) -> Result<(), StoreError> {
    for (event, back) in events.iter().zip((0..events.len()).rev()) {
        append(tx, subject, last - count(back), event).await?;
    }
    Ok(())
}

/// Writes an event that belongs to no run.
pub(super) async fn record(
    tx: &mut Tx<'_>,
    project: Option<ProjectId>,
    instance: Option<InstanceId>,
    event: &NewEvent,
) -> Result<(), StoreError> {
    tx.execute(
        INSERT,
        values![
            tx.now,
            None::<Uuid>,
            None::<i64>,
            project.map(|id| id.0),
            instance.map(|id| id.0),
            event.kind.as_str(),
            json(&event.data)?
        ],
    )
    .await?;
    tx.changed_elsewhere();
    Ok(())
}

/// Says how many runs of a project are open now, if it is one's.
pub(super) async fn delegations(tx: &mut Tx<'_>, project: Option<Uuid>) -> Result<(), StoreError> {
    let Some(project) = project else {
        return Ok(());
    };
    tx.execute(
        COUNT,
        values![tx.now, project, EventKind::DelegationChanged.as_str()],
    )
    .await?;
    Ok(())
}

/// How many events, as the log counts them.
pub(super) fn count(events: usize) -> i64 {
    i64::try_from(events).unwrap_or(i64::MAX)
}

/// An event of the store's own.
pub(super) fn event(kind: EventKind, data: Value) -> NewEvent {
    NewEvent { kind, data }
}

/// The row is gone: of a run that was there in this very transaction.
pub(super) fn gone(run: Uuid) -> StoreError {
    StoreError::Internal(format!("run {} is not as its session says", RunId(run)))
}
