//! `delegate`.

use super::{Outcome, arguments, project, run};
use crate::{
    api::run::{Delegate, RunApiClient as _},
    domain::{
        fault::Fault,
        ids::SessionId,
        policy::{Asking, PolicyWish, Security},
        retry::Retry,
        run::{Mode, Run},
        worktree::Isolation,
    },
    faces::mcp::{
        asking,
        handler::Face,
        results::{self, Reply},
        tasks,
        waits::{Asked, Patience},
    },
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;

/// Milliseconds that it waits unless told otherwise.
const WAIT_MS: u64 = 2_000;

/// Arguments of `delegate`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// The whole task: what, where, and when it is done.
    prompt: String,
    /// Its name or id.
    instance: Option<String>,
    /// Name, id or path; default where this server runs.
    project: Option<String>,
    /// Persona id, without an instance.
    persona: Option<String>,
    /// Agent id; default the instance's or persona's.
    agent: Option<String>,
    /// auto (default): warm, else cold; warm: never cold; cold: its own process.
    mode: Option<Mode>,
    /// Session to continue.
    session: Option<String>,
    /// Run to follow up.
    previous: Option<String>,
    /// May write beside others in one tree.
    concurrent: Option<bool>,
    /// Default 2000, at most 45000.
    wait_ms: Option<u64>,
    /// Milliseconds to `timed_out`.
    timeout_ms: Option<u64>,
    /// Same key and request: same run.
    idempotency_key: Option<String>,
    /// Free text to find it by.
    label: Option<String>,
    /// Runs of one lane share turn slots.
    lane: Option<String>,
    /// worktree: a git worktree of its own; default shared.
    isolation: Option<Isolation>,
    /// What it may do unasked.
    policy: Option<Terms>,
    /// Default 2 attempts; unsafe: also after half-done edits.
    retry: Option<Tries>,
}

/// A retry, in few words.
#[derive(Debug, Deserialize, JsonSchema)]
struct Tries {
    max_attempts: Option<u32>,
    delay_ms: Option<u64>,
    #[serde(rename = "unsafe")]
    regardless: Option<bool>,
}

/// A policy, in few words.
#[derive(Debug, Deserialize, JsonSchema)]
struct Terms {
    /// deny: only read; allowlist: edit here, run listed commands; full: all.
    security: Option<Security>,
    /// off: deny; on_miss: ask what is not listed; always: all that leaves traces.
    ask: Option<Asking>,
    /// Until the unanswered is denied.
    ask_timeout_ms: Option<u64>,
}

/// Accepts a run and waits a little for its end.
pub(super) async fn delegate(face: Face, given: JsonObject, asked: Asked) -> Outcome {
    let given: Arguments = arguments::read(given)?;
    let mut patience = Patience::new(given.wait_ms, WAIT_MS);
    let params = params(&face, given)?;
    let run = match &asked.round {
        // The call comes again: its run is there.
        Some(round) => run::known(&face, round.run).await?,
        None => accept(&face, params).await?,
    };
    if asked.takes_tasks && asked.round.is_none() {
        return Ok(Reply::task(tasks::begun(&face, &run).await));
    }
    let seen = Box::pin(asking::see(&face, &asked, run, &mut patience)).await;
    Ok(results::seen(seen, &patience))
}

fn params(face: &Face, given: Arguments) -> Result<Delegate, Fault> {
    let session = given.session.as_deref().map(session_id).transpose()?;
    let previous = given.previous.as_deref().map(run::run_id).transpose()?;
    Ok(Delegate {
        prompt: given.prompt,
        instance: given.instance,
        project: given.project.map(|name| project::place(face, name)),
        persona: given.persona,
        agent: given.agent,
        mode: given.mode,
        session,
        previous,
        concurrent: given.concurrent.unwrap_or_default(),
        timeout_ms: given.timeout_ms,
        idempotency_key: given.idempotency_key,
        label: given.label,
        lane: given.lane,
        isolation: given.isolation,
        policy: given.policy.map(|terms| PolicyWish {
            security: terms.security,
            ask: terms.ask,
            ask_timeout_ms: terms.ask_timeout_ms,
        }),
        retry: given.retry.map(|tries| {
            let usual = Retry::default();
            Retry {
                max_attempts: tries.max_attempts.unwrap_or(usual.max_attempts),
                delay_ms: tries.delay_ms.unwrap_or(usual.delay_ms),
                regardless: tries.regardless.unwrap_or(usual.regardless),
                ..usual
            }
        }),
        budget: None,
        ..Delegate::default()
    })
}

async fn accept(face: &Face, params: Delegate) -> Result<Run, Fault> {
    let link = face.link();
    if params.idempotency_key.is_some() {
        // Asked twice it is the same run, so a hub that goes away between is no matter.
        return link
            .read(|hub| {
                let params = params.clone();
                async move { hub.delegate(params).await }
            })
            .await;
    }
    link.call(|hub| async move { hub.delegate(params).await })
        .await
}

fn session_id(text: &str) -> Result<SessionId, Fault> {
    text.parse().map_err(|_no_uuid| {
        Fault::not_found("session", text)
            .field("session")
            .hint("give the `session` of a run, or its id as `previous`")
    })
}
