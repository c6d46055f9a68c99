//! A delegation that is made again and again, by the calendar.

mod allowance;
mod calendar;
mod due;

pub use allowance::{Allowance, Period, UsedUp};
pub use calendar::Calendar;
pub use due::{Due, Tick, due};

use super::{
    fault::Fault,
    ids::{RunId, ScheduleId},
    run::Mode,
    spent::Budget,
    time::Timestamp,
    worktree::Isolation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Ticks that are made up for at most, whatever is asked.
pub const MOST_MISSED: u32 = 100;
/// Ticks that are made up for by `all`, if nothing is said.
pub const SOME_MISSED: u32 = 10;
/// How many times to come are shown.
const SHOWN: usize = 5;

/// What happens at a tick while a run of the schedule is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// No run is begun.
    #[default]
    Skip,
    /// The new run waits: all of them are one conversation.
    Queue,
    /// The new run works beside it.
    Parallel,
}

/// What happens with ticks at which no hub was there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Misfire {
    /// One run for all of them.
    #[default]
    Once,
    /// None.
    Skip,
    /// A run for each, the last few: `misfire_max`.
    All,
}

/// What is delegated at each tick. Names mean what they mean then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Work {
    pub prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Of each run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// A schedule as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Schedule {
    pub id: ScheduleId,
    /// Unique.
    pub name: String,
    /// Five fields or a form such as `@daily`.
    pub cron: String,
    /// IANA name.
    pub zone: String,
    #[serde(flatten)]
    pub work: Work,
    pub overlap: Overlap,
    pub misfire: Misfire,
    pub misfire_max: u32,
    /// What its runs may use up together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowance: Option<Allowance>,
    /// What they have of it, where one schedule with an allowance is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<UsedUp>,
    /// It has a next time.
    pub active: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// The last tick at which a run was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<RunId>,
    /// The next five times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_times: Vec<Timestamp>,
    /// Why it is not active, where nobody asked for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
    /// Why no run was begun at the last tick.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    pub created_at: Timestamp,
}

impl Schedule {
    /// When its ticks are.
    ///
    /// # Errors
    /// `invalid_params` naming `cron` or `zone`.
    pub fn calendar(&self) -> Result<Calendar, Fault> {
        Calendar::new(&self.cron, &self.zone)
    }

    /// When the period of its allowance began in which a moment lies. One without an allowance, or whose calendar cannot be read, has none.
    #[must_use]
    pub fn period_of(&self, moment: Timestamp) -> Option<Timestamp> {
        let per = self.allowance?.per;
        Some(self.calendar().ok()?.begin_of(per, moment))
    }

    /// The same, with the times to come.
    #[must_use]
    pub fn shown(mut self) -> Self {
        self.next_times = match (self.next_at, self.calendar()) {
            (Some(next), Ok(calendar)) => calendar.from(next).take(SHOWN).collect(),
            (Some(next), Err(_)) => vec![next],
            (None, _) => Vec::new(),
        };
        self
    }
}
