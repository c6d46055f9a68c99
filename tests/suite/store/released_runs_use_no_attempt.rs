//! Giving a run back is not a failure.

use super::kit::{Home, ends, hub, run, run_in, says, session};
use eyas::{
    domain::{
        event::EventKind,
        run::{AttemptOutcome, RunState, Waiting},
    },
    store::Release,
};

fn release(waiting: Option<Waiting>, delay_ms: i64) -> Release {
    Release {
        waiting,
        delay_ms,
        reason: "not now".to_owned(),
    }
}

#[tokio::test]
async fn the_number_of_the_attempt_is_used_again() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let first = home.claim_one().await;
    home.store.runs.append(first, says("at it")).await.unwrap();
    home.store
        .runs
        .release(first, release(None, 0))
        .await
        .unwrap();
    let found = home.store.runs.get(id).await.unwrap();
    assert_eq!((found.state, found.attempt), (RunState::Queued, 0));
    assert_eq!((found.started_at, found.step), (None, None));
    let attempts = home.store.runs.attempts(id).await.unwrap();
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Released));
    assert_eq!(attempts[0].reason.as_deref(), Some("not now"));
    let second = home.claim_one().await;
    assert_eq!((first.attempt, second.attempt), (1, 1));
    let attempts = home.store.runs.attempts(id).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(
        (attempts[0].outcome, attempts[0].fence),
        (None, second.fence)
    );
    home.finish(second).await;
    let kinds = home.kinds(id).await;
    assert!(kinds.contains(&EventKind::Released));
}

#[tokio::test]
async fn a_run_that_waits_is_woken() {
    let home = Home::new().await;
    let talk = session();
    let id = home.accept(run_in(talk.clone())).await;
    let next = home.accept(run_in(talk)).await;
    let lease = home.claim_one().await;
    let later = release(Some(Waiting::Environment), 3_600_000);
    home.store.runs.release(lease, later).await.unwrap();
    assert_eq!(
        home.store.runs.get(id).await.unwrap().waiting,
        Some(Waiting::Environment)
    );
    assert_eq!(
        home.store.runs.get(next).await.unwrap().waiting,
        Some(Waiting::Session)
    );
    assert!(
        home.claim(10).await.is_empty(),
        "neither it nor the one behind it"
    );
    let left = home.store.runs.sweep(home.me).await.unwrap().unwrap();
    assert!(left > 3_500_000 && left <= 3_600_000, "{left}");
    home.store.runs.wake(Waiting::Retry).await.unwrap();
    assert!(home.claim(10).await.is_empty());
    home.store.runs.wake(Waiting::Environment).await.unwrap();
    assert_eq!(home.store.runs.get(id).await.unwrap().waiting, None);
    assert_eq!(home.claim_one().await.run, id);
}

#[tokio::test]
async fn a_run_whose_end_was_asked_for_does_not_go_back() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    home.store
        .runs
        .cancel(id, "enough".to_owned())
        .await
        .unwrap();
    home.store
        .runs
        .release(lease, release(None, 0))
        .await
        .unwrap();
    assert_eq!(home.state(id).await, RunState::Cancelled);
    assert!(home.claim(10).await.is_empty());
}

#[tokio::test]
async fn a_finished_attempt_is_told_whole() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let claimed = home.store.runs.claim(hub(), 1, 1000).await.unwrap();
    let mut end = ends(RunState::Failed, AttemptOutcome::Failed);
    end.stderr_tail = Some("last words".to_owned());
    end.progress.note.pid = Some(77);
    end.progress.note.warm = Some(true);
    end.progress.note.reason = Some("spare".to_owned());
    end.progress.note.agent_session = Some("theirs".to_owned());
    end.progress.note.continuity = Some(eyas::domain::run::Continuity::Resumed);
    end.progress.note.persona_route = Some(eyas::domain::run::PersonaRoute::Meta);
    home.store.runs.finish(claimed[0].lease, end).await.unwrap();
    let attempts = home.store.runs.attempts(id).await.unwrap();
    let told = &attempts[0];
    assert_eq!(told.outcome, Some(AttemptOutcome::Failed));
    assert_eq!(told.stderr_tail.as_deref(), Some("last words"));
    assert_eq!((told.pid, told.warm), (Some(77), true));
    assert_eq!(told.reason.as_deref(), Some("spare"));
    assert!(told.persona_route.is_some() && told.ended_at.is_some());
    let found = home.store.runs.get(id).await.unwrap();
    assert!(found.warm && found.continuity.is_some());
    let talk = home.store.runs.session(found.session).await.unwrap();
    assert_eq!(talk.agent_session.as_deref(), Some("theirs"));
}
