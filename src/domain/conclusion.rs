//! What an agent reports at the end of a run, and where each report came from.

use super::usage::Usage;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Wall time of the turns, not of waiting in the queue.
    pub duration_ms: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// The agent's word for the end of its last turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
}
