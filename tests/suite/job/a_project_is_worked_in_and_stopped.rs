use super::kit::{Face, Job, agent_pid, alive};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::fs;

fn project(job: &Job, rpc: &mut Face) -> Value {
    rpc.result("project.get", &json!({"project": job.project}))
}

fn agents(rpc: &mut Face) -> Vec<Value> {
    let info = rpc.result("hub.info", &json!({}));
    info["agents"].as_array().unwrap().clone()
}

#[test]
fn activation_asks_for_a_file_and_init_completes_it() {
    let job = Job::new();
    let mut rpc = job.rpc();
    rpc.result("project.register", &json!({"path": job.project}));
    let path = json!({"project": job.project});
    let refused = rpc.refusal("project.activate", &path);
    assert_eq!(refused["kind"], "project_needs_init", "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains("init"));
    let asked = project(&job, &mut rpc);
    assert_eq!(
        (&asked["active"], &asked["initialized"], &asked["pid"]),
        (&json!(false), &json!(false), &Value::Null)
    );

    let begun = rpc.result("project.init", &path);
    for (key, value) in [
        ("status", json!("running")),
        ("initialized", json!(true)),
        ("active", json!(true)),
        ("trusted", json!(false)),
        ("external", json!(false)),
        ("delegation_spawned", json!(false)),
        ("agent", json!("fake")),
    ] {
        assert_eq!(begun[key], value, "{key}: {begun}");
    }
    let file = job.project.join(".eyas.toml");
    assert!(fs::read_to_string(&file).unwrap().contains("persona"));
    // Done again it changes nothing, least of all what a person wrote.
    fs::write(&file, "mode = 'auto'\n").unwrap();
    let again = rpc.result("project.init", &path);
    assert_eq!(again["pid"], begun["pid"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mode = 'auto'\n");

    let run = rpc.ran(&json!({"prompt": "!say x"}));
    assert_eq!(run["warm"], true, "{run}");
    assert_eq!(agent_pid(&run), begun["pid"].as_u64().unwrap());
    // Another peer sees the same agent, and that it works elsewhere itself.
    let other = project(&job, &mut job.rpc());
    assert_eq!(
        (&other["active"], &other["pid"]),
        (&json!(false), &begun["pid"])
    );
    let left = rpc.result("project.deactivate", &json!({}));
    assert_eq!(
        (&left["active"], &left["pid"]),
        (&json!(false), &begun["pid"])
    );
    assert_eq!(rpc.result("project.deactivate", &json!({})), Value::Null);
}

#[test]
fn each_change_is_told() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let mut watch = job.rpc();
    rpc.result("project.register", &json!({"path": job.project}));
    let path = json!({"project": job.project});
    watch.result("events.watch", &path);
    rpc.refusal("project.activate", &path);
    rpc.result("project.init", &path);
    rpc.result("project.stop", &path);
    let mut kinds = Vec::new();
    let mut statuses = Vec::new();
    while kinds.last() != Some(&json!("stopped")) {
        let event = watch.hear()["params"]["result"].clone();
        let (kind, data) = (&event["kind"], &event["data"]);
        if kind == "project_status_changed" {
            statuses.push(data["status"].clone());
        } else if kind == "project_switched" {
            kinds.push(data["active"].clone());
        } else if kind == "project_changed" {
            kinds.push(data["change"].clone());
        } else {
            kinds.push(kind.clone());
        }
    }
    let told = ["project_init_required", "initialized"].map(|word| json!(word));
    assert_eq!(kinds[..2], told, "{kinds:?}");
    assert_eq!(
        kinds[2..],
        [json!(true), json!(false), json!("stopped")],
        "{kinds:?}"
    );
    assert!(statuses.contains(&json!("initializing")), "{statuses:?}");
    assert!(statuses.contains(&json!("running")), "{statuses:?}");
}

#[test]
fn what_a_delegation_started_becomes_the_persons_and_stays_while_one_works_there() {
    let job = Job::with(&[("EYAS_WARM_IDLE_TTL_MS", "400")]);
    fs::write(job.project.join(".eyas.toml"), "").unwrap();
    let (mut rpc, mut other) = (job.rpc(), job.rpc_in(&job.folder("elsewhere"), &[]));
    let run = rpc.ran(&json!({"prompt": "!say x"}));
    let spawned = project(&job, &mut rpc);
    let pid = json!(agent_pid(&run));
    assert_eq!(
        (&spawned["delegation_spawned"], &spawned["pid"]),
        (&json!(true), &pid)
    );
    let mine = rpc.result("project.activate", &json!({"project": job.project}));
    assert_eq!(
        (&mine["delegation_spawned"], &mine["pid"]),
        (&json!(false), &pid)
    );
    // An agent that began to be idle later ends; this one stays.
    other.ran(&json!({"prompt": "!say x"}));
    until("the end of the idle one", || {
        (agents(&mut other).len() == 1).then_some(())
    });
    assert_eq!(project(&job, &mut rpc)["pid"], pid);
    rpc.kill();
    until("the end of the one that was left", || {
        agents(&mut other).is_empty().then_some(())
    });
}

#[test]
fn a_face_that_runs_nowhere_works_in_its_active_project() {
    let job = Job::new();
    fs::write(job.project.join(".eyas.toml"), "").unwrap();
    let mut rpc = job.rpc_in("/".as_ref(), &[]);
    let asked = rpc.refusal("run.delegate", &json!({"prompt": "!say x"}));
    assert_eq!(asked["kind"], "required_field", "{asked}");
    let active = rpc.result("project.activate", &json!({"project": job.project}));
    let run = rpc.ran(&json!({"prompt": "!say x"}));
    assert_eq!(run["project"], active["id"]);
    rpc.result("project.deactivate", &json!({}));
    rpc.refusal("run.delegate", &json!({"prompt": "!say x"}));
    // One that runs in a project works there, whatever is active.
    let folder = job.folder("elsewhere");
    let mut rpc = job.rpc_in(&folder, &[]);
    rpc.result("project.activate", &json!({"project": job.project}));
    let run = rpc.ran(&json!({"prompt": "!say x"}));
    assert_ne!(run["project"], active["id"]);
}

#[test]
fn stop_ends_its_runs_and_agents_and_says_how_many() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let held = rpc.result("run.delegate", &json!({"prompt": "!sleep 60000"}));
    until("it runs", || {
        let run = rpc.result("run.get", &json!({"id": held["id"]}));
        (run["state"] == "running" && run["step"] == "has its prompt").then_some(())
    });
    let queued = rpc.result("run.delegate", &json!({"prompt": "!say never"}));
    let pid = project(&job, &mut rpc)["pid"].as_u64().unwrap();
    let stopped = rpc.result("project.stop", &json!({"project": job.project}));
    assert_eq!(stopped["delegations_ended"], 2, "{stopped}");
    assert_eq!(
        (
            &stopped["project"]["status"],
            &stopped["project"]["delegations"]
        ),
        (&json!("stopped"), &json!(0))
    );
    for run in [held, queued] {
        let run = rpc.result("run.get", &json!({"id": run["id"]}));
        assert_eq!(run["state"], "cancelled", "{run}");
    }
    assert!(!alive(u32::try_from(pid).unwrap()));
    let none = rpc.result("project.stop", &json!({"project": job.project}));
    assert_eq!(none["delegations_ended"], 0);
    let next = rpc.ran(&json!({"prompt": "!say next"}));
    assert_eq!(next["state"], "succeeded", "{next}");
    assert_ne!(agent_pid(&next), pid);
}

#[test]
fn an_agent_that_does_not_start_is_an_error_until_one_does() {
    let job = Job::new();
    let broken = "id = \"fake\"\n[launch]\ncommand = \"false\"\n";
    fs::write(job.nest.home.join("agents/fake.toml"), broken).unwrap();
    fs::write(job.project.join(".eyas.toml"), "").unwrap();
    let mut rpc = job.rpc();
    let path = json!({"project": job.project});
    rpc.result("project.register", &json!({"path": job.project}));
    let refused = rpc.refusal("project.activate", &path);
    assert!(refused["kind"].is_string(), "{refused}");
    assert_eq!(project(&job, &mut rpc)["active"], false);
    assert_eq!(project(&job, &mut rpc)["status"], "error");
    job.agent("fake", &[], "");
    let well = rpc.result("project.activate", &path);
    assert_eq!(
        (&well["status"], &well["active"]),
        (&json!("running"), &json!(true))
    );
}

#[test]
fn where_a_file_is_required_agents_are_cold_without_one() {
    let job = Job::with(&[("EYAS_WARM_REQUIRE_INIT", "true")]);
    let mut rpc = job.rpc();
    let cold = rpc.ran(&json!({"prompt": "!say x"}));
    let reason = cold["attempts"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("project_needs_init"), "{cold}");
    let warm = rpc.ran(&json!({"prompt": "!say x", "mode": "warm"}));
    assert_eq!(warm["error"]["kind"], "project_needs_init", "{warm}");
    rpc.result("project.init", &json!({"project": job.project}));
    let warm = rpc.ran(&json!({"prompt": "!say x", "mode": "warm"}));
    assert_eq!(
        (&warm["state"], &warm["warm"]),
        (&json!("succeeded"), &json!(true))
    );
}

#[test]
fn its_conversations_are_listed() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let first = rpc.ran(&json!({"prompt": "!say one"}));
    let second = rpc.ran(&json!({"prompt": "!say two", "previous": first["id"]}));
    let cold = rpc.ran(&json!({"prompt": "!say three", "mode": "cold"}));
    let page = rpc.result("project.sessions", &json!({"project": job.project}));
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{page}");
    let of = |run: &Value| {
        let found = items.iter().find(|one| one["session"] == run["session"]);
        found.unwrap_or_else(|| panic!("{page}")).clone()
    };
    assert_eq!(of(&first)["last_run"], second["id"]);
    assert_eq!(of(&first)["live"], true, "{page}");
    assert_eq!(of(&cold)["live"], false, "{page}");
    assert_eq!(of(&cold)["agent"], "fake");
}
