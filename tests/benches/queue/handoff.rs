//! From the claim of one run of a session to that of the next, which was waiting: the end is written, and the next is leased.

use crate::{
    database::{Database, Kind},
    made, run,
    table::{against, p50},
};
use eyas::{domain::ids::HubId, stdx::mint};
use std::time::{Duration, Instant};

const RUNS: usize = 300;
const LEASE_MS: i64 = 60_000;

pub(crate) fn bench() {
    for kind in Kind::all() {
        let taken = p50(&mut run(hand_offs(kind)));
        let bound = Duration::from_millis(5);
        let what = format!("{}: claim to claim in one session p50", kind.name());
        against(&what, taken, bound, "5 ms");
    }
}

async fn hand_offs(kind: Kind) -> Vec<Duration> {
    let database = Database::new(kind).await;
    let store = database.open().await;
    let session = made::session(0);
    for _ in 0..RUNS {
        let run = made::run_in(session.clone());
        store.runs.accept(run).await.unwrap();
    }
    let hub = HubId(mint());
    let mut taken = Vec::new();
    let mut held = store.runs.claim(hub, 1, LEASE_MS).await.unwrap();
    while let Some(claimed) = held.pop() {
        let begun = Instant::now();
        let end = made::success();
        store.runs.finish(claimed.lease, end).await.unwrap();
        held = store.runs.claim(hub, 1, LEASE_MS).await.unwrap();
        taken.push(begun.elapsed());
    }
    assert_eq!(taken.len(), RUNS, "one after the other, and all of them");
    store.closer.close().await;
    taken
}
