//! A tick is dealt with once: by a run that is accepted with it, or by a reason why there is none.

use super::used;
use crate::{
    domain::{
        event::EventKind,
        ids::{ProjectId, RunId, ScheduleId, SessionId},
        schedule::{Overlap, Tick},
    },
    store::{
        Occasion, StoreError,
        sql::{log, tx::Tx, value::values, writer::Write},
    },
};
use async_trait::async_trait;
use serde_json::json;
use uuid::Uuid;

/// Occurrences are kept so long: their ticks do not come again.
const KEPT_MS: i64 = 90 * 24 * 3_600_000;
const NO_NEXT: &str = "its expression has no time to come";

const STEP: &str = "UPDATE schedule SET next_at=$3, disabled_reason=$4 WHERE id=$1 AND next_at=$2";
const BEGUN: &str =
    "UPDATE schedule SET last_at=$2, last_run=$3, session=$4, last_error=NULL WHERE id=$1";
const FAILED: &str = "UPDATE schedule SET last_error=$2 WHERE id=$1";
const NAME: &str = "SELECT name FROM schedule WHERE id=$1";
const OCCURRED: &str = "INSERT INTO occurrence(schedule,tick,run,reason,at) VALUES($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING";
/// Open runs are few, occurrences many.
pub(in crate::store::sql) const OPEN: &str = "SELECT EXISTS(SELECT 1 FROM run r WHERE r.ended_at IS NULL \
 AND EXISTS(SELECT 1 FROM occurrence o WHERE o.run=r.id AND o.schedule=$1))";
pub(in crate::store::sql) const OLD: &str = "DELETE FROM occurrence WHERE schedule=$1 AND at<$2";

/// Who is accepted for an occasion.
#[derive(Clone, Copy, Debug)]
pub(in crate::store::sql) struct Begun {
    pub(in crate::store::sql) run: RunId,
    pub(in crate::store::sql) session: SessionId,
    pub(in crate::store::sql) project: Option<ProjectId>,
}

/// Takes the occasion for a run that is written in the same transaction.
pub(in crate::store::sql) async fn take(
    tx: &mut Tx<'_>,
    occasion: &Occasion,
    begun: Begun,
) -> Result<(), StoreError> {
    let id = occasion.schedule;
    let taken = || StoreError::TickTaken(id);
    let name: Option<(String,)> = tx.optional(NAME, values![id.0]).await?;
    let (name,) = name.ok_or_else(taken)?;
    if let Some(tick) = &occasion.tick
        && !step(tx, id, tick).await?
    {
        return Err(taken());
    }
    let is_open = occasion.overlap == Overlap::Skip && tx.scalar(OPEN, values![id.0]).await?;
    if is_open {
        return Err(StoreError::StillOpen(id));
    }
    if let Some(since) = occasion.since {
        used::check(tx, id, since).await?;
    }
    let at = occasion.tick.map(|tick| tick.at);
    let occurrence = values![id.0, at.map(|at| at.0), begun.run.0, None::<String>, tx.now];
    if tx.execute(OCCURRED, occurrence).await? == 0 {
        return Err(taken());
    }
    let queued = (occasion.overlap == Overlap::Queue).then_some(begun.session.0);
    let last = at.map_or(tx.now, |at| at.0);
    tx.execute(BEGUN, values![id.0, last, begun.run.0, queued])
        .await?;
    tx.execute(OLD, values![id.0, tx.now.saturating_sub(KEPT_MS)])
        .await?;
    let data = json!({"schedule": id, "name": name, "tick": at, "run": begun.run});
    let event = log::event(EventKind::ScheduleFired, data);
    log::record(tx, begun.project, None, &event).await?;
    ended(tx, id, &name, occasion.tick).await
}

/// Moves the schedule on by a tick; `false` when somebody else has.
async fn step(tx: &mut Tx<'_>, id: ScheduleId, tick: &Tick) -> Result<bool, StoreError> {
    let next = tick.next.map(|at| at.0);
    let reason = next.is_none().then_some(NO_NEXT);
    let moved = tx
        .execute(STEP, values![id.0, tick.from.0, next, reason])
        .await?;
    Ok(moved == 1)
}

/// Says so when that was the last one.
async fn ended(
    tx: &mut Tx<'_>,
    id: ScheduleId,
    name: &str,
    tick: Option<Tick>,
) -> Result<(), StoreError> {
    if tick.is_none_or(|tick| tick.next.is_some()) {
        return Ok(());
    }
    let data = json!({"schedule": id, "name": name, "reason": NO_NEXT});
    let event = log::event(EventKind::ScheduleDisabled, data);
    log::record(tx, None, None, &event).await
}

/// Deals with a tick without a run; answers whether it was still to be dealt with.
#[derive(Debug)]
pub(super) struct Pass {
    pub(super) schedule: ScheduleId,
    pub(super) tick: Tick,
    pub(super) reason: String,
    /// It is something that a person should see to.
    pub(super) failed: bool,
}

#[async_trait]
impl Write for Pass {
    type Answer = bool;

    async fn write(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let id = self.schedule;
        if !step(tx, id, &self.tick).await? {
            return Ok(false);
        }
        let (name,): (String,) = tx.one(NAME, values![id.0]).await?;
        let occurrence = values![
            id.0,
            self.tick.at.0,
            None::<Uuid>,
            self.reason.as_str(),
            tx.now
        ];
        // A tick that comes again, as the clock was set back, has been dealt with.
        if tx.execute(OCCURRED, occurrence).await? == 1 {
            if self.failed {
                tx.execute(FAILED, values![id.0, self.reason.as_str()])
                    .await?;
            }
            let data =
                json!({"schedule": id, "name": name, "tick": self.tick.at, "reason": self.reason});
            let event = log::event(EventKind::ScheduleSkipped, data);
            log::record(tx, None, None, &event).await?;
        }
        ended(tx, id, &name, Some(self.tick)).await?;
        tx.changed_elsewhere();
        Ok(true)
    }
}
