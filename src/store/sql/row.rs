//! A run as it is read.

use super::{
    requests::row::unlist,
    words::{state, unjson_of, unword, unword_of},
};
use crate::{
    domain::{
        ids::{InstanceId, ProjectId, RunId, SessionId},
        run::Run,
        time::Timestamp,
    },
    store::{SessionRow, StoreError},
};
use serde::Deserialize;
use sqlx::FromRow;
use uuid::Uuid;

/// A run with its session, its host where there may be others, why it waits, and what it asks. Only a queued run is asked why, and only one that has not ended what it asks; by
/// index each: of an EXISTS, PostgreSQL would make a table of all who have one. In one statement, so that what is read fits together.
macro_rules! run_columns {
    () => {
        $crate::store::sql::row::run_columns!(concat!(
            "(SELECT ",
            $crate::store::sql::row::class_waits!(),
            " FROM class c WHERE c.class_key=s.class_key)"
        ))
    };
    // What its class says of one that nothing else keeps.
    ($class:expr) => {
        concat!(
            "r.id, r.state, r.session, r.instance, r.project, r.previous, r.continuity, r.label, r.mode, r.warm, r.attempt, r.step, \
         r.warnings, r.created_at, r.started_at, r.ended_at, r.error, r.conclusion, r.usage, r.prompt, s.persona, s.agent, \
         (SELECT h.name FROM host h WHERE h.place=s.place AND h.shared) AS host, r.tool, r.said, r.parent, r.depth, r.policy, r.isolation, r.worktree, r.hook, r.archived_at, \
         (SELECT 1 FROM run c WHERE c.parent=r.id LIMIT 1) IS NOT NULL AS has_children, \
         CASE WHEN r.ended_at IS NULL THEN (SELECT CAST(json_group_array(json_object('n', q.n, 'id', q.id, 'kind', q.kind, 'title', q.title, \
          'detail', q.detail, 'options', json(q.options), 'deadline', q.deadline)) AS TEXT) \
          FROM request q INDEXED BY request_open WHERE q.run=r.id AND q.decided_by IS NULL) END AS requests, \
         CASE WHEN r.state<>'queued' THEN NULL \
          WHEN s.head_run<>r.id THEN 'session' \
          WHEN s.waiting IS NOT NULL THEN s.waiting \
          WHEN s.tree IS NOT NULL AND (SELECT 1 FROM session b WHERE b.tree=s.tree AND b.lease_holder IS NOT NULL LIMIT 1) IS NOT NULL THEN 'tree' \
          ELSE ",
            $class,
            " END AS waiting"
        )
    };
}
pub(super) use run_columns;

/// Why the next of class `c` has to wait; NULL: it has not.
macro_rules! class_waits {
    () => {
        concat!(
            "CASE WHEN ",
            $crate::store::sql::runs::caps::allowed!(),
            "<=0 THEN 'degraded' WHEN ",
            $crate::store::sql::runs::caps::room!(),
            "<=0 THEN 'slot' END"
        )
    };
}
pub(super) use class_waits;

/// The columns of `run_columns`.
#[derive(Debug, Default, FromRow, Deserialize)]
pub(super) struct RunRow {
    pub(super) id: Uuid,
    pub(super) state: String,
    pub(super) session: Uuid,
    pub(super) instance: Option<Uuid>,
    pub(super) project: Option<Uuid>,
    pub(super) previous: Option<Uuid>,
    pub(super) continuity: Option<String>,
    pub(super) label: Option<String>,
    pub(super) mode: String,
    pub(super) warm: bool,
    #[sqlx(try_from = "i64")]
    pub(super) attempt: u32,
    pub(super) step: Option<String>,
    pub(super) warnings: Option<String>,
    pub(super) created_at: i64,
    pub(super) started_at: Option<i64>,
    pub(super) ended_at: Option<i64>,
    pub(super) error: Option<String>,
    pub(super) conclusion: Option<String>,
    pub(super) usage: Option<String>,
    pub(super) prompt: String,
    pub(super) persona: Option<String>,
    pub(super) agent: String,
    pub(super) waiting: Option<String>,
    pub(super) host: Option<String>,
    pub(super) tool: Option<String>,
    pub(super) said: Option<String>,
    pub(super) parent: Option<Uuid>,
    #[sqlx(try_from = "i64")]
    pub(super) depth: u32,
    pub(super) policy: Option<String>,
    pub(super) isolation: String,
    pub(super) worktree: Option<String>,
    pub(super) hook: Option<String>,
    pub(super) archived_at: Option<i64>,
    pub(super) has_children: bool,
    pub(super) requests: Option<String>,
}

impl TryFrom<RunRow> for Run {
    type Error = StoreError;

    fn try_from(row: RunRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: RunId(row.id),
            state: state(&row.state)?,
            waiting: unword_of(row.waiting)?,
            host: row.host,
            prompt: row.prompt,
            instance: row.instance.map(InstanceId),
            project: row.project.map(ProjectId),
            persona: row.persona,
            agent: row.agent,
            session: SessionId(row.session),
            previous: row.previous.map(RunId),
            continuity: unword_of(row.continuity)?,
            label: row.label,
            mode: unword(row.mode)?,
            warm: row.warm,
            attempt: row.attempt,
            step: row.step,
            warnings: unjson_of(row.warnings.as_deref())?.unwrap_or_default(),
            created_at: Timestamp(row.created_at),
            started_at: row.started_at.map(Timestamp),
            ended_at: row.ended_at.map(Timestamp),
            error: unjson_of(row.error.as_deref())?,
            conclusion: unjson_of(row.conclusion.as_deref())?,
            // Known by the hub alone, which compares what was asked for with what was accepted.
            duplicate: None,
            usage: unjson_of(row.usage.as_deref())?,
            requests: unlist(row.requests.as_deref())?,
            // Read apart, where it is asked for.
            tree_usage: None,
            asks_below: Vec::new(),
            tool: row.tool,
            said: row.said,
            parent: row.parent.map(RunId),
            depth: row.depth,
            policy: unjson_of(row.policy.as_deref())?.unwrap_or_default(),
            isolation: unword(row.isolation)?,
            worktree: unjson_of(row.worktree.as_deref())?,
            hook: row.hook,
            archived_at: row.archived_at.map(Timestamp),
        })
    }
}

pub(super) const SESSION: &str =
    "SELECT id, instance, persona, agent, project, cwd, agent_session FROM session WHERE id=$1";

/// The columns of `SESSION`.
#[derive(Debug, FromRow, Deserialize)]
pub(super) struct Session {
    id: Uuid,
    instance: Option<Uuid>,
    persona: Option<String>,
    agent: String,
    project: Option<Uuid>,
    cwd: String,
    agent_session: Option<String>,
}

impl From<Session> for SessionRow {
    fn from(row: Session) -> Self {
        Self {
            id: SessionId(row.id),
            instance: row.instance.map(InstanceId),
            persona: row.persona,
            agent: row.agent,
            project: row.project.map(ProjectId),
            cwd: row.cwd,
            agent_session: row.agent_session,
        }
    }
}
