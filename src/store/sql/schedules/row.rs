//! The row of a schedule.

use crate::{
    domain::{
        ids::{RunId, ScheduleId},
        schedule::Schedule,
        time::Timestamp,
    },
    store::{
        StoreError,
        sql::words::{unjson, unjson_of, unword},
    },
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

macro_rules! columns {
    () => {
        "id, name, cron, zone, work, overlap, misfire, misfire_max, next_at, disabled_reason, last_at, last_run, last_error, created_at, allowance"
    };
}
pub(super) use columns;

#[derive(FromRow, Deserialize)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) name: String,
    cron: String,
    zone: String,
    work: String,
    overlap: String,
    misfire: String,
    #[sqlx(try_from = "i64")]
    misfire_max: u32,
    next_at: Option<i64>,
    disabled_reason: Option<String>,
    last_at: Option<i64>,
    last_run: Option<Uuid>,
    last_error: Option<String>,
    created_at: i64,
    allowance: Option<String>,
}

impl TryFrom<Row> for Schedule {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ScheduleId(row.id),
            name: row.name,
            cron: row.cron,
            zone: row.zone,
            work: unjson(&row.work)?,
            overlap: unword(row.overlap)?,
            misfire: unword(row.misfire)?,
            misfire_max: row.misfire_max,
            allowance: unjson_of(row.allowance.as_deref())?,
            // Read apart, where it is asked for.
            used: None,
            active: row.next_at.is_some(),
            next_at: row.next_at.map(Timestamp),
            last_at: row.last_at.map(Timestamp),
            last_run: row.last_run.map(RunId),
            next_times: Vec::new(),
            disabled_reason: row.disabled_reason,
            last_error: row.last_error,
            created_at: Timestamp(row.created_at),
        })
    }
}
