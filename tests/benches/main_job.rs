//! The main job's speed and size, as ratios: beside a bare rmcp echo server on the same pipes, and beside one durable commit on the same
//! disk and the same agent without Eyas. `cargo bench --bench main_job`. Prints a table; asserts nothing about speed, as machines are noisy.
//! `-- --warm-agents` prints the second part alone, `-- --processes` the third, that of agents' processes, `-- --real-agents` the same beside the agents of the clients' suite, where they are
//! installed.

#![allow(clippy::print_stdout, reason = "the table is the result")]
#![allow(clippy::disallowed_methods, reason = "a bench starts what it measures")]

mod acpx;
mod agent;
mod bare;
mod client;
mod disk;
mod home;
mod processes;
mod raw;
mod real_agents;
mod rpc;
mod shell;
mod table;
mod warm_agents;

use client::Client;
use home::Home;
use serde_json::json;
use std::time::{Duration, Instant};
use table::{ms, p50, ratio, row, us};

const CALLS: usize = 20_000;
const IN_FLIGHT: usize = 64;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("--bare-server") => bare::serve(),
        Some("--instant-agent") => agent::serve(),
        Some("--warm-agents") => warm_agents::bench(),
        Some("--processes") => processes::bench(),
        Some("--real-agents") => real_agents::bench(),
        _ => {
            bench();
            warm_agents::bench();
            processes::bench();
        }
    }
}

fn bench() {
    start_up();
    let home = Home::new();
    let (bare_rate, bare_p50) = bare_server();
    let mut face = Client::face(&home);
    face.call("project", &json!({"action": "list"}));
    through_face_and_hub(&mut face, bare_rate, bare_p50);
    run_get(&mut face);
    warm_delegation(&home, &mut face);
    memory(&home, &mut face);
    home.stop();
}

fn start_up() {
    let home = Home::new();
    let cold = {
        let begun = Instant::now();
        let mut face = Client::face(&home);
        face.call("run_list", &json!({}));
        begun.elapsed()
    };
    let mut initialized = Vec::new();
    let mut listed = Vec::new();
    for _ in 0..20 {
        let begun = Instant::now();
        let mut face = Client::face(&home);
        initialized.push(begun.elapsed());
        face.call("run_list", &json!({}));
        listed.push(begun.elapsed());
    }
    home.stop();
    row(
        "eyas mcp to the initialize answer",
        ms(p50(&mut initialized)),
        "<= 8 ms",
    );
    row(
        "to the first run_list answer, hub up",
        ms(p50(&mut listed)),
        "<= 15 ms",
    );
    row(
        "to the first run_list answer, no hub",
        ms(cold),
        "<= 250 ms",
    );
}

fn bare_server() -> (f64, Duration) {
    let own = std::env::current_exe().expect("this binary");
    let mut server = Client::start(std::process::Command::new(own).arg("--bare-server"));
    let rate = server.rate("echo", &json!({"text": "hello world"}), CALLS, IN_FLIGHT);
    let p50 = server.sequential("echo", &json!({"text": "hello world"}), 2_000);
    row(
        "bare rmcp echo server, 64 in flight",
        format!("{rate:.0}/s"),
        "",
    );
    row("bare rmcp echo server, one by one p50", us(p50), "");
    (rate, p50)
}

fn through_face_and_hub(face: &mut Client, bare_rate: f64, bare_p50: Duration) {
    let arguments = json!({"status": "stopped"});
    let rate = face.rate("instance_list", &arguments, CALLS, IN_FLIGHT);
    let p50 = face.sequential("instance_list", &arguments, 2_000);
    row(
        "a small call through face and hub, 64 in flight",
        format!("{rate:.0}/s = {:.2} x bare", rate / bare_rate),
        ">= 0.15 x",
    );
    row(
        "a small call, one by one p50",
        format!("{} = {:.1} x bare", us(p50), ratio(p50, bare_p50)),
        "<= 8 x",
    );
}

fn run_get(face: &mut Client) {
    let run = face.delegate("say hello");
    let id = json!({"id": run["id"], "wait_ms": 0});
    let rate = face.rate("run_get", &id, CALLS, IN_FLIGHT);
    let p50 = face.sequential("run_get", &id, 2_000);
    row(
        "run_get, 64 in flight",
        format!("{rate:.0}/s"),
        ">= 3,000/s",
    );
    row("run_get, one by one p50", us(p50), "<= 1 ms");
}

fn warm_delegation(home: &Home, face: &mut Client) {
    let mut commits = disk::single_commits(home.path(), 200);
    let commit = p50(&mut commits);
    face.delegate("warm up");
    let before = events_written(home);
    let mut taken: Vec<Duration> = (0..200)
        .map(|n| {
            let begun = Instant::now();
            let run = face.delegate(&format!("instant {n}"));
            assert_eq!(run["state"], "succeeded", "{run}");
            assert_eq!(run["warm"], true, "{run}");
            begun.elapsed()
        })
        .collect();
    let warm = p50(&mut taken);
    let events = events_written(home) - before;
    let bound = commit * 3 + Duration::from_millis(4);
    row("one durable commit on this disk p50", us(commit), "");
    row(
        "warm delegation to an instant agent p50",
        format!(
            "{} = {:.2} x (3 commits + 4 ms)",
            ms(warm),
            ratio(warm, bound)
        ),
        "<= 1 x",
    );
    row("events written by 200 delegations", events.to_string(), "");
}

fn memory(home: &Home, face: &mut Client) {
    face.rate(
        "instance_list",
        &json!({"status": "stopped"}),
        100_000,
        IN_FLIGHT,
    );
    row(
        "face after 100,000 calls, resident",
        format!("{:.1} MB", home::resident_mb(face.pid())),
        "<= 12 MB",
    );
    row(
        "hub after 100,000 calls, resident",
        format!("{:.1} MB", home::resident_mb(home.hub_pid())),
        "<= 35 MB",
    );
}

/// Rows of the event log so far.
fn events_written(home: &Home) -> i64 {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        use sqlx::ConnectOptions as _;
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(home.path().join("home/eyas.db"))
            .read_only(true);
        let mut db = options.connect().await.expect("the database");
        sqlx::query_scalar("SELECT count(*) FROM event")
            .fetch_one(&mut db)
            .await
            .expect("a count")
    })
}
