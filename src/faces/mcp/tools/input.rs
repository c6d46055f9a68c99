//! `run_input`.

use super::{Outcome, arguments, run};
use crate::{
    api::{
        input::{RunDelivery, RunInput},
        run::{RunAnswer, RunApiClient as _},
    },
    domain::{
        fault::Fault,
        ids::RunId,
        input::{Delivery, InputMode},
        run::Run,
    },
    faces::mcp::{
        asking,
        handler::Face,
        results, schema,
        waits::{Asked, Patience},
    },
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

/// Milliseconds that it waits for what comes of it.
const WAIT_MS: u64 = 2_000;

/// Arguments of `run_input`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Arguments {
    /// Id of the run.
    id: String,
    /// More for its agent to do.
    message: Option<String>,
    /// queue (default): last; followup: first; steer: this turn if it can; interrupt: cancels this turn.
    mode: Option<InputMode>,
    /// The person's answer.
    answer: Option<Given>,
    /// Same key: delivered once.
    idempotency_key: Option<String>,
}

/// An answer.
#[derive(Debug, Deserialize, JsonSchema)]
struct Given {
    /// Id from requests[].
    request: String,
    /// Id of an option.
    option: Option<String>,
    /// For a question.
    text: Option<String>,
}

/// A run in outline, and how a message to it was taken.
pub(super) fn delivered() -> JsonObject {
    let more = json!({"next": {"type": "string"}, "delivery": {"type": "object"}});
    schema::output(&[schema::with(schema::outline::<Run>(), more)])
}

/// Hands a message or a person's answer to a run, and waits a little for what comes of it.
pub(super) async fn input(face: Face, given: JsonObject, asked: Asked) -> Outcome {
    let given: Arguments = arguments::read(given)?;
    let id = run::run_id(&given.id)?;
    let mut patience = Patience::new(None, WAIT_MS);
    let (now, delivery) = match &asked.round {
        // The call comes again with the answer to the next request: its own was taken.
        Some(round) => (run::known(&face, round.run).await?, None),
        None => hand_over(&face, id, given).await?,
    };
    let seen = Box::pin(asking::see(&face, &asked, now, &mut patience)).await;
    let mut reply = results::seen(seen, &patience);
    if let (Some(delivery), false) = (delivery, reply.asks()) {
        reply.add("delivery", json!(delivery));
    }
    Ok(reply)
}

async fn hand_over(
    face: &Face,
    id: RunId,
    given: Arguments,
) -> Result<(Run, Option<Delivery>), Fault> {
    let Arguments {
        message,
        mode,
        answer,
        idempotency_key,
        ..
    } = given;
    match (message, answer) {
        (None, None) => Err(arguments::needed(
            "message",
            "what its agent is to do next; or `answer` to one of its requests, which run_get shows in requests[]",
        )),
        (Some(_), Some(_)) => Err(Fault::invalid("message", "cannot be given beside `answer`")
            .hint("answer first, then call again with the message")),
        (None, Some(given)) => Ok((self::answer(face, id, given).await?, None)),
        (Some(message), None) => {
            let params = RunInput {
                id,
                message,
                mode,
                idempotency_key,
            };
            let said = face
                .link()
                .call(|hub| async move { hub.input(params).await });
            let RunDelivery { run, delivery } = said.await?;
            Ok((run, Some(delivery)))
        }
    }
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
