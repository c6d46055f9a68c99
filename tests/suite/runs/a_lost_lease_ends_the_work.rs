//! Whoever has lost the lease writes nothing more, and its turn is cancelled.

use super::kit::Yard;
use eyas::domain::{fault::ErrorKind, run::RunState};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_and_the_turn_is_cancelled() {
    let yard = Yard::new().await;
    let mut asked = yard.asking("!tool begun read\n!sleep 1500\n!tool late read\n!sleep 600000");
    asked.retry.max_attempts = 1;
    let run = yard.accept(asked).await;
    yard.until_at(run, "begun").await;
    // As if another hub took us for dead.
    assert_eq!(yard.store.runs.recover(Vec::new()).await.unwrap(), [run]);
    yard.until_busy(0).await;
    let ended = yard.store.runs.get(run).await.unwrap();
    assert_eq!(ended.state, RunState::Failed);
    assert_eq!(ended.error.unwrap().kind, ErrorKind::HubLost);
    let kinds = yard.kinds(run).await;
    assert_eq!(kinds.last().unwrap(), "finished", "{kinds:?}");
    // The agent is free, and the same process.
    let next = yard.run(yard.asking("hello")).await;
    assert!(next.warm);
    assert_eq!(yard.pid(next.id).await, yard.pid(run).await);
    yard.pool.close().await;
}
