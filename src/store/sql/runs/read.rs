//! Reading runs.

use super::tree;
use crate::{
    domain::{
        ids::{ProjectId, RunId, SessionId},
        page::Page,
        run::{Attempt, Run},
        time::Timestamp,
    },
    store::{
        PageAt, RunFilter, SessionRow, StoreError,
        sql::{
            connection::Readers,
            cursor, page,
            row::{RunRow, SESSION, Session, run_columns},
            statement,
            value::values,
            words::{unjson_of, unword_of},
        },
    },
};
use serde::Deserialize;
use sqlx::FromRow;

pub(in crate::store::sql) const GET: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM run r JOIN session s ON s.id=r.session WHERE r.id=$1"
);
pub(in crate::store::sql) const ATTEMPTS: &str = "SELECT n, fence, outcome, reason, warm, persona_route, pid, touched, stderr_tail, started_at, ended_at \
 FROM attempt WHERE run=$1 ORDER BY n";
const IS_THERE: &str = "SELECT EXISTS(SELECT 1 FROM run WHERE id=$1)";
pub(in crate::store::sql) const OPEN: &str = "SELECT count(*) FROM run r INDEXED BY run_open CROSS JOIN session s ON s.id=r.session WHERE r.ended_at IS NULL AND s.place=$1";
pub(in crate::store::sql) const OPEN_IN: &str =
    "SELECT count(*) FROM run INDEXED BY run_open WHERE ended_at IS NULL AND project=$1";

pub(super) fn not_found(noun: &'static str, name: &impl ToString) -> StoreError {
    StoreError::NotFound {
        noun,
        name: name.to_string(),
    }
}

pub(super) async fn run(readers: &Readers, run: RunId) -> Result<Run, StoreError> {
    let row = readers
        .optional::<RunRow>(GET, values![run.0])
        .await?
        .ok_or_else(|| not_found("run", &run))?;
    let has_children = row.has_children;
    let mut found = Run::try_from(row)?;
    if has_children {
        found.tree_usage = Some(tree::usage(readers, run).await?);
        found.asks_below = tree::asking(readers, run).await?;
    }
    Ok(found)
}

/// What a request key stood for.
pub(super) async fn keyed(
    readers: &Readers,
    scope: &str,
    key: &str,
) -> Result<Option<(String, RunId)>, StoreError> {
    let seen: Option<(String, uuid::Uuid)> = readers
        .optional(super::accept::KEY_SEEN, values![scope, key])
        .await?;
    Ok(seen.map(|(fingerprint, run)| (fingerprint, RunId(run))))
}

pub(super) async fn session(
    readers: &Readers,
    session: SessionId,
) -> Result<SessionRow, StoreError> {
    readers
        .optional::<Session>(SESSION, values![session.0])
        .await?
        .map(SessionRow::from)
        .ok_or_else(|| not_found("session", &session))
}

pub(super) async fn open(
    readers: &Readers,
    place: &str,
    project: Option<ProjectId>,
) -> Result<u32, StoreError> {
    let (sql, values) = match project {
        Some(project) => (OPEN_IN, values![project.0]),
        None => (OPEN, values![place]),
    };
    let open: i64 = readers.scalar(sql, values).await?;
    Ok(u32::try_from(open).unwrap_or(u32::MAX))
}

/// The statement for a filter. The index that promises fewest rows is named, as SQLite, which has no statistics here, would guess: few
/// runs are open, an instance or a label has fewer than a project, a project fewer than a terminal state. The state is one of our own words, and
/// stands in the text, so that PostgreSQL, which has statistics, plans for each: one that is rare lies elsewhere than one that is not.
pub(in crate::store::sql) fn list_sql(filter: &RunFilter) -> statement::Page {
    let open = filter.state.is_some_and(|state| !state.is_terminal());
    let index = if open {
        "run_by_state"
    } else if filter.instance.is_some() {
        "run_by_instance"
    } else if filter.label.is_some() {
        "run_by_label"
    } else if filter.project.is_some() {
        "run_by_project"
    } else if filter.state.is_some() {
        "run_by_state"
    } else {
        "run_newest"
    };
    let mut list = format!(
        "SELECT {} FROM run r INDEXED BY {index} CROSS JOIN session s ON s.id=r.session WHERE (r.created_at,r.id)<($1,$2)",
        run_columns!()
    );
    if let Some(state) = filter.state {
        list.push_str(" AND r.state='");
        list.push_str(state.as_str());
        list.push('\'');
    }
    for (asked, condition) in [
        (filter.project.is_some(), " AND r.project=$3"),
        (filter.instance.is_some(), " AND r.instance=$4"),
        (filter.label.is_some(), " AND r.label=$5"),
        (!filter.archived, " AND r.archived_at IS NULL"),
        (filter.here, " AND s.place=$7"),
    ] {
        if asked {
            list.push_str(condition);
        }
    }
    list.push_str(" ORDER BY r.created_at DESC, r.id DESC");
    statement::Page {
        list,
        limit: "$6",
        most: page::MOST,
    }
}

pub(super) async fn list(
    readers: &Readers,
    filter: &RunFilter,
    place: &str,
    page: &PageAt,
) -> Result<Page<Run>, StoreError> {
    let (created_at, id) = match &page.cursor {
        Some(text) => cursor::run(text)?,
        None => (i64::MAX, uuid::Uuid::max()),
    };
    let rows: Vec<RunRow> = readers
        .all(
            list_sql(filter),
            values![
                created_at,
                id,
                filter.project.map(|id| id.0),
                filter.instance.map(|id| id.0),
                &filter.label,
                page::rows(page),
                place
            ],
        )
        .await?;
    page::cut(
        page,
        rows,
        |row| cursor::of_run(row.created_at, row.id),
        Run::try_from,
    )
}

#[derive(FromRow, Deserialize)]
struct AttemptRow {
    #[sqlx(try_from = "i64")]
    n: u32,
    fence: i64,
    outcome: Option<String>,
    reason: Option<String>,
    warm: bool,
    persona_route: Option<String>,
    pid: Option<i64>,
    touched: Option<String>,
    stderr_tail: Option<String>,
    started_at: i64,
    ended_at: Option<i64>,
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        Ok(Self {
            n: row.n,
            fence: row.fence,
            outcome: unword_of(row.outcome)?,
            reason: row.reason,
            warm: row.warm,
            persona_route: unword_of(row.persona_route)?,
            pid: row.pid.and_then(|pid| u32::try_from(pid).ok()),
            touched: unjson_of(row.touched.as_deref())?.unwrap_or_default(),
            stderr_tail: row.stderr_tail,
            started_at: Timestamp(row.started_at),
            ended_at: row.ended_at.map(Timestamp),
        })
    }
}

/// `NotFound` when there is no such run.
pub(in crate::store::sql) async fn must_be(
    readers: &Readers,
    run: RunId,
) -> Result<(), StoreError> {
    let there: bool = readers.scalar(IS_THERE, values![run.0]).await?;
    if there {
        Ok(())
    } else {
        Err(not_found("run", &run))
    }
}

pub(super) async fn attempts(readers: &Readers, run: RunId) -> Result<Vec<Attempt>, StoreError> {
    let rows: Vec<AttemptRow> = readers.all(ATTEMPTS, values![run.0]).await?;
    if rows.is_empty() {
        must_be(readers, run).await?;
    }
    rows.into_iter().map(Attempt::try_from).collect()
}
