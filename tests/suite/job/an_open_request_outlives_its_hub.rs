//! A hub that is killed while a run waits for a person loses neither the question nor the answer.

use super::kit::{Job, summary};
use serde_json::{Value, json};

fn asking(job: &Job) -> (Value, Value) {
    let mut face = job.face();
    let run = face.delegate("!permission execute git push\n!say done", json!({}));
    let mut rpc = job.rpc();
    let wait = json!({"id": run["id"], "wait_ms": 45_000});
    let waited = rpc.result("run.wait", &wait);
    assert_eq!(waited["state"], "input_required", "{waited}");
    (run, waited["requests"][0].clone())
}

#[test]
fn and_is_answered_from_another_face() {
    let job = Job::new();
    let (run, request) = asking(&job);
    job.kill_hub();
    // The next face starts the next hub, which asks anew by the same request.
    let id = run["id"].as_str().unwrap();
    let said = job.nest.say(&["run", "answer", id, "--option", "yes"], "");
    assert!(said.status.success(), "{said:?}");
    let mut rpc = job.rpc();
    let wait = json!({"id": id, "wait_ms": 45_000});
    let ended = rpc.result("run.wait", &wait);
    assert_eq!(ended["state"], "succeeded", "{ended}");
    assert_eq!(summary(&ended), "permission: yes\ndone");
    let page = rpc.result("run.events", &json!({"id": id, "limit": 200}));
    let events = page["items"].as_array().unwrap();
    let answers: Vec<_> = events
        .iter()
        .filter(|event| event["kind"] == "answered")
        .collect();
    assert_eq!(answers.len(), 1, "{events:?}");
    assert_eq!(answers[0]["data"]["request"], request["id"]);
    assert_eq!(answers[0]["data"]["by"], "person");
}
