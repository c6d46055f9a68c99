//! An instance: one persona placed in one workspace.

use super::{
    ids::{InstanceId, ProjectId},
    time::Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Place in the hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Creates captains and projects.
    Commander,
    /// Leads one project; creates talons for it.
    Captain,
    /// Does one bounded piece of work; creates nothing.
    Talon,
}

/// Where an instance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstanceStatus {
    /// Placed, never started; a delegation starts it.
    Created,
    Starting,
    /// Started: its warm agent is pinned.
    Running,
    /// Stopped by a person: delegations are refused until it is started.
    Stopped,
    /// The last start failed.
    Error,
}

/// What was last seen of its agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    #[default]
    Unknown,
    Healthy,
    Unhealthy,
}

/// An instance as stored and as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    pub id: InstanceId,
    /// Unique slug among the instances that are not in the trash.
    pub name: String,
    pub display_name: String,
    /// Persona id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Agent id; must be installed when named here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Name of the instance above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    /// Overrides the persona's model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Absolute path of its workspace: identity files, never the project.
    pub workspace: String,
    pub status: InstanceStatus,
    pub health: Health,
    pub restart_count: u32,
    pub created_at: Timestamp,
    /// When it went to the trash; deleted instances are kept 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// The host that it lives on, if that is another than the one that answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
}
