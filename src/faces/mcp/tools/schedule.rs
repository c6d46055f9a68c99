//! `schedule`.

use super::{Outcome, arguments, project};
use crate::{
    api::schedule::{
        ScheduleApiClient as _, ScheduleCreate, ScheduleFire, ScheduleList, ScheduleName,
        ScheduleUpdate,
    },
    domain::{
        fault::Fault,
        schedule::{Overlap, Schedule},
    },
    faces::mcp::{handler::Face, results, schema, views},
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Schedules in one answer.
const MOST: u32 = 200;
const CRON: &str = "minute, hour, day of the month, month, weekday, as \"30 3 * * mon-fri\"; or @hourly, @daily, @weekly, @monthly";

/// What is done to a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    List,
    Create,
    Update,
    Delete,
    Fire,
}

/// Arguments of `schedule`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// What to do.
    action: Action,
    /// Its name, which labels its runs.
    name: Option<String>,
    /// Five fields, as "30 3 * * mon-fri", or @daily.
    cron: Option<String>,
    /// IANA time zone; default UTC.
    zone: Option<String>,
    /// See delegate.
    prompt: Option<String>,
    /// See delegate.
    instance: Option<String>,
    /// See delegate.
    project: Option<String>,
    /// See delegate.
    persona: Option<String>,
    /// See delegate.
    agent: Option<String>,
    /// While its run is open; default skip.
    overlap: Option<Overlap>,
    /// update: false pauses it.
    active: Option<bool>,
}

/// A schedule, a page of them, or the run that was begun.
pub(super) fn one_or_page() -> JsonObject {
    let several = json!({
        "properties": {"items": {"type": "array", "items": {"type": "object"}}},
        "required": ["items"],
    });
    let several = several.as_object().cloned().unwrap_or_default();
    // delegate says what is in a run.
    let fired = json!({"properties": {"next": {"type": "string"}}, "required": ["id", "state"]});
    let fired = fired.as_object().cloned().unwrap_or_default();
    let more = json!({
        "prompt": {"type": "string"},
        "next_at": {"type": "string"},
        "next_times": {"type": "array"},
        "last_run": {"type": "string"},
    });
    let one = schema::with(schema::outline::<Schedule>(), more);
    schema::output(&[one, several, fired])
}

/// One action on a schedule, or the list of them.
pub(super) async fn schedule(face: Face, given: JsonObject) -> Outcome {
    let names: Vec<String> = given.keys().cloned().collect();
    let given: Arguments = arguments::read(given)?;
    let known = goes_with(given.action);
    if let Some(name) = names.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(in_vain(name, given.action));
    }
    match given.action {
        Action::List => list(&face).await,
        Action::Create => create(&face, given).await,
        Action::Update => update(&face, given).await,
        Action::Delete => delete(&face, given).await,
        Action::Fire => fire(&face, given).await,
    }
}

/// The arguments that mean something to an action.
fn goes_with(action: Action) -> &'static [&'static str] {
    match action {
        Action::List => &["action"],
        Action::Create => &[
            "action", "name", "cron", "zone", "prompt", "instance", "project", "persona", "agent",
            "overlap",
        ],
        Action::Update => &[
            "action", "name", "cron", "zone", "prompt", "overlap", "active",
        ],
        Action::Delete | Action::Fire => &["action", "name"],
    }
}

fn in_vain(name: &str, action: Action) -> Fault {
    let action_word = views::plain(action);
    let action_word = action_word.as_str().unwrap_or_default();
    let hint = match action {
        Action::List => "list shows all schedules; leave it out",
        Action::Update => "who does the work stays; delete the schedule and create it anew",
        Action::Create => "a new schedule is active at once; leave it out",
        Action::Delete | Action::Fire => "name alone says which; leave it out",
    };
    Fault::invalid(name, format!("does not go with {action_word}")).hint(hint)
}

async fn list(face: &Face) -> Outcome {
    let page = face
        .link()
        .read(|hub| async move {
            hub.list(ScheduleList {
                cursor: None,
                limit: Some(MOST),
            })
            .await
        })
        .await?;
    let page = page.map(views::schedule_row);
    Ok(results::page(page, "schedule", "schedules"))
}

async fn create(face: &Face, given: Arguments) -> Outcome {
    let params = ScheduleCreate {
        name: named(&given)?,
        cron: given.cron.ok_or_else(|| arguments::needed("cron", CRON))?,
        prompt: given
            .prompt
            .filter(|prompt| !prompt.trim().is_empty())
            .ok_or_else(|| arguments::needed("prompt", "the whole task, as for delegate"))?,
        zone: given.zone,
        instance: given.instance,
        project: given.project.map(|name| project::place(face, name)),
        persona: given.persona,
        agent: given.agent,
        overlap: given.overlap.unwrap_or_default(),
        ..ScheduleCreate::default()
    };
    let made = face
        .link()
        .call(|hub| async move { hub.create(params).await })
        .await?;
    Ok(results::schedule(made, "created"))
}

async fn update(face: &Face, given: Arguments) -> Outcome {
    let params = ScheduleUpdate {
        schedule: named(&given)?,
        name: None,
        cron: given.cron,
        zone: given.zone,
        prompt: given.prompt,
        overlap: given.overlap,
        misfire: None,
        misfire_max: None,
        budget: None,
        allowance: None,
        active: given.active,
    };
    let changed = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { hub.update(params).await }
        })
        .await
        .map_err(by_name)?;
    Ok(results::schedule(changed, "changed"))
}

async fn delete(face: &Face, given: Arguments) -> Outcome {
    let params = ScheduleName {
        schedule: named(&given)?,
    };
    let gone = face
        .link()
        .call(|hub| async move { hub.delete(params).await })
        .await
        .map_err(by_name)?;
    let mut reply = results::schedule(gone, "deleted; its runs stay");
    reply.add("active", json!(false));
    Ok(reply)
}

async fn fire(face: &Face, given: Arguments) -> Outcome {
    let params = ScheduleFire {
        schedule: named(&given)?,
        idempotency_key: None,
    };
    let run = face
        .link()
        .call(|hub| async move { hub.fire(params).await })
        .await
        .map_err(by_name)?;
    Ok(results::as_it_is(run))
}

/// What the hub calls `schedule` is `name` here.
fn by_name(fault: Fault) -> Fault {
    if fault.field.as_deref() == Some("schedule") {
        return fault.field("name");
    }
    fault
}

fn named(given: &Arguments) -> Result<String, Fault> {
    match &given.name {
        Some(name) if !name.trim().is_empty() => Ok(name.clone()),
        _ => Err(arguments::needed(
            "name",
            "the schedule's name; list them with schedule {action:\"list\"}",
        )),
    }
}
