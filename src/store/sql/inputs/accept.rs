//! Accepting an input.

use crate::{
    domain::{
        event::EventKind,
        input::{Delivery, DeliveryOutcome, outcome},
        run::RunState,
    },
    stdx::text::head,
    store::{
        AcceptedInput, NewInput, Redactor, StoreError,
        sql::{
            log::{Subject, append, event, gone},
            tx::Tx,
            value::values,
            words::{state, unword, word},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Deserialize;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// Of a message in its event; the whole is in its row.
const TOLD: usize = 4 * 1024;

pub(in crate::store::sql) const FIND: &str =
    "SELECT state, cancel_requested, project, instance FROM run WHERE id=$1";
pub(in crate::store::sql) const KNOWN: &str =
    "SELECT seq, outcome, fingerprint FROM input WHERE run=$1 AND key=$2";
/// Before and after all there are: what was delivered keeps its place.
pub(in crate::store::sql) const PLACE: &str = "SELECT coalesce(max(seq),0)+1 AS seq, coalesce(min(pos),0)-1 AS before, coalesce(max(pos),0)+1 AS after \
 FROM input WHERE run=$1";
pub(in crate::store::sql) const INSERT: &str = "INSERT INTO input(run,seq,pos,mode,outcome,accepted_at,key,fingerprint,message,cuts) \
 VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)";
pub(in crate::store::sql) const NUMBER: &str =
    "UPDATE run SET event_seq=event_seq+1 WHERE id=$1 RETURNING event_seq";

/// An input to be written, its text redacted.
#[derive(Debug)]
pub(super) struct Say {
    input: NewInput,
}

#[derive(FromRow, Deserialize)]
struct Found {
    state: String,
    cancel_requested: bool,
    project: Option<Uuid>,
    instance: Option<Uuid>,
}

#[derive(FromRow, Deserialize)]
struct Place {
    seq: i64,
    before: i64,
    after: i64,
}

impl Say {
    pub(super) fn new(mut input: NewInput, redactor: &Redactor) -> Self {
        redactor.redact_in_place(&mut input.message);
        Self { input }
    }

    /// What the key stood for before, if it did.
    async fn known(&self, tx: &mut Tx<'_>) -> Result<Option<Delivery>, StoreError> {
        let Some(key) = &self.input.idempotency else {
            return Ok(None);
        };
        let known: Option<(i64, String, String)> = tx
            .optional(KNOWN, values![self.input.run.0, &key.key])
            .await?;
        match known {
            Some((seq, outcome, fingerprint)) if fingerprint == key.fingerprint => {
                let outcome = unword(outcome)?;
                Ok(Some(Delivery { outcome, seq }))
            }
            Some(_) => Err(StoreError::IdempotencyConflict(key.key.clone())),
            None => Ok(None),
        }
    }

    async fn insert(
        &self,
        tx: &mut Tx<'_>,
        outcome: DeliveryOutcome,
    ) -> Result<Delivery, StoreError> {
        let NewInput { run, mode, .. } = self.input;
        let place: Place = tx.one(PLACE, values![run.0]).await?;
        let pos = if mode.goes_first() {
            place.before
        } else {
            place.after
        };
        let key = self.input.idempotency.as_ref();
        tx.execute(
            INSERT,
            values![
                run.0,
                place.seq,
                pos,
                word(&mode)?,
                word(&outcome)?,
                tx.now,
                key.map(|key| key.key.as_str()),
                key.map(|key| key.fingerprint.as_str()),
                &self.input.message,
                outcome == DeliveryOutcome::Interrupted
            ],
        )
        .await?;
        let seq = place.seq;
        Ok(Delivery { outcome, seq })
    }

    async fn tell(
        &self,
        tx: &mut Tx<'_>,
        found: &Found,
        delivery: Delivery,
    ) -> Result<(), StoreError> {
        let run = self.input.run.0;
        let number: Option<i64> = tx.optional_scalar(NUMBER, values![run]).await?;
        let subject = Subject {
            run,
            project: found.project,
            instance: found.instance,
        };
        let told = data!({
            "seq": delivery.seq,
            "state": "pending",
            "mode": self.input.mode,
            "outcome": delivery.outcome,
            "text": head(&self.input.message, TOLD),
        });
        let told = event(EventKind::Input, told);
        append(tx, subject, number.ok_or_else(|| gone(run))?, &told).await
    }
}

#[async_trait]
impl Write for Say {
    type Answer = AcceptedInput;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<AcceptedInput, StoreError> {
        let run = self.input.run;
        let found: Option<Found> = tx.optional(FIND, values![run.0]).await?;
        let found = found.ok_or_else(|| StoreError::NotFound {
            noun: "run",
            name: run.to_string(),
        })?;
        if let Some(delivery) = self.known(tx).await? {
            return Ok(AcceptedInput::Taken {
                delivery,
                duplicate: true,
            });
        }
        let state: RunState = state(&found.state)?;
        let outcome = outcome(self.input.mode, state, self.input.between);
        if outcome == DeliveryOutcome::Restarted {
            return Ok(AcceptedInput::Ended);
        }
        if found.cancel_requested {
            return Ok(AcceptedInput::Ending);
        }
        let delivery = self.insert(tx, outcome).await?;
        self.tell(tx, &found, delivery).await?;
        tx.changed(run, state);
        Ok(AcceptedInput::Taken {
            delivery,
            duplicate: false,
        })
    }
}
