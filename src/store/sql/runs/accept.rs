//! Accepting a run.
//!
//! A file takes one after the other, by statements of their own. A server takes several in the same statements, see [`set`].

mod set;
pub(in crate::store::sql) use set::Set;

use super::extras;
use crate::{
    domain::{
        event::EventKind,
        ids::RunId,
        run::{Mode, RunState},
    },
    store::{
        NewRun, Redactor, StoreError,
        sql::{
            hosts,
            log::gone,
            place::{Place, tree_at},
            row::{RunRow, run_columns},
            schedules::tick::{self, Begun},
            tx::Tx,
            value::values,
            words::{json, word},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde::Serialize;
use uuid::Uuid;

/// A century: no moment that is reckoned from it leaves the range of an integer, however long the run waits for people.
const LONGEST_MS: i64 = 100 * 365 * 24 * 3_600_000;

pub(in crate::store::sql) const KEY: &str = "INSERT INTO idempotency(scope,key,fingerprint,run,created_at) VALUES($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING";
pub(in crate::store::sql) const KEY_SEEN: &str =
    "SELECT fingerprint,run FROM idempotency WHERE scope=$1 AND key=$2";
/// What its project bounds, as the project's file says now; class, session, run, its first event, the number of open ones, the outbox; and the run as it is then. The class comes before the session
/// that names it. A continued session keeps its agent, whatever the request says. Rows by VALUES: SQLite would look for children that wait
/// for their parent, row by row, after any other form.
pub(in crate::store::sql) const WRITE: &str = concat!(
    "UPDATE project SET max_concurrent=$28 WHERE id=$9 AND max_concurrent IS DISTINCT FROM $28; \
 INSERT INTO class(class_key,place,agent,lane,max_concurrent,depth,cold,project) VALUES( \
 coalesce((SELECT place||'/'||agent FROM session WHERE id=$2),$3||'/'||$4)||'/'||$5, coalesce((SELECT place FROM session WHERE id=$2),$3), coalesce((SELECT agent FROM session WHERE id=$2),$4), $5, \
 coalesce((SELECT h.default_cap FROM host h WHERE h.place=$3),(SELECT value FROM setting WHERE name='default_cap')), $21, $29, $30) ON CONFLICT DO NOTHING; \
 INSERT INTO session(id,place,agent,class_key,next_seq,head_run,ready_rank,tree,instance,project,persona,cwd,agent_session) \
 VALUES($2,$3,$4,$3||'/'||$4||'/'||$5,2,$1,$6,$7,$8,$9,$10,$11,$12) \
 ON CONFLICT(id) DO UPDATE SET next_seq=session.next_seq+1, head_run=coalesce(session.head_run,excluded.head_run), \
 class_key=CASE WHEN session.head_run IS NULL THEN session.place||'/'||session.agent||'/'||$5 ELSE session.class_key END, \
 ready_rank=CASE WHEN session.head_run IS NULL THEN excluded.ready_rank ELSE session.ready_rank END, \
 tree=CASE WHEN session.head_run IS NULL THEN excluded.tree ELSE session.tree END; \
 INSERT INTO run(id,session,seq,class_key,instance,project,event_seq,created_at,timeout_ms,deadline,previous,label,lane,tree,mode,warnings, \
 prompt,parent,depth,isolation,policy,worktree,retry,budget) VALUES($1,$2,(SELECT next_seq-1 FROM session WHERE id=$2), \
 (SELECT place||'/'||agent||'/'||$5 FROM session WHERE id=$2), (SELECT instance FROM session WHERE id=$2), \
 (SELECT project FROM session WHERE id=$2), 1,$6,$13,$14,$15,$16,$27,$7,$17,$18,$19,$20,$21,$22,$23,$24,$31,$32); \
 INSERT INTO event(at,run,run_seq,project,instance,kind,data) SELECT $6,$1,1,project,instance,$25,'{}' FROM session WHERE id=$2; \
 INSERT INTO event(at,project,kind,data) SELECT $6, s.project, $26, '{\"count\":'|| \
 (SELECT count(*) FROM run INDEXED BY run_open WHERE ended_at IS NULL AND project=s.project)||'}' \
 FROM session s WHERE s.id=$2 AND s.project IS NOT NULL; \
 INSERT INTO outbox(run,kind,at) VALUES($1,'accepted',$6); \
 SELECT ",
    run_columns!(),
    " FROM run r JOIN session s ON s.id=r.session WHERE r.id=$1"
);
/// Which of them reads the run.
const READ: usize = 7;
/// A parent whose end was asked for delegates nothing more: whoever cancels what is below it has then seen all of it.
pub(in crate::store::sql) const PARENT: &str =
    "SELECT EXISTS(SELECT 1 FROM run WHERE id=$1 AND fence=$2 AND NOT cancel_requested)";

/// A run to be written, its texts redacted.
#[derive(Debug)]
pub(in crate::store::sql) struct Accept {
    run: NewRun,
    /// Of the host whose store this is.
    own: Place,
    class_lane: String,
    mode: String,
    warnings: Option<String>,
    isolation: String,
    policy: String,
    worktree: Option<String>,
    retry: Option<String>,
    budget: Option<String>,
}

/// What became of it.
#[derive(Debug)]
pub(in crate::store::sql) enum Taken {
    /// As it was written.
    Fresh(Box<RunRow>),
    /// Its key stands for this one.
    Seen(RunId),
}

/// What is as by default takes no room.
fn unless_default<T: Default + PartialEq + Serialize>(
    value: &T,
) -> Result<Option<String>, StoreError> {
    (*value != T::default()).then(|| json(value)).transpose()
}

impl Accept {
    pub(super) fn new(
        mut run: NewRun,
        redactor: &Redactor,
        own: &Place,
    ) -> Result<Self, StoreError> {
        redactor.redact_in_place(&mut run.prompt);
        extras::redact(&mut run.extras, redactor);
        run.timeout_ms = run.timeout_ms.map(|ms| ms.min(LONGEST_MS));
        if let Some(label) = &mut run.label {
            redactor.redact_in_place(label);
        }
        let warnings = redactor.warnings(std::mem::take(&mut run.warnings));
        Ok(Self {
            own: own.clone(),
            class_lane: class_lane(&run),
            mode: word(&run.mode)?,
            isolation: word(&run.isolation)?,
            policy: json(&run.policy)?,
            worktree: run.worktree.as_ref().map(json).transpose()?,
            retry: unless_default(&run.retry)?,
            budget: unless_default(&run.budget)?,
            warnings: if warnings.is_empty() {
                None
            } else {
                Some(json(&warnings)?)
            },
            run,
        })
    }

    /// Whether all that it is written with are the rows that every run has.
    fn is_plain(&self) -> bool {
        let extras = &self.run.extras;
        self.run.occasion.is_none()
            && extras.session_key.is_none()
            && extras.extra_system_prompt.is_none()
            && extras.host.is_none()
    }

    /// The run that delegates must be held, under the lease it was given.
    async fn hold(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Some(parent) = self.run.parent else {
            return Ok(());
        };
        let held: bool = tx
            .scalar(PARENT, values![parent.run.0, parent.fence])
            .await?;
        if held {
            Ok(())
        } else {
            Err(StoreError::LeaseLost(parent.run))
        }
    }

    /// The run that the key stood for before, if it did.
    async fn seen(&self, tx: &mut Tx<'_>) -> Result<Option<RunId>, StoreError> {
        let Some(key) = &self.run.idempotency else {
            return Ok(None);
        };
        let fresh = tx
            .execute(
                KEY,
                values![
                    &key.scope,
                    &key.key,
                    &key.fingerprint,
                    self.run.id.0,
                    tx.now
                ],
            )
            .await?;
        if fresh == 1 {
            return Ok(None);
        }
        let (fingerprint, run): (String, Uuid) =
            tx.one(KEY_SEEN, values![&key.scope, &key.key]).await?;
        if fingerprint == key.fingerprint {
            Ok(Some(RunId(run)))
        } else {
            Err(StoreError::IdempotencyConflict(key.key.clone()))
        }
    }

    /// The occasion is this run's and no other's.
    async fn occur(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let Some(occasion) = &self.run.occasion else {
            return Ok(());
        };
        let begun = Begun {
            run: self.run.id,
            session: self.run.session.id,
            project: self.run.session.project,
        };
        tick::take(tx, occasion, begun).await
    }

    /// The run in its place in its session; a new session is opened.
    async fn insert(&self, tx: &mut Tx<'_>) -> Result<RunRow, StoreError> {
        let (run, session, now) = (&self.run, &self.run.session, tx.now);
        let place = match run.extras.host {
            Some(host) => hosts::place_of(tx, host).await?,
            None => self.own.get().to_owned(),
        };
        if tx.connection.is_server() {
            return set::put(tx, self, &place).await;
        }
        let tree = run.tree.as_deref().map(|tree| tree_at(&place, tree));
        let told = tx
            .script(
                WRITE,
                values![
                    run.id.0,
                    session.id.0,
                    &place,
                    &session.agent,
                    &self.class_lane,
                    now,
                    &tree,
                    session.instance.map(|id| id.0),
                    session.project.map(|id| id.0),
                    &session.persona,
                    &session.cwd,
                    &session.agent_session,
                    run.timeout_ms,
                    run.timeout_ms.map(|ms| now.saturating_add(ms)),
                    run.previous.map(|id| id.0),
                    &run.label,
                    &self.mode,
                    &self.warnings,
                    &run.prompt,
                    run.parent.map(|lease| lease.run.0),
                    run.depth,
                    &self.isolation,
                    &self.policy,
                    &self.worktree,
                    EventKind::Accepted.as_str(),
                    EventKind::DelegationChanged.as_str(),
                    &run.lane,
                    run.max_in_project,
                    run.mode == Mode::Cold,
                    run.max_in_project.and(session.project).map(|id| id.0),
                    &self.retry,
                    &self.budget
                ],
            )
            .await?;
        told.first(READ)?.ok_or_else(|| gone(run.id.0))
    }
}

/// The lane's part in the name of the class. Cold attempts and the runs of a project that bounds its turns stand in classes of their own,
/// by level: so a class is free or full as a whole, and a claim does not look through what waits for one bound to find what waits for another.
fn class_lane(run: &NewRun) -> String {
    let cold = run.mode == Mode::Cold;
    let bounding = run.max_in_project.and(run.session.project);
    if !cold && bounding.is_none() {
        return run.lane.clone();
    }
    let word = if cold { "cold" } else { "" };
    let project = bounding.map(|id| format!("@{id}")).unwrap_or_default();
    format!("{}~{}{word}{project}", run.lane, run.depth)
}

#[async_trait]
impl Write for Accept {
    type Answer = Taken;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Taken, StoreError> {
        if tx.connection.is_server() && self.is_plain() {
            return set::alone(tx, self).await;
        }
        self.hold(tx).await?;
        if let Some(earlier) = self.seen(tx).await? {
            return Ok(Taken::Seen(earlier));
        }
        self.occur(tx).await?;
        extras::check(tx, &self.run).await?;
        let mut row = self.insert(tx).await?;
        extras::write(tx, &self.run).await?;
        row.hook.clone_from(&self.run.extras.hook);
        tx.changed(self.run.id, RunState::Queued);
        Ok(Taken::Fresh(Box::new(row)))
    }
}
