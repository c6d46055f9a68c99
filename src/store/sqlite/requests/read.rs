//! Reading requests.

use super::row::{Row, request_columns};
use crate::{
    domain::ids::RunId,
    store::{RequestRow, StoreError, sqlite::runs::read::must_be},
};
use sqlx::SqlitePool;

pub(in crate::store::sqlite) const OF: &str = concat!(
    "SELECT ",
    request_columns!(),
    " FROM request INDEXED BY request_by_run WHERE run=?1 ORDER BY n"
);
/// By id, and only of that run.
pub(in crate::store::sqlite) const ONE: &str = concat!(
    "SELECT ",
    request_columns!(),
    " FROM request WHERE id=?2 AND run=?1"
);

/// All of a run, oldest first.
pub(super) async fn of(readers: &SqlitePool, run: RunId) -> Result<Vec<RequestRow>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(OF).bind(run.0).fetch_all(readers).await?;
    if rows.is_empty() {
        must_be(readers, run).await?;
    }
    rows.into_iter().map(RequestRow::try_from).collect()
}

/// One of a run.
pub(super) async fn one(
    readers: &SqlitePool,
    run: RunId,
    request: &str,
) -> Result<RequestRow, StoreError> {
    sqlx::query_as::<_, Row>(ONE)
        .bind(run.0)
        .bind(request)
        .fetch_optional(readers)
        .await?
        .ok_or_else(|| not_found(request))?
        .try_into()
}

pub(super) fn not_found(request: &str) -> StoreError {
    StoreError::NotFound {
        noun: "request",
        name: request.to_owned(),
    }
}
