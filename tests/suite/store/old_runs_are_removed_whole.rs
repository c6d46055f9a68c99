use super::kit::{Home, asks, keyed, run_in, says, session};
use eyas::{
    domain::{run::RunState, time::Timestamp},
    store::{EventFilter, StoreError},
};

/// Later than any moment of a test.
const LATER: Timestamp = Timestamp(i64::MAX);

#[tokio::test]
async fn ended_ones_with_events_attempts_and_key() {
    let home = Home::new().await;
    let old = home.accept(keyed("k", "one")).await;
    let lease = home.claim_one().await;
    home.store.runs.append(lease, says("words")).await.unwrap();
    home.store.requests.open(lease, asks("one")).await.unwrap();
    home.finish(lease).await;
    let ended = home.store.runs.get(old).await.unwrap();
    let last = home.store.events.latest().await.unwrap().unwrap();
    assert!(home.store.events.keeps(&last).await.unwrap());

    let runs = &home.store.runs;
    assert_eq!(runs.prune(ended.ended_at.unwrap()).await.unwrap(), 0);
    assert_eq!(home.state(old).await, RunState::Succeeded, "not old enough");

    assert_eq!(runs.prune(LATER).await.unwrap(), 1);
    assert_eq!(runs.prune(LATER).await.unwrap(), 0);
    let gone = |error: StoreError| matches!(error, StoreError::NotFound { .. });
    assert!(gone(runs.get(old).await.unwrap_err()));
    assert!(gone(runs.session(ended.session).await.unwrap_err()));
    assert!(gone(home.store.requests.of(old).await.unwrap_err()));
    let all = EventFilter::default();
    assert!(
        home.store
            .events
            .after(None, all, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(!home.store.events.keeps(&last).await.unwrap());
    let again = runs.accept(keyed("k", "other")).await.unwrap();
    assert!(!again.duplicate, "the key is free");
}

#[tokio::test]
async fn open_ones_and_their_session_stay() {
    let home = Home::new().await;
    let session = session();
    let ended = home.accept(run_in(session.clone())).await;
    let lease = home.claim_one().await;
    home.finish(lease).await;
    let queued = home.accept(run_in(session.clone())).await;

    assert_eq!(home.store.runs.prune(LATER).await.unwrap(), 1);
    assert!(home.store.runs.get(ended).await.is_err());
    assert_eq!(home.state(queued).await, RunState::Queued);
    let lease = home.claim_one().await;
    assert_eq!(lease.session, session.id);
    home.finish(lease).await;
    assert_eq!(home.state(queued).await, RunState::Succeeded);
}
