//! An agent: a program that speaks ACP, and how it is launched.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The agent that is always there.
pub const EMBEDDED: &str = "embedded";

/// Who wrote a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AgentSource {
    Builtin,
    /// `<home>/agents/*.toml`.
    User,
}

/// What is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Launch {
    /// A name looked up on PATH, or an absolute path.
    pub command: String,
    #[serde(default)]
    pub args: Vec<String>,
    /// Set for the process, beside what `pass` lets through.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// What of the caller's environment an agent may see, beside the common set.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EnvRules {
    /// Names; a trailing `*` stands for any ending.
    pub pass: Vec<String>,
    /// Names without which the agent cannot work.
    pub required: Vec<String>,
}

/// Whose the MCP servers are that an agent is given with a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum McpScope {
    /// Each session has its own.
    #[default]
    Session,
    /// All sessions of a process see those of all: they are told apart by their names alone.
    Process,
    /// It takes none.
    None,
}

/// How long each step may take, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    pub initialize_ms: u64,
    pub session_ms: u64,
    /// Of one whole turn.
    pub prompt_ms: u64,
    /// Of a cancelled turn's answer and of the end of stdin.
    pub close_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            initialize_ms: 30_000,
            session_ms: 120_000,
            prompt_ms: 3_600_000,
            close_ms: 5_000,
        }
    }
}

/// How to find, launch and speak to an agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentDefinition {
    pub id: String,
    pub name: String,
    pub launch: Launch,
    #[serde(default)]
    pub env: EnvRules,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub mcp_scope: McpScope,
    /// The command that installs it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install: Option<String>,
    pub source: AgentSource,
}

/// An agent as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agent {
    #[serde(flatten)]
    pub definition: AgentDefinition,
    /// Its program was found.
    pub installed: bool,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}
