//! `project.*`: registered directories.

use super::hub::Nothing;
use crate::domain::{
    fault::Fault,
    ids::{InstanceId, RunId, SessionId},
    page::Page,
    project::Project,
};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which projects to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectList {
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A project by name, id or path.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectName {
    /// Project name, id, or path.
    pub project: String,
}

/// A directory to register.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectRegister {
    /// Absolute path, or relative to the face's directory; its root is the enclosing git work tree.
    pub path: String,
    /// Name for people; the directory's otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// A new name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectRename {
    /// Project name, id, or path.
    pub project: String,
    /// New name.
    pub name: String,
}

/// What to trust.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectTrust {
    /// Project name, id, or path.
    pub project: String,
    /// Digest of what was looked at; refused when the file is another by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Only shows what would be trusted.
    pub dry_run: bool,
}

/// The file of a project, as it stands there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TrustView {
    /// Absolute path of the file.
    pub path: String,
    /// Of path and text.
    pub digest: String,
    /// All that would hold, and nothing else.
    pub text: String,
    /// A person trusts it as it is.
    pub trusted: bool,
}

/// A project that was stopped.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectStopped {
    /// As it is now.
    pub project: Project,
    /// Runs that were ended by it.
    pub delegations_ended: u32,
}

/// A project's conversations, by pages.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectSessions {
    /// Project name, id, or path.
    pub project: String,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A conversation in a project.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProjectSession {
    pub session: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    pub agent: String,
    /// Its newest run, if that is among the project's last 200.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_run: Option<RunId>,
    /// A warm agent has it open: a follow-up goes on at once.
    pub live: bool,
}

/// Verbs on projects.
#[rpc(server, client, namespace = "project", namespace_separator = ".")]
pub trait ProjectApi {
    /// Registered projects by name.
    #[method(name = "list", with_extensions)]
    async fn list(&self, params: ProjectList) -> Result<Page<Project>, Fault>;
    /// One project.
    #[method(name = "get", with_extensions)]
    async fn get(&self, params: ProjectName) -> Result<Project, Fault>;
    /// Registers a directory; one that is registered already is answered as it is.
    #[method(name = "register", with_extensions)]
    async fn register(&self, params: ProjectRegister) -> Result<Project, Fault>;
    /// Forgets a project, and remembers that a person did; refused while runs are open.
    #[method(name = "unregister", with_extensions)]
    async fn unregister(&self, params: ProjectName) -> Result<Project, Fault>;
    /// Gives it another name.
    #[method(name = "rename", with_extensions)]
    async fn rename(&self, params: ProjectRename) -> Result<Project, Fault>;
    /// Writes its `.eyas.toml` when there is none, and activates it.
    #[method(name = "init", with_extensions)]
    async fn init(&self, params: ProjectName) -> Result<Project, Fault>;
    /// Trusts its `.eyas.toml` as it is; any change of it asks again.
    #[method(name = "trust", with_extensions)]
    async fn trust(&self, params: ProjectTrust) -> Result<TrustView, Fault>;
    /// Makes it the caller's active project and starts its agent, which is kept for as long as the caller is there.
    #[method(name = "activate", with_extensions)]
    async fn activate(&self, params: ProjectName) -> Result<Project, Fault>;
    /// The caller has no active project any more; answers the one that was. Its agent goes on until it is idle.
    #[method(name = "deactivate", with_extensions)]
    async fn deactivate(&self, params: Nothing) -> Result<Option<Project>, Fault>;
    /// Ends its runs and its warm agents.
    #[method(name = "stop", with_extensions)]
    async fn stop(&self, params: ProjectName) -> Result<ProjectStopped, Fault>;
    /// Its conversations, most recently used first.
    #[method(name = "sessions")]
    async fn sessions(&self, params: ProjectSessions) -> Result<Page<ProjectSession>, Fault>;
}
