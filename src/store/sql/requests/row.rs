//! A request as it is read.

use crate::{
    domain::{
        ids::RunId,
        request::{Decided, Request, RequestKind, RequestOption},
        time::Timestamp,
    },
    store::{
        RequestRow, StoreError,
        sql::words::{unjson, unjson_of, unword, unword_of},
    },
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

macro_rules! request_columns {
    () => {
        "id, run, fence, kind, created_at, deadline, decided_by, decided_at, title, detail, options, face, answer, why"
    };
}
pub(super) use request_columns;

/// The columns of `request_columns`.
#[derive(Debug, FromRow, Deserialize)]
pub(super) struct Row {
    pub(super) id: String,
    run: Uuid,
    /// Of the attempt that asks.
    pub(super) fence: Option<i64>,
    kind: String,
    created_at: i64,
    pub(super) deadline: Option<i64>,
    pub(super) decided_by: Option<String>,
    decided_at: Option<i64>,
    title: String,
    detail: Option<String>,
    pub(super) options: String,
    face: Option<String>,
    answer: Option<String>,
    why: Option<String>,
}

impl Row {
    /// Nobody decided it, and its time is over.
    pub(super) fn is_overdue(&self, now: i64) -> bool {
        self.decided_by.is_none() && self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

impl TryFrom<Row> for RequestRow {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let decided = match (unword_of(row.decided_by)?, row.decided_at) {
            (Some(by), Some(at)) => Some(Decided {
                by,
                face: row.face,
                answer: unjson_of(row.answer.as_deref())?.unwrap_or_default(),
                why: row.why,
                at: Timestamp(at),
            }),
            (Some(_), None) | (None, _) => None,
        };
        Ok(Self {
            run: RunId(row.run),
            request: Request {
                id: row.id,
                kind: unword(row.kind)?,
                title: row.title,
                detail: row.detail,
                options: unjson(&row.options)?,
                deadline: row.deadline.map(Timestamp),
            },
            created_at: Timestamp(row.created_at),
            decided,
        })
    }
}

/// An open request as `run_columns` gathers it.
#[derive(Deserialize)]
struct Listed {
    n: i64,
    id: String,
    kind: RequestKind,
    title: String,
    detail: Option<String>,
    options: Vec<RequestOption>,
    deadline: Option<i64>,
}

/// Reads the requests of `run_columns`.
pub(in crate::store::sql) fn unlist(text: Option<&str>) -> Result<Vec<Request>, StoreError> {
    let mut listed: Vec<Listed> = match text {
        None | Some("[]") => Vec::new(),
        Some(text) => unjson(text)?,
    };
    listed.sort_by_key(|one| one.n);
    Ok(listed
        .into_iter()
        .map(|one| Request {
            id: one.id,
            kind: one.kind,
            title: one.title,
            detail: one.detail,
            options: one.options,
            deadline: one.deadline.map(Timestamp),
        })
        .collect())
}
