//! What is said to a run after it was delegated, and what can be said to it.

use crate::domain::{
    ids::RunId,
    input::{Delivery, InputMode},
    run::Run,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A message to a run.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunInput {
    /// Run id.
    pub id: RunId,
    /// A further prompt for its agent.
    pub message: String,
    /// queue: after the inputs that wait; followup: before them; steer: into the turn under way where the agent takes it, else as followup;
    /// interrupt: cancels the turn and goes on with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<InputMode>,
    /// The same key with the same message is delivered once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// The run that has the message, and how it was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunDelivery {
    #[serde(flatten)]
    pub run: Run,
    pub delivery: Delivery,
}
