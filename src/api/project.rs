//! `project.*`: registered directories.

use crate::domain::{fault::Fault, page::Page, project::Project};
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

/// Verbs on projects.
#[rpc(server, client, namespace = "project", namespace_separator = ".")]
pub trait ProjectApi {
    /// Registered projects by name.
    #[method(name = "list")]
    async fn list(&self, params: ProjectList) -> Result<Page<Project>, Fault>;
    /// One project.
    #[method(name = "get")]
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
}
