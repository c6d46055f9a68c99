//! Ending a run under its fence.

use super::append::redact;
use crate::{
    domain::event::EventKind,
    store::{
        Finish, Lease, Redactor, StoreError,
        sql::{
            inputs,
            log::event,
            settle::{Settlement, settle},
            tx::Tx,
            words::json,
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::json as data;

/// The end of a run, its texts redacted.
#[derive(Debug)]
pub(super) struct End {
    lease: Lease,
    finish: Finish,
    conclusion: Option<String>,
    usage: Option<String>,
    warnings: Option<String>,
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
        let warnings = Some(&finish.warnings).filter(|warnings| !warnings.is_empty());
        Ok(Self {
            lease,
            warnings: warnings.map(json).transpose()?,
            usage: finish.usage.as_ref().map(json).transpose()?,
            conclusion,
            finish,
        })
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
        if finish.unless_input && inputs::end::waits(tx, self.lease.run.0).await? {
            return Err(StoreError::InputsWait(self.lease.run));
        }
        let settlement = Settlement {
            outcome: Some(finish.outcome),
            error: finish.error.as_ref(),
            stderr_tail: finish.stderr_tail.as_deref(),
            conclusion: self.conclusion.as_deref(),
            usage: self.usage.as_deref(),
            warnings: self.warnings.as_deref(),
            progress: Some(&finish.progress),
            ..Settlement::new(self.lease.run.0, Some(self.lease.fence), finish.state)
        };
        if settle(tx, &settlement).await? {
            Ok(())
        } else {
            Err(StoreError::LeaseLost(self.lease.run))
        }
    }
}
