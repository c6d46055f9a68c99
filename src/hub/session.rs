//! What an agent says by the tools of its session, passed on to the attempt that holds the session now.

use crate::{
    api::session::{Heard, Reply, SessionApiServer, SessionAsk, SessionProgress},
    domain::{
        caller::Caller,
        conclusion::Report,
        fault::{ErrorKind, Fault},
        ids::{RunId, SessionId},
    },
    runs::{self, Call, Calls, Question},
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use tokio::sync::oneshot;

/// As much as is read of a final block.
const REPORT_BYTES: usize = 256 * 1024;
/// Longer is no line.
const LINE_BYTES: usize = 2_000;
/// A question that needs more is a report.
const DETAIL_BYTES: usize = 16 * 1024;
const CHOICES: usize = 16;

/// Serves `session.*`.
#[derive(Clone, Debug)]
pub(crate) struct SessionDesk {
    calls: Calls,
}

impl SessionDesk {
    /// A desk over the way to attempts.
    #[must_use]
    pub(crate) fn new(calls: Calls) -> Self {
        Self { calls }
    }

    /// Says it to the attempt, and waits for what comes of it. Whoever stops waiting takes it back.
    async fn say<T>(
        &self,
        extensions: &Extensions,
        call: impl FnOnce(oneshot::Sender<Result<T, Fault>>) -> Call,
    ) -> Result<(RunId, T), Fault> {
        let session = session(extensions)?;
        let lease = self.calls.lease(session).ok_or_else(nobody)?;
        let (reply, answer) = oneshot::channel();
        self.calls.say(session, call(reply)).await?;
        // An attempt that ends with the call unanswered has ended its run, or has lost it.
        let answer = answer.await.map_err(|_dropped| nobody())??;
        Ok((lease.run, answer))
    }
}

#[async_trait]
impl SessionApiServer for SessionDesk {
    async fn conclude(&self, extensions: &Extensions, report: Report) -> Result<Heard, Fault> {
        fits(&report)?;
        let (run, ()) = self
            .say(extensions, |reply| Call::Conclude { report, reply })
            .await?;
        Ok(Heard { run })
    }

    async fn progress(
        &self,
        extensions: &Extensions,
        params: SessionProgress,
    ) -> Result<Heard, Fault> {
        let SessionProgress { text, percent } = params;
        said("text", &text, LINE_BYTES)?;
        if percent.is_some_and(|percent| percent > 100) {
            return Err(Fault::invalid("percent", "must be 0 to 100"));
        }
        let (run, ()) = self
            .say(extensions, |reply| Call::Progress {
                text,
                percent,
                reply,
            })
            .await?;
        Ok(Heard { run })
    }

    async fn ask(&self, extensions: &Extensions, params: SessionAsk) -> Result<Reply, Fault> {
        let question = question(params)?;
        let choices = question.choices.clone();
        let (_, reply) = self
            .say(extensions, |reply| Call::Ask { question, reply })
            .await?;
        Ok(match reply {
            runs::Reply::Answered(answer) => Reply {
                answered: true,
                option: answer.option.map(|id| chosen(&choices, id)),
                text: answer.text,
            },
            runs::Reply::Unanswered(default) => Reply {
                answered: false,
                option: None,
                text: default,
            },
        })
    }
}

fn fits(report: &Report) -> Result<(), Fault> {
    let lists = [
        &report.artifacts,
        &report.memory_refs,
        &report.questions,
        &report.warnings,
    ];
    let listed = lists.into_iter().flatten().map(|one| one.len() + 1);
    let follow_up = report.follow_up.as_ref().map_or(0, String::len);
    let bytes = report.summary.len() + follow_up + listed.sum::<usize>();
    if bytes > REPORT_BYTES {
        return Err(Fault::new(
            ErrorKind::TooLarge,
            format!("the report has {bytes} bytes, at most {REPORT_BYTES} are taken"),
        )
        .hint("put the long part into a file, name it in artifacts, and summarize it"));
    }
    Ok(())
}

fn question(params: SessionAsk) -> Result<Question, Fault> {
    said("question", &params.question, LINE_BYTES)?;
    if let Some(detail) = &params.detail {
        short("detail", detail, DETAIL_BYTES)?;
    }
    if params.choices.len() > CHOICES {
        return Err(Fault::invalid(
            "choices",
            format!(
                "has {} items, at most {CHOICES} are taken",
                params.choices.len()
            ),
        ));
    }
    for (at, choice) in params.choices.iter().enumerate() {
        said("choices", choice, LINE_BYTES)?;
        if params.choices[..at].contains(choice) {
            return Err(Fault::invalid(
                "choices",
                "holds the same answer twice: nobody could tell which was meant",
            ));
        }
    }
    if let Some(default) = &params.default {
        short("default", default, LINE_BYTES)?;
        if !params.choices.is_empty() && !params.choices.contains(default) {
            return Err(
                Fault::invalid("default", "is none of the choices").hint("name one of `choices`")
            );
        }
    }
    Ok(Question {
        title: params.question,
        detail: params.detail,
        choices: params.choices,
        default: params.default,
        timeout_ms: params.timeout_ms,
    })
}

/// A person answers by the number of a choice, from 1; the agent knows its own words.
fn chosen(choices: &[String], id: String) -> String {
    let at = id.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
    match at.and_then(|at| choices.get(at)) {
        Some(name) => name.clone(),
        None => id,
    }
}

fn said(field: &str, text: &str, most: usize) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::required(field));
    }
    short(field, text, most)
}

fn short(field: &str, text: &str, most: usize) -> Result<(), Fault> {
    if text.len() > most {
        return Err(Fault::new(
            ErrorKind::TooLarge,
            format!(
                "`{field}` has {} bytes, at most {most} are taken",
                text.len()
            ),
        )
        .field(field));
    }
    Ok(())
}

fn session(extensions: &Extensions) -> Result<SessionId, Fault> {
    match extensions.get::<Caller>() {
        Some(Caller::Session(session)) => Ok(*session),
        None | Some(Caller::Person | Caller::Stray) => Err(Fault::new(
            ErrorKind::Forbidden,
            "only the agent of a run may speak for it",
        )),
    }
}

fn nobody() -> Fault {
    Fault::new(
        ErrorKind::Forbidden,
        "no run of this session is being worked on",
    )
    .hint("the turn that this belongs to is over: nothing more can be said of it")
}

#[cfg(test)]
mod tests {
    use super::{Call, Calls, SessionApiServer as _, SessionAsk, SessionDesk, SessionProgress};
    use crate::{
        domain::{
            caller::Caller,
            conclusion::Report,
            fault::ErrorKind,
            ids::{RunId, SessionId},
            request::Answer,
        },
        runs::Reply,
        stdx::mint,
        store::Lease,
    };
    use jsonrpsee::Extensions;

    fn by(caller: Caller) -> Extensions {
        let mut extensions = Extensions::new();
        extensions.insert(caller);
        extensions
    }

    fn lease(session: SessionId) -> Lease {
        Lease {
            run: RunId(mint()),
            session,
            fence: 1,
            attempt: 1,
        }
    }

    fn ask(question: &str) -> SessionAsk {
        SessionAsk {
            question: question.to_owned(),
            detail: None,
            choices: vec!["red".to_owned(), "blue".to_owned()],
            default: Some("blue".to_owned()),
            timeout_ms: None,
        }
    }

    #[tokio::test]
    async fn only_a_session_that_is_worked_on_may_speak() {
        let desk = SessionDesk::new(Calls::default());
        let session = Caller::Session(SessionId(mint()));
        for caller in [Caller::Person, Caller::Stray, session] {
            let refused = desk.conclude(&by(caller), Report::default()).await;
            assert_eq!(
                refused.unwrap_err().kind,
                ErrorKind::Forbidden,
                "{caller:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_said_reaches_the_attempt_and_its_answer_comes_back() {
        let calls = Calls::default();
        let desk = SessionDesk::new(calls.clone());
        let session = SessionId(mint());
        let lease = lease(session);
        let mut attempt = calls.enter(lease);
        let extensions = by(Caller::Session(session));
        let asked = desk.ask(&extensions, ask("which colour?"));
        let answering = async {
            match attempt.next().await {
                Some(Call::Ask { question, reply }) => {
                    assert_eq!(question.title, "which colour?");
                    let answer = Answer {
                        option: Some("1".to_owned()),
                        text: None,
                    };
                    reply.send(Ok(Reply::Answered(answer))).unwrap();
                }
                other => panic!("{other:?}"),
            }
        };
        let (reply, ()) = tokio::join!(asked, answering);
        assert_eq!(reply.unwrap().option.as_deref(), Some("red"));
        let said = desk.progress(
            &extensions,
            SessionProgress {
                text: "half".to_owned(),
                percent: Some(50),
            },
        );
        let hearing = async {
            match attempt.next().await {
                Some(Call::Progress { reply, .. }) => reply.send(Ok(())).unwrap(),
                other => panic!("{other:?}"),
            }
        };
        let (heard, ()) = tokio::join!(said, hearing);
        assert_eq!(heard.unwrap().run, lease.run);
    }

    #[tokio::test]
    async fn an_attempt_that_ends_answers_forbidden_and_one_that_asks_no_more_withdraws() {
        let calls = Calls::default();
        let desk = SessionDesk::new(calls.clone());
        let session = SessionId(mint());
        let mut attempt = calls.enter(lease(session));
        let extensions = by(Caller::Session(session));
        let mut asked = Box::pin(desk.ask(&extensions, ask("which colour?")));
        let Some(Call::Ask { reply, .. }) = (tokio::select! {
            call = attempt.next() => call,
            _ = &mut asked => None,
        }) else {
            panic!("a question");
        };
        drop(asked);
        assert!(reply.is_closed(), "the question is taken back");
        let report = desk.conclude(&extensions, Report::default());
        let (refused, ()) = tokio::join!(report, async { drop(attempt.next().await) });
        assert_eq!(refused.unwrap_err().kind, ErrorKind::Forbidden);
    }

    #[tokio::test]
    async fn a_question_that_nobody_could_answer_is_refused() {
        let calls = Calls::default();
        let desk = SessionDesk::new(calls.clone());
        let session = SessionId(mint());
        let _attempt = calls.enter(lease(session));
        let extensions = by(Caller::Session(session));
        let twice = SessionAsk {
            choices: vec!["a".to_owned(), "a".to_owned()],
            default: None,
            ..ask("which?")
        };
        let none = SessionAsk {
            default: Some("green".to_owned()),
            ..ask("which?")
        };
        let many = SessionAsk {
            choices: (0..17).map(|n| n.to_string()).collect(),
            default: None,
            ..ask("which?")
        };
        for (wrong, kind) in [
            (ask(" "), ErrorKind::RequiredField),
            (ask(&"x".repeat(2_001)), ErrorKind::TooLarge),
            (twice, ErrorKind::InvalidParams),
            (none, ErrorKind::InvalidParams),
            (many, ErrorKind::InvalidParams),
        ] {
            let refused = desk.ask(&extensions, wrong).await.unwrap_err();
            assert_eq!(refused.kind, kind, "{refused}");
        }
    }
}
