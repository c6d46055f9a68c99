//! Asking.

use super::{
    decide::{Verdict, decide},
    row::{Row, request_columns},
    state::wait,
};
use crate::{
    domain::request::{RequestKind, RequestOption},
    store::{
        Lease, NewRequest, Redactor, RequestRow, StoreError,
        sql::{
            log::gone,
            tx::Tx,
            value::values,
            words::{json, unjson, word},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::json as data;

pub(in crate::store::sql) const HELD: &str =
    "SELECT EXISTS(SELECT 1 FROM run WHERE id=$1 AND fence=$2)";
/// The very request, asked again as its answer was lost; or what an earlier attempt left.
pub(in crate::store::sql) const LEFT: &str = concat!(
    "SELECT ",
    request_columns!(),
    " FROM request INDEXED BY request_by_run WHERE run=$1 AND (id=$2 OR (fingerprint=$3 AND fence IS NULL AND NOT used \
     AND (decided_by IS NOT NULL OR deadline IS NULL OR deadline>$4))) ORDER BY id<>$2, n LIMIT 1"
);
/// An answer is used up by being taken; an open one has the options of whoever waits for it now.
pub(in crate::store::sql) const TAKE: &str = concat!(
    "UPDATE request SET fence=$2, used=(decided_by IS NOT NULL), options=CASE WHEN decided_by IS NULL THEN $3 ELSE options END \
     WHERE id=$1 RETURNING ",
    request_columns!()
);
pub(in crate::store::sql) const INSERT: &str = concat!(
    "INSERT INTO request(id,run,fence,kind,fingerprint,created_at,deadline,title,detail,options) \
     VALUES($1,$2,$3,$4,$5,$6,$7,$8,$9,$10) RETURNING ",
    request_columns!()
);

/// A request to be asked, its texts redacted.
#[derive(Debug)]
pub(super) struct Ask {
    lease: Lease,
    request: NewRequest,
    kind: String,
    options: String,
}

impl Ask {
    pub(super) fn new(
        lease: Lease,
        mut request: NewRequest,
        redactor: &Redactor,
    ) -> Result<Self, StoreError> {
        redactor.redact_in_place(&mut request.title);
        if let Some(detail) = &mut request.detail {
            redactor.redact_in_place(detail);
        }
        // Not their ids: by those an answer is told to the agent.
        for option in &mut request.options {
            redactor.redact_in_place(&mut option.name);
        }
        Ok(Self {
            lease,
            kind: word::<RequestKind>(&request.kind)?,
            options: json(&request.options)?,
            request,
        })
    }

    async fn left(&self, tx: &mut Tx<'_>) -> Result<Option<Row>, StoreError> {
        Ok(tx
            .optional(
                LEFT,
                values![
                    self.lease.run.0,
                    &self.request.id,
                    &self.request.fingerprint,
                    tx.now
                ],
            )
            .await?)
    }

    /// One of the open request's ids would mean something else from now on: whoever has seen it would choose what they were not shown.
    fn means_otherwise(&self, row: &Row) -> Result<bool, StoreError> {
        if row.decided_by.is_some() {
            return Ok(false);
        }
        let shown: Vec<RequestOption> = unjson(&row.options)?;
        let now = &self.request.options;
        Ok(now
            .iter()
            .any(|now| shown.iter().any(|one| one.id == now.id && one != now)))
    }

    async fn take(&self, tx: &mut Tx<'_>, id: &str) -> Result<Row, StoreError> {
        tx.optional(TAKE, values![id, self.lease.fence, &self.options])
            .await?
            .ok_or_else(|| gone(self.lease.run.0))
    }

    async fn insert(&self, tx: &mut Tx<'_>) -> Result<Row, StoreError> {
        let request = &self.request;
        let deadline = request.deadline_ms.map(|ms| tx.now.saturating_add(ms));
        Ok(tx
            .one(
                INSERT,
                values![
                    &request.id,
                    self.lease.run.0,
                    self.lease.fence,
                    &self.kind,
                    &request.fingerprint,
                    tx.now,
                    deadline,
                    &request.title,
                    &request.detail,
                    &self.options
                ],
            )
            .await?)
    }
}

#[async_trait]
impl Write for Ask {
    type Answer = RequestRow;
    const URGENT: bool = true;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<RequestRow, StoreError> {
        let held: bool = tx
            .scalar(HELD, values![self.lease.run.0, self.lease.fence])
            .await?;
        if !held {
            return Err(StoreError::LeaseLost(self.lease.run));
        }
        let left = self.left(tx).await?;
        let again = left.is_some();
        let row = match left {
            Some(row) if row.id == self.request.id && row.fence == Some(self.lease.fence) => {
                return row.try_into();
            }
            Some(row) if self.means_otherwise(&row)? => {
                decide(tx, self.lease.run, &row.id, &Verdict::anew()).await?;
                self.insert(tx).await?
            }
            Some(row) => self.take(tx, &row.id).await?,
            None => self.insert(tx).await?,
        };
        if row.decided_by.is_none() {
            let told = data!({
                "request": row.id,
                "kind": self.request.kind,
                "title": self.request.title,
                "deadline": row.deadline.map(crate::domain::time::Timestamp),
                "again": again,
            });
            wait(tx, self.lease, told).await?;
        }
        row.try_into()
    }
}
