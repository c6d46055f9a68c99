//! What has happened, as the log keeps it. Events may lack a run.

use super::{
    ids::{InstanceId, ProjectId, RunId},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The words of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The run is on disk.
    Accepted,
    /// An attempt has claimed the run.
    Started,
    /// What the agent says to the person.
    Message,
    /// What the agent says to itself.
    Thought,
    ToolCall,
    Plan,
    Usage,
    /// The agent asked for permission, and what the policy decided.
    Permission,
    /// A person is asked.
    Requested,
    /// A request has ended: who decided what.
    Answered,
    /// What the agent said of how far it is.
    Progress,
    /// Something was said to the run, was put to its agent, or was dropped with the run's end.
    Input,
    /// The run's worktree was made, kept, applied or dropped.
    WorktreeChanged,
    /// Given back to the queue without using up an attempt.
    Released,
    /// An attempt did not do the run's work, which is tried again: which attempt, what kind of failure, after how long.
    Retried,
    /// Its host was forgotten: it waits for another one.
    HandedOver,
    CancelRequested,
    Concluded,
    Finished,
    InstanceChanged,
    ProjectChanged,
    /// A peer works in another project now.
    ProjectSwitched,
    /// Stopped, running, error, initializing or missing now.
    ProjectStatusChanged,
    /// It was to be activated and has no `.eyas.toml`.
    ProjectInitRequired,
    /// How many runs of a project are open now.
    DelegationChanged,
    /// A schedule's time has come, and its run is on disk.
    ScheduleFired,
    /// A schedule's time has come, and no run was begun: why.
    ScheduleSkipped,
    /// A schedule has no next time any more.
    ScheduleDisabled,
    /// Of one watcher alone and in no log: it did not keep up. Its cursor is that of the event before it, where reading goes on and whoever
    /// comes back begins. Nothing was left out, unless `pruned` is true: then it comes back so late that some events are not kept any more.
    Lagged,
}

impl EventKind {
    /// The word in the store and on the wire.
    #[must_use]
    pub fn as_str(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

/// An event to be appended. The store adds cursor, moment and number.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    pub kind: EventKind,
    /// A JSON object.
    pub data: serde_json::Value,
}

/// An event of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Opaque; later events have later cursors, not consecutive ones.
    pub cursor: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Gap-free within its run, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_seq: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    pub kind: EventKind,
    pub at: Timestamp,
    pub data: serde_json::Value,
}
