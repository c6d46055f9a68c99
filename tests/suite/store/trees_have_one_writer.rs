//! Runs that may write in one tree take turns.

use super::kit::{Home, run};
use eyas::{domain::run::Waiting, store::NewRun};

fn in_tree(tree: &str) -> NewRun {
    NewRun {
        tree: Some(tree.to_owned()),
        ..run()
    }
}

#[tokio::test]
async fn one_at_a_time_writes_in_a_tree() {
    let home = Home::capped(50).await;
    let first = home.accept(in_tree("/a")).await;
    let second = home.accept(in_tree("/a")).await;
    let elsewhere = home.accept(in_tree("/b")).await;
    let reader = home.accept(run()).await;
    let claimed = home.claim(10).await;
    let mut runs: Vec<_> = claimed.iter().map(|claimed| claimed.lease.run).collect();
    runs.sort();
    assert_eq!(runs, [first, elsewhere, reader]);
    assert_eq!(
        home.store.runs.get(second).await.unwrap().waiting,
        Some(Waiting::Tree)
    );
    assert!(home.claim(10).await.is_empty());
    let held = claimed
        .iter()
        .find(|claimed| claimed.lease.run == first)
        .unwrap();
    home.finish(held.lease).await;
    assert_eq!(home.claim_one().await.run, second);
}

#[tokio::test]
async fn those_that_wait_for_a_tree_hold_up_no_other() {
    let home = Home::capped(50).await;
    for _ in 0..30 {
        home.accept(in_tree("/a")).await;
    }
    let mut others = Vec::new();
    for n in 0..5 {
        others.push(home.accept(in_tree(&format!("/{n}"))).await);
    }
    let claimed = home.claim(6).await;
    assert_eq!(
        claimed.len(),
        6,
        "the first of the busy tree, and all others"
    );
    let runs: Vec<_> = claimed.iter().map(|claimed| claimed.lease.run).collect();
    assert!(others.iter().all(|run| runs.contains(run)));
    assert!(home.claim(6).await.is_empty());
}
