//! Whatever has become since of what it needed.

use super::{
    kit::{Face, Job},
    worktree_kit,
};
use serde_json::{Value, json};
use std::fs;

/// Asks for the first time; answers the request and the run.
fn first(rpc: &mut Face, mut asked: Value) -> (Value, Value) {
    asked["prompt"] = "!say x".into();
    let run = rpc.ran(&asked);
    assert_eq!(run["state"], "succeeded", "{run}");
    (asked, run)
}

fn again(rpc: &mut Face, (asked, run): &(Value, Value)) {
    let again = rpc.result("run.delegate", asked);
    assert_eq!(again["id"], run["id"], "{asked}: {again}");
    assert_eq!(again["duplicate"], true, "{again}");
    assert_eq!(again["state"], "succeeded", "{again}");
}

/// What another request is refused with, under its key or a new one.
fn other(rpc: &mut Face, (asked, _): &(Value, Value), key: &str) -> Value {
    let mut other = asked.clone();
    other["prompt"] = "!say y".into();
    other["idempotency_key"] = key.into();
    rpc.refusal("run.delegate", &other)["kind"].take()
}

#[test]
fn when_its_agent_is_gone() {
    let job = Job::new();
    job.agent("brief", &[], "");
    let mut rpc = job.rpc();
    let run = first(&mut rpc, json!({"agent": "brief", "idempotency_key": "k"}));
    fs::remove_file(job.nest.home.join("agents/brief.toml")).unwrap();
    again(&mut rpc, &run);
    assert_eq!(other(&mut rpc, &run, "new"), "agent_not_found");
}

#[test]
fn when_its_instance_is_stopped_or_deleted() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let project = job.project.to_str().unwrap();
    rpc.result(
        "instance.create",
        &json!({"name": "one", "project": project}),
    );
    let run = first(&mut rpc, json!({"instance": "one", "idempotency_key": "k"}));
    rpc.result("instance.stop", &json!({"name": "one"}));
    again(&mut rpc, &run);
    assert_eq!(other(&mut rpc, &run, "new"), "instance_not_running");
    rpc.result("instance.delete", &json!({"name": "one"}));
    again(&mut rpc, &run);
}

#[test]
fn when_its_project_is_unregistered_or_gone() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let project = job.project.to_str().unwrap();
    let here = first(&mut rpc, json!({"idempotency_key": "k"}));
    let path = first(
        &mut rpc,
        json!({"project": project, "idempotency_key": "l"}),
    );
    let name = first(
        &mut rpc,
        json!({"project": "project", "idempotency_key": "m"}),
    );
    let id = first(
        &mut rpc,
        json!({"project": here.1["project"], "idempotency_key": "n"}),
    );
    let all = [&here, &path, &name, &id];
    assert_eq!(other(&mut rpc, &here, "k"), "idempotency_conflict");
    rpc.result("project.unregister", &json!({"project": project}));
    for run in all {
        again(&mut rpc, run);
    }
    let mut rpc = job.rpc_in(&job.folder("other"), &[]);
    fs::remove_dir_all(&job.project).unwrap();
    for run in [&path, &name, &id] {
        again(&mut rpc, run);
    }
}

#[test]
fn when_there_is_no_room_left() {
    let job = worktree_kit::job(&[("EYAS_WORKTREES_MAX", "1")]);
    let mut rpc = job.rpc();
    let asked = json!({"prompt": "!write file x", "isolation": "worktree", "idempotency_key": "k"});
    let run = rpc.ran(&asked);
    assert_eq!(run["state"], "succeeded", "{run}");
    again(&mut rpc, &(asked.clone(), run.clone()));
    assert_eq!(other(&mut rpc, &(asked, run), "new"), "in_use");
}
