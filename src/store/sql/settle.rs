//! Ending a run: shared by finish, cancel, sweep and recover. The session's next run comes forward.

use super::{
    log::{Subject, append, append_all, count, delegations, event, gone},
    requests,
    tx::Tx,
    value::values,
    words::{json, word},
};
use crate::{
    domain::{
        event::{EventKind, NewEvent},
        fault::Fault,
        ids::RunId,
        run::{AttemptOutcome, RunState},
    },
    store::StoreError,
};
use serde_json::json as data;
use sqlx::FromRow;
use uuid::Uuid;

/// The state it leaves is part of the guard: a terminal run matches nothing.
pub(super) const END: &str = "UPDATE run SET state=$2, fence=NULL, event_seq=event_seq+$3, ended_at=$4, error=$5, \
 conclusion=coalesce($6,conclusion), usage=coalesce($7,usage), warnings=coalesce($8,warnings), step=NULL, tool=NULL, said=NULL, \
 waited_ms=waited_ms+CASE WHEN $4>input_since THEN $4-input_since ELSE 0 END, input_since=NULL \
 WHERE id=$1 AND ended_at IS NULL AND fence IS NOT DISTINCT FROM $9 \
 RETURNING session, seq, attempt, event_seq, project, instance, \
 EXISTS(SELECT 1 FROM request q WHERE q.run=$1 AND q.decided_by IS NULL) AS asks";
pub(super) const END_ATTEMPT: &str = "UPDATE attempt SET outcome=$3, ended_at=$4, reason=coalesce($5,reason), stderr_tail=$6 WHERE run=$1 AND n=$2 AND ended_at IS NULL";
pub(super) const NEXT: &str = "SELECT id, class_key, tree FROM run WHERE session=$1 AND seq>$2 AND state='queued' ORDER BY seq LIMIT 1";
pub(super) const FORWARD: &str = "UPDATE session SET head_run=$3, class_key=coalesce($4,class_key), tree=$5, ready_rank=$6, \
 wake_at=NULL, waiting=NULL, lease_holder=NULL, lease_until=NULL WHERE id=$1 AND head_run=$2";

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
    /// JSON; replaces those there.
    pub(super) warnings: Option<&'a str>,
    /// Before the last one.
    pub(super) events: &'a [NewEvent],
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
            events: &[],
        }
    }
}

#[derive(FromRow)]
struct Ended {
    session: Uuid,
    seq: i64,
    attempt: u32,
    event_seq: i64,
    project: Option<Uuid>,
    instance: Option<Uuid>,
    /// Has open requests.
    asks: bool,
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
    if let Some(outcome) = settlement.outcome {
        tx.execute(
            END_ATTEMPT,
            values![
                settlement.run,
                ended.attempt,
                word(&outcome)?,
                tx.now,
                settlement.reason,
                settlement.stderr_tail
            ],
        )
        .await?;
    }
    let held = settlement.fence.is_some();
    forward(tx, settlement.run, &ended, held).await?;
    tell(tx, settlement, &ended).await?;
    delegations(tx, ended.project).await?;
    tx.changed(RunId(settlement.run), settlement.state);
    Ok(true)
}

async fn end(tx: &mut Tx<'_>, settlement: &Settlement<'_>) -> Result<Option<Ended>, StoreError> {
    Ok(tx
        .optional(
            END,
            values![
                settlement.run,
                settlement.state.as_str(),
                count(settlement.events.len() + 1),
                tx.now,
                settlement.error.map(json).transpose()?,
                settlement.conclusion,
                settlement.usage,
                settlement.warnings,
                settlement.fence
            ],
        )
        .await?)
}

/// The next run of the session becomes its head, if the ended one was.
async fn forward(tx: &mut Tx<'_>, run: Uuid, ended: &Ended, held: bool) -> Result<(), StoreError> {
    let next: Option<(Uuid, String, Option<String>)> =
        tx.optional(NEXT, values![ended.session, ended.seq]).await?;
    let rank = next.as_ref().map(|_| tx.now);
    let (head, class, tree) = match next {
        Some((head, class, tree)) => (Some(head), Some(class), tree),
        None => (None, None, None),
    };
    let moved = tx
        .execute(
            FORWARD,
            values![ended.session, run, head, class, tree, rank],
        )
        .await?;
    if held && moved != 1 {
        return Err(gone(run));
    }
    if let Some(head) = head {
        // Its reason to wait is another one now.
        tx.changed(RunId(head), RunState::Queued);
    }
    Ok(())
}

async fn tell(
    tx: &mut Tx<'_>,
    settlement: &Settlement<'_>,
    ended: &Ended,
) -> Result<(), StoreError> {
    let subject = Subject {
        run: settlement.run,
        project: ended.project,
        instance: ended.instance,
    };
    append_all(tx, subject, ended.event_seq - 1, settlement.events).await?;
    let mut last = ended.event_seq;
    if ended.asks {
        last = requests::end::withdraw(tx, subject, last).await?;
    }
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
    append(tx, subject, last, &event(EventKind::Finished, said)).await
}
