//! `conclude`, `report_progress`, `ask`.

use super::{Reply, read, waiting::Asker};
use crate::{
    api::session::{Heard, Reply as Answer, SessionAsk, SessionProgress},
    domain::{
        conclusion::{ConclusionStatus, Report},
        fault::Fault,
    },
    faces::session::handler::Tools,
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;

/// Arguments of `conclude`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Conclude {
    /// success: all that was asked for is done; partial: a part of it; failed: it went wrong; blocked: something is needed that you cannot
    /// get.
    status: ConclusionStatus,
    /// What you did and found, complete in itself: the answer, not where it stands above.
    summary: String,
    /// Paths of the files that you wrote or that matter, relative to the working directory.
    artifacts: Option<Vec<String>>,
    /// Notes worth remembering for later work, a line each.
    memory_refs: Option<Vec<String>>,
    /// What should be done next, if anything.
    follow_up: Option<String>,
    /// What you could not decide.
    questions: Option<Vec<String>>,
    /// How sure you are, 0.0 to 1.0.
    #[schemars(range(min = 0.0, max = 1.0))]
    confidence: Option<f64>,
    /// What a reader should be careful with.
    warnings: Option<Vec<String>>,
}

/// Arguments of `report_progress`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Progress {
    /// What you are doing now, in one line.
    text: String,
    /// How far the whole work is, 0 to 100.
    #[schemars(range(min = 0, max = 100))]
    percent: Option<u8>,
}

/// Arguments of `ask`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Ask {
    /// The question, in one line.
    question: String,
    /// What the person should know to answer it.
    detail: Option<String>,
    /// Up to 16 answers to choose from; without them any text answers.
    #[schemars(length(max = 16))]
    choices: Option<Vec<String>>,
    /// What you will do when nobody answers in time; one of the choices, where there are any.
    default: Option<String>,
    /// Milliseconds to wait for the answer; default 600000, or what the run's policy says.
    timeout_ms: Option<u64>,
}

pub(super) async fn conclude(tools: Tools, given: JsonObject) -> Result<Reply, Fault> {
    let given: Conclude = read(given)?;
    let report = Report {
        status: Some(given.status),
        summary: given.summary,
        artifacts: given.artifacts.unwrap_or_default(),
        memory_refs: given.memory_refs.unwrap_or_default(),
        follow_up: given.follow_up,
        questions: given.questions.unwrap_or_default(),
        confidence: given.confidence,
        warnings: given.warnings.unwrap_or_default(),
    };
    let heard: Heard = tools.way().call("session.conclude", &report).await?;
    let text = "Noted as the conclusion of your run. End your turn now; calling conclude again replaces it.";
    Ok(Reply::new(text, heard))
}

pub(super) async fn progress(tools: Tools, given: JsonObject) -> Result<Reply, Fault> {
    let Progress { text, percent } = read(given)?;
    let params = SessionProgress { text, percent };
    let heard: Heard = tools.way().call("session.progress", &params).await?;
    Ok(Reply::new("Noted. Go on.", heard))
}

pub(super) async fn ask(tools: Tools, given: JsonObject, mut asker: Asker) -> Result<Reply, Fault> {
    let given: Ask = read(given)?;
    let params = SessionAsk {
        question: given.question,
        detail: given.detail,
        choices: given.choices.unwrap_or_default(),
        default: given.default,
        timeout_ms: given.timeout_ms,
    };
    let asked = tools.way().wait("session.ask", &params);
    let answer: Answer = asker.through("waiting for a person", asked).await?;
    Ok(Reply::new(told(&answer), answer))
}

fn told(answer: &Answer) -> String {
    match (answer.answered, &answer.option, &answer.text) {
        (true, Some(option), Some(text)) if option != text => {
            format!("Answered: {option}\n{text}")
        }
        (true, Some(said), _) | (true, None, Some(said)) => format!("Answered: {said}"),
        (true, None, None) => "Answered, with nothing.".to_owned(),
        (false, _, Some(default)) => {
            format!("Nobody has answered in time. Your default holds: {default}")
        }
        (false, _, None) => {
            "Nobody has answered in time. Decide by yourself, or go on without it and name it in questions of conclude.".to_owned()
        }
    }
}
