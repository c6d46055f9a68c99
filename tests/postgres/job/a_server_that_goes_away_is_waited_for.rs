//! A server that is started anew, and connections that are cut, in the middle of runs: each run ends once, with all that it said.

use super::{
    keep::Keep,
    kit::{Face, Job, LONG, is_over, summary},
};
use crate::store::server::{Server, in_a_runtime};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

const RUNS: usize = 6;

/// Runs that speak again and again, for two seconds.
fn begin(face: &mut Face) -> Vec<Value> {
    let words = (0..8).map(|n| format!("!say word{n} \n!sleep 250\n"));
    let prompt = words.collect::<String>() + "!say done";
    let delegate = |n| {
        let key = format!("k{n}");
        json!({"prompt": prompt, "concurrent": true, "idempotency_key": key})
    };
    (0..RUNS)
        .map(|n| face.result("run.delegate", &delegate(n)))
        .collect()
}

fn all_ended(face: &mut Face, runs: &[Value]) {
    for run in runs {
        let begun = Instant::now();
        let done = loop {
            let mut answer = face.ask("run.wait", &json!({"id": run["id"], "wait_ms": 5_000}));
            let now = answer["result"].take();
            if is_over(&now) {
                break now;
            }
            assert!(begun.elapsed() < LONG, "{answer} {now}");
            thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(done["state"], "succeeded", "{done}");
        assert!(summary(&done).contains("done"), "{done}");
        // Nobody was there but this hub, so nothing was to be tried again.
        assert_eq!(done["attempt"], 1, "{done}");
    }
}

fn judge(keep: &Keep, job: &Job) {
    let mut seen = keep.look(job).unwrap();
    seen.is_sound();
    seen.is_over();
    assert_eq!(seen.runs.len(), RUNS);
}

#[test]
fn while_it_starts_anew() {
    let Some(server) = Server::alone() else {
        // Somebody's server is not ours to end.
        return;
    };
    // It ends with the process.
    let server: &'static Server = Box::leak(Box::new(server));
    let keep = Keep::on(server);
    let job = keep.job();
    let mut face = job.rpc();
    let runs = begin(&mut face);
    for _ in 0..2 {
        thread::sleep(Duration::from_millis(500));
        server.restart();
    }
    all_ended(&mut face, &runs);
    judge(&keep, &job);
}

#[test]
fn while_its_connections_are_cut() {
    let keep = Keep::new();
    let job = keep.job();
    let mut face = job.rpc();
    let runs = begin(&mut face);
    for _ in 0..10 {
        thread::sleep(Duration::from_millis(150));
        in_a_runtime(keep.place.cut());
    }
    all_ended(&mut face, &runs);
    judge(&keep, &job);
}
