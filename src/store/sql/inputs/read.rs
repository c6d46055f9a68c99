//! Reading what was said.

use super::row::{Row, input_columns};
use crate::{
    domain::{ids::RunId, input::Input},
    store::{
        InputsWaiting, StoreError,
        sql::{connection::Readers, value::values},
    },
};

/// What is put comes first, in the order in which it was.
pub(in crate::store::sql) const OF: &str = concat!(
    "SELECT ",
    input_columns!(),
    " FROM input WHERE run=$1 ORDER BY CASE WHEN delivered_at IS NULL THEN 1 ELSE 0 END, delivered_at, pos"
);
/// `NULL` where none waits; else whether one cuts a turn short. One row, so that it is read where it is asked for.
pub(in crate::store::sql) const PENDING: &str =
    "SELECT max(CASE WHEN cuts THEN 1 ELSE 0 END) FROM input WHERE run=$1 AND state='pending'";

pub(super) async fn of(readers: &Readers, run: RunId) -> Result<Vec<Input>, StoreError> {
    let rows: Vec<Row> = readers.all(OF, values![run.0]).await?;
    rows.into_iter().map(Input::try_from).collect()
}

pub(super) async fn waiting(readers: &Readers, run: RunId) -> Result<InputsWaiting, StoreError> {
    let cuts: Option<i32> = readers.scalar(PENDING, values![run.0]).await?;
    Ok(match cuts {
        None => InputsWaiting::Nothing,
        Some(0) => InputsWaiting::Something,
        Some(_) => InputsWaiting::Interrupt,
    })
}
