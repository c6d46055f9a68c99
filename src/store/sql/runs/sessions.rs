//! The conversations of a project.

use crate::{
    domain::{ids::ProjectId, page::Page},
    store::{
        PageAt, SessionRow, StoreError,
        sql::{connection::Readers, cursor, page, row::Session, value::values},
    },
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// By the last run of each: a run that has one after it in its session is passed over.
pub(in crate::store::sql) const SESSIONS: &str = "SELECT s.id, s.instance, s.persona, s.agent, s.project, s.cwd, s.agent_session, \
 r.created_at AS last_at, r.id AS last_run FROM run r INDEXED BY run_by_project CROSS JOIN session s ON s.id=r.session \
 WHERE r.project=$1 AND (r.created_at,r.id)<($2,$3) AND NOT EXISTS(SELECT 1 FROM run p WHERE p.session=r.session AND p.seq>r.seq) \
 ORDER BY r.created_at DESC, r.id DESC LIMIT $4+0";

#[derive(FromRow, Deserialize)]
struct Row {
    #[sqlx(flatten)]
    #[serde(flatten)]
    session: Session,
    last_at: i64,
    last_run: Uuid,
}

/// Most recently used first.
pub(super) async fn of(
    readers: &Readers,
    project: ProjectId,
    page: &PageAt,
) -> Result<Page<SessionRow>, StoreError> {
    let (last_at, last_run) = match &page.cursor {
        Some(text) => cursor::run(text)?,
        None => (i64::MAX, Uuid::max()),
    };
    let rows: Vec<Row> = readers
        .all(
            SESSIONS,
            values![project.0, last_at, last_run, page::rows(page)],
        )
        .await?;
    page::cut(
        page,
        rows,
        |row| cursor::of_run(row.last_at, row.last_run),
        |row| Ok(row.session.into()),
    )
}
