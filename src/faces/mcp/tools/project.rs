//! `project`.

use super::{Outcome, arguments};
use crate::{
    api::{
        hub::Nothing,
        project::{
            ProjectApiClient as _, ProjectList, ProjectName, ProjectRegister, ProjectRename,
        },
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
    Init,
    Activate,
    Deactivate,
    Rename,
    Stop,
    Unregister,
}

/// Arguments of `project`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// What to do.
    action: Action,
    /// Name, id or path; register wants a path.
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
    let more = json!({"delegations_ended": {"type": "integer"}, "active": {"type": "boolean"}});
    let one = schema::with(schema::shape::<Project>(&[]), more);
    let none = json!({"properties": {}, "required": ["active"]});
    let none = none.as_object().cloned().unwrap_or_default();
    schema::output(&[one, several, none])
}

/// One action on a project, or the list of them.
pub(super) async fn project(face: Face, given: JsonObject) -> Outcome {
    let given: Arguments = arguments::read(given)?;
    let renames = matches!(given.action, Action::Register | Action::Rename);
    if !renames && given.name.is_some() {
        return Err(Fault::invalid("name", "goes with register and rename")
            .hint("say which project with `project`"));
    }
    match given.action {
        Action::List => list(&face, &given).await,
        Action::Register => register(&face, given).await,
        Action::Init => init(&face, &given).await,
        Action::Activate => activate(&face, &given).await,
        Action::Deactivate => deactivate(&face, &given).await,
        Action::Rename => rename(&face, given).await,
        Action::Stop => stop(&face, &given).await,
        Action::Unregister => unregister(&face, &given).await,
    }
}

async fn list(face: &Face, given: &Arguments) -> Outcome {
    nothing_named(given, "list shows all projects; leave it out")?;
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

async fn register(face: &Face, given: Arguments) -> Outcome {
    let params = ProjectRegister {
        path: named(face, &given)?,
        name: given.name,
    };
    let project = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { hub.register(params).await }
        })
        .await?;
    Ok(results::project(project, "registered"))
}

async fn init(face: &Face, given: &Arguments) -> Outcome {
    let params = one(face, given)?;
    let project = face
        .link()
        .call(|hub| async move { hub.init(params).await })
        .await?;
    Ok(results::project(project, "initialised and active"))
}

async fn activate(face: &Face, given: &Arguments) -> Outcome {
    let params = one(face, given)?;
    let project = face
        .link()
        .call(|hub| async move { hub.activate(params).await })
        .await?;
    Ok(results::project(project, "active"))
}

async fn deactivate(face: &Face, given: &Arguments) -> Outcome {
    nothing_named(given, "the active project is meant; leave it out")?;
    let project = face
        .link()
        .call(|hub| async move { hub.deactivate(Nothing {}).await })
        .await?;
    Ok(results::deactivated(project))
}

async fn rename(face: &Face, given: Arguments) -> Outcome {
    let params = ProjectRename {
        project: named(face, &given)?,
        name: given
            .name
            .ok_or_else(|| arguments::needed("name", "the new name"))?,
    };
    let project = face
        .link()
        .call(|hub| async move { hub.rename(params).await })
        .await?;
    Ok(results::project(project, "renamed"))
}

async fn stop(face: &Face, given: &Arguments) -> Outcome {
    let params = one(face, given)?;
    let stopped = face
        .link()
        .call(|hub| async move { hub.stop(params).await })
        .await?;
    Ok(results::stopped(stopped))
}

async fn unregister(face: &Face, given: &Arguments) -> Outcome {
    let params = one(face, given)?;
    let project = face
        .link()
        .call(|hub| async move { hub.unregister(params).await })
        .await?;
    let done = "unregistered; its files are untouched";
    Ok(results::project(project, done))
}

fn nothing_named(given: &Arguments, hint: &str) -> Result<(), Fault> {
    match given.project {
        None => Ok(()),
        Some(_) => Err(Fault::invalid("project", "does not go with this action").hint(hint)),
    }
}

fn one(face: &Face, given: &Arguments) -> Result<ProjectName, Fault> {
    Ok(ProjectName {
        project: named(face, given)?,
    })
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
