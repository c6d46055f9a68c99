//! What a hub costs that has nothing to do.

use crate::{home::Home, table::row};
use serde_json::json;
use std::{
    fs, thread,
    time::{Duration, Instant},
};

const SPAN: Duration = Duration::from_secs(30);
/// Of `/proc/<pid>/stat`, on every Linux that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

pub(crate) fn bench() {
    let home = Home::new();
    let mut rpc = home.rpc();
    // Everything that begins once has begun.
    rpc.delegate(
        &json!({"prompt": "instant", "agent": "embedded", "project": home.project("idle")}),
    );
    let hub = home.hub_pid();
    let (begun, before) = (Instant::now(), ticks(hub));
    thread::sleep(SPAN);
    let used = (ticks(hub) - before) / TICKS_PER_SECOND / begun.elapsed().as_secs_f64();
    row(
        "an idle hub, of a core",
        format!("{:.3} % = {:.2} x 0.2 %", used * 100.0, used / 0.002),
        "<= 1 x",
    );
    drop(rpc);
    home.stop();
}

/// Processor time of all its threads, in the kernel and out of it.
fn ticks(pid: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name may hold anything, in brackets.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let mut fields = fields.split_whitespace().skip(11);
    let mut next = || fields.next().unwrap().parse::<f64>().unwrap();
    next() + next()
}
