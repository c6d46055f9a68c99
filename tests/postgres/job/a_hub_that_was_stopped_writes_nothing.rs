//! A hub that was stopped for longer than its leases last wakes to find its work with somebody else: it writes nothing more of it, and ends its agent.

use super::{
    keep::Keep,
    kit::{Face, Job, LONG, alive, is_over},
};
use crate::hub::nest::until;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

const LEASE_MS: u32 = 3_000;

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

fn stopped(pid: u32) {
    signal(pid, Signal::STOP);
    until("the hub is stopped", || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ")
            .unwrap()
            .1
            .starts_with('T')
            .then_some(())
    });
}

/// Two hosts that have one project, a run of the first that is under way, and its agent.
struct Scene {
    keep: Keep,
    a: Job,
    _b: Job,
    at_b: Face,
    run: Value,
    agent: u32,
    turns: PathBuf,
    _both: tempfile::TempDir,
    _at_a: Face,
}

impl Scene {
    fn new() -> Self {
        let keep = Keep::new();
        let (a, b) = (keep.host("a", LEASE_MS), keep.host("b", LEASE_MS));
        let both = tempfile::tempdir().unwrap();
        let path = both.path().canonicalize().unwrap();
        let (mut at_a, mut at_b) = (a.rpc(), b.rpc());
        at_a.result("project.register", &json!({"path": path}));
        at_b.result("project.register", &json!({"path": path}));
        let (once, turns) = (path.join("once"), path.join("turns"));
        let (mark, log) = (once.display(), turns.display());
        // Its agent does not hear that its turn is cancelled, so it has to be killed.
        let prompt = format!(
            "!deaf\n!say here\n!first {mark} sleep 600000\n!run echo turn >> {log}\n!say done"
        );
        let asked = json!({"prompt": prompt, "project": path, "policy": {"security": "full"}});
        let run = at_a.result("run.delegate", &asked);
        let begun = Instant::now();
        let agent = loop {
            let attempts = at_a.result("run.attempts", &json!({"id": run["id"]}));
            let at_work = once.exists();
            if let (true, Some(pid)) = (at_work, attempts["items"][0]["pid"].as_u64()) {
                break u32::try_from(pid).unwrap();
            }
            assert!(begun.elapsed() < LONG, "{attempts}");
            thread::sleep(Duration::from_millis(20));
        };
        Self {
            keep,
            a,
            _b: b,
            at_b,
            run,
            agent,
            turns,
            _both: both,
            _at_a: at_a,
        }
    }

    fn now(&mut self) -> Value {
        self.at_b.result("run.get", &json!({"id": self.run["id"]}))
    }

    fn once(&mut self, is: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let now = self.now();
            if is(&now) {
                return now;
            }
            assert!(begun.elapsed() < LONG, "{now}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn one_turn(&self) {
        let turns = fs::read_to_string(&self.turns).unwrap();
        assert_eq!(turns, "turn\n", "only one attempt came to its end");
    }
}

#[test]
fn where_another_host_has_taken_over() {
    let mut scene = Scene::new();
    let hub = scene.a.hub();
    stopped(hub);
    // Its lease is over, and the run waits for the host that does not answer.
    scene.once(|run| run["state"] == "queued" && run["waiting"] != "retry");
    let asked = json!({"host": "a", "to": "b"});
    let begun = Instant::now();
    while scene.at_b.ask("host.forget", &asked).get("error").is_some() {
        assert!(begun.elapsed() < LONG);
        thread::sleep(Duration::from_millis(100));
    }
    let done = scene.once(is_over);
    assert_eq!(
        (&done["state"], &done["host"]),
        (&json!("succeeded"), &json!("b")),
        "{done}"
    );
    assert!(alive(scene.agent), "its hub could not end it");
    let before = scene.keep.seen();
    signal(hub, Signal::CONT);
    until("the end of the stale agent", || {
        (!alive(scene.agent)).then_some(())
    });
    // It is there again, and has changed nothing.
    until("a is there", || {
        let hosts = scene.at_b.result("host.list", &json!({}));
        let hosts = hosts["items"].as_array().unwrap();
        let is_alive = |host: &&Value| host["name"] == "a" && host["state"] == "alive";
        hosts.iter().any(|host| is_alive(&host)).then_some(())
    });
    assert_eq!(scene.a.hub(), hub);
    let mut after = scene.keep.seen();
    after.is_sound();
    after.goes_on_from(&before);
    assert_eq!(scene.now(), done);
    scene.one_turn();
}

#[test]
fn where_it_takes_its_own_run_again() {
    let mut scene = Scene::new();
    let hub = scene.a.hub();
    stopped(hub);
    scene.once(|run| run["state"] == "queued");
    signal(hub, Signal::CONT);
    let done = scene.once(is_over);
    assert_eq!(
        (&done["state"], &done["host"]),
        (&json!("succeeded"), &json!("a")),
        "{done}"
    );
    until("the end of the stale agent", || {
        (!alive(scene.agent)).then_some(())
    });
    let attempts = scene
        .at_b
        .result("run.attempts", &json!({"id": scene.run["id"]}));
    assert_eq!(attempts["items"][0]["outcome"], "lost", "{attempts}");
    assert_ne!(
        attempts["items"][1]["pid"],
        json!(scene.agent),
        "{attempts}"
    );
    let mut seen = scene.keep.seen();
    seen.is_sound();
    seen.is_over();
    scene.one_turn();
}
