//! A git worktree of a run's own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a run's agent works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// In the project's tree.
    #[default]
    Shared,
    /// In a git worktree and on a branch of its own, outside the project's tree.
    Worktree,
}

/// What has become of a worktree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WorktreeState {
    /// To be made when the run starts.
    Planned,
    /// There.
    Open,
    /// A person keeps it: never collected.
    Kept,
    /// Its changes were taken over into the project's tree; gone.
    Applied,
    /// Gone with what was in it, or with nothing in it.
    Dropped,
}

/// A run's worktree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Worktree {
    /// Absolute path.
    pub path: String,
    /// `eyas/<something short>`.
    pub branch: String,
    /// The commit it began from, once it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    pub state: WorktreeState,
    /// Why nobody could look into it after the run; it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
