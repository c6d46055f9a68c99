//! Asking the person behind the client what an agent may do or wants to know, as far as the client can.

use super::{
    elicit::{self, Heard},
    era,
    form::{self, Verdict},
    handler::Face,
    rounds, tools,
    waits::{self, Asked, Patience},
};
use crate::{
    api::run::{RunAnswer, RunApiClient as _},
    domain::{
        fault::Fault,
        request::{Answer, Request},
        run::{Run, Warning},
    },
};
use rmcp::{
    RoleServer,
    model::{ClientCapabilities, InputRequiredResult, ProtocolVersion},
    service::RequestContext,
};
use serde_json::Value;
use std::{collections::BTreeSet, time::Duration};

/// How long a person may think, all questions of one call together.
const THINKING: Duration = Duration::from_mins(10);

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

/// Waits for a run, and asks whenever its agent does. The time that a person takes comes on top of what the caller gave; nobody is asked for
/// a caller who wants an answer at once.
pub(super) async fn see(face: &Face, asked: &Asked, run: Run, patience: &mut Patience) -> Seen {
    let mut run = run;
    if let Some(round) = &asked.round
        && let Some(said) = &round.said
    {
        match settle(face, run, &round.request, said).await {
            Step::On(next) => run = next,
            Step::Leave(next) => return Seen::Run(Box::new(next)),
        }
    }
    let mut thinking = THINKING;
    let mut put = BTreeSet::new();
    loop {
        run = waits::for_run(face, asked, run, patience).await;
        let next = run.requests.iter().find(|one| !put.contains(&one.id));
        let may = patience.waits() && !asked.cancelled.is_cancelled() && !run.state.is_terminal();
        let Some(request) = next.filter(|_| may && run.is_over()).cloned() else {
            return Seen::Run(Box::new(run));
        };
        let titled = match asked.manner {
            Manner::Never => return Seen::Run(Box::new(run)),
            Manner::Rounds => {
                return Seen::Ask(Box::new(rounds::ask(&run, &request, &asked.call)));
            }
            Manner::Forms { titled } => titled,
        };
        let begun = tokio::time::Instant::now();
        put.insert(request.id.clone());
        match ask(face, asked, run, &request, titled, thinking).await {
            Step::On(next) => run = next,
            Step::Leave(next) => return Seen::Run(Box::new(next)),
        }
        thinking = thinking.saturating_sub(begun.elapsed());
        patience.extend(begun.elapsed());
    }
}

/// Puts one request to the person, unless another call has it before them already.
async fn ask(
    face: &Face,
    asked: &Asked,
    run: Run,
    request: &Request,
    titled: bool,
    thinking: Duration,
) -> Step {
    let Some(_turn) = face.0.before.claim(&request.id) else {
        return Step::Leave(run);
    };
    let form = form::form(&run, request, titled);
    match elicit::hear(face, asked, run, request, form, thinking).await {
        Heard::Said(run, said) => settle(face, run, &request.id, &said).await,
        Heard::Decided(run) => Step::On(run),
        Heard::Nothing(run) => Step::Leave(run),
    }
}

/// What a person said becomes the answer to a request, if that is still open.
async fn settle(face: &Face, mut run: Run, id: &str, said: &Value) -> Step {
    let Some(request) = run.requests.iter().find(|request| request.id == id) else {
        run.warnings.push(Warning::new(
            "answer_late",
            "the request was decided before this answer came",
        ));
        return Step::On(run);
    };
    match form::read(request, said) {
        Verdict::Leave => Step::Leave(refreshed(face, run).await),
        Verdict::Answer(answer) => match give(face, &run, id, answer).await {
            Ok(run) => Step::On(run),
            Err(fault) => refused(face, run, id, &fault).await,
        },
    }
}

/// The hub did not take the answer: others were faster, or it is not the caller's to give.
async fn refused(face: &Face, run: Run, id: &str, fault: &Fault) -> Step {
    let mut run = refreshed(face, run).await;
    let open = run.requests.iter().any(|request| request.id == id);
    run.warnings
        .push(Warning::new(&fault.kind.as_str(), fault.detail.clone()));
    if open {
        Step::Leave(run)
    } else {
        Step::On(run)
    }
}

async fn give(face: &Face, run: &Run, request: &str, answer: Answer) -> Result<Run, Fault> {
    let params = RunAnswer {
        id: run.id,
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
