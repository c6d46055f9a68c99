//! What an agent reports at the end of a run, and where each report came from.

use super::{ids::RunId, usage::Usage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The agent's own verdict, capped by the outcome of the run: a crashed turn is never a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConclusionStatus {
    Success,
    Partial,
    Failed,
    Blocked,
}

/// Where a conclusion came from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConclusionSource {
    /// The `conclude` tool of the session's own MCP server.
    Tool,
    /// A final `<eyas:conclusion>` block.
    Block,
    /// The tail of the answer.
    Synthesized,
}

/// What an agent says of its work, by the `conclude` tool or in its final block: the part of a conclusion that is its own word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// How it went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConclusionStatus>,
    /// What was done and found, for whoever delegated.
    pub summary: String,
    /// Paths of files that were written or matter.
    pub artifacts: Vec<String>,
    /// Notes worth remembering.
    pub memory_refs: Vec<String>,
    /// What should be done next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<String>,
    /// What could not be decided.
    pub questions: Vec<String>,
    /// 0.0 to 1.0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// What whoever reads this should be careful with.
    pub warnings: Vec<String>,
}

/// How a file was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileStatus {
    Added,
    Modified,
    Deleted,
    Renamed,
    /// Not under version control.
    Untracked,
}

/// A file that changed during a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileChange {
    /// Relative to the work tree.
    pub path: String,
    pub status: FileStatus,
    /// Lines; absent for binary files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub added: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<u64>,
}

/// A commit made during a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Full object id.
    pub id: String,
    /// First line of its message.
    pub subject: String,
}

/// What git shows of a run's work, against how it was when the run's first turn began. What others changed meanwhile in the same tree is in it
/// too: only a worktree is the run's alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Changes {
    /// HEAD before; absent in a repository without a commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
    /// HEAD afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// By path; at most 200.
    pub files: Vec<FileChange>,
    /// Lines over all files, those not listed too.
    pub added: u64,
    pub removed: u64,
    /// Oldest first; at most 50.
    pub commits: Vec<Commit>,
    /// More files or commits than are listed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Other runs that changed the same files at the same time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overlaps: Vec<RunId>,
}

/// Tool calls of a run, as its agent told of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolCounts {
    pub total: u32,
    pub failed: u32,
    /// By the protocol's word for the kind: read, edit, execute, …
    pub by_kind: BTreeMap<String, u32>,
}

/// The conclusion of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Conclusion {
    pub status: ConclusionStatus,
    /// At most 6,000 tokens or so; a longer answer keeps its tail.
    pub summary: String,
    /// Paths that the agent cites.
    #[serde(default)]
    pub artifacts: Vec<String>,
    #[serde(default)]
    pub memory_refs: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<String>,
    #[serde(default)]
    pub questions: Vec<String>,
    /// 0.0 to 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// What was odd about the report itself.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub source: ConclusionSource,
    /// What git shows; absent without a work tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolCounts>,
    /// Wall time of the turns, not of waiting in the queue.
    pub duration_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The most memory that was seen of its agent with all it started, in bytes; absent where it ended before anybody looked. A warm agent's
    /// other conversations are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
    /// The agent's word for the end of its last turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}
