use super::kit::{Face, Job, is_over};
use crate::hub::nest::until;
use serde_json::{Value, json};

fn begun(job: &Job, rpc: &mut Face, agent: &str) -> Value {
    let asked = json!({
        "prompt": "!say fine", "agent": agent, "project": job.project, "concurrent": true,
        "retry": {"max_attempts": 1},
    });
    rpc.result("run.delegate", &asked)["id"].clone()
}

fn over(rpc: &mut Face, id: &Value) -> Value {
    let params = json!({"id": id, "wait_ms": 20_000});
    until("the end of the run", || {
        let run = rpc.result("run.wait", &params);
        is_over(&run).then_some(run)
    })
}

/// The class of the agent, if it has something to do or something stands against it.
fn class(rpc: &mut Face) -> Option<Value> {
    let info = rpc.result("hub.info", &json!({}));
    let classes = info["classes"].as_array()?;
    classes.iter().find(|one| one["agent"] == "odd").cloned()
}

#[test]
fn and_is_shown_while_others_work_as_ever() {
    let job = Job::new();
    job.agent("odd", &["--die-at", "initialize"], "");
    let mut rpc = job.rpc();
    for _ in 0..5 {
        let id = begun(&job, &mut rpc, "odd");
        let run = over(&mut rpc, &id);
        assert_eq!(run["error"]["kind"], "agent_died", "{run}");
    }
    let shown = class(&mut rpc).expect("it is degraded");
    assert!(
        shown["state"] == "resting" || shown["state"] == "degraded",
        "{shown}"
    );
    assert_eq!(shown["failures"], 5, "{shown}");
    assert_eq!(shown["last_failure"]["kind"], "agent_died", "{shown}");
    let status = job.nest.say(&["hub", "status"], "");
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(
        status.contains("5 failures, the last agent_died"),
        "{status}"
    );

    // Of several only one tries how it stands, and after it failed none for a while.
    let waiting: Vec<Value> = (0..3).map(|_| begun(&job, &mut rpc, "odd")).collect();
    let fine = begun(&job, &mut rpc, "fake");
    assert_eq!(over(&mut rpc, &fine)["state"], "succeeded");
    let first = over(&mut rpc, &waiting[0]);
    assert_eq!(first["error"]["kind"], "agent_died", "{first}");
    let last = rpc.result("run.get", &json!({"id": waiting[2]}));
    assert_eq!(
        (&last["state"], &last["waiting"]),
        (&json!("queued"), &json!("degraded")),
        "{last}"
    );

    // What was wrong with it is set right: the next try shows it.
    job.agent("odd", &[], "");
    for id in &waiting[1..] {
        let run = over(&mut rpc, id);
        assert_eq!(run["state"], "succeeded", "{run}");
    }
    assert_eq!(class(&mut rpc), None, "nothing stands against it any more");
}
