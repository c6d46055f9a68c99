//! Recovery takes what is held by a hub that is not alive, and nothing else: it is tried again, or ends where it may not be.

use super::kit::{Home, hub, run, run_in, session};
use eyas::domain::{
    fault::ErrorKind,
    run::{AttemptOutcome, RunState},
};

#[tokio::test]
async fn only_what_the_dead_held_ends() {
    let home = Home::new().await;
    let (dead, alive) = (hub(), hub());
    let talk = session();
    let mut once = run_in(talk.clone());
    once.retry.max_attempts = 1;
    let lost = home.accept(once).await;
    let behind = home.accept(run_in(talk)).await;
    let doomed = home.accept(run()).await;
    let again = home.accept(run()).await;
    assert_eq!(home.store.runs.claim(dead, 10, 1).await.unwrap().len(), 3);
    home.store
        .runs
        .cancel(doomed, "enough".to_owned())
        .await
        .unwrap();
    let kept = home.accept(run()).await;
    assert_eq!(home.store.runs.claim(alive, 10, 1).await.unwrap().len(), 1);

    let home = home.reopen().await;
    let mut taken = home.store.runs.recover(vec![alive]).await.unwrap();
    taken.sort();
    assert_eq!(taken, [lost, doomed, again]);
    let found = home.store.runs.get(lost).await.unwrap();
    assert_eq!(found.state, RunState::Failed);
    let error = found.error.unwrap();
    assert_eq!(error.kind, ErrorKind::HubLost);
    assert!(error.hint.unwrap().contains("previous"));
    let attempts = home.store.runs.attempts(lost).await.unwrap();
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Lost));
    assert_eq!(home.state(doomed).await, RunState::Cancelled);
    assert_eq!(home.state(kept).await, RunState::Running);
    assert_eq!(home.state(again).await, RunState::Queued);
    let next: Vec<_> = home.claim(10).await;
    let next: Vec<_> = next
        .iter()
        .map(|one| (one.lease.run, one.lease.attempt))
        .collect();
    assert!(next.contains(&(behind, 1)), "the next comes forward");
    assert!(next.contains(&(again, 2)), "an attempt is used up");
    let all = home.store.runs.recover(vec![alive, hub()]).await.unwrap();
    assert_eq!(all.len(), 2);
}
