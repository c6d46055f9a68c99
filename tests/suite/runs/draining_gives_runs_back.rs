//! A hub that ends in order gives its runs back; the next one finishes them, and no attempt is used up.

use super::kit::Yard;
use eyas::{domain::run::RunState, store::Store};

async fn is_queued(store: &Store, run: eyas::domain::ids::RunId) {
    let run = store.runs.get(run).await.unwrap();
    assert_eq!((run.state, run.attempt), (RunState::Queued, 0), "{run:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_hub_finishes_them_with_the_same_number() {
    let mut yard = Yard::new().await;
    let flag = yard.folder.path().join("flag");
    let first = yard
        .accept(yard.asking("!tool begun read\n!sleep 60000"))
        .await;
    let waiting = yard.session();
    yard.until_at(first, "begun").await;
    let second = yard.accept(Yard::asking_in(waiting, "!write flag x")).await;
    yard.end_of(second).await;
    assert!(flag.exists());
    yard.restart().await;
    is_queued(&yard.store, first).await;
    // A hub that is about to end takes nothing new.
    let third = yard.accept(yard.asking("hello")).await;
    is_queued(&yard.store, third).await;
    yard.resume();
    assert_eq!(yard.end_of(third).await.attempt, 1);
    yard.until_busy(1).await;
    assert_eq!(yard.store.runs.get(first).await.unwrap().attempt, 1);
    yard.cancel(first).await;
    assert_eq!(yard.end_of(first).await.state, RunState::Cancelled);
    assert_eq!(yard.store.runs.attempts(first).await.unwrap().len(), 1);
    yard.pool.close().await;
}
