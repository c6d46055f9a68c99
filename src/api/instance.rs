//! `instance.*`: personas placed in workspaces.

use super::given;
use crate::domain::{
    fault::Fault,
    instance::{Instance, InstanceStatus, Role},
    page::Page,
};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which instances to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceList {
    /// Project by name, id or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Only those in this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<InstanceStatus>,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// An instance by name or id.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceName {
    /// Instance name, or its id.
    pub name: String,
}

/// A new instance.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceCreate {
    /// Unique name: lower-case words joined by hyphens, at most 63 characters.
    pub name: String,
    /// Name for people; made from `name` otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Persona id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Agent id, which must be installed; the persona's preference otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Project by name, id or path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// Place in the hierarchy; the persona's otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Name of the instance above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Model id in the agent's own words; overrides the persona's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A captain for a project that has one: the old one is stopped and leads it no more; its open runs go on.
    pub replace: bool,
    /// Launch and pin its agent at once.
    pub auto_start: bool,
    /// Write nothing; answer with the files that would be written.
    pub dry_run: bool,
    /// The same key with the same request gives the same instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
}

/// Changes to an instance; null clears a field.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceUpdate {
    /// Instance name, or its id.
    pub name: String,
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Persona id.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub persona: Option<Option<String>>,
    /// Agent id.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub agent: Option<Option<String>>,
    /// Model id.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub model: Option<Option<String>>,
}

/// A file that an instance's workspace has, or would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdentityFile {
    /// Plain name, such as `SOUL.md`.
    pub name: String,
    pub content: String,
}

/// An instance, with its files where they were asked for or written anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InstanceView {
    #[serde(flatten)]
    pub instance: Instance,
    /// With `dry_run`: every file that would be written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<IdentityFile>,
    /// After a render: names of the user's edited files that were kept aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<String>,
    /// The idempotency key was seen before with this very request: this is the instance of then, as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<bool>,
}

/// Verbs on instances.
#[rpc(server, client, namespace = "instance", namespace_separator = ".")]
pub trait InstanceApi {
    /// Instances by name, those in the trash left out.
    #[method(name = "list")]
    async fn list(&self, params: InstanceList) -> Result<Page<Instance>, Fault>;
    /// One instance with its identity files.
    #[method(name = "get")]
    async fn get(&self, params: InstanceName) -> Result<InstanceView, Fault>;
    /// Places a persona in a workspace: all files or none.
    #[method(name = "create", with_extensions)]
    async fn create(&self, params: InstanceCreate) -> Result<InstanceView, Fault>;
    /// Changes an instance; its files are rendered anew.
    #[method(name = "update", with_extensions)]
    async fn update(&self, params: InstanceUpdate) -> Result<InstanceView, Fault>;
    /// Launches and pins its agent.
    #[method(name = "start", with_extensions)]
    async fn start(&self, params: InstanceName) -> Result<InstanceView, Fault>;
    /// Cancels its runs and unpins its agent; delegations are refused until it is started.
    #[method(name = "stop", with_extensions)]
    async fn stop(&self, params: InstanceName) -> Result<InstanceView, Fault>;
    /// Stops and starts.
    #[method(name = "restart", with_extensions)]
    async fn restart(&self, params: InstanceName) -> Result<InstanceView, Fault>;
    /// Stops it and moves it to the trash, kept 30 days.
    #[method(name = "delete", with_extensions)]
    async fn delete(&self, params: InstanceName) -> Result<InstanceView, Fault>;
    /// Brings the last deleted one of that name back.
    #[method(name = "restore", with_extensions)]
    async fn restore(&self, params: InstanceName) -> Result<InstanceView, Fault>;
    /// Renders its identity files anew; files that a person edited are kept aside and named.
    #[method(name = "render", with_extensions)]
    async fn render(&self, params: InstanceName) -> Result<InstanceView, Fault>;
}
