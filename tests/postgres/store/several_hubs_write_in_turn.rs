//! Hubs that share a database keep every promise together, and hear of each other.

use super::kit::{Home, LEASE_MS, hub, run};
use eyas::store::{EventFilter, sql::Settings};
use std::{collections::HashSet, time::Duration};

const HUBS: usize = 3;
const RUNS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn no_run_is_claimed_twice_and_a_tailer_misses_no_event() {
    let home = Home::capped(1000).await;
    let mut stores = Vec::new();
    for _ in 0..HUBS {
        stores.push(
            home.place
                .open(Settings {
                    default_cap: 1000,
                    ..Settings::default()
                })
                .await,
        );
    }
    let tail = home.store.clone();
    let tailer = tokio::spawn(async move {
        let mut seen = Vec::new();
        let mut cursor = None;
        // Accepted and started, of each.
        while seen.len() < HUBS * RUNS * 2 {
            let events = tail
                .events
                .after(cursor.clone(), EventFilter::default(), 7)
                .await
                .unwrap();
            if let Some(last) = events.last() {
                cursor = Some(last.cursor.clone());
            } else {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            seen.extend(events.into_iter().map(|event| event.cursor));
        }
        seen
    });
    let workers: Vec<_> = stores
        .iter()
        .cloned()
        .map(|store| {
            tokio::spawn(async move {
                for _ in 0..RUNS {
                    store.runs.accept(run()).await.unwrap();
                }
                let me = hub();
                let mut mine = Vec::new();
                loop {
                    let claimed = store.runs.claim(me, 3, LEASE_MS).await.unwrap();
                    if claimed.is_empty() {
                        return mine;
                    }
                    mine.extend(claimed.into_iter().map(|one| one.lease.run));
                }
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    // What was accepted after a worker saw nothing is left to this one.
    loop {
        let claimed = home.claim(50).await;
        if claimed.is_empty() {
            break;
        }
        all.extend(claimed.into_iter().map(|one| one.lease.run));
    }
    assert_eq!(all.len(), HUBS * RUNS);
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), HUBS * RUNS);
    let seen = tokio::time::timeout(Duration::from_secs(20), tailer)
        .await
        .expect("a tailer that starts late or reads while others write sees every event")
        .unwrap();
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), seen.len());
}

#[tokio::test]
async fn what_one_writes_is_told_to_the_others() {
    let home = Home::new().await;
    let other = home.place.open(Settings::default()).await;
    let mut changes = other.changes.subscribe();
    let run = home.accept(run()).await;
    let told = tokio::time::timeout(Duration::from_secs(20), changes.recv()).await;
    let change = told.expect("it is told").unwrap();
    assert_eq!(
        (change.run, change.state),
        (None, None),
        "a hint says no more"
    );
    assert!(!other.runs.get(run).await.unwrap().state.is_held());
}
