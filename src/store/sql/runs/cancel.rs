//! Asking for the end of a run.

use crate::{
    domain::{event::EventKind, ids::RunId, run::RunState},
    store::{
        StoreError,
        sql::{
            log::{Subject, append, event, gone},
            settle::{Settlement, settle},
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

pub(in crate::store::sql) const FIND: &str =
    "SELECT state, cancel_requested, project, instance FROM run WHERE id=$1";
pub(in crate::store::sql) const ASK: &str = "UPDATE run SET cancel_requested=TRUE, cancel_reason=$2, event_seq=event_seq+1 \
 WHERE id=$1 AND NOT cancel_requested AND fence IS NOT NULL RETURNING event_seq";

/// A cancellation, its reason redacted.
#[derive(Debug)]
pub(super) struct Cancel {
    pub(super) run: RunId,
    pub(super) reason: String,
}

#[derive(FromRow, Deserialize)]
struct Found {
    state: String,
    cancel_requested: bool,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

impl Cancel {
    async fn end(&self, tx: &mut Tx<'_>) -> Result<RunState, StoreError> {
        let settlement = Settlement {
            reason: Some(&self.reason),
            ..Settlement::new(self.run.0, None, RunState::Cancelled)
        };
        if settle(tx, &settlement).await? {
            Ok(RunState::Cancelled)
        } else {
            Err(gone(self.run.0))
        }
    }

    async fn ask(&self, tx: &mut Tx<'_>, found: &Found, state: RunState) -> Result<(), StoreError> {
        let run_seq: i64 = tx
            .optional_scalar(ASK, values![self.run.0, &self.reason])
            .await?
            .ok_or_else(|| gone(self.run.0))?;
        let subject = Subject {
            run: self.run.0,
            project: found.project,
            instance: found.instance,
        };
        let told = event(EventKind::CancelRequested, data!({"reason": self.reason}));
        append(tx, subject, run_seq, &told).await?;
        tx.changed(self.run, state);
        Ok(())
    }
}

#[async_trait]
impl Write for Cancel {
    type Answer = RunState;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<RunState, StoreError> {
        let found: Found = tx
            .optional(FIND, values![self.run.0])
            .await?
            .ok_or_else(|| StoreError::NotFound {
                noun: "run",
                name: self.run.to_string(),
            })?;
        let state = state(&found.state)?;
        if state == RunState::Queued {
            return self.end(tx).await;
        }
        if state.is_held() && !found.cancel_requested {
            self.ask(tx, &found, state).await?;
        }
        Ok(state)
    }
}
