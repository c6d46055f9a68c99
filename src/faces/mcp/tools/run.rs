//! `run_get`, `run_list`, `run_cancel`.

use super::{Outcome, arguments, project};
use crate::{
    api::run::{RunApiClient as _, RunCancel, RunList, RunRef},
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        run::{Run, RunState},
    },
    faces::mcp::{
        asking,
        handler::Face,
        results::{self, More},
        schema, transcript, views,
        waits::{self, Asked, Patience},
    },
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Milliseconds that `run_get` waits unless told otherwise.
const WAIT_MS: u64 = 20_000;
/// Runs of one page.
const PAGE: u32 = 20;
/// Runs of one call.
const MOST: usize = 16;

/// When a wait for several runs ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Until {
    Any,
    #[default]
    All,
}

// What of a run is shown beside its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Include {
    Output,
    Events,
    Attempts,
    Changes,
    Usage,
}

/// Arguments of `run_get`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Get {
    /// Run id. Give this or ids.
    id: Option<String>,
    /// Up to 16, answered as a page.
    ids: Option<Vec<String>>,
    /// With ids: wait for any or all (default).
    until: Option<Until>,
    /// Default 20000, at most 45000.
    wait_ms: Option<u64>,
    /// More of one run; output: its words; changes: all files.
    include: Option<Vec<Include>>,
    /// The last `next_cursor`.
    cursor: Option<String>,
}

/// Arguments of `run_list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {
    /// Only in this state.
    state: Option<RunState>,
    /// Only this project's.
    project: Option<String>,
    /// Only this instance's.
    instance: Option<String>,
    /// Only with this label.
    label: Option<String>,
    /// The last `next_cursor`.
    cursor: Option<String>,
}

/// Arguments of `run_cancel`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Cancel {
    /// Id of the run to end.
    id: String,
    /// Why, for the record.
    reason: Option<String>,
}

/// A run, as it is answered.
pub(super) fn one() -> JsonObject {
    let run = schema::shape::<Run>(&["conclusion", "requests"]);
    let more = json!({"next": {"type": "string"}});
    schema::output(&[schema::with(run, more)])
}

/// A run, or several, in few words: `delegate` says what is in a run.
pub(super) fn one_or_several() -> JsonObject {
    let more = json!({
        "output": {"type": "string"},
        "events": {"type": "array", "items": {"type": "object"}},
        "next": {"type": "string"},
        "attempts": {"type": "array", "items": {"type": "object"}},
        "next_cursor": {"type": "string"},
    });
    let several = json!({
        "properties": {"items": {"type": "array", "items": {"type": "object"}}},
        "required": ["items"],
    });
    let several = several.as_object().cloned().unwrap_or_default();
    schema::output(&[schema::with(schema::shape::<Run>(&[]), more), several])
}

/// A run in outline, for who knows it already.
pub(super) fn known_one() -> JsonObject {
    let more = json!({"next": {"type": "string"}});
    schema::output(&[schema::with(schema::outline::<Run>(), more)])
}

/// A page of runs.
pub(super) fn page() -> JsonObject {
    schema::output(&[schema::page::<Run>()])
}

/// One run or several, waited for.
pub(super) async fn get(face: Face, given: JsonObject, asked: Asked) -> Outcome {
    let given: Get = arguments::read(given)?;
    let mut patience = Patience::new(given.wait_ms, WAIT_MS);
    match (&given.id, &given.ids) {
        (Some(id), None) => get_one(&face, run_id(id)?, &given, &asked, &mut patience).await,
        (None, Some(ids)) => get_several(&face, ids, &given, &asked, &patience).await,
        (Some(_), Some(_)) => Err(Fault::invalid("ids", "cannot be given beside `id`")
            .hint("give `id` for one run or `ids` for several")),
        (None, None) => Err(arguments::needed(
            "id",
            "the id that delegate answered; find runs with run_list",
        )),
    }
}

async fn get_one(
    face: &Face,
    id: RunId,
    given: &Get,
    asked: &Asked,
    patience: &mut Patience,
) -> Outcome {
    let include = given.include.as_deref().unwrap_or_default();
    if given.until.is_some() {
        return Err(Fault::invalid("until", "goes with `ids`").hint("leave it out for one run"));
    }
    let run = known(face, id).await?;
    let seen = Box::pin(asking::see(face, asked, run, patience)).await;
    let more = More {
        usage: include.contains(&Include::Usage),
        changes: include.contains(&Include::Changes),
    };
    let mut reply = results::seen_with(seen, patience, more);
    if reply.asks() {
        return Ok(reply);
    }
    if include.contains(&Include::Attempts) {
        let attempts = face
            .link()
            .read(|hub| async move { hub.attempts(RunRef { id }).await })
            .await?;
        reply.add("attempts", views::attempts(attempts.items));
    }
    let (output, events) = (
        include.contains(&Include::Output),
        include.contains(&Include::Events),
    );
    if output || events {
        let part = transcript::part(face, id, given.cursor.clone(), output, events).await?;
        part.add_to(&mut reply);
    } else if given.cursor.is_some() {
        return Err(Fault::invalid("cursor", "goes with `include`")
            .hint("give include:[\"output\"] or include:[\"events\"]"));
    }
    Ok(reply)
}

async fn get_several(
    face: &Face,
    ids: &[String],
    given: &Get,
    asked: &Asked,
    patience: &Patience,
) -> Outcome {
    if given.include.is_some() || given.cursor.is_some() {
        let field = if given.include.is_some() {
            "include"
        } else {
            "cursor"
        };
        return Err(Fault::invalid(field, "goes with `id`").hint("ask for one run at a time"));
    }
    if ids.is_empty() {
        return Err(Fault::required("ids").hint("at least one run id"));
    }
    if ids.len() > MOST {
        return Err(Fault::new(
            ErrorKind::TooLarge,
            format!("{} ids, at most {MOST} are taken", ids.len()),
        )
        .field("ids"));
    }
    let ids: Vec<RunId> = ids.iter().map(|id| run_id(id)).collect::<Result<_, _>>()?;
    let until = given.until.unwrap_or_default();
    let runs = waits::for_runs(face, asked, &ids, until, patience).await?;
    Ok(results::runs(runs, until, patience))
}

/// Runs, newest first.
pub(super) async fn list(face: Face, given: JsonObject) -> Outcome {
    let given: List = arguments::read(given)?;
    let params = RunList {
        state: given.state,
        project: given.project.map(|name| project::place(&face, name)),
        instance: given.instance,
        parent: None,
        label: given.label,
        archived: false,
        cursor: given.cursor,
        limit: Some(PAGE),
    };
    let page = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { hub.list(params).await }
        })
        .await?;
    Ok(results::page(page.map(views::run_row), "run", "runs"))
}

/// Asks for the end of a run.
pub(super) async fn cancel(face: Face, given: JsonObject) -> Outcome {
    let given: Cancel = arguments::read(given)?;
    let params = RunCancel {
        id: run_id(&given.id)?,
        reason: given.reason,
    };
    let run = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { hub.cancel(params).await }
        })
        .await?;
    Ok(results::as_it_is(run))
}

/// A run by id.
pub(in super::super) async fn known(face: &Face, id: RunId) -> Result<Run, Fault> {
    face.link()
        .read(|hub| async move { hub.get(RunRef { id }).await })
        .await
}

/// A run's id as text. What is no id at all is no run.
pub(in super::super) fn run_id(text: &str) -> Result<RunId, Fault> {
    text.trim().parse().map_err(|_no_uuid| {
        let name = crate::stdx::text::head(text, 80);
        Fault::not_found("run", name)
            .field("id")
            .hint("ids look like 01890a5d-ac96-774b-bcce-b302099a8057; find them with run_list")
    })
}
