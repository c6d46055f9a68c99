//! `delegate`.

use super::{Outcome, arguments, project, run};
use crate::{
    api::run::{Delegate, RunApiClient as _},
    domain::{
        fault::Fault,
        ids::SessionId,
        run::{Mode, Run},
    },
    faces::mcp::{
        handler::Face,
        results,
        waits::{self, Asked, Patience},
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
    /// The whole task: what is wanted, where, and when it is done. The agent sees nothing of this conversation.
    prompt: String,
    /// Instance to give it to: name or id.
    instance: Option<String>,
    /// Project to work in: name, id or path; default the directory this server runs in.
    project: Option<String>,
    /// Persona id, when no instance is named.
    persona: Option<String>,
    /// Agent id such as "claude" or "codex", which must be installed; default the instance's, the persona's, then the configured one.
    agent: Option<String>,
    /// auto (default): reuse a warm agent or start one; warm: fail rather than start cold; cold: a process of its own.
    mode: Option<Mode>,
    /// Id of a session to continue.
    session: Option<String>,
    /// Id of a run whose conversation to continue.
    previous: Option<String>,
    /// Let it write while another run writes in the same tree; default false.
    concurrent: Option<bool>,
    /// Milliseconds to wait for the conclusion: default 2000, 0 answers at once, at most 45000.
    wait_ms: Option<u64>,
    /// Milliseconds after which the run is ended as `timed_out`.
    timeout_ms: Option<u64>,
    /// The same key with the same request gives the same run, so that a repeated call does no harm.
    idempotency_key: Option<String>,
    /// Free text to find it by in `run_list`.
    label: Option<String>,
    /// Runs of one lane share turn slots.
    lane: Option<String>,
}

/// Accepts a run and waits a little for its end.
pub(super) async fn delegate(face: Face, given: JsonObject, asked: Asked) -> Outcome {
    let given: Arguments = arguments::read(given)?;
    let patience = Patience::new(given.wait_ms, WAIT_MS);
    let params = params(&face, given)?;
    let run = accept(&face, params).await?;
    let run = waits::for_run(&face, &asked, run, &patience).await;
    Ok(results::run(run, &patience))
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
        policy: None,
        isolation: None,
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
