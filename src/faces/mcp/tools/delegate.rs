//! `delegate`.

use super::{Outcome, arguments, project, run};
use crate::{
    api::run::{Delegate, RunApiClient as _},
    domain::{
        fault::Fault,
        ids::SessionId,
        policy::{Asking, PolicyWish, Security},
        run::{Mode, Run},
        worktree::Isolation,
    },
    faces::mcp::{
        asking,
        handler::Face,
        results,
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
    /// The whole task: what is wanted, where, and when it is done.
    prompt: String,
    /// Instance to give it to: name or id.
    instance: Option<String>,
    /// Project by name, id or path; default where this server runs.
    project: Option<String>,
    /// Persona id, when no instance is named.
    persona: Option<String>,
    /// Agent id, which must be installed; default the instance's or the persona's.
    agent: Option<String>,
    /// auto (default): reuse a warm agent or start one; warm: never cold; cold: a process of its own.
    mode: Option<Mode>,
    /// Id of a session to continue.
    session: Option<String>,
    /// Id of a run whose conversation to continue.
    previous: Option<String>,
    /// Let it write while others write in the same tree.
    concurrent: Option<bool>,
    /// Milliseconds to wait: default 2000, at most 45000.
    wait_ms: Option<u64>,
    /// Milliseconds after which the run is ended as `timed_out`.
    timeout_ms: Option<u64>,
    /// The same key with the same request gives the same run.
    idempotency_key: Option<String>,
    /// Free text to find it by.
    label: Option<String>,
    /// Runs of one lane share turn slots.
    lane: Option<String>,
    /// shared (default): in the project's tree; worktree: in a git worktree and branch of its own.
    isolation: Option<Isolation>,
    /// How far the agent may go unasked; never above what the person allows.
    policy: Option<Terms>,
}

/// A policy, in few words.
#[derive(Debug, Deserialize, JsonSchema)]
struct Terms {
    /// deny: only read; allowlist: edit here, run listed commands; full: everything.
    security: Option<Security>,
    /// off: deny; on_miss: ask about what is not listed; always: about all that leaves traces.
    ask: Option<Asking>,
    /// Milliseconds until what nobody answers is denied.
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
