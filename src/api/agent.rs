//! `agent.*`: programs that do the work.

use crate::domain::{agent::Agent, fault::Fault, finding::Diagnosis, page::Page, probe::Probe};
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

/// What is to be installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentInstall {
    /// Agent id, such as "claude".
    pub id: String,
    /// A version, or `latest`: the newest in the depot, else the newest that can be had. Without it the one that is pinned, else the
    /// definition's own, else `latest`.
    #[serde(default)]
    pub version: Option<String>,
    /// The newest that can be had, whatever is there.
    #[serde(default)]
    pub newest: bool,
    /// Fetches nothing.
    #[serde(default)]
    pub local: bool,
    /// How long to wait, in milliseconds; 0 answers at once. What takes longer goes on: the agent then says what is being done, and the same
    /// call waits again. At most 45,000.
    #[serde(default)]
    pub wait_ms: Option<u64>,
}

/// A version, or all of them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentRemove {
    /// Agent id, such as "claude".
    pub id: String,
    /// Without it all versions.
    #[serde(default)]
    pub version: Option<String>,
}

/// Definitions in the format of the public registry of ACP agents.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentAdd {
    /// An absolute path, or an address: the registry, or one agent of it.
    pub from: String,
    /// Which agents; without it the only one there is.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Over a definition of yours that has the same id.
    #[serde(default)]
    pub replace: bool,
}

/// What was reset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AgentReset {
    pub id: String,
    /// It was broken.
    pub was_broken: bool,
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
    /// Installs a version into the depot and pins it.
    #[method(name = "install", with_extensions)]
    async fn install(&self, params: AgentInstall) -> Result<Agent, Fault>;
    /// Removes versions from the depot; `in_use` while one runs.
    #[method(name = "remove", with_extensions)]
    async fn remove(&self, params: AgentRemove) -> Result<Agent, Fault>;
    /// Writes definitions of agents that a registry lists.
    #[method(name = "add", with_extensions)]
    async fn add(&self, params: AgentAdd) -> Result<Page<Agent>, Fault>;
    /// Starts it, asks what it can do and whether somebody has logged in, and ends it.
    #[method(name = "probe", with_extensions)]
    async fn probe(&self, params: AgentId) -> Result<Probe, Fault>;
    /// Looks at all that it needs, and probes it.
    #[method(name = "doctor", with_extensions)]
    async fn doctor(&self, params: AgentId) -> Result<Diagnosis, Fault>;
    /// Lets an agent be started again that ended by itself too often. A person's alone.
    #[method(name = "reset", with_extensions)]
    async fn reset(&self, params: AgentId) -> Result<AgentReset, Fault>;
}
