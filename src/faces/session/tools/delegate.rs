//! `delegate`: a run below the agent's own, begun or waited for.

use super::{Reply, read, waiting::Asker};
use crate::{
    api::run::RunWait,
    domain::{
        conclusion::Conclusion,
        fault::Fault,
        ids::RunId,
        run::{Run, RunState},
        worktree::Isolation,
    },
    faces::session::handler::Tools,
    stdx::text::head,
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::{fmt::Write as _, time::Duration};
use tokio::time::Instant;

/// Milliseconds that it waits unless told otherwise.
const WAIT_MS: u64 = 30_000;
/// Inside every client's time-out.
const LONGEST_MS: u64 = 45_000;
/// Of one question to the hub.
const SLICE: Duration = Duration::from_secs(5);
/// A hub that answers early is not asked again sooner than this.
const PACE: Duration = Duration::from_millis(50);
/// Of a step or a request, as a model reads it.
const SHORT: usize = 300;

/// Arguments of `delegate`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// The whole task: what is wanted, where, and when it is done. Give this or run.
    prompt: Option<String>,
    /// Id of a run that you began, to wait for again.
    run: Option<String>,
    /// Id of a run that you began, to go on with in its conversation, with the same agent in the same tree.
    previous: Option<String>,
    /// Instance to give it to, by name.
    instance: Option<String>,
    /// Persona id, when no instance is named.
    persona: Option<String>,
    /// worktree: in a git worktree and branch of its own, the default where there can be one and concurrent is not set; shared: in your
    /// working tree, which needs concurrent.
    isolation: Option<Isolation>,
    /// Let it write in your tree while you may, too; needed unless it has a worktree.
    concurrent: Option<bool>,
    /// Free text to tell it by.
    label: Option<String>,
    /// Milliseconds to wait for its end: default 30000, 0 answers at once, at most 45000.
    wait_ms: Option<u64>,
}

pub(super) async fn delegate(
    tools: Tools,
    given: JsonObject,
    mut asker: Asker,
) -> Result<Reply, Fault> {
    let given: Arguments = read(given)?;
    let wait = Duration::from_millis(given.wait_ms.unwrap_or(WAIT_MS).min(LONGEST_MS));
    let until = Instant::now() + wait;
    let run = begun(&tools, given).await?;
    let mut run: Run = run;
    while !run.is_over() && Instant::now() < until {
        let left = until.saturating_duration_since(Instant::now()).min(SLICE);
        let wait = RunWait {
            id: run.id,
            below: false,
            wait_ms: u64::try_from(left.as_millis()).unwrap_or(LONGEST_MS).max(1),
        };
        let begun = Instant::now();
        let slice = tools.way().wait("run.wait", &wait);
        match asker.through(&doing(&run), slice).await {
            Ok(now) => run = now,
            // The run is accepted: whatever became of the wait, its id must not be lost.
            Err(fault) => {
                tracing::debug!(%fault, "a wait was broken off");
                break;
            }
        }
        if !run.is_over() {
            tokio::time::sleep_until(begun + PACE.min(left)).await;
        }
    }
    Ok(reply(&run))
}

/// The run that is named, or a new one.
async fn begun(tools: &Tools, given: Arguments) -> Result<Run, Fault> {
    match (given.prompt, given.run) {
        (Some(_), Some(_)) => Err(Fault::invalid(
            "run",
            "stands beside prompt: one begins a run, the other waits for one",
        )),
        (None, None) => Err(Fault::required("prompt").hint("or give run, to wait for one")),
        (None, Some(run)) => {
            if given.previous.is_some() {
                return Err(Fault::invalid(
                    "previous",
                    "stands beside run: it begins a run, and run waits for one",
                )
                .hint("give prompt with previous, or run alone"));
            }
            let id = named("run", &run)?;
            tools.way().call("run.get", &json!({"id": id})).await
        }
        (Some(prompt), None) => {
            let previous = given.previous.as_deref();
            let previous = previous.map(|id| named("previous", id)).transpose()?;
            let mut params = Map::new();
            params.insert("prompt".to_owned(), prompt.into());
            let more = [
                ("previous", previous.map(|id| json!(id))),
                ("instance", given.instance.map(Value::from)),
                ("persona", given.persona.map(Value::from)),
                (
                    "isolation",
                    given.isolation.map(|isolation| json!(isolation)),
                ),
                ("concurrent", given.concurrent.map(Value::from)),
                ("label", given.label.map(Value::from)),
            ];
            let more = more
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            params.extend(more);
            tools.way().call("run.delegate", &params).await
        }
    }
}

fn named(field: &str, id: &str) -> Result<RunId, Fault> {
    id.parse()
        .map_err(|_no_uuid| Fault::not_found("run", id).field(field))
}

fn doing(run: &Run) -> String {
    let state = run.state.as_str();
    match &run.step {
        Some(step) => format!("{state}: {}", head(step, SHORT)),
        None => state.to_owned(),
    }
}

fn reply(run: &Run) -> Reply {
    let next = next(run);
    let mut text = format!("run {} · {} · {next}", run.id, doing(run));
    let mut body = json!({"run": run.id, "state": run.state, "next": next});
    let mut put = |name: &str, value: Value| body[name] = value;
    if let Some(step) = &run.step {
        put("step", json!(head(step, SHORT)));
    }
    if !run.requests.is_empty() {
        put("requests", json!(run.requests));
        for request in &run.requests {
            add(&mut text, "asks", &request.title);
        }
    }
    if let Some(error) = &run.error {
        put("error", json!(error));
        add(&mut text, "error", &error.to_string());
    }
    if let Some(conclusion) = &run.conclusion {
        put("conclusion", json!(conclusion));
        tell(&mut text, conclusion);
    }
    if !run.warnings.is_empty() {
        put("warnings", json!(run.warnings));
        for warning in &run.warnings {
            add(&mut text, "warning", &warning.detail);
        }
    }
    Reply {
        failed: matches!(run.state, RunState::Failed | RunState::TimedOut),
        ..Reply::new(text, body)
    }
}

fn next(run: &Run) -> String {
    match run.state {
        // Just answered: it goes on in a moment.
        RunState::InputRequired if !run.is_over() => goes_on(run),
        RunState::Queued | RunState::Running => goes_on(run),
        RunState::InputRequired => format!(
            "a person must answer first; do something else, then call delegate {{\"run\":\"{}\"}}",
            run.id
        ),
        RunState::Succeeded => "it has ended: read its conclusion".to_owned(),
        RunState::Failed | RunState::TimedOut => {
            "it has ended without success: do it otherwise, or say so in your conclusion".to_owned()
        }
        RunState::Cancelled => "it was cancelled".to_owned(),
    }
}

fn goes_on(run: &Run) -> String {
    format!(
        "it goes on; call delegate {{\"run\":\"{}\"}} to wait for it",
        run.id
    )
}

fn tell(text: &mut String, conclusion: &Conclusion) {
    let status = serde_json::to_value(conclusion.status).unwrap_or_default();
    add(text, "status", status.as_str().unwrap_or_default());
    let lists = [
        ("artifact", &conclusion.artifacts),
        ("question", &conclusion.questions),
        ("warning", &conclusion.warnings),
    ];
    for (name, items) in lists {
        for item in items {
            add(text, name, item);
        }
    }
    if let Some(follow_up) = &conclusion.follow_up {
        add(text, "follow_up", follow_up);
    }
    if let Some(changes) = &conclusion.changes {
        for file in &changes.files {
            add(text, "changed", &file.path);
        }
    }
    add(text, "\nsummary", &conclusion.summary);
}

fn add(text: &mut String, name: &str, value: &str) {
    // Writing to a string cannot fail.
    write!(text, "\n{name}: {value}").ok();
}
