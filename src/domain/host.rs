//! A host: a machine whose hub works on what is in the store.

use super::{
    ids::{HostId, HubId, RunId},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether its hub is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostState {
    /// It was seen lately.
    Alive,
    /// It was not seen for longer than its leases last, and did not say that it would end.
    Silent,
    /// It ended in order.
    Away,
    /// A person gave its queued runs to another one. It comes back by starting.
    Forgotten,
}

/// A host as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Host {
    pub id: HostId,
    /// Unique: its own name for itself, with an end to it where another has that.
    pub name: String,
    /// The home of its hub, on that machine.
    pub home: String,
    pub state: HostState,
    /// The one that answers.
    pub own: bool,
    /// It begins nothing new.
    pub draining: bool,
    /// Of its hub's binary.
    pub version: String,
    /// The present or last life of its hub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub: Option<HubId>,
    /// Attempts at once.
    pub slots: u32,
    /// Agents that it can run.
    pub agents: Vec<String>,
    /// Who works there when nobody says who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_agent: Option<String>,
    /// Runs that its hub holds.
    pub running: u32,
    /// Runs that wait for it.
    pub queued: u32,
    /// When its hub started.
    pub started_at: Timestamp,
    pub seen_at: Timestamp,
}

/// What became of the queued runs of a host that was forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Forgotten {
    /// As it is now.
    pub host: Host,
    /// Runs that wait for the other host from now on.
    pub moved: Vec<RunId>,
    /// Runs that wait for the forgotten host still, should it ever come back.
    pub left: Vec<LeftBehind>,
}

/// A run that nobody else could take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LeftBehind {
    pub run: RunId,
    pub why: String,
}
