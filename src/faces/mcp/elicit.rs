//! A form for the client of a session that shook hands: put, waited for, and taken back when it no longer needs an answer.

use super::{
    handler::Face,
    question::{self, Question},
    tools,
    waits::{Asked, Progress},
};
use crate::{
    domain::{run::Run, time::Timestamp},
    stdx::clock,
};
use rmcp::{
    RoleServer,
    model::{
        CancelledNotification, CancelledNotificationParam, ClientResult, ElicitRequest,
        ElicitRequestParams, RequestId, ServerRequest,
    },
    service::{Peer, PeerRequestOptions, ServiceError},
};
use serde_json::{Value, json};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How soon it is noticed that somebody else has answered.
const LOOK: Duration = Duration::from_millis(500);
/// How much later than the hub a question is given up here: the hub decides what is overdue.
const LATE: Duration = Duration::from_secs(2);

/// What came of a question, and the run as it was last seen.
#[derive(Debug)]
pub(super) enum Heard {
    /// The client answered.
    Said(Run, Value),
    /// One of the requests was decided elsewhere, or its run has ended: what is left is to be put anew.
    Decided(Run),
    /// The client cannot ask, took too long, or no longer wants to know.
    Nothing(Run),
}

/// What happens while a person thinks.
enum Happened {
    Said(Result<ClientResult, ServiceError>),
    Look,
    TooLong,
    Cancelled,
    Closing,
}

/// Puts questions to the client, in one form, and waits for what comes of it, for `thinking` at most. The client is told when its answer is
/// no longer wanted.
pub(super) async fn hear(
    face: &Face,
    asked: &Asked,
    mut run: Run,
    questions: &[Question],
    form: ElicitRequestParams,
    thinking: Duration,
) -> Heard {
    let put = ServerRequest::ElicitRequest(ElicitRequest::new(form));
    let options = PeerRequestOptions::no_options();
    let put = asked.peer.send_request_with_option(put, options).await;
    let Ok(put) = put else {
        return Heard::Nothing(run);
    };
    let id = put.id.clone();
    let until = Instant::now() + thinking.min(left(questions));
    let mut progress = Progress::new(asked);
    let mut said = Box::pin(put.await_response());
    loop {
        progress.tell(std::slice::from_ref(&run)).await;
        let happened = tokio::select! {
            answer = &mut said => Happened::Said(answer),
            () = tokio::time::sleep(LOOK) => Happened::Look,
            () = tokio::time::sleep_until(until) => Happened::TooLong,
            () = asked.cancelled.cancelled() => Happened::Cancelled,
            () = face.link().closing.ended() => Happened::Closing,
        };
        let why = match happened {
            Happened::Said(answer) => return heard(run, answer),
            Happened::Closing => return Heard::Nothing(run),
            Happened::Cancelled => "the call that asked was cancelled",
            Happened::TooLong => "it took too long",
            Happened::Look => match tools::known(face, run.id).await {
                Ok(now) if all_open(&now, questions) => {
                    run = now;
                    continue;
                }
                Ok(now) => {
                    run = now;
                    "it was decided elsewhere"
                }
                // A hub that is being replaced knows the request again in a moment.
                Err(_) => continue,
            },
        };
        take_back(&asked.peer, id, why).await;
        return if all_open(&run, questions) {
            Heard::Nothing(run)
        } else {
            Heard::Decided(run)
        };
    }
}

fn heard(run: Run, answer: Result<ClientResult, ServiceError>) -> Heard {
    match answer {
        Ok(ClientResult::ElicitResult(said)) => {
            let said = serde_json::to_value(said).unwrap_or_else(|_| json!({}));
            Heard::Said(run, said)
        }
        Ok(_) => Heard::Nothing(run),
        Err(error) => {
            tracing::debug!(%error, "the client did not ask");
            Heard::Nothing(run)
        }
    }
}

/// Whether each still waits for an answer.
fn all_open(run: &Run, questions: &[Question]) -> bool {
    let open = question::of(run);
    questions
        .iter()
        .all(|one| open.iter().any(|open| open.request.id == one.request.id))
}

/// Until the hub settles the first of them by itself.
fn left(questions: &[Question]) -> Duration {
    let deadlines = questions.iter().filter_map(|one| one.request.deadline);
    deadlines.min().map_or(Duration::MAX, |deadline| {
        let left = deadline.since_ms(Timestamp(clock::now_ms()));
        Duration::from_millis(u64::try_from(left).unwrap_or_default()) + LATE
    })
}

/// Tells the client that its answer is no longer wanted. rmcp forgets the question by this, too.
async fn take_back(peer: &Peer<RoleServer>, id: RequestId, why: &str) {
    let params = CancelledNotificationParam::new(Some(id), Some(why.to_owned()));
    let note = CancelledNotification::new(params);
    if let Err(error) = peer.send_notification(note.into()).await {
        tracing::debug!(%error, "a question could not be taken back");
    }
}

/// The requests that are before this client's person now: two calls that wait for one run must not ask the same thing twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Before(Arc<Mutex<HashSet<String>>>);

impl Before {
    /// None while another call has it.
    pub(super) fn claim(&self, request: &str) -> Option<Turn> {
        let first = self.all().insert(request.to_owned());
        first.then(|| Turn {
            before: self.clone(),
            request: request.to_owned(),
        })
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One request is before the person as long as this lives.
#[derive(Debug)]
pub(super) struct Turn {
    before: Before,
    request: String,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.before.all().remove(&self.request);
    }
}
