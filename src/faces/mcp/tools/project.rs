//! `project`.

use super::{Outcome, arguments};
use crate::{
    api::project::{
        ProjectApiClient as _, ProjectList, ProjectName, ProjectRegister, ProjectRename,
    },
    domain::{fault::Fault, project::Project},
    faces::mcp::{handler::Face, results, schema, views},
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// What is done to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    List,
    Register,
    Rename,
    Unregister,
}

/// Arguments of `project`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// What to do.
    action: Action,
    /// Project name, id or path; register wants a path, list nothing.
    project: Option<String>,
    /// register and rename: name for people.
    name: Option<String>,
}

/// A project, or a page of them.
pub(super) fn one_or_page() -> JsonObject {
    let several = json!({
        "properties": {"items": {"type": "array", "items": {"type": "object"}}},
        "required": ["items"],
    });
    let several = several.as_object().cloned().unwrap_or_default();
    schema::output(&[schema::shape::<Project>(), several])
}

/// Lists, registers, renames or unregisters.
pub(super) async fn project(face: Face, given: JsonObject) -> Outcome {
    let given: Arguments = arguments::read(given)?;
    let link = face.link();
    match given.action {
        Action::List => list(&face, &given).await,
        Action::Register => {
            let params = ProjectRegister {
                path: named(&face, &given)?,
                name: given.name,
            };
            let project = link
                .read(|hub| {
                    let params = params.clone();
                    async move { hub.register(params).await }
                })
                .await?;
            Ok(results::project(project, "registered"))
        }
        Action::Rename => {
            let params = ProjectRename {
                project: named(&face, &given)?,
                name: given
                    .name
                    .ok_or_else(|| arguments::needed("name", "the new name"))?,
            };
            let project = link
                .call(|hub| async move { hub.rename(params).await })
                .await?;
            Ok(results::project(project, "renamed"))
        }
        Action::Unregister => {
            let params = ProjectName {
                project: named(&face, &given)?,
            };
            let project = link
                .call(|hub| async move { hub.unregister(params).await })
                .await?;
            Ok(results::project(
                project,
                "unregistered; its files are untouched",
            ))
        }
    }
}

async fn list(face: &Face, given: &Arguments) -> Outcome {
    for (name, value) in [("project", &given.project), ("name", &given.name)] {
        if value.is_some() {
            return Err(Fault::invalid(name, "does not go with action list")
                .hint("list shows all projects; leave it out"));
        }
    }
    let page = face
        .link()
        .read(|hub| async move {
            hub.list(ProjectList {
                cursor: None,
                limit: Some(200),
            })
            .await
        })
        .await?;
    Ok(results::page(page.map(views::plain), "project", "projects"))
}

fn named(face: &Face, given: &Arguments) -> Result<String, Fault> {
    match &given.project {
        Some(name) if !name.trim().is_empty() => Ok(place(face, name.clone())),
        _ => Err(arguments::needed(
            "project",
            format!(
                "a project's name, id or path, such as {}",
                face.0.context.cwd.display()
            ),
        )),
    }
}

/// A project's name, or a path made absolute where this face runs.
pub(super) fn place(face: &Face, name: String) -> String {
    let context = &face.0.context;
    if let Some(home) = &context.home
        && let Some(rest) = name.strip_prefix("~/")
    {
        return home.join(rest).display().to_string();
    }
    match name.as_str() {
        "." => context.cwd.display().to_string(),
        path if path.starts_with("./") || path == ".." || path.starts_with("../") => {
            context.cwd.join(path).display().to_string()
        }
        _ => name,
    }
}
