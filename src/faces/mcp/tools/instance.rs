//! `instance_list`, `instance_create`, `instance_control`.

use super::{Outcome, arguments, project};
use crate::{
    api::instance::{
        InstanceApiClient as _, InstanceCreate, InstanceList, InstanceName, InstanceView,
    },
    domain::instance::{Instance, InstanceStatus, Role},
    faces::mcp::{handler::Face, results, schema, views},
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;

/// Arguments of `instance_list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {
    /// Only this project's.
    project: Option<String>,
    /// Only in this status.
    status: Option<InstanceStatus>,
    /// The last `next_cursor`.
    cursor: Option<String>,
}

/// Arguments of `instance_create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Create {
    /// New name: lower-case words and hyphens.
    name: String,
    /// Persona id.
    persona: Option<String>,
    /// Installed agent; default the persona's.
    agent: Option<String>,
    /// Its project: name, id or path.
    project: Option<String>,
    /// Place in the hierarchy.
    role: Option<Role>,
    /// Instance above it.
    parent: Option<String>,
    /// Instead of the persona's.
    model: Option<String>,
    /// Launch its agent at once.
    auto_start: Option<bool>,
    /// Write nothing; show the files.
    dry_run: Option<bool>,
}

/// What is done to an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Start,
    Stop,
    Restart,
    Delete,
    Restore,
    Render,
}

/// Arguments of `instance_control`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Control {
    /// Its name or id.
    name: String,
    /// What to do.
    action: Action,
}

/// An instance.
pub(super) fn one() -> JsonObject {
    schema::output(&[schema::shape::<InstanceView>(&["files"])])
}

/// An instance in outline, for who knows it already.
pub(super) fn known_one() -> JsonObject {
    schema::output(&[schema::outline::<Instance>()])
}

/// A page of instances.
pub(super) fn page() -> JsonObject {
    schema::output(&[schema::page::<Instance>()])
}

/// Instances by name.
pub(super) async fn list(face: Face, given: JsonObject) -> Outcome {
    let given: List = arguments::read(given)?;
    let params = InstanceList {
        project: given.project.map(|name| project::place(&face, name)),
        status: given.status,
        cursor: given.cursor,
        limit: None,
    };
    let page = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { hub.list(params).await }
        })
        .await?;
    Ok(results::page(
        page.map(views::plain),
        "instance",
        "instances",
    ))
}

/// Places a persona.
pub(super) async fn create(face: Face, given: JsonObject) -> Outcome {
    let given: Create = arguments::read(given)?;
    crate::domain::slug::check("name", &given.name)?;
    let dry = given.dry_run.unwrap_or_default();
    let params = InstanceCreate {
        name: given.name,
        display_name: None,
        persona: given.persona,
        agent: given.agent,
        project: given.project.map(|name| project::place(&face, name)),
        role: given.role,
        parent: given.parent,
        model: given.model,
        auto_start: given.auto_start.unwrap_or_default(),
        dry_run: dry,
        ..InstanceCreate::default()
    };
    let view = face
        .link()
        .call(|hub| async move { hub.create(params).await })
        .await?;
    Ok(results::instance(
        view,
        if dry { "dry run" } else { "created" },
    ))
}

/// Does something to an instance.
pub(super) async fn control(face: Face, given: JsonObject) -> Outcome {
    let given: Control = arguments::read(given)?;
    let name = InstanceName { name: given.name };
    let view = face
        .link()
        .call(|hub| async move {
            match given.action {
                Action::Start => hub.start(name).await,
                Action::Stop => hub.stop(name).await,
                Action::Restart => hub.restart(name).await,
                Action::Delete => hub.delete(name).await,
                Action::Restore => hub.restore(name).await,
                Action::Render => hub.render(name).await,
            }
        })
        .await?;
    let done = match given.action {
        Action::Start => "started",
        Action::Stop => "stopped",
        Action::Restart => "restarted",
        Action::Delete => {
            "deleted; instance_control {action:\"restore\"} brings it back within 30 days"
        }
        Action::Restore => "restored",
        Action::Render => "rendered",
    };
    Ok(results::instance(view, done))
}
