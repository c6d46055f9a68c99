//! Every accepted run reaches one end, and soon: also when our own code breaks, the agent will not be closed, or a value is missing.

use super::kit::{Larder, Yard};
use eyas::domain::{
    fault::{ErrorKind, Fault},
    run::{Mode, RunState, Waiting},
};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_breaks_fails_its_run() {
    let larder = Larder {
        panics: true,
        ..Larder::default()
    };
    let yard = Yard::with(larder, 4).await;
    let run = yard.run(yard.asking("hello")).await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.error.unwrap().kind, ErrorKind::Internal);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_agent_is_closed_behind_its_run() {
    let yard = Yard::with_args(&["--ignore-term"]).await;
    let mut run = yard.asking("hello");
    run.mode = Mode::Cold;
    let run = yard.run(run).await;
    let ended = Instant::now();
    assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
    assert!(!run.warm && yard.pool.rows().await.is_empty());
    let pid = yard.pid(run.id).await;
    assert!(
        yard.pool.lineage().caller(pid).is_some(),
        "it is still an agent of ours"
    );
    // It hears neither the end of stdin nor SIGTERM: closing takes seconds, which nobody waited for. The attempt gives it back first.
    yard.dispatch.drain().await;
    yard.pool.close().await;
    assert!(
        ended.elapsed() > Duration::from_secs(1),
        "{:?}",
        ended.elapsed()
    );
    let begun = Instant::now();
    while yard.pool.lineage().caller(pid).is_some() {
        assert!(begun.elapsed() < super::kit::PATIENCE, "an entry is left");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_value_leaves_the_run_in_the_queue() {
    let yard = Yard::new().await;
    let missing = Fault::new(ErrorKind::EnvironmentMissing, "KEY is needed");
    *yard.larder.fault.lock().unwrap() = Some(missing);
    let run = yard.accept(yard.asking("hello")).await;
    let begun = Instant::now();
    loop {
        let now = yard.store.runs.get(run).await.unwrap();
        if now.waiting == Some(Waiting::Environment) {
            assert_eq!((now.state, now.attempt), (RunState::Queued, 0));
            break;
        }
        assert!(begun.elapsed() < super::kit::PATIENCE, "{now:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    yard.store.runs.wake(Waiting::Environment).await.unwrap();
    let run = yard.end_of(run).await;
    assert_eq!((run.state, run.attempt), (RunState::Succeeded, 1));
    yard.pool.close().await;
}
