//! MCP's tasks over real runs: durable before they are answered, and told to who listens, also when the hub is killed meanwhile.

use super::kit::{Face, Job, alive, summary};
use crate::hub::nest;
use serde_json::{Value, json};

const ASK: &str = "!permission execute git push\n!say done";
const TOLD: &str = "notifications/tasks";

fn send(face: &mut Face, method: &str, mut params: Value) -> i64 {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {
            "extensions": {"io.modelcontextprotocol/tasks": {}},
            "elicitation": {"form": {}},
        },
    });
    face.send(method, &params)
}

fn ask(face: &mut Face, method: &str, params: Value) -> Value {
    let id = send(face, method, params);
    let mut answer = face.answer(id);
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].take()
}

fn delegate(face: &mut Face, arguments: &Value) -> Value {
    let call = json!({"name": "delegate", "arguments": arguments});
    let task = ask(face, "tools/call", call);
    assert_eq!(task["resultType"], "task", "{task}");
    task["taskId"].clone()
}

/// What is told of a task until it has this status.
fn until(face: &mut Face, status: &str) -> Value {
    loop {
        let task = face.told(TOLD);
        if task["status"] == status {
            return task;
        }
        assert!(task.get("result").is_none(), "{task}");
    }
}

#[test]
fn and_who_listens_hears_its_question_and_its_end() {
    let job = Job::new();
    let mut face = job.ungreeted(&[]);
    let id = delegate(&mut face, &json!({"prompt": ASK}));
    let listen = json!({"notifications": {"taskIds": [id]}});
    send(&mut face, "subscriptions/listen", listen);
    let asked = until(&mut face, "input_required");
    let requests = asked["inputRequests"].as_object().unwrap();
    let request = requests.keys().next().unwrap().clone();
    let killed = job.kill_hub();
    // Nobody calls: listening alone brings the run's hub back, which asks by the same request.
    nest::until("another hub", || {
        let hub = job.nest.endpoint()?.pid;
        (hub != killed && alive(hub)).then_some(())
    });
    nest::until("its question", || {
        let task = ask(&mut face, "tasks/get", json!({"taskId": id}));
        task["inputRequests"][&request].is_object().then_some(())
    });
    let said = json!({"action": "accept", "content": {"answer": "yes"}});
    let update = json!({"taskId": id, "inputResponses": {request: said}});
    assert_eq!(
        ask(&mut face, "tasks/update", update)["resultType"],
        "complete"
    );
    let done = until(&mut face, "completed");
    let run = &done["result"]["structuredContent"];
    assert_eq!(done["result"]["isError"], false, "{done}");
    assert_eq!(summary(run), "permission: yes\ndone");
    let ninety_days = 90 * 24 * 3_600_000_u64;
    assert!(done["ttlMs"].as_u64().unwrap() >= ninety_days, "{done}");
}

#[test]
fn and_is_found_again_by_another_editor() {
    let job = Job::new();
    let mut face = job.ungreeted(&[]);
    let twice = json!({"prompt": "!say it is done", "idempotency_key": "k"});
    let id = delegate(&mut face, &twice);
    assert_eq!(delegate(&mut face, &twice), id, "the same request again");
    face.kill();
    job.kill_hub();
    let mut other = job.ungreeted(&[]);
    let listen = json!({"notifications": {"taskIds": [id]}});
    send(&mut other, "subscriptions/listen", listen);
    let done = until(&mut other, "completed");
    assert_eq!(summary(&done["result"]["structuredContent"]), "it is done");
}

#[test]
fn and_is_cancelled_as_one() {
    let job = Job::new();
    let mut face = job.ungreeted(&[]);
    let id = delegate(&mut face, &json!({"prompt": ASK}));
    for _ in 0..2 {
        ask(&mut face, "tasks/cancel", json!({"taskId": id}));
    }
    let listen = json!({"notifications": {"taskIds": [id]}});
    send(&mut face, "subscriptions/listen", listen);
    let ended = until(&mut face, "cancelled");
    assert!(ended.get("result").is_none(), "{ended}");
    let task = ask(&mut face, "tasks/get", json!({"taskId": id}));
    assert_eq!(task["status"], "cancelled");
}
