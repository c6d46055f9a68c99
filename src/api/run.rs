//! `run.*`: durable delegations.

use super::input::{RunDelivery, RunInput};
use crate::domain::{
    event::Event,
    fault::Fault,
    ids::{RunId, SessionId},
    input::Interaction,
    page::Page,
    policy::PolicyWish,
    retry::Retry,
    run::{Attempt, Mode, Run, RunState},
    snapshot::Snapshot,
    spent::Budget,
    stats::RunStats,
    time::Timestamp,
    worktree::Isolation,
};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A prompt for an agent.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Delegate {
    /// What is to be done, complete in itself.
    pub prompt: String,
    /// Instance by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Project by name, id or path; the caller's directory otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Persona id, for a delegation without an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Agent id, which must be installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// auto: reuse a warm agent or start one; warm: never cold; cold: a process of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Session to continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// Run whose session to continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<RunId>,
    /// May write in the working tree while another run does.
    pub concurrent: bool,
    /// Wall time of the whole run, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// The same key with the same request gives the same run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Free text to find it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Runs of one lane share turn slots.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lane: Option<String>,
    /// How far it may go, within the person's `policy.max_*`; what is left out stays as it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyWish>,
    /// shared: in the project's tree; worktree: in a git worktree and on a branch of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// How often it is tried again when its agent fails, and how soon.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// What it may use up; reaching one of these ends it as `failed` with its conclusion so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Your own name for a session, unique per project: its first use opens the session, later ones continue it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_key: Option<String>,
    /// Added to who the agent is, for a new session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_system_prompt: Option<String>,
    /// Opaque text that is kept with the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
}

/// A run by id.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunRef {
    /// Run id.
    pub id: RunId,
}

/// A run whose worktree is to go.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunDrop {
    /// Run id.
    pub id: RunId,
    /// Also with work in it that is nowhere else.
    #[serde(default)]
    pub force: bool,
}

/// What a run did in its worktree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunDiff {
    /// A patch from the commit that it began from to the files as they are, committed or not.
    pub text: String,
    /// There is more.
    pub truncated: bool,
}

/// Which runs to list; newest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunList {
    /// Only those in this state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// Project by name, id or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Instance by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Only those that this run's agent delegated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<RunId>,
    /// Exact label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Also archived ones.
    pub archived: bool,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A run to wait for.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunWait {
    /// Run id.
    pub id: RunId,
    /// At most so long, in milliseconds; above 45,000 is taken as 45,000.
    pub wait_ms: u64,
    /// Also until a run below it waits for a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub below: bool,
}

/// A run to end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunCancel {
    /// Run id.
    pub id: RunId,
    /// Why, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// An answer to what a run's agent asks.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunAnswer {
    /// Run id.
    pub id: RunId,
    /// Id of one of its requests.
    pub request: String,
    /// Id of one of the request's options.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    /// Free text, for a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A run to be hidden from lists, or shown again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunArchive {
    /// Run id.
    pub id: RunId,
    /// false shows it again.
    #[serde(default = "yes")]
    pub archived: bool,
}

fn yes() -> bool {
    true
}

/// Which runs to add up.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunStatsOf {
    /// Project by name, id or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Instance by name or id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Agent id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Only those accepted at or after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

/// Events of a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunEvents {
    /// Run id.
    pub id: RunId,
    /// Cursor to read after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Verbs on runs.
#[rpc(server, client, namespace = "run", namespace_separator = ".")]
pub trait RunApi {
    /// Accepts a run; it is on disk when this answers.
    #[method(name = "delegate", with_extensions)]
    async fn delegate(&self, params: Delegate) -> Result<Run, Fault>;
    /// One run.
    #[method(name = "get")]
    async fn get(&self, params: RunRef) -> Result<Run, Fault>;
    /// Runs, newest first.
    #[method(name = "list")]
    async fn list(&self, params: RunList) -> Result<Page<Run>, Fault>;
    /// Answers when the run is terminal or waits for a person, or when the time is over.
    #[method(name = "wait")]
    async fn wait(&self, params: RunWait) -> Result<Run, Fault>;
    /// Asks for the end of a run; a terminal one is answered as it is.
    #[method(name = "cancel", with_extensions)]
    async fn cancel(&self, params: RunCancel) -> Result<Run, Fault>;
    /// A further prompt for its agent: another turn of the run, or, when it has ended, a new run in its session, which is then the one
    /// answered.
    #[method(name = "input", with_extensions)]
    async fn input(&self, params: RunInput) -> Result<RunDelivery, Fault>;
    /// Whether it can be spoken with, what waits to be put to its agent, and what that asks.
    #[method(name = "interaction")]
    async fn interaction(&self, params: RunRef) -> Result<Interaction, Fault>;
    /// Its states over time, oldest first.
    #[method(name = "snapshots")]
    async fn snapshots(&self, params: RunRef) -> Result<Page<Snapshot>, Fault>;
    /// Hides an ended run from lists, or shows it again; nothing is removed.
    #[method(name = "archive", with_extensions)]
    async fn archive(&self, params: RunArchive) -> Result<Run, Fault>;
    /// What runs add up to, archived ones too.
    #[method(name = "stats")]
    async fn stats(&self, params: RunStatsOf) -> Result<RunStats, Fault>;
    /// Answers what its agent asks. For a person alone.
    #[method(name = "answer", with_extensions)]
    async fn answer(&self, params: RunAnswer) -> Result<Run, Fault>;
    /// What has happened in it, oldest first.
    #[method(name = "events")]
    async fn events(&self, params: RunEvents) -> Result<Page<Event>, Fault>;
    /// Its attempts, oldest first.
    #[method(name = "attempts")]
    async fn attempts(&self, params: RunRef) -> Result<Page<Attempt>, Fault>;
    /// Takes what was done in its worktree over into the project's tree, as changes that are not committed, and removes the worktree.
    /// `in_use` naming the files that do not fit; nothing is changed then.
    #[method(name = "apply", with_extensions)]
    async fn apply(&self, params: RunRef) -> Result<Run, Fault>;
    /// Keeps its worktree until somebody applies or drops it.
    #[method(name = "keep", with_extensions)]
    async fn keep(&self, params: RunRef) -> Result<Run, Fault>;
    /// Removes its worktree; `in_use` saying what would be lost, unless forced.
    #[method(name = "drop", with_extensions)]
    async fn drop_worktree(&self, params: RunDrop) -> Result<Run, Fault>;
    /// What it did in its worktree, as a patch.
    #[method(name = "diff", with_extensions)]
    async fn diff(&self, params: RunRef) -> Result<RunDiff, Fault>;
}
