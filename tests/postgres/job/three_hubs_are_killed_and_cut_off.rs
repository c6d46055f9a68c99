//! Three hubs, each with a way of its own to one database, do two thousand delegations while they are killed and one is cut off.

use super::{
    keep::Keep,
    kit::{Face, Job, alive, is_over},
    proxy::{Proxy, Way},
};
use crate::{hub::nest::kill, store::server::server};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// `EYAS_DELEGATIONS` says another number.
const DELEGATIONS: usize = 2_000;
const LEASE_MS: u32 = 4_000;
/// Delegations of a client at once.
const OPEN: usize = 48;

fn set(name: &str) -> Option<usize> {
    std::env::var(name).ok()?.parse().ok()
}

struct Host {
    job: Job,
    proxy: Proxy,
}

/// What all clients know together.
#[derive(Default)]
struct Ledger {
    next: AtomicUsize,
    /// Acknowledged runs by their keys.
    known: Mutex<BTreeMap<String, String>>,
    over: AtomicBool,
}

impl Ledger {
    fn note(&self, key: &str, run: &str) {
        let mut known = self.known.lock().unwrap();
        let before = known.insert(key.to_owned(), run.to_owned());
        assert!(
            before.is_none_or(|before| before == run),
            "{key} became two runs"
        );
    }

    fn many(&self) -> usize {
        self.known.lock().unwrap().len()
    }
}

/// A delegation that its client has not seen the end of.
struct Open {
    key: String,
    asked: Value,
    /// Once it is acknowledged.
    run: Option<String>,
}

fn new(n: usize, projects: &[String]) -> Open {
    let key = format!("k{n}");
    let asked = json!({
        "prompt": format!("!say done {n}"),
        "project": projects[n % projects.len()],
        "concurrent": true,
        "idempotency_key": key,
        // Hubs die all the time.
        "retry": {"max_attempts": 20},
    });
    let run = None;
    Open { key, asked, run }
}

/// Delegates through one host's face, to projects of all hosts, and looks at what became of it. What is refused is asked again in the same
/// words, with the same key.
fn client(face: &mut Face, ledger: &Ledger, projects: &[String], all: usize) {
    let mut open: Vec<Open> = Vec::new();
    loop {
        while open.len() < OPEN {
            let n = ledger.next.fetch_add(1, Ordering::Relaxed);
            if n >= all {
                break;
            }
            open.push(new(n, projects));
        }
        if open.is_empty() {
            return;
        }
        let calls: Vec<i64> = open
            .iter()
            .map(|one| match &one.run {
                Some(run) => face.send("run.get", &json!({"id": run})),
                None => face.send("run.delegate", &one.asked),
            })
            .collect();
        let mut answers = calls.into_iter().map(|call| face.answer(call));
        open.retain_mut(|one| {
            let answer = answers.next().unwrap();
            let Some(run) = answer["result"]["id"].as_str() else {
                let kind = answer["error"]["data"]["kind"].as_str().unwrap_or_default();
                let passing = ["hub_lost", "busy", "database_unavailable"];
                assert!(passing.contains(&kind), "{answer}");
                return true;
            };
            ledger.note(&one.key, run);
            one.run = Some(run.to_owned());
            !is_over(&answer["result"])
        });
        thread::sleep(Duration::from_millis(20));
    }
}

/// Kills one hub after the other, and has the ways of others be slow, stalled, or cut for longer than a lease.
fn trouble(hosts: &[Host], ledger: &Ledger) -> usize {
    let mut kills = 0;
    let mut turn = 0;
    let rest = |ms: u64| {
        let until = Instant::now() + Duration::from_millis(ms);
        while Instant::now() < until && !ledger.over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
    };
    while !ledger.over.load(Ordering::Relaxed) {
        let (victim, other) = (&hosts[turn % 3], &hosts[(turn + 1) % 3]);
        turn += 1;
        rest(1_500);
        if let Some(endpoint) = victim.job.nest.endpoint()
            && alive(endpoint.pid)
            && victim.job.processes().contains(&endpoint.pid)
        {
            kill(endpoint.pid);
            kills += 1;
        }
        // What is stalled holds up the others too, where it has the turn to write: until the server ends its transaction.
        let (way, ms) = match turn % 3 {
            0 => (Way::Slow(Duration::from_millis(3)), 2_000),
            1 => (Way::Cut, u64::from(LEASE_MS) + 1_000),
            _ => (Way::Stalled, 2_000),
        };
        other.proxy.set(way);
        rest(ms);
        other.proxy.set(Way::Open);
    }
    kills
}

#[test]
fn every_delegation_ends_once() {
    let all = set("EYAS_DELEGATIONS").unwrap_or(DELEGATIONS);
    let keep = Keep::new();
    let hosts: Vec<Host> = ["a", "b", "c"]
        .into_iter()
        .map(|name| {
            let proxy = Proxy::new(server());
            let url = proxy.address(keep.place.database(), server());
            let job = keep.host_by(name, LEASE_MS, &url);
            Host { job, proxy }
        })
        .collect();
    let mut faces: Vec<Face> = hosts.iter().map(|host| host.job.rpc()).collect();
    let projects: Vec<String> = hosts
        .iter()
        .zip(&mut faces)
        .map(|(host, face)| {
            let project = face.result("project.register", &json!({"path": host.job.project}));
            project["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let ledger = Arc::new(Ledger::default());
    let begun = Instant::now();
    let kills = thread::scope(|scope| {
        let troubled = scope.spawn(|| trouble(&hosts, &ledger));
        let clients: Vec<_> = faces
            .iter_mut()
            .map(|face| scope.spawn(|| client(face, &ledger, &projects, all)))
            .collect();
        let done: Vec<_> = clients
            .into_iter()
            .map(|client| client.join().is_ok())
            .collect();
        ledger.over.store(true, Ordering::Relaxed);
        assert!(done.iter().all(|done| *done), "a client broke");
        troubled.join().unwrap()
    });
    println!(
        "{all} seen to the end after {:?}, {kills} kills",
        begun.elapsed()
    );
    assert_eq!(ledger.many(), all);
    // A last life of each works on what is left.
    for (host, face) in hosts.iter().zip(&mut faces) {
        host.proxy.set(Way::Open);
        let info = face.ask("hub.info", &json!({}));
        assert!(info["result"].is_object(), "{info}");
    }
    let mut seen = keep.seen();
    let patience = Instant::now() + Duration::from_mins(2);
    while seen.runs.values().any(|run| !run.is_over()) {
        assert!(Instant::now() < patience, "some do not end");
        thread::sleep(Duration::from_millis(250));
        // Whoever has died since is started again.
        for face in &mut faces {
            face.ask("hub.info", &json!({}));
        }
        let before = seen;
        seen = keep.seen();
        seen.goes_on_from(&before);
    }
    seen.is_sound();
    seen.is_over();
    println!("{all} over after {:?}", begun.elapsed());
    assert_eq!(
        seen.runs.len(),
        all,
        "one run for each key, and none beside"
    );
    for (key, run) in ledger.known.lock().unwrap().iter() {
        assert_eq!(seen.keys[key].to_string(), *run, "{key}");
    }
    let failed: Vec<_> = seen
        .runs
        .values()
        .filter(|run| run.state != "succeeded")
        .collect();
    assert!(failed.is_empty(), "{failed:?}");
    assert!(kills > 0 || all < 500, "nothing was killed");
    let one = json!({"id": ledger.known.lock().unwrap()["k0"]});
    for face in &mut faces {
        assert!(is_over(&face.result("run.get", &one)));
    }
}
