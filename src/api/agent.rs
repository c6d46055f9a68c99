//! `agent.*`: programs that do the work.

use crate::domain::{agent::Agent, fault::Fault, page::Page};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// All agents: there are few, one page holds them.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentList {}

/// An agent by id.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentId {
    /// Agent id, such as "claude".
    pub id: String,
}

/// Verbs on agents.
#[rpc(server, client, namespace = "agent", namespace_separator = ".")]
pub trait AgentApi {
    /// Agents with a definition, and whether each is installed.
    #[method(name = "list")]
    async fn list(&self, params: AgentList) -> Result<Page<Agent>, Fault>;
    /// One agent.
    #[method(name = "get")]
    async fn get(&self, params: AgentId) -> Result<Agent, Fault>;
    /// Finds its program; `agent_not_found` with the command that installs it.
    #[method(name = "resolve")]
    async fn resolve(&self, params: AgentId) -> Result<Agent, Fault>;
}
