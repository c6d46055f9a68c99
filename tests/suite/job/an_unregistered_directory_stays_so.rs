use super::kit::{Job, agent_pid, summary};
use serde_json::json;

#[test]
fn and_its_runs_are_cold() {
    let job = Job::new();
    let mut face = job.face();
    let warm = face.done("!say warm", json!({}));
    let path = json!(job.project);
    let mut rpc = job.rpc();
    rpc.result("project.unregister", &json!({"project": path}));
    for _ in 0..2 {
        let run = face.done("!say cold", json!({}));
        assert_eq!(summary(&run), "cold");
        assert_eq!(run["warm"], false);
        assert!(run["project"].is_null(), "{run}");
        assert_ne!(agent_pid(&run), agent_pid(&warm));
        assert!(
            run["attempts"][0]["reason"]
                .as_str()
                .unwrap()
                .contains("registered"),
            "{run}"
        );
    }
    let refused = face.tool(
        "delegate",
        &json!({"prompt": "!say x", "mode": "warm", "wait_ms": 20000}),
    );
    assert_eq!(refused["error"]["kind"], "warm_cap_reached", "{refused}");
    let gone = rpc.refusal("project.get", &json!({"project": path}));
    assert_eq!(gone["kind"], "project_not_registered", "{gone}");
    let listed = rpc.result("project.list", &json!({}));
    assert_eq!(listed["items"], json!([]));

    let back = face.tool("project", &json!({"action": "register", "project": path}));
    assert!(back["id"].is_string(), "{back}");
    let first = face.done("!say back", json!({}));
    assert_eq!(first["project"], back["id"]);
    let second = face.done("!say back", json!({}));
    assert_eq!(
        (&second["warm"], agent_pid(&second)),
        (&json!(true), agent_pid(&first))
    );
}

#[test]
fn not_while_it_is_worked_in() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate("!sleep 60000", json!({}));
    face.running(&run);
    let refused = job
        .rpc()
        .refusal("project.unregister", &json!({"project": job.project}));
    assert_eq!(refused["kind"], "in_use", "{refused}");
}
