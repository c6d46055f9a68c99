//! The end of a request: a person's answer, or the attempt's own.

use super::{
    open::HELD,
    read::{ONE, not_found},
    row::{Row, request_columns},
    state::go_on,
};
use crate::{
    domain::{
        ids::RunId,
        request::{Answer, DecidedBy},
    },
    store::{
        Lease, Redactor, RequestRow, StoreError,
        sql::{
            log::gone,
            tx::Tx,
            value::values,
            words::{json, word},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::{Value, json as data};

/// Whoever waits for an answer has it at once; given while nobody waits, it is kept for the attempt that asks again.
pub(in crate::store::sql) const DECIDE: &str = concat!(
    "UPDATE request SET decided_by=$2, decided_at=$3, used=($2<>'person' OR fence IS NOT NULL), face=$4, answer=$5, why=$6 \
     WHERE id=$1 AND decided_by IS NULL RETURNING ",
    request_columns!()
);
/// What is decided, its texts redacted.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) by: DecidedBy,
    pub(super) face: Option<String>,
    pub(super) answer: Answer,
    pub(super) why: Option<String>,
}

impl Verdict {
    /// Nobody answered in time.
    pub(super) fn late() -> Self {
        Self {
            by: DecidedBy::Deadline,
            face: None,
            answer: Answer::default(),
            why: Some("nobody answered in time".to_owned()),
        }
    }

    /// Asked once more, and its options mean something else than they did.
    pub(super) fn anew() -> Self {
        Self {
            by: DecidedBy::Withdrawn,
            face: None,
            answer: Answer::default(),
            why: Some("it is asked anew, with other options".to_owned()),
        }
    }

    fn redacted(mut self, redactor: &Redactor) -> Self {
        let texts = [&mut self.face, &mut self.answer.text, &mut self.why];
        for text in texts.into_iter().flatten() {
            redactor.redact_in_place(text);
        }
        self
    }

    /// For the log: who decided what, and why.
    pub(super) fn told(&self, request: &str) -> Value {
        let mut said = data!({"request": request, "by": self.by, "answer": self.answer});
        if let Some(face) = &self.face {
            said["face"] = data!(face);
        }
        if let Some(why) = &self.why {
            said["why"] = data!(why);
        }
        said
    }
}

/// Decides an open request, and lets its run go on.
pub(super) async fn decide(
    tx: &mut Tx<'_>,
    run: RunId,
    request: &str,
    verdict: &Verdict,
) -> Result<Row, StoreError> {
    let row: Row = tx
        .optional(
            DECIDE,
            values![
                request,
                word(&verdict.by)?,
                tx.now,
                &verdict.face,
                json(&verdict.answer)?,
                &verdict.why
            ],
        )
        .await?
        .ok_or_else(|| gone(run.0))?;
    go_on(tx, run, verdict.told(request)).await?;
    Ok(row)
}

async fn find(tx: &mut Tx<'_>, run: RunId, request: &str) -> Result<Row, StoreError> {
    tx.optional(ONE, values![run.0, request])
        .await?
        .ok_or_else(|| not_found(request))
}

/// A person's answer.
#[derive(Debug)]
pub(super) struct AnswerIt {
    run: RunId,
    request: String,
    verdict: Verdict,
}

impl AnswerIt {
    pub(super) fn new(
        run: RunId,
        request: &str,
        answer: Answer,
        face: Option<String>,
        redactor: &Redactor,
    ) -> Self {
        let verdict = Verdict {
            by: DecidedBy::Person,
            face,
            answer,
            why: None,
        };
        Self {
            run,
            request: request.to_owned(),
            verdict: verdict.redacted(redactor),
        }
    }
}

#[async_trait]
impl Write for AnswerIt {
    type Answer = (RequestRow, bool);

    async fn write(&self, tx: &mut Tx<'_>) -> Result<(RequestRow, bool), StoreError> {
        let found = find(tx, self.run, &self.request).await?;
        if found.decided_by.is_some() {
            return Ok((found.try_into()?, false));
        }
        // Whoever waits for it may not have looked at the clock yet; an answer that comes too late must not depend on that.
        let late = found.is_overdue(tx.now);
        let row = if late {
            decide(tx, self.run, &self.request, &Verdict::late()).await?
        } else {
            // Only here: an attempt that took the request up a moment ago may offer others than whoever answers has seen.
            let found = RequestRow::try_from(found)?;
            let fits = found.request.check(&self.verdict.answer);
            fits.map_err(|fault| StoreError::Unfit(Box::new(fault)))?;
            decide(tx, self.run, &self.request, &self.verdict).await?
        };
        Ok((row.try_into()?, !late))
    }
}

/// The attempt's own end of a request.
#[derive(Debug)]
pub(super) struct CloseIt {
    lease: Lease,
    request: String,
    verdict: Verdict,
}

impl CloseIt {
    pub(super) fn new(
        lease: Lease,
        request: &str,
        by: DecidedBy,
        answer: Answer,
        why: Option<String>,
        redactor: &Redactor,
    ) -> Result<Self, StoreError> {
        if by == DecidedBy::Person {
            return Err(StoreError::Internal(
                "an attempt cannot answer for a person".to_owned(),
            ));
        }
        let verdict = Verdict {
            by,
            face: None,
            answer,
            why,
        };
        Ok(Self {
            lease,
            request: request.to_owned(),
            verdict: verdict.redacted(redactor),
        })
    }
}

#[async_trait]
impl Write for CloseIt {
    type Answer = RequestRow;
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<RequestRow, StoreError> {
        let run = self.lease.run;
        let held: bool = tx.scalar(HELD, values![run.0, self.lease.fence]).await?;
        if !held {
            return Err(StoreError::LeaseLost(run));
        }
        let found = find(tx, run, &self.request).await?;
        if found.decided_by.is_some() {
            return found.try_into();
        }
        decide(tx, run, &self.request, &self.verdict)
            .await?
            .try_into()
    }
}
