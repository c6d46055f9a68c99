//! A queued run past its time ends; a delay that is over ends too.

use super::kit::{Home, run, run_in, session};
use eyas::{
    domain::{
        event::EventKind,
        fault::ErrorKind,
        run::{RunState, Waiting},
    },
    store::{NewRun, Release},
};
use std::time::{Duration, Instant};

/// Sweeps as a hub does: again when there is something to sweep.
async fn sweep_until(home: &Home, what: impl AsyncFn() -> bool) {
    let until = Instant::now() + Duration::from_secs(10);
    while !what().await {
        assert!(Instant::now() < until, "it did not come to pass");
        if let Some(left) = home.store.runs.sweep(home.me).await.unwrap() {
            tokio::time::sleep(Duration::from_millis(left.unsigned_abs().min(20))).await;
        }
    }
}

#[tokio::test]
async fn a_queued_run_past_its_time_ends_as_timed_out() {
    let home = Home::capped(1).await;
    let talk = session();
    home.accept(run()).await;
    home.claim_one().await;
    let late = home
        .accept(NewRun {
            timeout_ms: Some(30),
            ..run_in(talk.clone())
        })
        .await;
    let patient = home.accept(run_in(talk)).await;
    sweep_until(&home, async || home.state(late).await == RunState::TimedOut).await;
    let found = home.store.runs.get(late).await.unwrap();
    assert_eq!(found.error.unwrap().kind, ErrorKind::TimedOut);
    assert_eq!(
        home.kinds(late).await,
        [EventKind::Accepted, EventKind::Finished]
    );
    assert_eq!(home.state(patient).await, RunState::Queued);
    assert_eq!(
        home.store.runs.get(patient).await.unwrap().waiting,
        Some(Waiting::Slot)
    );
    assert_eq!(home.store.runs.sweep(home.me).await.unwrap(), None);
}

#[tokio::test]
async fn a_held_run_is_left_to_its_holder() {
    let home = Home::new().await;
    let id = home
        .accept(NewRun {
            timeout_ms: Some(0),
            ..run()
        })
        .await;
    home.claim_one().await;
    assert_eq!(home.store.runs.sweep(home.me).await.unwrap(), None);
    assert_eq!(home.state(id).await, RunState::Running);
}

#[tokio::test]
async fn a_delay_that_is_over_makes_it_claimable() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    let release = Release {
        waiting: Some(Waiting::Retry),
        delay_ms: 30,
        reason: "again".to_owned(),
    };
    home.store.runs.release(lease, release).await.unwrap();
    assert_eq!(
        home.store.runs.get(id).await.unwrap().waiting,
        Some(Waiting::Retry)
    );
    sweep_until(&home, async || {
        home.store.runs.get(id).await.unwrap().waiting.is_none()
    })
    .await;
    assert_eq!(home.claim_one().await.run, id);
}
