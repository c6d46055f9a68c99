//! What a turn uses up and changes while it goes on: its budget, and the books of what it touched.

use super::attempt::Attempt;
use crate::{
    agents::acp::{Touch, TurnEvent},
    domain::{
        fault::{ErrorKind, Fault},
        spent::Spent,
        usage::Usage,
    },
    store::{Progress, StoreError},
};
use std::time::Duration;

/// Calls that are named; of more it is enough to know that there were some.
const NAMED: usize = 8;
/// Between two tries to write that something is about to change, and how many there are: the agent waits.
const AGAIN: Duration = Duration::from_secs(1);
const TRIES: u32 = 5;

/// What the turn has cost so far, where the agent has just said so.
pub(super) fn cost_of(event: &TurnEvent) -> Option<f64> {
    match event {
        TurnEvent::Usage { turn_usd, .. } => Some(*turn_usd),
        TurnEvent::Message { .. }
        | TurnEvent::Thought { .. }
        | TurnEvent::ToolCall { .. }
        | TurnEvent::Plan { .. }
        | TurnEvent::Permission { .. }
        | TurnEvent::Learnt { .. } => None,
    }
}

impl Attempt<'_> {
    /// What is left of the time in which its agents may work.
    pub(super) fn wall_left(&self) -> Option<Duration> {
        let most = self.claimed.budget.wall_ms?;
        let worked = u64::try_from(self.pump.tally().duration_ms()).unwrap_or(0);
        let left = most
            .saturating_sub(self.spent_before().wall_ms)
            .saturating_sub(worked);
        Some(Duration::from_millis(left))
    }

    /// The turn has cost so much.
    pub(super) fn costs(&self, usd: f64) -> Result<(), Fault> {
        let usage = Usage {
            cost_usd: Some(usd),
            ..Usage::default()
        };
        let so_far = self.spent_before().plus(Spent {
            usage: self.course.spent(Some(usage)).unwrap_or(usage),
            ..Spent::default()
        });
        self.claimed.budget.reached(&so_far).map_or(Ok(()), Err)
    }

    /// The agents of this run have worked as long as they may.
    pub(super) fn out_of_time(&self) -> Fault {
        let most = self.claimed.budget.wall_ms.unwrap_or_default();
        let spent = Spent {
            wall_ms: most,
            ..Spent::default()
        };
        let reached = self.claimed.budget.reached(&spent);
        reached.unwrap_or_else(|| Fault::new(ErrorKind::BudgetReached, "its time is used up"))
    }

    /// What this attempt and those before it used up; `usage` is this one's.
    pub(super) fn spent(&self, usage: Option<Usage>) -> Spent {
        let tally = self.pump.tally();
        self.spent_before().plus(Spent {
            usage: usage.unwrap_or_default(),
            turns: self.course.put,
            wall_ms: u64::try_from(tally.duration_ms()).unwrap_or(0),
        })
    }

    /// Something is about to change, or has begun to. The first of it is on disk before the agent is told that it may; where that cannot be
    /// written it may not.
    pub(super) async fn touches(&mut self, touch: Touch) -> Result<(), Fault> {
        self.heard = true;
        let first = self.touched.is_empty();
        if self.touched.len() < NAMED && !self.touched.contains(&touch.title) {
            self.touched.push(touch.title.clone());
            let touched = self.touched.clone();
            self.pump.note(|note| note.touched = touched);
        }
        if (first || touch.is_awaited()) && !self.write_touched().await? {
            // Dropped: the agent is told no. One that did not ask has begun all the same, and it is written when it can be.
            return Ok(());
        }
        touch.keep();
        Ok(())
    }

    /// Whether it is on disk.
    async fn write_touched(&mut self) -> Result<bool, Fault> {
        let lease = self.claimed.lease;
        let mut progress = Progress::default();
        progress.note.touched.clone_from(&self.touched);
        for tried in 1..=TRIES {
            let written = self.tools.store.runs.append(lease, progress.clone()).await;
            match written {
                Ok(()) => return Ok(true),
                Err(lost @ StoreError::LeaseLost(_)) => return Err(lost.into()),
                Err(error) => {
                    tracing::warn!(run.id = %lease.run, %error, "it was not written that its agent changes something");
                }
            }
            if tried < TRIES {
                tokio::time::sleep(AGAIN).await;
            }
        }
        Ok(false)
    }
}
