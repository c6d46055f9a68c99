//! Adding runs up.
//!
//! In Rust, part by part: usage is JSON, which the databases would read differently, and no one reader is held for long.

use crate::{
    domain::{
        stats::{Counted, Counter, RunStats},
        time::Timestamp,
    },
    store::{
        StatsFilter, StoreError,
        sql::{
            connection::Readers,
            value::values,
            words::{state, unjson_of},
        },
    },
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

const PART: u32 = 5_000;

#[derive(FromRow, Deserialize)]
struct Row {
    id: Uuid,
    created_at: i64,
    state: String,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    usage: Option<String>,
}

/// The statement for a filter: the next part, oldest first.
pub(in crate::store::sql) fn part_sql(filter: &StatsFilter) -> String {
    let mut sql =
        "SELECT r.id, r.created_at, r.state, r.started_at, r.ended_at, r.usage FROM run r \
         WHERE (r.created_at,r.id)>($1,$2)"
            .to_owned();
    for (asked, condition) in [
        (filter.project.is_some(), " AND r.project=$3"),
        (filter.instance.is_some(), " AND r.instance=$4"),
        (
            filter.agent.is_some(),
            " AND EXISTS(SELECT 1 FROM session s WHERE s.id=r.session AND s.agent=$5)",
        ),
    ] {
        if asked {
            sql.push_str(condition);
        }
    }
    sql.push_str(" ORDER BY r.created_at, r.id LIMIT $6+0");
    sql
}

pub(super) async fn stats(readers: &Readers, filter: &StatsFilter) -> Result<RunStats, StoreError> {
    let sql = part_sql(filter);
    let mut counter = Counter::default();
    // No run has this id, so those of that very moment come after it.
    let mut after = (
        filter.since.map_or(i64::MIN, |Timestamp(since)| since),
        Uuid::nil(),
    );
    loop {
        let rows: Vec<Row> = readers
            .all(
                sql.clone(),
                values![
                    after.0,
                    after.1,
                    filter.project.map(|id| id.0),
                    filter.instance.map(|id| id.0),
                    &filter.agent,
                    PART
                ],
            )
            .await?;
        let Some(last) = rows.last() else { break };
        after = (last.created_at, last.id);
        let whole = rows.len() < PART as usize;
        for row in rows {
            counter.add(&Counted {
                state: state(&row.state)?,
                created_ms: row.created_at,
                started_ms: row.started_at,
                ended_ms: row.ended_at,
                usage: unjson_of(row.usage.as_deref())?,
            });
        }
        if whole {
            break;
        }
    }
    Ok(counter.sum())
}
