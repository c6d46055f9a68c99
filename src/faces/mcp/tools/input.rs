//! `run_input`.

use super::{Outcome, arguments, run};
use crate::{
    api::run::{RunAnswer, RunApiClient as _},
    domain::{fault::Fault, ids::RunId, run::Run},
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

/// Milliseconds that it waits for what comes of the answer.
const WAIT_MS: u64 = 2_000;

/// Arguments of `run_input`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// Id of the run.
    id: String,
    /// The person's answer.
    answer: Given,
}

/// An answer.
#[derive(Debug, Deserialize, JsonSchema)]
struct Given {
    /// Id of the request, from requests[].
    request: String,
    /// Id of one of its options.
    option: Option<String>,
    /// Free text, for a question.
    text: Option<String>,
}

/// Hands a person's answer to a run, and waits a little for what comes of it.
pub(super) async fn input(face: Face, given: JsonObject, asked: Asked) -> Outcome {
    let given: Arguments = arguments::read(given)?;
    let id = run::run_id(&given.id)?;
    let mut patience = Patience::new(None, WAIT_MS);
    let now = match &asked.round {
        // The call comes again with the answer to the next request: its own was taken.
        Some(round) => run::known(&face, round.run).await?,
        None => answer(&face, id, given.answer).await?,
    };
    let seen = Box::pin(asking::see(&face, &asked, now, &mut patience)).await;
    Ok(results::seen(seen, &patience))
}

async fn answer(face: &Face, id: RunId, given: Given) -> Result<Run, Fault> {
    if given.option.is_none() && given.text.is_none() {
        return Err(arguments::needed(
            "answer.option",
            "the id of one of the request's options, or `text` for a question; run_get shows them in requests[]",
        ));
    }
    let params = RunAnswer {
        id,
        request: given.request,
        option: given.option,
        text: given.text,
    };
    face.link()
        .call(|hub| async move { hub.answer(params).await })
        .await
}
