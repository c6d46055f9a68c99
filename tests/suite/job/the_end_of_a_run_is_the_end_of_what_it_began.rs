use super::{
    below::Script,
    kit::{Face, Job, is_over},
};
use crate::hub::nest::until;
use serde_json::{Value, json};

/// A captain, and the prompt by which it begins something long and goes on itself.
fn leading(job: &Job, face: &mut Face, then: &str) -> String {
    let project = job.project.to_str().unwrap();
    face.tool(
        "instance_create",
        &json!({"name": "cap", "persona": "project-captain", "project": project}),
    );
    let work = json!({"prompt": "!usage\n!sleep 60000", "concurrent": true, "mode": "cold"});
    let prompt = Script::new(job).call("run.delegate", &work).prompt("lead");
    format!("{prompt}\n!usage\n{then}")
}

/// The only run below one, once it is there and is worked on.
fn child(job: &Job, face: &mut Face, run: &Value) -> Value {
    let mut rpc = job.rpc();
    let child = until("a child", || {
        let below = rpc.result("run.list", &json!({"parent": run["id"]}));
        below["items"].get(0).cloned()
    });
    face.running(&child)
}

#[test]
fn when_it_is_cancelled() {
    let job = Job::new();
    let mut face = job.face();
    let prompt = leading(&job, &mut face, "!sleep 60000");
    let run = face.delegate(&prompt, json!({"instance": "cap"}));
    let child = child(&job, &mut face, &run);
    let mut rpc = job.rpc();
    let tree = rpc.result("run.get", &json!({"id": run["id"]}))["tree_usage"].take();
    assert_eq!(
        (&tree["runs"], &tree["complete"]),
        (&json!(1), &json!(false)),
        "{tree}"
    );
    face.tool("run_cancel", &json!({"id": run["id"]}));
    assert_eq!(face.finished(&run)["state"], "cancelled");
    assert_eq!(face.finished(&child)["state"], "cancelled");
    let events = rpc.result("run.events", &json!({"id": child["id"]}));
    let why = format!(
        "the run above it, {}, was cancelled",
        run["id"].as_str().unwrap()
    );
    assert!(events.to_string().contains(&why), "{events}");
}

#[test]
fn when_its_time_is_over() {
    let job = Job::new();
    let mut face = job.face();
    let prompt = leading(&job, &mut face, "!sleep 60000");
    let run = face.delegate(&prompt, json!({"instance": "cap", "timeout_ms": 6000}));
    let child = child(&job, &mut face, &run);
    assert_eq!(face.finished(&run)["state"], "timed_out");
    assert_eq!(face.finished(&child)["state"], "cancelled");
}

#[test]
fn but_not_when_it_has_come_to_its_own_end() {
    let job = Job::new();
    let mut face = job.face();
    let prompt = leading(&job, &mut face, "!say I go ahead");
    let run = face.delegate(&prompt, json!({"instance": "cap"}));
    let child = child(&job, &mut face, &run);
    assert_eq!(face.finished(&run)["state"], "succeeded");
    assert!(!is_over(&face.now(&child)));
    // It is still the captain's: whoever ends that one by name does not end this one.
    face.tool("run_cancel", &json!({"id": run["id"]}));
    assert!(!is_over(&face.now(&child)));
    face.tool("run_cancel", &json!({"id": child["id"]}));
    assert_eq!(face.finished(&child)["state"], "cancelled");
}
