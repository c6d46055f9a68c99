//! What a run cost, as far as its agent says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Tokens and money; absent where the agent did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_tokens: Option<u64>,
    /// US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// What a run and all below it have cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TreeUsage {
    /// Runs below it, at any depth.
    pub runs: u32,
    /// Its own and theirs.
    pub usage: Usage,
    /// Every one of them has ended and has said what it cost.
    pub complete: bool,
}
