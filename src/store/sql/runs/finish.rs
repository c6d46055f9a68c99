//! Ending a run under its fence.

use super::append::{note, note_run, redact};
use crate::{
    domain::{event::EventKind, run::Warning},
    store::{
        Finish, Lease, Redactor, StoreError,
        sql::{
            log::event,
            settle::{Settlement, settle},
            tx::Tx,
            value::values,
            words::{json, unjson_of},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::json as data;

const WARNINGS: &str = "SELECT warnings FROM run WHERE id=$1";

/// The end of a run, its texts redacted.
#[derive(Debug)]
pub(super) struct End {
    lease: Lease,
    finish: Finish,
    conclusion: Option<String>,
    usage: Option<String>,
}

impl End {
    pub(super) fn new(
        lease: Lease,
        mut finish: Finish,
        redactor: &Redactor,
    ) -> Result<Self, StoreError> {
        if !finish.state.is_terminal() {
            return Err(StoreError::Internal(format!(
                "a run cannot finish as {}",
                finish.state.as_str()
            )));
        }
        redact(&mut finish.progress, redactor);
        finish.error = finish.error.map(|error| redactor.fault(error));
        finish.warnings = redactor.warnings(finish.warnings);
        if let Some(tail) = &mut finish.stderr_tail {
            redactor.redact_in_place(tail);
        }
        conclude(&mut finish);
        let conclusion = match &finish.conclusion {
            Some(conclusion) => {
                let mut value = serde_json::to_value(conclusion)
                    .map_err(|error| StoreError::Internal(error.to_string()))?;
                redactor.redact_json(&mut value);
                Some(json(&value)?)
            }
            None => None,
        };
        Ok(Self {
            lease,
            usage: finish.usage.as_ref().map(json).transpose()?,
            conclusion,
            finish,
        })
    }

    /// Those that the run was accepted with, and ours.
    async fn warnings(&self, tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
        if self.finish.warnings.is_empty() {
            return Ok(None);
        }
        let before: Option<Option<String>> = tx
            .optional_scalar(WARNINGS, values![self.lease.run.0])
            .await?;
        let mut all: Vec<Warning> = unjson_of(before.flatten().as_deref())?.unwrap_or_default();
        all.extend(self.finish.warnings.iter().cloned());
        json(&all).map(Some)
    }
}

/// A conclusion has its event, unless the attempt wrote one itself.
fn conclude(finish: &mut Finish) {
    let events = &mut finish.progress.events;
    if let Some(conclusion) = &finish.conclusion
        && !events
            .iter()
            .any(|event| event.kind == EventKind::Concluded)
    {
        events.push(event(
            EventKind::Concluded,
            data!({"status": conclusion.status, "source": conclusion.source}),
        ));
    }
}

#[async_trait]
impl Write for End {
    type Answer = ();
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let finish = &self.finish;
        note_run(tx, self.lease, &finish.progress).await?;
        let warnings = self.warnings(tx).await?;
        let settlement = Settlement {
            outcome: Some(finish.outcome),
            error: finish.error.as_ref(),
            stderr_tail: finish.stderr_tail.as_deref(),
            conclusion: self.conclusion.as_deref(),
            usage: self.usage.as_deref(),
            warnings: warnings.as_deref(),
            events: &finish.progress.events,
            ..Settlement::new(self.lease.run.0, Some(self.lease.fence), finish.state)
        };
        if !settle(tx, &settlement).await? {
            return Err(StoreError::LeaseLost(self.lease.run));
        }
        note(tx, self.lease, &finish.progress.note).await
    }
}
