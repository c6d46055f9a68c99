//! An attempt that ended after it had begun to change things is repeated only where a person says so, or has said so before.

use super::kit::Yard;
use eyas::{
    domain::{
        event::EventKind,
        fault::ErrorKind,
        policy::{Asking, Security},
        request::RequestKind,
        run::{AttemptOutcome::*, Run, RunState},
        worktree::Isolation,
    },
    store::NewRun,
};

impl Yard {
    /// Changes something, then dies; the second time it does not.
    fn dying(&self) -> NewRun {
        let script = format!(
            "!tool change edit\n{}!told eyas:interrupted",
            self.first("die 9")
        );
        self.asking(&script)
    }
}

fn is_unknown(run: &Run) -> bool {
    run.warnings
        .iter()
        .any(|warning| warning.kind == "side_effects_unknown")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_tried_again_when_a_person_says_so() {
    let yard = Yard::new().await;
    let id = yard.accept(yard.dying()).await;
    let request = yard.asked(id, 1).await.remove(0);
    assert_eq!(request.kind, RequestKind::Question);
    assert!(request.detail.as_ref().unwrap().contains("change"));
    let attempts = yard.store.runs.attempts(id).await.unwrap();
    assert_eq!(attempts[0].outcome, Some(Failed));
    assert_eq!(attempts[0].touched, ["change"]);
    assert!(attempts[1].pid.is_none(), "nothing is launched before");
    yard.answer(id, &request, "retry").await;
    let run = yard.end_of(id).await;
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2));
    assert_eq!(run.conclusion.as_ref().unwrap().summary, "true");
    assert!(!is_unknown(&run));
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn or_let_be_the_end_with_what_was_done() {
    let yard = Yard::new().await;
    let id = yard.accept(yard.dying()).await;
    let request = yard.asked(id, 1).await.remove(0);
    yard.answer(id, &request, "finish").await;
    let run = yard.end_of(id).await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.error.as_ref().unwrap().kind, ErrorKind::AgentDied);
    assert!(is_unknown(&run), "{run:#?}");
    assert_eq!(run.conclusion.unwrap().tools.unwrap().total, 1);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn or_cancelled() {
    let yard = Yard::new().await;
    let id = yard.accept(yard.dying()).await;
    let request = yard.asked(id, 1).await.remove(0);
    yard.answer(id, &request, "cancel").await;
    assert_eq!(yard.end_of(id).await.state, RunState::Cancelled);
    let second = yard.accept(yard.asking("!tool change edit\n!die 9")).await;
    yard.asked(second, 1).await;
    yard.cancel(second).await;
    let run = yard.end_of(second).await;
    assert_eq!(run.state, RunState::Cancelled);
    assert!(run.requests.is_empty());
    assert_eq!(yard.told(second, EventKind::Finished).await.len(), 1);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_is_to_be_asked_it_fails_and_says_why() {
    let yard = Yard::new().await;
    let mut asked = yard.dying();
    asked.policy.ask = Asking::Off;
    let run = yard.run(asked).await;
    assert_eq!((run.state, run.attempt), (RunState::Failed, 1));
    assert_eq!(run.error.as_ref().unwrap().kind, ErrorKind::AgentDied);
    assert!(is_unknown(&run), "{run:#?}");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_that_was_allowed_or_harms_nobody() {
    let yard = Yard::new().await;
    let mut asked = yard.dying();
    asked.retry.regardless = true;
    let run = yard.run(asked).await;
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2));
    let yard = Yard::new().await;
    let mut asked = yard.dying();
    asked.isolation = Isolation::Worktree;
    asked.policy.ask = Asking::Off;
    let run = yard.run(asked).await;
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 2));
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_to_happen_is_on_disk_before() {
    let yard = Yard::new().await;
    let mut asked = yard.asking("!permission execute git push\n!sleep 600000");
    asked.policy.security = Security::Full;
    let id = yard.accept(asked).await;
    yard.until_at(id, "git push").await;
    let attempts = yard.store.runs.attempts(id).await.unwrap();
    assert_eq!(attempts[0].touched, ["git push"]);
    yard.cancel(id).await;
    yard.end_of(id).await;
    let denied = yard
        .accept(yard.asking("!permission execute git push"))
        .await;
    let request = yard.asked(denied, 1).await.remove(0);
    yard.answer(denied, &request, "no").await;
    yard.end_of(denied).await;
    let attempts = yard.store.runs.attempts(denied).await.unwrap();
    assert!(attempts[0].touched.is_empty(), "{attempts:?}");
    yard.pool.close().await;
}

/// A hub that stops in order while an agent that had changed something asks: the next one puts nothing again unasked.
#[tokio::test(flavor = "multi_thread")]
async fn also_when_the_hub_ended() {
    let mut yard = Yard::new().await;
    let script = "!tool change edit\n!permission execute git push\n!say end";
    let id = yard.accept(yard.asking(script)).await;
    let pushed = yard.asked(id, 1).await.remove(0);
    yard.restart().await;
    let run = yard.store.runs.get(id).await.unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Queued, 0));
    assert_eq!(yard.outcomes(id).await, [Some(Interrupted)]);
    yard.resume();
    let asked = yard.asked(id, 2).await;
    let which = asked.iter().find(|one| one.id != pushed.id).unwrap();
    assert!(which.title.contains("Retry"), "{which:?}");
    yard.answer(id, which, "retry").await;
    let again = yard.asked(id, 1).await.remove(0);
    assert_eq!(again.id, pushed.id, "what it asked is taken up");
    yard.answer(id, &again, "no").await;
    let run = yard.end_of(id).await;
    assert_eq!(
        (run.state, run.attempt),
        (RunState::Succeeded, 1),
        "{run:#?}"
    );
    yard.pool.close().await;
}
