//! What an agent says by the tools that Eyas gives it reaches the turn that it is said in.

use super::kit::Yard;
use eyas::{
    domain::{
        conclusion::{ConclusionSource, ConclusionStatus, Report},
        ids::{RunId, SessionId},
        policy::{Asking, Policy},
        request::{Answer, DecidedBy, RequestKind},
        run::RunState,
    },
    runs::{Call, Question, Reply},
};
use tokio::sync::oneshot;

/// A run that works until it is cancelled, once its agent can be heard.
async fn working(yard: &Yard, policy: Policy) -> (RunId, SessionId) {
    let mut run = yard.asking("!say here\n!sleep 60000");
    run.policy = policy;
    let session = run.session.id;
    let run = yard.accept(run).await;
    let begun = std::time::Instant::now();
    while yard.calls.lease(session).is_none() {
        assert!(begun.elapsed() < super::kit::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    (run, session)
}

fn question(title: &str) -> Question {
    Question {
        title: title.to_owned(),
        detail: None,
        choices: vec!["red".to_owned(), "blue".to_owned()],
        default: Some("blue".to_owned()),
        timeout_ms: None,
    }
}

type Answered = oneshot::Receiver<Result<Reply, eyas::domain::fault::Fault>>;

async fn ask(yard: &Yard, session: SessionId, question: Question) -> Answered {
    let (reply, answered) = oneshot::channel();
    let call = Call::Ask { question, reply };
    yard.calls.say(session, call).await.unwrap();
    answered
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_wait_beside_each_other_and_each_has_its_answer() {
    let yard = Yard::new().await;
    let (run, session) = working(&yard, Policy::default()).await;
    let first = ask(&yard, session, question("Which?")).await;
    let second = ask(&yard, session, question("And then?")).await;
    let third = ask(&yard, session, question("Never mind")).await;
    let open = yard.asked(run, 3).await;
    assert!(open.iter().all(|one| one.kind == RequestKind::Question));
    drop(third);
    yard.asked(run, 2).await;
    let of = |title| open.iter().find(|one| one.title == title).unwrap();
    yard.answer(run, of("And then?"), "2").await;
    let said = |option: &str, text: &str| {
        Reply::Answered(Answer {
            option: Some(option.to_owned()),
            text: Some(text.to_owned()),
        })
    };
    assert_eq!(second.await.unwrap().unwrap(), said("2", "blue"));
    yard.answer(run, of("Which?"), "1").await;
    assert_eq!(first.await.unwrap().unwrap(), said("1", "red"));
    yard.cancel(run).await;
    assert_eq!(yard.end_of(run).await.state, RunState::Cancelled);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_has_its_default() {
    let yard = Yard::new().await;
    let (run, session) = working(&yard, Policy::default()).await;
    let hurried = Question {
        timeout_ms: Some(50),
        ..question("Which?")
    };
    let answered = ask(&yard, session, hurried).await;
    let default = Reply::Unanswered(Some("blue".to_owned()));
    assert_eq!(answered.await.unwrap().unwrap(), default);
    let by_deadline = (DecidedBy::Deadline, Some("2".to_owned()));
    assert_eq!(yard.decisions(run).await, [by_deadline]);
    let late = ask(&yard, session, question("And at the end?")).await;
    yard.asked(run, 1).await;
    yard.cancel(run).await;
    assert!(late.await.unwrap().is_err(), "its turn has ended");
    yard.end_of(run).await;

    let off = Policy {
        ask: Asking::Off,
        ..Policy::default()
    };
    let (run, session) = working(&yard, off).await;
    let answered = ask(&yard, session, question("Which?")).await;
    assert_eq!(answered.await.unwrap().unwrap(), default);
    assert!(yard.decisions(run).await.is_empty());
    yard.cancel(run).await;
    yard.end_of(run).await;
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_last_report_is_the_conclusion_and_its_progress_is_told() {
    let yard = Yard::new().await;
    let run = yard.asking("!permission execute git push\n!say the end");
    let session = run.session.id;
    let run = yard.accept(run).await;
    let open = yard.asked(run, 1).await;
    for summary in ["half", "whole"] {
        let (reply, heard) = oneshot::channel();
        let report = Report {
            status: Some(ConclusionStatus::Partial),
            summary: summary.to_owned(),
            ..Report::default()
        };
        let call = Call::Conclude { report, reply };
        yard.calls.say(session, call).await.unwrap();
        heard.await.unwrap().unwrap();
    }
    let (reply, heard) = oneshot::channel();
    let call = Call::Progress {
        text: "two of three".to_owned(),
        percent: Some(66),
        reply,
    };
    yard.calls.say(session, call).await.unwrap();
    heard.await.unwrap().unwrap();
    yard.answer(run, &open[0], "yes").await;
    let ended = yard.end_of(run).await;
    let conclusion = ended.conclusion.unwrap();
    assert_eq!(conclusion.source, ConclusionSource::Tool);
    assert_eq!(conclusion.status, ConclusionStatus::Partial);
    assert_eq!(conclusion.summary, "whole");
    assert!(yard.kinds(run).await.iter().any(|kind| kind == "progress"));
    assert!(yard.calls.lease(session).is_none(), "nobody hears it now");
    yard.pool.close().await;
}
