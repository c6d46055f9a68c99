//! A request anywhere in a tree is seen in every run above, and ends a wait that asks for it.

use super::kit::{Home, LEASE_MS, asks, hub, option, run};
use eyas::{
    domain::run::RunState,
    runs::wait,
    store::{Claimed, NewRun},
};
use std::time::Duration;
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_mins(10);

async fn claimed(home: &Home, new: NewRun) -> Claimed {
    home.accept(new).await;
    let claimed = home.store.runs.claim(hub(), 1, LEASE_MS).await.unwrap();
    claimed.into_iter().next().unwrap()
}

fn below(parent: &Claimed) -> NewRun {
    NewRun {
        parent: Some(parent.lease),
        depth: parent.run.depth + 1,
        ..run()
    }
}

#[tokio::test]
async fn however_far_below_and_only_for_who_wants_to_know() {
    let home = Home::capped(8).await;
    let top = claimed(&home, run()).await;
    let child = claimed(&home, below(&top)).await;
    let deep = claimed(&home, below(&child)).await;
    let (store, id) = (home.store.clone(), top.lease.run);
    let waiting = tokio::spawn(async move { wait(&store, id, LONG, true).await });
    let asked = home.store.requests.open(deep.lease, asks("git push"));
    let asked = asked.await.unwrap();
    let seen = timeout(SOON, waiting).await.unwrap().unwrap().unwrap();
    assert_eq!(seen.state, RunState::Running);
    assert!(seen.requests.is_empty() && seen.wants_a_look() && !seen.is_over());
    assert_eq!(seen.asks_below.len(), 1);
    assert_eq!(seen.asks_below[0].run, deep.lease.run);
    assert_eq!(
        seen.asks_below[0].requests,
        std::slice::from_ref(&asked.request)
    );
    let least = Duration::from_millis(50);
    let unasked = wait(&home.store, id, least, false).await.unwrap();
    assert_eq!(unasked.state, RunState::Running, "it waited its time out");
    // The one that asks shows it as its own.
    let own = home.store.runs.get(deep.lease.run).await.unwrap();
    assert!(own.asks_below.is_empty() && own.requests.len() == 1);
    let answered = home.store.requests;
    answered
        .answer(deep.lease.run, &asked.request.id, option("yes"), None)
        .await
        .unwrap();
    let after = home.store.runs.get(id).await.unwrap();
    assert!(after.asks_below.is_empty());
}
