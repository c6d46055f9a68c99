//! Asking for the end of a run.

use crate::{
    domain::{
        event::EventKind,
        ids::{HubId, RunId, SessionId},
        run::RunState,
    },
    store::{
        Asked, StoreError,
        sql::{
            connection::Readers,
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

pub(in crate::store::sql) const ASKED: &str = "SELECT r.id, s.id, r.cancel_requested, \
 EXISTS(SELECT 1 FROM input i WHERE i.run=r.id AND i.state='pending' AND i.cuts) \
 FROM session s INDEXED BY session_active CROSS JOIN run r ON r.id=s.head_run WHERE s.lease_holder IS NOT NULL AND s.lease_holder=$1";

/// Of this holder's runs those of which something was asked. O(leases).
pub(super) async fn asked(readers: &Readers, holder: HubId) -> Result<Vec<Asked>, StoreError> {
    let held: Vec<(Uuid, Uuid, bool, bool)> = readers.all(ASKED, values![holder.0]).await?;
    let asked = held.into_iter().filter(|(.., end, cut)| *end || *cut);
    let asked = asked.map(|(run, session, end, cut)| Asked {
        run: RunId(run),
        session: SessionId(session),
        end,
        cut,
    });
    Ok(asked.collect())
}

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
