//! A run whose agent failed before it changed anything is tried again by itself, as often as it may, and each attempt keeps how it ended.

use super::kit::{Larder, PATIENCE, Yard};
use eyas::{
    domain::{
        event::EventKind,
        fault::ErrorKind,
        run::{AttemptOutcome::*, RunState, Waiting},
    },
    runs::Pace,
};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn the_second_attempt_is_told_of_the_first() {
    let yard = Yard::new().await;
    let script = format!(
        "!tool look read\n{}!told eyas:interrupted",
        yard.first("die 9")
    );
    let run = yard.run(yard.asking(&script)).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert_eq!(run.attempt, 2);
    assert_eq!(run.conclusion.unwrap().summary, "true");
    assert!(run.error.is_none() && run.requests.is_empty());
    assert_eq!(yard.outcomes(run.id).await, [Some(Failed), Some(Succeeded)]);
    let attempts = yard.store.runs.attempts(run.id).await.unwrap();
    assert!(attempts[0].reason.as_ref().unwrap().contains("agent_died"));
    assert!(
        attempts[0]
            .stderr_tail
            .as_ref()
            .unwrap()
            .contains("as told")
    );
    assert!(attempts[0].touched.is_empty());
    let told = yard.told(run.id, EventKind::Retried).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        (&told[0]["attempt"], &told[0]["kind"], &told[0]["delay_ms"]),
        (&1.into(), &"agent_died".into(), &0.into())
    );
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn as_often_as_it_may_and_after_its_delay() {
    let yard = Yard::new().await;
    let mut asked = yard.asking("!die 9");
    asked.retry.max_attempts = 3;
    asked.retry.delay_ms = 100;
    asked.retry.jitter = false;
    let begun = Instant::now();
    let run = yard.run(asked).await;
    assert!(begun.elapsed() >= Duration::from_millis(300), "100 and 200");
    assert_eq!(run.error.unwrap().kind, ErrorKind::AgentDied);
    assert_eq!(yard.outcomes(run.id).await, [Some(Failed); 3]);
    assert!(run.warnings.is_empty(), "{:?}", run.warnings);
    let delays = yard.told(run.id, EventKind::Retried).await;
    let delays: Vec<_> = delays.iter().map(|one| one["delay_ms"].clone()).collect();
    assert_eq!(delays, [100, 200]);
    let finished = yard.told(run.id, EventKind::Finished).await;
    assert_eq!(finished.len(), 1);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_fail_alike_is_not_tried_again() {
    let yard = Yard::new().await;
    for (code, kind) in [(7, ErrorKind::Refused), (401, ErrorKind::AgentAuth)] {
        let run = yard.run(yard.asking(&format!("!fail {code} no"))).await;
        assert_eq!(run.error.unwrap().kind, kind);
        assert_eq!(run.attempt, 1);
    }
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_a_limit_it_is_parked_and_no_attempt_is_used_up() {
    let yard = Yard::new().await;
    let script = yard.first("fail 429 try again in 2s") + "!say done";
    let mut asked = yard.asking(&script);
    asked.retry.max_attempts = 1;
    let begun = Instant::now();
    let id = yard.accept(asked).await;
    loop {
        let run = yard.store.runs.get(id).await.unwrap();
        if run.waiting == Some(Waiting::Retry) {
            assert_eq!((run.state, run.attempt), (RunState::Queued, 0));
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{run:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let run = yard.end_of(id).await;
    assert!(begun.elapsed() >= Duration::from_millis(1_500));
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 1));
    let told = yard.told(id, EventKind::Retried).await;
    assert_eq!(told[0]["kind"], "rate_limited");
    assert_eq!(told[0]["parked"], true);
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_run_can_be_cancelled_and_stays_so() {
    let yard = Yard::new().await;
    let id = yard.accept(yard.asking("!fail 429 wait")).await;
    let begun = Instant::now();
    while yard.store.runs.get(id).await.unwrap().waiting != Some(Waiting::Retry) {
        assert!(begun.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    yard.cancel(id).await;
    assert_eq!(yard.end_of(id).await.state, RunState::Cancelled);
    yard.pool.close().await;
}

/// As when the disk hangs: nothing can be renewed, and another hub might soon take what we hold.
#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_cannot_be_renewed_ends_its_work_first() {
    let larder = Larder {
        pace: Pace {
            lease: Duration::from_secs(4),
            renew: Duration::from_millis(500),
            ..Pace::default()
        },
        ..Larder::default()
    };
    let yard = Yard::with(larder, 4).await;
    let script = format!("!tool begun read\n{}!say done", yard.first("sleep 600000"));
    let id = yard.accept(yard.asking(&script)).await;
    yard.until_at(id, "begun").await;
    yard.until_busy(1).await;
    let mut blocker = SqliteConnectOptions::new()
        .filename(yard.folder.path().join("eyas.db"))
        .connect()
        .await
        .unwrap();
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut blocker)
        .await
        .unwrap();
    yard.until_busy(0).await;
    assert_eq!(
        yard.store.runs.get(id).await.unwrap().state,
        RunState::Running,
        "nothing could be written"
    );
    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    blocker.close().await.unwrap();
    let run = yard.end_of(id).await;
    assert_eq!(
        (run.state, run.attempt),
        (RunState::Succeeded, 2),
        "{run:#?}"
    );
    assert_eq!(yard.outcomes(id).await, [Some(Lost), Some(Succeeded)]);
    yard.pool.close().await;
}
