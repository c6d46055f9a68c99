//! Hosts that share a database: each works on what is its own, and whatever one is asked of another's runs is done.

use super::{
    keep::Keep,
    kit::{Face, Job, LONG, alive, is_over, summary},
};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::{fs, path::Path, thread, time::Duration, time::Instant};

/// Long enough for a busy machine, short enough to be waited for.
const LEASE_MS: u32 = 5_000;

/// Two hosts, and a face of each.
struct Two {
    a: Job,
    b: Job,
    at_a: Face,
    at_b: Face,
    keep: Keep,
}

impl Two {
    fn new() -> Self {
        let keep = Keep::new();
        let (a, b) = (keep.host("a", LEASE_MS), keep.host("b", LEASE_MS));
        let (mut at_a, mut at_b) = (a.rpc(), b.rpc());
        at_a.result("hub.info", &json!({}));
        at_b.result("hub.info", &json!({}));
        let register = json!({"path": b.project, "name": "bee"});
        at_b.result("project.register", &register);
        Self {
            a,
            b,
            at_a,
            at_b,
            keep,
        }
    }

    /// A run of b's project, accepted by a.
    fn delegate(&mut self, prompt: &str) -> Value {
        let run = json!({"prompt": prompt, "project": "bee"});
        let run = self.at_a.result("run.delegate", &run);
        assert_eq!(run["host"], "b", "{run}");
        run
    }
}

/// Has a face whose hub was killed start another one.
fn up(face: &mut Face) {
    until("another hub", || {
        let info = face.ask("hub.info", &json!({}));
        info["result"].is_object().then_some(())
    });
}

/// Waits at a face until a run is as it should be.
fn once(face: &mut Face, run: &Value, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let now = face.result("run.get", &json!({"id": run["id"]}));
        if is(&now) {
            return now;
        }
        assert!(begun.elapsed() < LONG, "{now}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn ended(face: &mut Face, run: &Value) -> Value {
    let begun = Instant::now();
    loop {
        let asked = json!({"id": run["id"], "wait_ms": 20_000});
        let now = face.result("run.wait", &asked);
        if is_over(&now) {
            return now;
        }
        assert!(begun.elapsed() < LONG, "{now}");
    }
}

fn host(face: &mut Face, name: &str) -> Value {
    let hosts = face.result("host.list", &json!({}));
    let hosts = hosts["items"].as_array().unwrap();
    let one = hosts.iter().find(|host| host["name"] == name);
    one.unwrap_or_else(|| panic!("{hosts:?}")).clone()
}

#[test]
fn a_run_goes_to_the_host_of_its_project() {
    let mut two = Two::new();
    let run = two.delegate("!cwd");
    let done = ended(&mut two.at_a, &run);
    assert_eq!(
        summary(&done),
        two.b.project.display().to_string(),
        "{done}"
    );
    let warnings = done["warnings"].to_string();
    assert!(warnings.contains("project_file_unknown"), "{warnings}");
    // Nobody's project at home is meant by a name that both have, but one's own.
    let register = json!({"path": two.a.project, "name": "bee"});
    two.at_a.result("project.register", &register);
    let own = two
        .at_a
        .result("run.delegate", &json!({"prompt": "!cwd", "project": "bee"}));
    assert_eq!(own["host"], "a", "{own}");
    let own = ended(&mut two.at_a, &own);
    assert_eq!(summary(&own), two.a.project.display().to_string());
    for (name, home) in [("a", &two.a), ("b", &two.b)] {
        let host = host(&mut two.at_b, name);
        assert_eq!(host["state"], "alive", "{host}");
        assert_eq!(host["own"], json!(name == "b"), "{host}");
        assert_eq!(host["home"], home.nest.home.display().to_string());
        assert!(host["agents"].to_string().contains("fake"), "{host}");
    }
    two.keep.seen().is_sound();
}

#[test]
fn the_same_path_on_two_hosts_is_two_projects_whose_runs_do_not_wait_for_each_other() {
    let mut two = Two::new();
    let both = tempfile::tempdir().unwrap();
    let path = both.path().canonicalize().unwrap();
    let mark = |name: &str| path.join(name).display().to_string();
    let (met, here, there) = (mark("met"), mark("a"), mark("b"));
    // Each waits until the other is at work.
    let script = |own: &str, other: &str| {
        format!(
            "!run touch {own}; for i in $(seq 600); do [ -e {other} ] && echo met >> {met} && break; sleep 0.05; done\n!say done"
        )
    };
    let delegate = |face: &mut Face, prompt: String| {
        let asked = json!({"prompt": prompt, "project": path, "policy": {"security": "full"}});
        face.result("run.delegate", &asked)
    };
    let of_a = delegate(&mut two.at_a, script(&here, &there));
    let of_b = delegate(&mut two.at_b, script(&there, &here));
    assert_ne!(of_a["project"], of_b["project"]);
    assert_eq!((&of_a["host"], &of_b["host"]), (&json!("a"), &json!("b")));
    for run in [of_a, of_b] {
        // Whoever waits, waits for any of them.
        let done = ended(&mut two.at_a, &run);
        assert_eq!(done["state"], "succeeded", "{done}");
    }
    assert_eq!(fs::read_to_string(met).unwrap().lines().count(), 2);
    let projects = two.at_a.result("project.list", &json!({}));
    let there = |host: Option<&str>| {
        let projects = projects["items"].as_array().unwrap();
        let at = |one: &&Value| one["path"] == json!(path) && one["host"].as_str() == host;
        projects.iter().filter(at).count()
    };
    assert_eq!((there(None), there(Some("b"))), (1, 1), "{projects}");
}

#[test]
fn answers_inputs_and_ends_reach_a_run_on_another_host() {
    let mut two = Two::new();
    let cursor = two.delegate("!say first");
    let cursor = ended(&mut two.at_a, &cursor);
    let events = two.at_a.result("run.events", &json!({"id": cursor["id"]}));
    let after = events["items"][0]["cursor"].clone();
    let mut watcher = two.a.rpc();
    watcher.result("events.watch", &json!({"after": after}));

    let asks = two.delegate("!permission execute git push\n!say done");
    let asking = once(&mut two.at_a, &asks, |run| run["state"] == "input_required");
    let request = &asking["requests"][0];
    let option = request["options"]
        .as_array()
        .unwrap()
        .iter()
        .find(|option| option["kind"] == "allow_once")
        .unwrap();
    let answer = json!({"id": asks["id"], "request": request["id"], "option": option["id"]});
    two.at_a.result("run.answer", &answer);
    let done = ended(&mut two.at_a, &asks);
    assert!(summary(&done).contains("done"), "{done}");

    let cut = two.delegate("!say one\n!sleep 60000");
    once(&mut two.at_a, &cut, |run| {
        run["state"] == "running" && !run["said"].is_null()
    });
    let begun = Instant::now();
    let input = json!({"id": cut["id"], "mode": "interrupt", "message": "!say two"});
    let taken = two.at_a.result("run.input", &input);
    assert_eq!(taken["delivery"]["outcome"], "interrupted", "{taken}");
    let done = ended(&mut two.at_a, &cut);
    assert!(summary(&done).contains("two"), "{done}");
    assert!(begun.elapsed() < Duration::from_secs(30));

    let long = two.delegate("!say here\n!sleep 60000");
    once(&mut two.at_a, &long, |run| {
        run["state"] == "running" && !run["said"].is_null()
    });
    two.at_a.result("run.cancel", &json!({"id": long["id"]}));
    let done = ended(&mut two.at_a, &long);
    assert_eq!(done["state"], "cancelled", "{done}");

    // The watch at a saw what b's hub wrote, to the end.
    loop {
        let told = watcher.hear();
        let event = &told["params"]["result"];
        if event["run"] == long["id"] && event["kind"] == "finished" {
            break;
        }
    }
    two.keep.seen().is_sound();
}

#[test]
fn what_is_of_another_machine_is_refused_and_says_so() {
    let mut two = Two::new();
    let elsewhere = |refusal: &Value| {
        assert_eq!(refusal["kind"], "invalid_params", "{refusal}");
        assert!(
            refusal["detail"].as_str().unwrap().contains("host b"),
            "{refusal}"
        );
    };
    let apart = json!({"prompt": "x", "project": "bee", "isolation": "worktree"});
    elsewhere(&two.at_a.refusal("run.delegate", &apart));
    for verb in ["activate", "init", "stop", "unregister", "trust"] {
        let refusal = two
            .at_a
            .refusal(&format!("project.{verb}"), &json!({"project": "bee"}));
        elsewhere(&refusal);
    }
    let absent = json!({"prompt": "x", "project": "bee", "agent": "claude-of-nobody"});
    let refusal = two.at_a.refusal("run.delegate", &absent);
    assert_eq!(refusal["kind"], "agent_not_found", "{refusal}");

    let create = json!({"name": "drone", "project": two.b.project});
    two.at_b.result("instance.create", &create);
    let seen = two.at_a.result("instance.get", &json!({"name": "drone"}));
    assert_eq!(seen["host"], "b", "{seen}");
    elsewhere(
        &two.at_a
            .refusal("instance.delete", &json!({"name": "drone"})),
    );
    let done = two.at_a.result(
        "run.delegate",
        &json!({"prompt": "!cwd", "instance": "drone"}),
    );
    let done = ended(&mut two.at_a, &done);
    assert_eq!(
        summary(&done),
        two.b.project.display().to_string(),
        "{done}"
    );
    let mixed = json!({"prompt": "x", "instance": "drone", "project": two.a.project});
    let refusal = two.at_a.refusal("run.delegate", &mixed);
    assert_eq!(refusal["field"], "project", "{refusal}");
}

#[test]
fn the_projects_file_on_its_own_machine_narrows_what_was_accepted_elsewhere() {
    let mut two = Two::new();
    let file = two.b.project.join(".eyas.toml");
    fs::write(file, "[policy]\nsecurity = \"deny\"\n").unwrap();
    let asked = json!({
        "prompt": "!permission execute ls\n!say done",
        "project": "bee",
        "policy": {"security": "full"},
    });
    let run = two.at_a.result("run.delegate", &asked);
    let done = ended(&mut two.at_a, &run);
    assert!(
        done["warnings"].to_string().contains("policy_capped"),
        "{done}"
    );
    assert!(!summary(&done).contains("permission: yes"), "{done}");
    // Here nobody narrows what a person asks for.
    let asked =
        json!({"prompt": "!permission execute ls\n!say done", "policy": {"security": "full"}});
    let run = two.at_a.result("run.delegate", &asked);
    let done = ended(&mut two.at_a, &run);
    assert!(summary(&done).contains("permission: yes"), "{done}");
}

#[test]
fn a_hub_takes_back_what_its_own_host_left_and_nothing_else() {
    let mut two = Two::new();
    let mark = two.b.nest.root().join("once");
    let mark = mark.display();
    let run = two.delegate(&format!("!say here\n!first {mark} sleep 60000\n!say done"));
    once(&mut two.at_a, &run, |run| {
        run["state"] == "running" && !run["said"].is_null()
    });
    let before = two.at_a.result("run.attempts", &json!({"id": run["id"]}));
    // Another host's hub dies and starts: the run is none of its business.
    two.a.kill_hub();
    up(&mut two.at_a);
    let held = two.at_a.result("run.get", &json!({"id": run["id"]}));
    assert_eq!(
        (&held["state"], &held["attempt"]),
        (&json!("running"), &json!(1))
    );
    let after = two.at_a.result("run.attempts", &json!({"id": run["id"]}));
    assert_eq!(before, after);
    // Its own does, and the run is tried again.
    let dead = two.b.kill_hub();
    assert!(!alive(dead));
    up(&mut two.at_b);
    let done = ended(&mut two.at_a, &run);
    assert!(summary(&done).contains("done"), "{done}");
    let attempts = two.at_a.result("run.attempts", &json!({"id": run["id"]}));
    assert_eq!(attempts["items"][0]["outcome"], "lost", "{attempts}");
    let mut seen = two.keep.seen();
    seen.is_sound();
    seen.is_over();
}

#[test]
fn a_host_that_drains_begins_nothing_new() {
    let mut two = Two::new();
    let under_way = two.delegate("!say here\n!sleep 1500\n!say done");
    once(&mut two.at_a, &under_way, |run| run["state"] == "running");
    let drained = two.at_a.result("host.drain", &json!({"host": "b"}));
    assert_eq!(drained["draining"], true, "{drained}");
    let waits = two.delegate("!say later");
    let warnings = waits["warnings"].to_string();
    assert!(warnings.contains("draining"), "{warnings}");
    let own = two
        .at_a
        .result("run.delegate", &json!({"prompt": "!say own"}));
    assert_eq!(ended(&mut two.at_a, &own)["state"], "succeeded");
    let done = ended(&mut two.at_a, &under_way);
    assert!(summary(&done).contains("done"), "{done}");
    let still = two.at_a.result("run.get", &json!({"id": waits["id"]}));
    assert_eq!(still["state"], "queued", "{still}");
    two.at_a
        .result("host.drain", &json!({"host": "b", "off": true}));
    let done = ended(&mut two.at_a, &waits);
    assert!(summary(&done).contains("later"), "{done}");
}

/// The faults of `host.forget` until it is done.
fn forget(face: &mut Face, host: &str, to: &str) -> (Vec<Value>, Value) {
    let asked = json!({"host": host, "to": to});
    let mut refusals = Vec::new();
    let begun = Instant::now();
    loop {
        let mut answer = face.ask("host.forget", &asked);
        if answer.get("error").is_none() {
            return (refusals, answer["result"].take());
        }
        refusals.push(answer["error"]["data"].take());
        assert!(begun.elapsed() < LONG, "{refusals:?}");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn what_waits_for_a_host_that_is_gone_goes_to_one_that_has_the_project() {
    let mut two = Two::new();
    let both = tempfile::tempdir().unwrap();
    let path = both.path().canonicalize().unwrap();
    two.at_a.result("project.register", &json!({"path": path}));
    let there = two
        .at_b
        .result("project.register", &json!({"path": path, "name": "shared"}));
    let id = there["id"].clone();
    // It dies with one under way, two more that wait, and one that nobody else could do.
    let mark = path.join("once").display().to_string();
    let ask = |prompt: String| json!({"prompt": prompt, "project": id});
    let held = ask(format!("!say here\n!first {mark} sleep 60000\n!cwd"));
    let held = two.at_a.result("run.delegate", &held);
    assert_eq!(held["host"], "b", "{held}");
    once(&mut two.at_a, &held, |run| {
        run["state"] == "running" && !run["said"].is_null()
    });
    two.at_b.kill_face_and(&two.b);
    let waits = two.at_a.result("run.delegate", &ask("!cwd".to_owned()));
    let left = two.delegate("!say at home");
    let (refusals, done) = forget(&mut two.at_a, "b", "a");
    assert!(!refusals.is_empty(), "it was seen a moment ago");
    for refusal in &refusals {
        assert_eq!(refusal["kind"], "busy", "{refusal}");
    }
    let moved = done["moved"].to_string();
    for run in [&held, &waits] {
        assert!(moved.contains(run["id"].as_str().unwrap()), "{done}");
        let over = ended(&mut two.at_a, run);
        assert_eq!(over["host"], "a", "{over}");
        let said = summary(&over);
        assert!(said.ends_with(&path.display().to_string()), "{over}");
    }
    assert_eq!(done["left"][0]["run"], left["id"], "{done}");
    assert!(
        done["left"][0]["why"]
            .as_str()
            .unwrap()
            .contains("no project"),
        "{done}"
    );
    assert_eq!(host(&mut two.at_a, "b")["state"], "forgotten");
    // It comes back, and does what was left to it.
    let mut back = two.b.rpc();
    back.result("hub.info", &json!({}));
    let over = ended(&mut two.at_a, &left);
    assert_eq!(
        (&over["host"], &over["state"]),
        (&json!("b"), &json!("succeeded"))
    );
    assert_eq!(host(&mut two.at_a, "b")["state"], "alive");
    let mut seen = two.keep.seen();
    seen.is_sound();
    seen.is_over();
}

#[test]
fn a_copy_of_a_home_is_no_host_while_the_original_lives() {
    let keep = Keep::new();
    let original = keep.host("a", LEASE_MS);
    let mut at_original = original.rpc();
    at_original.result("hub.info", &json!({}));
    let copy = keep.host("a", LEASE_MS);
    fs::copy(id_file(&original), id_file(&copy)).unwrap();
    let refusal = copy.rpc().refusal("hub.info", &json!({}));
    assert_eq!(refusal["kind"], "busy", "{refusal}");
    assert!(
        refusal["hint"].as_str().unwrap().contains("host.json"),
        "{refusal}"
    );
    fs::remove_file(id_file(&copy)).unwrap();
    let mut at_copy = copy.rpc();
    at_copy.result("hub.info", &json!({}));
    // Of the same name, it has another end.
    let hosts = at_copy.result("host.list", &json!({}));
    let names: Vec<_> = hosts["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host["name"].clone())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names
            .iter()
            .all(|name| name.as_str().unwrap().starts_with('a')),
        "{names:?}"
    );
}

fn id_file(job: &Job) -> std::path::PathBuf {
    Path::new(&job.nest.home).join("host.json")
}

#[test]
fn only_a_person_drains_or_forgets_a_host() {
    let mut two = Two::new();
    for (verb, params) in [
        ("host.drain", json!({"host": "b"})),
        ("host.forget", json!({"host": "b", "to": "a"})),
    ] {
        let line = json!({"jsonrpc": "2.0", "id": 1, "method": verb, "params": params});
        let program = env!("CARGO_BIN_EXE_eyas");
        let prompt = format!("!run echo '{line}' | {program} rpc; true\n!say done");
        let asked = json!({"prompt": prompt, "policy": {"security": "full"}});
        let run = two.at_a.result("run.delegate", &asked);
        let done = ended(&mut two.at_a, &run);
        let said = done.to_string();
        assert!(said.contains("done"), "{said}");
    }
    let b = host(&mut two.at_a, "b");
    assert_eq!(
        (&b["draining"], &b["state"]),
        (&json!(false), &json!("alive"))
    );
    // A stranger's name is answered with those there are.
    let refusal = two.at_a.refusal("host.drain", &json!({"host": "bb"}));
    assert_eq!(refusal["kind"], "not_found", "{refusal}");
    until("b is there", || alive(two.b.hub()).then_some(()));
}

impl Face {
    /// Ends the face, lest it start another hub, and the hub.
    fn kill_face_and(&mut self, job: &Job) {
        crate::hub::nest::kill(self.pid());
        until("the end of the face", || (!alive(self.pid())).then_some(()));
        job.kill_hub();
    }
}
