//! The queue's speed on both stores, as ratios in one run: accepted delegations beside bare rows with the same durability from as many clients,
//! the way from one run of a session to the next, what an idle hub costs, and what a long history changes.
//!
//! `cargo bench --bench queue`. Prints a table; asserts nothing about speed, as machines are noisy. PostgreSQL is left out where its programs
//! are not. `-- accept|handoff|idle|history|crowd` prints one part; `-- history RUNS EVENTS` says how long the history is.

#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::unwrap_used, reason = "a bench ends where it cannot go on")]
#![allow(clippy::disallowed_methods, reason = "a bench starts what it measures")]

#[path = "queue/accept.rs"]
mod accept;
#[path = "queue/bare.rs"]
mod bare;
#[path = "queue/crowd.rs"]
mod crowd;
#[path = "queue/database.rs"]
mod database;
#[path = "queue/handoff.rs"]
mod handoff;
#[path = "queue/history.rs"]
mod history;
mod home;
#[path = "queue/idle.rs"]
mod idle;
#[path = "queue/made.rs"]
mod made;
mod rpc;
#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../postgres/store/server.rs"]
mod server;
#[path = "queue/slow_sync.rs"]
mod slow_sync;
mod table;

use database::Kind;
use std::future::Future;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words = words.iter().map(String::as_str);
    // Cargo adds a word of its own.
    let words: Vec<&str> = words.filter(|word| *word != "--bench").collect();
    match words.as_slice() {
        ["accept"] => accept::bench(),
        ["handoff"] => handoff::bench(),
        ["idle"] => idle::bench(),
        ["crowd"] => crowd::bench(),
        ["history"] => history::bench(100_000, 1_000_000),
        ["history", runs, events] => history::bench(runs.parse().unwrap(), events.parse().unwrap()),
        // What a bench starts anew, where every sync takes longer.
        [slow_sync::WORD, kind] => accept::of(Kind::named(kind), &[64], slow_sync::TARGETS),
        _ => {
            accept::bench();
            handoff::bench();
            idle::bench();
            crowd::bench();
            history::bench(100_000, 1_000_000);
        }
    }
}

/// Runs to its end on threads as a hub has them.
fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}
