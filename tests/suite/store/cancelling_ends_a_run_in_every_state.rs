//! Cancelling: at once when queued, by its holder when held, nothing when ended.

use super::kit::{Home, ends, run, run_in, session};
use eyas::{
    domain::{
        event::EventKind,
        ids::RunId,
        run::{AttemptOutcome, RunState},
    },
    stdx::mint,
    store::StoreError,
};

#[tokio::test]
async fn a_queued_run_ends_at_once_and_the_next_comes_forward() {
    let home = Home::new().await;
    let talk = session();
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(home.accept(run_in(talk.clone())).await);
    }
    let cancel = |id: RunId| home.store.runs.cancel(id, "enough".to_owned());
    assert_eq!(
        cancel(ids[0]).await.unwrap(),
        RunState::Cancelled,
        "the head"
    );
    assert_eq!(
        cancel(ids[2]).await.unwrap(),
        RunState::Cancelled,
        "one behind it"
    );
    let lease = home.claim_one().await;
    assert_eq!(lease.run, ids[1]);
    home.finish(lease).await;
    assert_eq!(home.claim_one().await.run, ids[3]);
    assert_eq!(
        home.kinds(ids[0]).await,
        [EventKind::Accepted, EventKind::Finished]
    );
    assert!(home.store.runs.attempts(ids[0]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_held_run_is_ended_by_its_holder() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    for _ in 0..2 {
        let state = home
            .store
            .runs
            .cancel(id, "enough".to_owned())
            .await
            .unwrap();
        assert_eq!(state, RunState::Running);
    }
    let end = ends(RunState::Cancelled, AttemptOutcome::Cancelled);
    home.store.runs.finish(lease, end).await.unwrap();
    assert_eq!(home.state(id).await, RunState::Cancelled);
    let kinds = home.kinds(id).await;
    let asked = kinds
        .iter()
        .filter(|kind| **kind == EventKind::CancelRequested);
    assert_eq!(asked.count(), 1, "asked twice, told once");
}

#[tokio::test]
async fn an_ended_run_stays_as_it_is() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    home.finish(lease).await;
    let before = home.store.runs.get(id).await.unwrap();
    let state = home.store.runs.cancel(id, "late".to_owned()).await.unwrap();
    assert_eq!(state, RunState::Succeeded);
    assert_eq!(home.store.runs.get(id).await.unwrap(), before);
}

#[tokio::test]
async fn an_unknown_run_is_not_found() {
    let home = Home::new().await;
    let unknown = RunId(mint());
    let not_found = |error| matches!(error, StoreError::NotFound { noun: "run", .. });
    let reason = String::new();
    assert!(not_found(
        home.store.runs.cancel(unknown, reason).await.unwrap_err()
    ));
    assert!(not_found(home.store.runs.get(unknown).await.unwrap_err()));
    assert!(not_found(
        home.store.runs.attempts(unknown).await.unwrap_err()
    ));
}
