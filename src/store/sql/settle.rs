//! Ending a run: shared by finish, cancel, sweep and recover. The session's next run comes forward.

use super::{
    classes, inputs,
    log::{self, Subject, append, count, event, gone},
    requests,
    statement::Either,
    tx::Tx,
    value::values,
    words::{json, word_of},
};
use crate::{
    domain::{
        event::{EventKind, NewEvent},
        fault::Fault,
        ids::RunId,
        run::{AttemptOutcome, RunState},
    },
    store::{AttemptNote, Progress, StoreError},
};
use serde::Deserialize;
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// The state it leaves is part of the guard: a terminal run matches nothing.
pub(super) const END: &str = "UPDATE run SET state=$2, fence=NULL, event_seq=event_seq+$3, ended_at=$4, error=$5, \
 conclusion=coalesce($6,conclusion), usage=coalesce($7,usage), warnings=CASE WHEN $8 IS NULL THEN warnings \
 WHEN warnings IS NULL THEN $8 ELSE substr(warnings,1,length(warnings)-1)||','||substr($8,2) END, \
 step=NULL, tool=NULL, said=NULL, waited_ms=waited_ms+CASE WHEN $4>input_since THEN $4-input_since ELSE 0 END, input_since=NULL, \
 continuity=coalesce($10,continuity), warm=coalesce($11,warm), worktree=coalesce($12,worktree), turns=turns+$13 \
 WHERE id=$1 AND ended_at IS NULL AND fence IS NOT DISTINCT FROM $9 \
 RETURNING session, seq, attempt, event_seq, project, instance, \
 EXISTS(SELECT 1 FROM request q WHERE q.run=$1 AND q.decided_by IS NULL) AS asks, \
 EXISTS(SELECT 1 FROM input i WHERE i.run=$1 AND i.state='pending') AS waits, \
 EXISTS(SELECT 1 FROM failure y WHERE y.class_key=run.class_key) AS blamed";
pub(super) const END_ATTEMPT: &str = "UPDATE attempt SET outcome=$3, ended_at=$4, reason=coalesce($5,reason), stderr_tail=$6 WHERE run=$1 AND n=$2 AND ended_at IS NULL";
/// The session's next run comes forward. The state is hidden from PostgreSQL's planner: while it takes few runs to be queued, it would look
/// at all that are.
macro_rules! forward {
    () => {
        "UPDATE session SET head_run=n.id, class_key=coalesce(n.class_key,session.class_key), tree=n.tree, \
         ready_rank=CASE WHEN n.id IS NULL THEN NULL ELSE $4 END, wake_at=NULL, waiting=NULL, lease_holder=NULL, lease_until=NULL, overflow=FALSE, \
         agent_session=coalesce($5,agent_session) FROM (SELECT 1) one LEFT JOIN \
         (SELECT id, class_key, tree FROM run WHERE session=$2 AND seq>$3 AND state||''='queued' ORDER BY seq LIMIT 1) n ON TRUE \
         WHERE session.id=$2 AND head_run=$1 RETURNING head_run"
    };
}
macro_rules! end_attempt {
    () => {
        "UPDATE attempt SET outcome=$7, ended_at=$4, reason=coalesce($8,reason), stderr_tail=$9, warm=coalesce($10,warm), \
         persona_route=coalesce($11,persona_route), pid=coalesce($12,pid), touched=coalesce($18,touched) WHERE run=$1 AND n=$6 AND ended_at IS NULL AND $7 IS NOT NULL"
    };
}
/// Of the run, and of how many its project then has open.
macro_rules! events {
    ($and:literal) => {
        concat!(
            "INSERT INTO event(at,run,run_seq,project,instance,kind,data) \
             SELECT $4,$1,$13+key,$14,$15,value->>0,value->>1 FROM json_each($16)",
            $and,
            "$14,NULL,$17,'{\"count\":'||(SELECT count(*) FROM run INDEXED BY run_open WHERE ended_at IS NULL AND project=$14)||'}' WHERE $14 IS NOT NULL"
        )
    };
}
/// What follows: who comes forward, the attempt's end, and what the log tells of it; in one statement where each is a journey.
pub(super) const FOLLOW: Either = Either {
    sqlite: concat!(
        forward!(),
        "; ",
        end_attempt!(),
        "; ",
        events!(
            "; INSERT INTO event(at,run,run_seq,project,instance,kind,data) SELECT $4,NULL,NULL,"
        )
    ),
    postgres: concat!(
        "WITH f AS (",
        forward!(),
        "), a AS (",
        end_attempt!(),
        "), e AS (",
        events!(" UNION ALL SELECT $4,NULL,NULL,"),
        ") SELECT head_run FROM f"
    ),
};

/// Which of them says who has come forward.
const FORWARD: usize = 0;

/// How a run ends.
#[derive(Debug)]
pub(super) struct Settlement<'a> {
    pub(super) run: Uuid,
    /// Of the attempt that holds it; `None` for a queued run.
    pub(super) fence: Option<i64>,
    pub(super) state: RunState,
    /// How its attempt ended, if one was under way.
    pub(super) outcome: Option<AttemptOutcome>,
    pub(super) reason: Option<&'a str>,
    pub(super) error: Option<&'a Fault>,
    pub(super) stderr_tail: Option<&'a str>,
    /// JSON.
    pub(super) conclusion: Option<&'a str>,
    /// JSON.
    pub(super) usage: Option<&'a str>,
    /// A JSON array that is not empty; beside those there.
    pub(super) warnings: Option<&'a str>,
    /// What is known of its attempt, and the events before the last one.
    pub(super) progress: Option<&'a Progress>,
}

impl Settlement<'_> {
    /// A run that ends in `state`, and nothing more to say of it.
    pub(super) fn new(run: Uuid, fence: Option<i64>, state: RunState) -> Self {
        Self {
            run,
            fence,
            state,
            outcome: None,
            reason: None,
            error: None,
            stderr_tail: None,
            conclusion: None,
            usage: None,
            warnings: None,
            progress: None,
        }
    }

    fn events(&self) -> &[NewEvent] {
        self.progress.map_or(&[], |progress| &progress.events)
    }
}

#[derive(FromRow, Deserialize)]
struct Ended {
    session: Uuid,
    seq: i64,
    #[sqlx(try_from = "i64")]
    attempt: u32,
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
    /// Has open requests.
    asks: bool,
    /// Has inputs that were never put.
    waits: bool,
    /// Something stands against its class.
    blamed: bool,
}

/// Ends the run; `false` when it was not in the state it should leave (another fence, or terminal).
pub(super) async fn settle(
    tx: &mut Tx<'_>,
    settlement: &Settlement<'_>,
) -> Result<bool, StoreError> {
    debug_assert!(settlement.state.is_terminal(), "only an end is settled");
    debug_assert!(
        RunState::Queued.may_become(settlement.state) || settlement.fence.is_some(),
        "only a held run may end so"
    );
    let Some(ended) = end(tx, settlement).await? else {
        return Ok(false);
    };
    follow(tx, settlement, &ended).await?;
    tell(tx, settlement, &ended).await?;
    tx.changed(RunId(settlement.run), settlement.state);
    Ok(true)
}

/// What its end tells of its class.
async fn tell(
    tx: &mut Tx<'_>,
    settlement: &Settlement<'_>,
    ended: &Ended,
) -> Result<(), StoreError> {
    match (settlement.outcome, settlement.error) {
        (Some(AttemptOutcome::Failed), Some(error)) => {
            classes::blame(tx, settlement.run, ended.attempt, error.kind).await
        }
        (Some(AttemptOutcome::Succeeded), _) if ended.blamed => {
            classes::make_good(tx, settlement.run).await
        }
        _ => Ok(()),
    }
}

async fn end(tx: &mut Tx<'_>, settlement: &Settlement<'_>) -> Result<Option<Ended>, StoreError> {
    let progress = settlement.progress;
    let note = progress.map(|progress| &progress.note);
    let worktree = progress.and_then(|progress| progress.worktree.as_ref());
    Ok(tx
        .optional(
            END,
            values![
                settlement.run,
                settlement.state.as_str(),
                count(settlement.events().len() + 1),
                tx.now,
                settlement.error.map(json).transpose()?,
                settlement.conclusion,
                settlement.usage,
                settlement.warnings,
                settlement.fence,
                word_of(note.and_then(|note| note.continuity.as_ref()))?,
                note.and_then(|note| note.warm),
                worktree.map(json).transpose()?,
                progress.map_or(0, |progress| progress.turns)
            ],
        )
        .await?)
}

/// The next run of the session becomes its head, if the ended one was.
async fn follow(
    tx: &mut Tx<'_>,
    settlement: &Settlement<'_>,
    ended: &Ended,
) -> Result<(), StoreError> {
    let run = settlement.run;
    let first = ended.event_seq - count(settlement.events().len());
    let mut events: Vec<&NewEvent> = settlement.events().iter().collect();
    let last = told(settlement, ended);
    // What it still asks is taken back between what it did and its end, and what waits to be said to it is dropped.
    if !ended.asks && !ended.waits {
        events.push(&last);
    }
    let bare = AttemptNote::default();
    let note = settlement.progress.map_or(&bare, |progress| &progress.note);
    let touched = (!note.touched.is_empty()).then(|| json(&note.touched));
    let told = tx
        .script(
            FOLLOW,
            values![
                run,
                ended.session,
                ended.seq,
                tx.now,
                &note.agent_session,
                ended.attempt,
                word_of(settlement.outcome.as_ref())?,
                note.reason.as_deref().or(settlement.reason),
                settlement.stderr_tail,
                note.warm,
                word_of(note.persona_route.as_ref())?,
                note.pid,
                first,
                ended.project,
                ended.instance,
                log::list(events)?,
                EventKind::DelegationChanged.as_str(),
                touched.transpose()?
            ],
        )
        .await?;
    match told.first(FORWARD)? {
        Some((head,)) => {
            let head: Option<Uuid> = head;
            if let Some(head) = head {
                // Its reason to wait is another one now.
                tx.changed(RunId(head), RunState::Queued);
            }
        }
        None if settlement.fence.is_some() => return Err(gone(run)),
        None => {}
    }
    if ended.asks || ended.waits {
        clear(tx, run, ended, &last).await?;
    }
    Ok(())
}

/// Takes back what the run still asks, drops what waits to be said to it, and tells of its end after that.
async fn clear(
    tx: &mut Tx<'_>,
    run: Uuid,
    ended: &Ended,
    last: &NewEvent,
) -> Result<(), StoreError> {
    let subject = Subject {
        run,
        project: ended.project,
        instance: ended.instance,
    };
    let mut moved = ended.event_seq;
    if ended.asks {
        moved = requests::end::withdraw(tx, subject, moved).await?;
    }
    if ended.waits {
        moved = inputs::end::drop_pending(tx, subject, moved).await?;
    }
    append(tx, subject, moved, last).await
}

/// The last event of a run.
fn told(settlement: &Settlement<'_>, ended: &Ended) -> NewEvent {
    let mut said = data!({"state": settlement.state});
    // The fence and the number let a reader of the log check which attempt it was.
    if let Some(fence) = settlement.fence {
        said["attempt"] = data!(ended.attempt);
        said["fence"] = data!(fence);
    }
    if let Some(outcome) = settlement.outcome {
        said["outcome"] = data!(outcome);
    }
    if let Some(error) = settlement.error {
        said["error"] = data!(error);
    }
    if let Some(reason) = settlement.reason {
        said["reason"] = data!(reason);
    }
    event(EventKind::Finished, said)
}
