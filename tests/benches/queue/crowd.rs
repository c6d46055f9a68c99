//! A thousand runs in flight at one hub: its memory, and whether one waits much longer than the others.

use crate::{
    home::{self, Home},
    table::{ratio, row},
};
use serde_json::{Value, json};
use std::time::Duration;

const RUNS: usize = 1_000;
const PROJECTS: usize = 20;

pub(crate) fn bench() {
    let home = Home::new();
    let mut rpc = home.rpc();
    let projects: Vec<_> = (0..PROJECTS)
        .map(|n| home.project(&format!("crowd-{n}")))
        .collect();
    let sent: Vec<_> = (0..RUNS)
        .map(|n| {
            let project = &projects[n % PROJECTS];
            // None may write: else those of one tree would take turns, which is another promise.
            let ask = json!({"prompt": "!sleep 50", "agent": "fake", "project": project, "concurrent": true});
            rpc.send("run.delegate", &ask)
        })
        .collect();
    let runs: Vec<_> = sent.into_iter().map(|id| rpc.answer(id)).collect();
    let hub = home::resident_mb(home.hub_pid());
    let mut waits: Vec<_> = runs.iter().map(|run| waited(&rpc.end(run))).collect();
    waits.sort_unstable();
    let (median, longest) = (waits[RUNS / 2], waits[RUNS - 1]);
    row(
        "1,000 runs in flight: the hub, resident",
        format!(
            "{hub:.1} MB, {:.1} MB afterwards",
            home::resident_mb(home.hub_pid())
        ),
        "<= 200 MB",
    );
    row(
        "the longest wait of one of them",
        format!("{longest:.1?} = {:.2} x the median", ratio(longest, median)),
        "<= 3 x",
    );
    drop(rpc);
    home.stop();
}

/// From when it was accepted to when it began.
fn waited(run: &Value) -> Duration {
    let moment = |field: &str| -> jiff::Timestamp { run[field].as_str().unwrap().parse().unwrap() };
    let waited = moment("started_at").duration_since(moment("created_at"));
    waited.try_into().unwrap()
}
