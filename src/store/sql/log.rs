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

/// Events as [`list`] writes them.
pub(super) const INSERT_ALL: &str = "INSERT INTO event(at,run,run_seq,project,instance,kind,data) \
 SELECT $1,$2,$3+key,$4,$5,value->>0,value->>1 FROM json_each($6)";

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
    if events.is_empty() {
        return Ok(());
    }
    tx.execute(
        INSERT_ALL,
        values![
            tx.now,
            subject.run,
            last - count(events.len() - 1),
            subject.project,
            subject.instance,
            list(events)?
        ],
    )
    .await?;
    Ok(())
}

/// Kinds and data, for one statement that writes all of them.
pub(super) fn list<'a>(
    events: impl IntoIterator<Item = &'a NewEvent>,
) -> Result<String, StoreError> {
    let pair = |event: &'a NewEvent| Ok((event.kind.as_str(), json(&event.data)?));
    let pairs: Vec<_> = events
        .into_iter()
        .map(pair)
        .collect::<Result<_, StoreError>>()?;
    json(&pairs)
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
