//! Asking the person behind the client what an agent may do or wants to know, as far as the client can.

use super::{
    elicit::{self, Heard},
    era,
    form::{self, Verdict},
    handler::Face,
    question::{self, Question},
    rounds, tools,
    waits::{self, Asked, Patience},
};
use crate::{
    api::run::{RunAnswer, RunApiClient as _},
    domain::{
        fault::Fault,
        ids::RunId,
        request::Answer,
        run::{Run, Warning},
    },
};
use rmcp::{
    RoleServer,
    model::{ClientCapabilities, InputRequiredResult, ProtocolVersion},
    service::RequestContext,
};
use serde_json::Value;
use std::time::Duration;

/// How long a person may think, all questions of one call together.
const THINKING: Duration = Duration::from_mins(10);
/// Requests that are put together; more come after them.
const TOGETHER: usize = 8;

/// How a person behind a client can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// Not at all: the client did not say that it can.
    Never,
    /// By a request to the client while the call is open. `titled`: it knows choices with titles.
    Forms { titled: bool },
    /// By an answer that asks; the call comes again.
    Rounds,
}

impl Manner {
    /// What the client declared: with this very request, or when it shook hands.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        if era::is_modern(context) {
            let declared = context.meta.client_capabilities();
            return if declared.is_some_and(|declared| takes_forms(&declared)) {
                Self::Rounds
            } else {
                Self::Never
            };
        }
        match context.peer.peer_info() {
            Some(info) if takes_forms(&info.capabilities) => Self::Forms {
                titled: info.protocol_version.as_str() >= ProtocolVersion::V_2025_11_25.as_str(),
            },
            Some(_) | None => Self::Never,
        }
    }
}

/// A capability that names no mode means forms.
fn takes_forms(declared: &ClientCapabilities) -> bool {
    declared
        .elicitation
        .as_ref()
        .is_some_and(|modes| modes.form.is_some() || modes.url.is_none())
}

/// What there is to answer a call with.
#[derive(Debug)]
pub(super) enum Seen {
    Run(Box<Run>),
    /// The client is to ask, and to call again.
    Ask(Box<InputRequiredResult>),
}

/// What came of asking.
enum Step {
    /// The run goes on, or something else is to be asked.
    On(Run),
    /// Nobody has decided: the call is answered with the run as it is.
    Leave(Run),
}

/// Waits for a run, and asks whenever its agent, or that of a run below it, does. The time that a person takes comes on top of what the caller
/// gave; nobody is asked for a caller who wants an answer at once.
pub(super) async fn see(face: &Face, asked: &Asked, run: Run, patience: &mut Patience) -> Seen {
    let mut run = run;
    if let Some(round) = &asked.round
        && !round.said.is_empty()
    {
        match settle(face, run, &round.said).await {
            Step::On(next) => run = next,
            Step::Leave(next) => return Seen::Run(Box::new(next)),
        }
    }
    let mut thinking = THINKING;
    loop {
        run = waits::for_run(face, asked, run, patience).await;
        let may = patience.waits() && !asked.cancelled.is_cancelled() && !run.state.is_terminal();
        let mut questions = question::of(&run);
        if questions.is_empty() || !may {
            return Seen::Run(Box::new(run));
        }
        questions.truncate(TOGETHER);
        let titled = match asked.manner {
            Manner::Never => return Seen::Run(Box::new(run)),
            Manner::Rounds => {
                return Seen::Ask(Box::new(rounds::ask(run.id, questions, &asked.call)));
            }
            Manner::Forms { titled } => titled,
        };
        let begun = tokio::time::Instant::now();
        match ask(face, asked, run, questions, titled, thinking).await {
            Step::On(next) => run = next,
            Step::Leave(next) => return Seen::Run(Box::new(next)),
        }
        thinking = thinking.saturating_sub(begun.elapsed());
        patience.extend(begun.elapsed());
    }
}

/// Puts requests to the person, but for those that another call has before them already.
async fn ask(
    face: &Face,
    asked: &Asked,
    run: Run,
    mut questions: Vec<Question>,
    titled: bool,
    thinking: Duration,
) -> Step {
    let mut turns = Vec::new();
    questions.retain(|one| {
        let turn = face.0.before.claim(&one.request.id);
        let ours = turn.is_some();
        turns.extend(turn);
        ours
    });
    if questions.is_empty() {
        return Step::Leave(run);
    }
    let form = form::form(&questions, titled);
    match elicit::hear(face, asked, run, &questions, form, thinking).await {
        Heard::Said(run, said) => settle(face, run, &form::split(&questions, &said)).await,
        Heard::Decided(run) => Step::On(run),
        Heard::Nothing(run) => Step::Leave(run),
    }
}

/// What a person said becomes the answer to each request that is still open.
async fn settle(face: &Face, run: Run, said: &[(String, Value)]) -> Step {
    let open = question::of(&run);
    let (mut warnings, mut decided) = (Vec::new(), true);
    for (id, said) in said {
        let Some(question) = open.iter().find(|one| one.request.id == *id) else {
            let late = "the request was decided before this answer came";
            warnings.push(Warning::new("answer_late", late));
            continue;
        };
        match form::read(&question.request, said) {
            Verdict::Leave => decided = false,
            Verdict::Answer(answer) => {
                // Others were faster, or it is not the caller's to give.
                if let Err(fault) = give(face, question.run, id, answer).await {
                    warnings.push(Warning::new(&fault.kind.as_str(), fault.detail));
                    decided &= !is_open(face, &run, id).await;
                }
            }
        }
    }
    let mut run = refreshed(face, run).await;
    run.warnings.extend(warnings);
    if decided {
        Step::On(run)
    } else {
        Step::Leave(run)
    }
}

/// Whether a request still waits for its answer.
pub(super) async fn is_open(face: &Face, run: &Run, id: &str) -> bool {
    let now = refreshed(face, run.clone()).await;
    question::of(&now).iter().any(|one| one.request.id == id)
}

/// Answers a request of a run.
pub(super) async fn give(
    face: &Face,
    id: RunId,
    request: &str,
    answer: Answer,
) -> Result<Run, Fault> {
    let params = RunAnswer {
        id,
        request: request.to_owned(),
        option: answer.option,
        text: answer.text,
    };
    face.link()
        .call(|hub| async move { hub.answer(params).await })
        .await
}

/// The run as it is now; as it was, where the hub cannot be asked.
pub(super) async fn refreshed(face: &Face, run: Run) -> Run {
    tools::known(face, run.id).await.unwrap_or(run)
}
