use super::kit::Job;
use crate::hub::nest::until;
use serde_json::json;

#[test]
fn before_its_line_ends_and_in_the_run_itself() {
    let job = Job::new();
    let mut face = job.face();
    let mut rpc = job.rpc();
    let watch = rpc.result("events.watch", &json!({}));
    let run = face.delegate(
        "!say I look at it, and half a li\n!sleep 60000",
        json!({"wait_ms": 0}),
    );
    let said = loop {
        let note = rpc.hear();
        assert_eq!(note["params"]["subscription"], watch);
        let event = note["params"]["result"].clone();
        assert_ne!(event["kind"], "finished", "it was told at the end only");
        if event["kind"] == "message" {
            break event["data"]["text"].clone();
        }
    };
    assert_eq!(said, "I look at it, and half a li");
    let mut asked = job.rpc();
    let now = until("its last words", || {
        let now = asked.result("run.get", &json!({"id": run["id"]}));
        now["said"].is_string().then_some(now)
    });
    assert_eq!((&now["state"], &now["said"]), (&json!("running"), &said));
    asked.result("run.cancel", &json!({"id": run["id"]}));
}
