//! What an agent says of itself when it is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether an agent has let us in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// It opened a session: somebody has logged in, or it needs nobody to.
    Ready,
    /// It wants somebody to log in first.
    Needed,
    /// It opened no session, for another reason.
    Unknown,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is one capability of the protocol"
)]
pub struct Probe {
    pub agent: String,
    /// Where the program is that was asked.
    pub program: String,
    /// Of the protocol.
    pub protocol_version: u32,
    /// As it calls itself.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    pub load: bool,
    pub resume: bool,
    pub close: bool,
    pub system_prompt: bool,
    /// How a person may log in, in its own words.
    pub auth_methods: Vec<String>,
    pub login: Login,
    /// Why it opened no session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// From its start to its hello.
    pub hello_ms: u64,
}
