//! Accepting a run.

use crate::{
    domain::{event::EventKind, ids::RunId, run::RunState},
    store::{
        Accepted, NewRun, Redactor, StoreError,
        sql::{
            log::{Subject, append, delegations, event},
            tx::Tx,
            value::values,
            words::{json, word},
            writer::Write,
        },
    },
};
use async_trait::async_trait;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// A century: no moment that is reckoned from it leaves the range of an integer, however long the run waits for people.
const LONGEST_MS: i64 = 100 * 365 * 24 * 3_600_000;

/// Processes run on this machine; the column is there for others.
const PLACE: &str = "local";

pub(in crate::store::sql) const KEY: &str = "INSERT INTO idempotency(scope,key,fingerprint,run,created_at) VALUES($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING";
pub(in crate::store::sql) const KEY_SEEN: &str =
    "SELECT fingerprint,run FROM idempotency WHERE scope=$1 AND key=$2";
pub(in crate::store::sql) const SESSION: &str = "INSERT INTO session(id,place,agent,class_key,next_seq,head_run,ready_rank,tree,instance,project,persona,cwd,agent_session) \
 VALUES($1,$2,$3,$2||'/'||$3||'/'||$4,2,$5,$6,$7,$8,$9,$10,$11,$12) \
 ON CONFLICT(id) DO UPDATE SET next_seq=next_seq+1, head_run=coalesce(head_run,excluded.head_run), \
 class_key=CASE WHEN head_run IS NULL THEN place||'/'||agent||'/'||$4 ELSE class_key END, \
 ready_rank=CASE WHEN head_run IS NULL THEN excluded.ready_rank ELSE ready_rank END, \
 tree=CASE WHEN head_run IS NULL THEN excluded.tree ELSE tree END \
 RETURNING next_seq-1 AS seq, place, agent, instance, project";
/// Before the session that names it. A continued session keeps its agent, whatever the request says. One row by VALUES: SQLite would
/// look for children that wait for their parent, row by row, after any other form.
pub(in crate::store::sql) const CLASS: &str = "INSERT INTO class(class_key,place,agent,lane,max_concurrent) VALUES( \
 $2||'/'||coalesce((SELECT agent FROM session WHERE id=$1),$3)||'/'||$4, $2, coalesce((SELECT agent FROM session WHERE id=$1),$3), $4, \
 (SELECT value FROM setting WHERE name='default_cap')) ON CONFLICT DO NOTHING";
pub(in crate::store::sql) const RUN: &str = "INSERT INTO run(id,session,seq,class_key,event_seq,created_at,timeout_ms,deadline,instance,project,previous,label,lane,tree,mode,warnings,prompt, \
 parent,depth,isolation,policy,worktree) \
 VALUES($1,$2,$3,$4||'/'||$5||'/'||$6,1,$7,$8,$9,$10,$11,$12,$13,$6,$14,$15,$16,$17,$18,$19,$20,$21,$22)";
/// A parent whose end was asked for delegates nothing more: whoever cancels what is below it has then seen all of it.
pub(in crate::store::sql) const PARENT: &str =
    "SELECT EXISTS(SELECT 1 FROM run WHERE id=$1 AND fence=$2 AND NOT cancel_requested)";
const OUTBOX: &str = "INSERT INTO outbox(run,kind,at) VALUES($1,'accepted',$2)";

/// A run to be written, its texts redacted.
#[derive(Debug)]
pub(super) struct Accept {
    run: NewRun,
    mode: String,
    warnings: Option<String>,
    isolation: String,
    policy: String,
    worktree: Option<String>,
}

#[derive(FromRow)]
struct Turn {
    seq: i64,
    place: String,
    agent: String,
    instance: Option<Uuid>,
    project: Option<Uuid>,
}

impl Accept {
    pub(super) fn new(mut run: NewRun, redactor: &Redactor) -> Result<Self, StoreError> {
        redactor.redact_in_place(&mut run.prompt);
        run.timeout_ms = run.timeout_ms.map(|ms| ms.min(LONGEST_MS));
        if let Some(label) = &mut run.label {
            redactor.redact_in_place(label);
        }
        let warnings = redactor.warnings(std::mem::take(&mut run.warnings));
        Ok(Self {
            mode: word(&run.mode)?,
            isolation: word(&run.isolation)?,
            policy: json(&run.policy)?,
            worktree: run.worktree.as_ref().map(json).transpose()?,
            warnings: if warnings.is_empty() {
                None
            } else {
                Some(json(&warnings)?)
            },
            run,
        })
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

    /// The run's place in its session; a new session is opened.
    async fn queue(&self, tx: &mut Tx<'_>) -> Result<Turn, StoreError> {
        let session = &self.run.session;
        tx.execute(
            CLASS,
            values![session.id.0, PLACE, &session.agent, &self.run.lane],
        )
        .await?;
        let turn: Turn = tx
            .one(
                SESSION,
                values![
                    session.id.0,
                    PLACE,
                    &session.agent,
                    &self.run.lane,
                    self.run.id.0,
                    tx.now,
                    &self.run.tree,
                    session.instance.map(|id| id.0),
                    session.project.map(|id| id.0),
                    &session.persona,
                    &session.cwd,
                    &session.agent_session
                ],
            )
            .await?;
        Ok(turn)
    }

    async fn insert(&self, tx: &mut Tx<'_>, turn: &Turn) -> Result<(), StoreError> {
        let run = &self.run;
        tx.execute(
            RUN,
            values![
                run.id.0,
                run.session.id.0,
                turn.seq,
                &turn.place,
                &turn.agent,
                &run.lane,
                tx.now,
                run.timeout_ms,
                run.timeout_ms.map(|ms| tx.now.saturating_add(ms)),
                turn.instance,
                turn.project,
                run.previous.map(|id| id.0),
                &run.label,
                &run.tree,
                &self.mode,
                &self.warnings,
                &run.prompt,
                run.parent.map(|lease| lease.run.0),
                run.depth,
                &self.isolation,
                &self.policy,
                &self.worktree
            ],
        )
        .await?;
        Ok(())
    }
}

#[async_trait]
impl Write for Accept {
    type Answer = Accepted;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<Accepted, StoreError> {
        self.hold(tx).await?;
        if let Some(run) = self.seen(tx).await? {
            return Ok(Accepted {
                run,
                duplicate: true,
            });
        }
        let turn = self.queue(tx).await?;
        self.insert(tx, &turn).await?;
        let subject = Subject {
            run: self.run.id.0,
            project: turn.project,
            instance: turn.instance,
        };
        append(tx, subject, 1, &event(EventKind::Accepted, data!({}))).await?;
        delegations(tx, turn.project).await?;
        tx.execute(OUTBOX, values![self.run.id.0, tx.now]).await?;
        tx.changed(self.run.id, RunState::Queued);
        Ok(Accepted {
            run: self.run.id,
            duplicate: false,
        })
    }
}
