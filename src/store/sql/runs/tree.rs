//! The runs that a run's agent delegated, and theirs.

use super::read::not_found;
use crate::{
    domain::{
        ids::RunId,
        run::{AskingRun, Run},
        usage::{TreeUsage, Usage},
    },
    stdx::text::head,
    store::{
        StoreError,
        sql::{
            connection::Readers,
            row::{RunRow, run_columns},
            value::values,
            words::unjson_of,
        },
    },
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

pub(in crate::store::sql) const CHILDREN: &str =
    "SELECT id FROM run INDEXED BY run_by_parent WHERE parent=$1 ORDER BY created_at DESC, id DESC";
pub(in crate::store::sql) const TREE: &str = "WITH RECURSIVE t(id) AS (SELECT $1 UNION \
 SELECT c.id FROM t CROSS JOIN run c INDEXED BY run_by_parent ON c.parent=t.id) \
 SELECT r.ended_at IS NOT NULL AS ended, r.usage FROM t CROSS JOIN run r ON r.id=t.id";

/// Those below it that wait for a person, the longest waiting first.
pub(in crate::store::sql) const ASKING: &str = concat!(
    "WITH RECURSIVE t(id) AS (SELECT $1 UNION \
     SELECT c.id FROM t CROSS JOIN run c INDEXED BY run_by_parent ON c.parent=t.id) SELECT ",
    run_columns!(),
    " FROM t CROSS JOIN run r ON r.id=t.id CROSS JOIN session s ON s.id=r.session \
     WHERE r.state='input_required' AND r.id<>$1 ORDER BY r.input_since, r.id"
);

/// Bytes of a task in a few words.
const TASK: usize = 200;

#[derive(FromRow, Deserialize)]
struct Spent {
    ended: bool,
    usage: Option<String>,
}

/// Newest first.
pub(super) async fn children(readers: &Readers, run: RunId) -> Result<Vec<RunId>, StoreError> {
    let ids: Vec<Uuid> = readers.scalars(CHILDREN, values![run.0]).await?;
    Ok(ids.into_iter().map(RunId).collect())
}

/// The runs below it that wait for a person. One whose every request has just been decided goes on in a moment.
pub(super) async fn asking(readers: &Readers, run: RunId) -> Result<Vec<AskingRun>, StoreError> {
    let rows: Vec<RunRow> = readers.all(ASKING, values![run.0]).await?;
    let mut asking = Vec::new();
    for row in rows {
        let run = Run::try_from(row)?;
        if run.requests.is_empty() {
            continue;
        }
        let task = run.prompt.lines().next().unwrap_or_default();
        asking.push(AskingRun {
            run: run.id,
            agent: run.agent,
            task: head(task, TASK).to_owned(),
            requests: run.requests,
        });
    }
    Ok(asking)
}

/// What the run and all below it have cost.
pub(super) async fn usage(readers: &Readers, run: RunId) -> Result<TreeUsage, StoreError> {
    let spent: Vec<Spent> = readers.all(TREE, values![run.0]).await?;
    let below = spent
        .len()
        .checked_sub(1)
        .ok_or_else(|| not_found("run", &run))?;
    let mut total = TreeUsage {
        runs: u32::try_from(below).unwrap_or(u32::MAX),
        usage: Usage::default(),
        complete: true,
    };
    for one in spent {
        let said: Usage = unjson_of(one.usage.as_deref())?.unwrap_or_default();
        total.complete &= one.ended && said != Usage::default();
        total.usage = sum(total.usage, said);
    }
    Ok(total)
}

fn sum(a: Usage, b: Usage) -> Usage {
    let tokens = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (one, None) | (None, one) => one,
    };
    Usage {
        input_tokens: tokens(a.input_tokens, b.input_tokens),
        output_tokens: tokens(a.output_tokens, b.output_tokens),
        total_tokens: tokens(a.total_tokens, b.total_tokens),
        cost_usd: match (a.cost_usd, b.cost_usd) {
            (Some(a), Some(b)) => Some(a + b),
            (one, None) | (None, one) => one,
        },
    }
}
