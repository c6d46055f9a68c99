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

impl Usage {
    /// Both together; what neither said stays unsaid.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        fn both<T>(one: Option<T>, two: Option<T>, add: impl Fn(T, T) -> T) -> Option<T> {
            match (one, two) {
                (Some(one), Some(two)) => Some(add(one, two)),
                (one, two) => one.or(two),
            }
        }
        let sum = |one, two| both(one, two, u64::saturating_add);
        Self {
            input_tokens: sum(self.input_tokens, other.input_tokens),
            output_tokens: sum(self.output_tokens, other.output_tokens),
            total_tokens: sum(self.total_tokens, other.total_tokens),
            cost_usd: both(self.cost_usd, other.cost_usd, |one, two| one + two),
        }
    }

    /// All tokens, as far as it is known.
    #[must_use]
    pub fn tokens(&self) -> Option<u64> {
        self.total_tokens.or_else(|| {
            Some(
                self.input_tokens?
                    .saturating_add(self.output_tokens.unwrap_or(0)),
            )
        })
    }

    /// Nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
