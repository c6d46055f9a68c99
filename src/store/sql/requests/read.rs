//! Reading requests.

use super::row::{Row, request_columns};
use crate::store::sql::connection::Readers;
use crate::store::sql::value::values;
use crate::{
    domain::ids::RunId,
    store::{RequestRow, StoreError, sql::runs::read::must_be},
};

pub(in crate::store::sql) const OF: &str = concat!(
    "SELECT ",
    request_columns!(),
    " FROM request INDEXED BY request_by_run WHERE run=$1 ORDER BY n"
);
/// By id, and only of that run.
pub(in crate::store::sql) const ONE: &str = concat!(
    "SELECT ",
    request_columns!(),
    " FROM request WHERE id=$2 AND run=$1"
);

/// All of a run, oldest first.
pub(super) async fn of(readers: &Readers, run: RunId) -> Result<Vec<RequestRow>, StoreError> {
    let rows: Vec<Row> = readers.all(OF, values![run.0]).await?;
    if rows.is_empty() {
        must_be(readers, run).await?;
    }
    rows.into_iter().map(RequestRow::try_from).collect()
}

/// One of a run.
pub(super) async fn one(
    readers: &Readers,
    run: RunId,
    request: &str,
) -> Result<RequestRow, StoreError> {
    readers
        .optional::<Row>(ONE, values![run.0, request])
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
