//! `hub.*`: the process that owns agents and runs.

use crate::domain::{
    breaker::ClassView,
    caller::Token,
    fault::Fault,
    finding::Diagnosis,
    host::Host,
    ids::{HubId, PeerId},
    page::Page,
    time::Timestamp,
};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// No parameters.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Nothing {}

/// What a face says of itself when it joins. Optional: a peer that never joins has no directory and sends no environment.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HubJoin {
    /// `mcp`, `rpc`, `cli`, `acp`.
    pub face: String,
    /// Version of its binary.
    pub version: String,
    /// Directory it runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// The values that agents may see, by name. Kept in memory only, never stored, never logged.
    pub env: BTreeMap<String, String>,
    /// Given to the tools of a session, who have that session's rights from here on, while a run of it is worked on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A hub as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HubView {
    pub id: HubId,
    pub version: String,
    /// API revision.
    pub revision: u32,
    pub pid: u32,
    pub home: String,
    /// Where it listens; absent in process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    pub started_at: Timestamp,
    /// Connected faces.
    pub peers: u32,
    /// Runs that have not ended.
    pub open_runs: u32,
    /// Warm agents.
    pub agents: Vec<WarmAgent>,
    /// Agents that a person must look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<BrokenAgent>,
    /// Classes of work (place, agent, lane) that have something to do or that are degraded; told by `info` alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassView>,
    /// New work is refused: it is about to end.
    pub draining: bool,
    /// How long runs are kept after their end, in milliseconds; absent = for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_retention_ms: Option<u64>,
    /// This machine and those that it shares its store with.
    #[serde(default)]
    pub hosts: Vec<Host>,
    /// Names whose values a face should send when it joins; a trailing `*` stands for any ending.
    pub env_names: Vec<String>,
}

/// A warm agent as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WarmAgent {
    pub agent: String,
    /// Root it serves.
    pub root: String,
    pub pid: u32,
    /// Turns under way.
    pub busy: u32,
    /// Sessions opened ahead.
    pub spare: u32,
    /// Kept however long it is idle.
    pub pinned: bool,
    /// Grows with each process of the same key.
    pub generation: u64,
    /// Bytes that it takes with all it started, shared ones in part; absent until that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
}

/// An agent that ended by itself again and again, and is not started any more until a person says so (`agent.reset`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BrokenAgent {
    pub agent: String,
    /// Root it served.
    pub root: String,
    /// How often it had ended, too soon after one another.
    pub times: u32,
    pub since: Timestamp,
}

/// A connected face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PeerView {
    pub id: PeerId,
    pub face: String,
    pub version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
    /// `person`, `session` or `stray`.
    pub caller: String,
    pub joined_at: Timestamp,
}

/// How a hub is to end.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HubShutdown {
    /// End even with runs under way: they go back to the queue. Otherwise `busy`, naming them.
    pub now: bool,
    /// Take no new work and end when the last run has ended.
    pub wait: bool,
}

/// Verbs on the hub.
#[rpc(server, client, namespace = "hub", namespace_separator = ".")]
pub trait HubApi {
    /// A face says where it runs and what its agents may see.
    #[method(name = "join", with_extensions)]
    async fn join(&self, params: HubJoin) -> Result<HubView, Fault>;
    /// The hub as it is now.
    #[method(name = "info")]
    async fn info(&self, params: Nothing) -> Result<HubView, Fault>;
    /// Connected faces.
    #[method(name = "peers")]
    async fn peers(&self, params: Nothing) -> Result<Page<PeerView>, Fault>;
    /// Looks at the hub's home and all around it: what does not work, what is installed, what was recovered. A person's alone.
    #[method(name = "doctor", with_extensions)]
    async fn doctor(&self, params: Nothing) -> Result<Diagnosis, Fault>;
    /// Ends the hub.
    #[method(name = "shutdown", with_extensions)]
    async fn shutdown(&self, params: HubShutdown) -> Result<HubView, Fault>;
}
