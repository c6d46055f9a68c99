//! An input as it is read.

use crate::{
    domain::{input::Input, time::Timestamp},
    store::{StoreError, sql::words::unword},
};
use serde::Deserialize;
use sqlx::FromRow;

macro_rules! input_columns {
    () => {
        "seq, mode, state, message, accepted_at, delivered_at, attempt, fence"
    };
}
pub(super) use input_columns;

/// The columns of `input_columns`.
#[derive(Debug, FromRow, Deserialize)]
pub(super) struct Row {
    pub(super) seq: i64,
    mode: String,
    state: String,
    message: String,
    accepted_at: i64,
    delivered_at: Option<i64>,
    attempt: Option<i64>,
    pub(super) fence: Option<i64>,
}

impl TryFrom<Row> for Input {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            seq: row.seq,
            mode: unword(row.mode)?,
            state: unword(row.state)?,
            message: row.message,
            accepted_at: Timestamp(row.accepted_at),
            delivered_at: row.delivered_at.map(Timestamp),
            attempt: row.attempt.and_then(|n| u32::try_from(n).ok()),
        })
    }
}
