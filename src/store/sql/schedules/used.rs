//! What the runs of a schedule, and all that their agents delegated, have used up.

use crate::{
    domain::{
        ids::ScheduleId,
        schedule::{Allowance, UsedUp},
        time::Timestamp,
        usage::Usage,
    },
    store::{
        StoreError,
        sql::{
            tx::Tx,
            value::values,
            words::{unjson, unjson_of},
        },
    },
};
use serde::Deserialize;
use sqlx::FromRow;

pub(in crate::store::sql) const ALLOWANCE: &str = "SELECT allowance FROM schedule WHERE id=$1";
/// Begun since a moment, and what stands below them.
pub(in crate::store::sql) const USED: &str = "WITH RECURSIVE t(id, root) AS ( \
 SELECT o.run, o.run FROM occurrence o WHERE o.schedule=$1 AND o.at>=$2 AND o.run IS NOT NULL \
 UNION ALL SELECT r.id, NULL FROM t CROSS JOIN run r ON r.parent=t.id) \
 SELECT t.root IS NOT NULL AS is_root, r.usage, r.started_at, r.ended_at, r.waited_ms, r.turns FROM t LEFT JOIN run r ON r.id=t.id";

#[derive(Debug, FromRow, Deserialize)]
pub(super) struct Row {
    is_root: bool,
    usage: Option<String>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    waited_ms: Option<i64>,
    turns: Option<i64>,
}

pub(super) fn sum(rows: Vec<Row>, since: Timestamp, now: i64) -> Result<UsedUp, StoreError> {
    let mut used = UsedUp {
        since,
        ..UsedUp::default()
    };
    for row in rows {
        used.runs += u32::from(row.is_root);
        let usage: Option<Usage> = unjson_of(row.usage.as_deref())?;
        used.usage = used.usage.plus(usage.unwrap_or_default());
        let worked = row.started_at.map_or(0, |started| {
            let until = row.ended_at.unwrap_or(now).saturating_sub(started);
            until.saturating_sub(row.waited_ms.unwrap_or(0)).max(0)
        });
        used.wall_ms = used.wall_ms.saturating_add(worked.unsigned_abs());
        let turns = u32::try_from(row.turns.unwrap_or(0)).unwrap_or(u32::MAX);
        used.turns = used.turns.saturating_add(turns);
    }
    Ok(used)
}

/// What it may use up as it stands now: another hub may have read it before it was changed.
pub(super) async fn allowance(
    tx: &mut Tx<'_>,
    id: ScheduleId,
) -> Result<Option<Allowance>, StoreError> {
    let (text,): (Option<String>,) = tx.one(ALLOWANCE, values![id.0]).await?;
    text.as_deref().map(unjson).transpose()
}

/// Refuses a run where a bound is reached.
pub(super) async fn check(
    tx: &mut Tx<'_>,
    id: ScheduleId,
    since: Timestamp,
) -> Result<(), StoreError> {
    let Some(allowance) = allowance(tx, id).await? else {
        return Ok(());
    };
    let rows: Vec<Row> = tx.all(USED, values![id.0, since.0]).await?;
    let used = sum(rows, since, tx.now)?;
    match allowance.bars(&used) {
        None => Ok(()),
        Some(fault) => Err(StoreError::UsedUp(Box::new(fault))),
    }
}
