//! Accepted delegations a second, beside bare rows.

use crate::{
    bare::Bare,
    database::{Database, Kind},
    made, run, slow_sync,
    table::row,
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Each rate is that of so long.
const SPAN: Duration = Duration::from_secs(3);
/// Bare rows and runs in turn, so that a noisy moment is nobody's alone; the medians are compared.
const ROUNDS: usize = 3;

pub(crate) fn bench() {
    for kind in Kind::all() {
        of(kind, &[1, 64], |kind, clients| match (kind, clients) {
            (Kind::Sqlite, 1) => ">= 0.35 x",
            (Kind::Postgres, 1) => ">= 0.25 x",
            (Kind::Sqlite | Kind::Postgres, _) => ">= 0.8 x",
        });
        slow_sync::again(kind);
    }
}

/// Prints the rates of so many clients.
pub(crate) fn of(kind: Kind, clients: &[usize], target: fn(Kind, usize) -> &'static str) {
    for &clients in clients {
        let (bare, ours) = run(compared(kind, clients));
        let what = format!(
            "{}: accepted, {clients} clients{}",
            kind.name(),
            slow_sync::said()
        );
        let seen = format!("{ours:.0}/s = {:.2} x {bare:.0} rows/s", ours / bare);
        row(&what, seen, target(kind, clients));
    }
}

async fn compared(kind: Kind, clients: usize) -> (f64, f64) {
    let database = Database::new(kind).await;
    let store = database.open().await;
    let bare = Bare::new(kind, &database, u32::try_from(clients).unwrap()).await;
    let text = made::run().prompt + &"x".repeat(200);
    let (mut rows, mut runs) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (bare, text) = (bare.clone(), text.clone());
        rows.push(
            rate(clients, move || {
                let (bare, text) = (bare.clone(), text.clone());
                async move { bare.insert(&text).await }
            })
            .await,
        );
        let store = store.clone();
        runs.push(
            rate(clients, move || {
                let store = store.clone();
                async move { drop(store.runs.accept(made::run()).await.unwrap()) }
            })
            .await,
        );
    }
    store.closer.close().await;
    (median(rows), median(runs))
}

/// How often a second so many clients together do this, each one after the other.
async fn rate<F: Future<Output = ()> + Send>(
    clients: usize,
    work: impl Fn() -> F + Clone + Send + 'static,
) -> f64 {
    let done = Arc::new(AtomicUsize::new(0));
    let begun = Instant::now();
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            let (work, done) = (work.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                while begun.elapsed() < SPAN {
                    work().await;
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let done = u32::try_from(done.load(Ordering::Relaxed)).unwrap();
    f64::from(done) / begun.elapsed().as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}
