//! A project: a registered directory.

use super::{ids::ProjectId, time::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether agents are warm in it, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProjectStatus {
    /// No agent of ours is warm there.
    Stopped,
    /// At least one agent of ours is warm there.
    Running,
    /// Its agent could not be started, or it could not be initialised.
    Error,
    /// It waits to be initialised, or is being so.
    Initializing,
    /// The directory is gone.
    Missing,
}

/// A project as the API shows it: the stored row and what the pool says of it now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Project {
    pub id: ProjectId,
    /// The directory's name unless a name was given.
    pub name: String,
    /// Canonical absolute path of its root.
    pub path: String,
    pub status: ProjectStatus,
    /// It has an `.eyas.toml`.
    pub initialized: bool,
    /// A person trusts its `.eyas.toml` as it is.
    pub trusted: bool,
    /// Chosen by a person as the one worked in.
    pub active: bool,
    /// Served by another process.
    pub external: bool,
    /// Runs of this project that have not ended.
    pub delegations: u32,
    /// Its agent was started by a delegation, not by a person.
    pub delegation_spawned: bool,
    /// Agent of its most recently used warm process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// That agent's process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_opened_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// The host that it is on, if that is another than the one that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}

/// What the store keeps of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectRow {
    pub id: ProjectId,
    pub name: String,
    /// Canonical path of the root; unique on its host.
    pub path: String,
    /// A person unregistered it; only an explicit `register` brings it back.
    pub unregistered: bool,
    /// Digest of the `.eyas.toml` that a person trusts.
    pub trust: Option<String>,
    /// `Error` or `Initializing` while that holds; everything else is computed.
    pub status: Option<ProjectStatus>,
    pub last_opened_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Name of the host that it is on; `None`: this one.
    pub host: Option<String>,
}
