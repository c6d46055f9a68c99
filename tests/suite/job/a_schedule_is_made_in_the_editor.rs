//! The tool `schedule` on a real hub: made, fired, paused and deleted by the person's editor, and by no agent.

use super::kit::{Job, summary};
use serde_json::json;

#[test]
fn and_does_what_it_should() {
    let job = Job::new();
    let mut face = job.face();
    let make = json!({
        "action": "create",
        "name": "nightly",
        "cron": "30 3 * * mon-fri",
        "zone": "Europe/Berlin",
        "prompt": "!say checked",
    });
    let made = face.tool("schedule", &make);
    assert_eq!(made["next_times"].as_array().unwrap().len(), 5, "{made}");
    assert_eq!(face.tool("schedule", &make)["kind"], "name_exists");
    let fired = face.tool("schedule", &json!({"action": "fire", "name": "nightly"}));
    assert_eq!(fired["label"], "nightly", "{fired}");
    assert_eq!(summary(&face.finished(&fired)), "checked");
    let bad = json!({"action": "update", "name": "nightly", "zone": "Berlin"});
    let refused = face.tool("schedule", &bad);
    assert_eq!(refused["kind"], "invalid_params");
    assert!(refused["hint"].as_str().unwrap().contains("Europe/Berlin"));
    let pause = json!({"action": "update", "name": made["id"], "active": false});
    assert_eq!(face.tool("schedule", &pause)["active"], false);
    let list = json!({"action": "list"});
    let listed = face.tool("schedule", &list);
    assert_eq!(listed["items"][0]["active"], false, "{listed}");
    face.tool("schedule", &json!({"action": "delete", "name": "nightly"}));
    assert_eq!(face.tool("schedule", &list)["items"], json!([]));
}
