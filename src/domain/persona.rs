//! A persona: a reusable description of who an agent should be.

use super::instance::Role;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where a persona comes from. A user's file with a catalogue id overrides the built-in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Embedded in the binary.
    Builtin,
    /// A file in the home.
    User,
}

/// How hard a model should think, where the agent can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasoningLevel {
    Low,
    Medium,
    High,
}

/// A persona as the API shows it. On disk: Markdown with YAML front matter (`name` is the id, `title` the name, the body the system prompt),
/// a superset of Claude Code's sub-agent files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Persona {
    /// Slug; the file's stem.
    pub id: String,
    /// For people.
    pub name: String,
    /// Short free text, such as "reviewer".
    pub role: String,
    /// When to use it: what a model reads to choose.
    pub description: String,
    /// Free text; the catalogue uses engineering, quality, operations, data, product, leadership.
    pub category: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
    /// What the agent is told it is.
    pub system_prompt: String,
    #[serde(default)]
    pub traits: Vec<String>,
    /// Names of tools, in the words of the agent that has them.
    #[serde(default)]
    pub tools: Vec<String>,
    /// Model id in the agent's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// 0.0 to 1.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Tokens of one answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_level: Option<ReasoningLevel>,
    /// Preferred agent: a preference, skipped when it is not installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Identity files of its own: plain file name → template text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub identity_templates: BTreeMap<String, String>,
    /// What it remembers from the start; one line of MEMORY.md each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory_seeds: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hierarchy_role: Option<Role>,
    pub source: Source,
    /// Front matter keys that Eyas gives no meaning (`color`, `permissionMode`, …), kept in order so that an export loses nothing.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub extra: serde_json::Map<String, serde_json::Value>,
}
