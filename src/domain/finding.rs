//! What a look at a home has shown.

use super::{ids::RunId, time::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is to be thought of it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Fine,
    /// Good to know; nothing need be done.
    Notice,
    /// Something does not work.
    Wrong,
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    pub level: Level,
    pub what: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Finding {
    #[must_use]
    pub fn new(level: Level, what: impl Into<String>) -> Self {
        Self {
            level,
            what: what.into(),
            hint: None,
        }
    }

    #[must_use]
    pub fn fine(what: impl Into<String>) -> Self {
        Self::new(Level::Fine, what)
    }

    #[must_use]
    pub fn notice(what: impl Into<String>) -> Self {
        Self::new(Level::Notice, what)
    }

    #[must_use]
    pub fn wrong(what: impl Into<String>) -> Self {
        Self::new(Level::Wrong, what)
    }

    /// The same finding with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// All that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// Nothing is wrong.
    pub sound: bool,
    /// A hub of this home was there, and looked by itself.
    pub by_hub: bool,
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    #[must_use]
    pub fn of(findings: Vec<Finding>, by_hub: bool) -> Self {
        let sound = findings.iter().all(|one| one.level != Level::Wrong);
        Self {
            sound,
            by_hub,
            findings,
        }
    }
}

/// What a hub found of those before it when it began, and did about it. Kept as a file of the home, for whoever looks later.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recovery {
    /// When it began.
    pub at: Timestamp,
    /// Taken from hubs that died.
    pub runs: Vec<RunId>,
    /// Ended by their identity records.
    pub processes: Vec<u32>,
    /// Identity records that were removed.
    pub records: u32,
    /// Removed: nothing would be lost with them, or they were never made whole.
    pub worktrees: Vec<String>,
    /// It has looked at all of it.
    pub complete: bool,
}
