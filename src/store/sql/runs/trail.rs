//! What an agent says after the end of its turn: in the log, and nowhere else.

use crate::{
    domain::{event::NewEvent, ids::RunId},
    store::{
        Redactor, StoreError,
        sql::{
            log::{Subject, append_all, count},
            tx::Tx,
            value::values,
            words::state,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

pub(in crate::store::sql) const TRAIL: &str = "UPDATE run SET event_seq=event_seq+$2 WHERE id=$1 \
 RETURNING state, event_seq, project, instance";

#[derive(Debug)]
pub(super) struct Trail {
    run: RunId,
    events: Vec<NewEvent>,
}

#[derive(FromRow, Deserialize)]
struct Stood {
    state: String,
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

impl Trail {
    pub(super) fn new(run: RunId, mut events: Vec<NewEvent>, redactor: &Redactor) -> Self {
        for event in &mut events {
            redactor.redact_json(&mut event.data);
        }
        Self { run, events }
    }
}

#[async_trait]
impl Write for Trail {
    type Answer = ();

    /// A run that was removed meanwhile has no log.
    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let moved = values![self.run.0, count(self.events.len())];
        let stood: Option<Stood> = tx.optional(TRAIL, moved).await?;
        let Some(stood) = stood else { return Ok(()) };
        let subject = Subject {
            run: self.run.0,
            project: stood.project,
            instance: stood.instance,
        };
        append_all(tx, subject, stood.event_seq, &self.events).await?;
        tx.changed(self.run, state(&stood.state)?);
        Ok(())
    }
}
