//! What is remembered of schedules.

use super::{PageAt, StoreError};
use crate::domain::{
    ids::{ScheduleId, SessionId},
    page::Page,
    schedule::{Overlap, Schedule, Tick, UsedUp},
    time::Timestamp,
};
use async_trait::async_trait;

/// Why a schedule's run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    pub schedule: ScheduleId,
    /// `None`: a person asked for it.
    pub tick: Option<Tick>,
    pub overlap: Overlap,
    /// When the period of its allowance began; `None`: it has none.
    pub since: Option<Timestamp>,
}

/// Schedules. A tick goes with the run that is accepted for it: [`super::NewRun::occasion`].
#[async_trait]
pub trait Schedules: Send + Sync + std::fmt::Debug {
    /// A new row; `NameExists` when the name is taken.
    async fn insert(&self, schedule: Schedule) -> Result<(), StoreError>;
    /// Replaces what a person sets in the row of `schedule.id`; what it did stays, and its next run opens a conversation anew.
    async fn update(&self, schedule: Schedule) -> Result<(), StoreError>;
    /// Removes it; its runs stay.
    async fn delete(&self, id: ScheduleId) -> Result<(), StoreError>;
    /// By id.
    async fn get(&self, id: ScheduleId) -> Result<Schedule, StoreError>;
    /// By name.
    async fn by_name(&self, name: &str) -> Result<Schedule, StoreError>;
    /// By name.
    async fn list(&self, page: PageAt) -> Result<Page<Schedule>, StoreError>;
    /// Some whose next time has come, the longest waiting first.
    async fn due(&self, now: Timestamp) -> Result<Vec<Schedule>, StoreError>;
    /// The next time of all; `None` when none is active.
    async fn next(&self) -> Result<Option<Timestamp>, StoreError>;
    /// The conversation in which its runs queue, if there is one.
    async fn session(&self, id: ScheduleId) -> Result<Option<SessionId>, StoreError>;
    /// What the runs that it has begun since then, and all below them, have used up.
    async fn used(&self, id: ScheduleId, since: Timestamp) -> Result<UsedUp, StoreError>;
    /// Moves on by a tick without a run; `false` when it was not at that tick. `failed`: the reason stays to be seen.
    async fn pass(
        &self,
        id: ScheduleId,
        tick: Tick,
        reason: String,
        failed: bool,
    ) -> Result<bool, StoreError>;
}
