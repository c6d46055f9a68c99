use super::kit::{Job, summary};
use serde_json::{Value, json};

fn labelled(job: &Job, label: &str) -> Vec<Value> {
    let mut rpc = job.rpc();
    let page = rpc.result("run.list", &json!({"label": label}));
    page["items"].as_array().unwrap().clone()
}

#[test]
fn what_was_acknowledged_is_finished_and_read_by_another_face() {
    let job = Job::new();
    let mut first = job.face();
    let asked = json!({"idempotency_key": "k", "label": "kept"});
    let run = first.delegate("!sleep 300\n!say done", asked.clone());
    first.kill();
    let mut second = job.face();
    let again = second.delegate("!sleep 300\n!say done", asked.clone());
    assert_eq!(again["id"], run["id"]);
    assert_eq!(again["duplicate"], true);
    let ended = second.finished(&run);
    assert_eq!(ended["state"], "succeeded");
    assert_eq!(summary(&ended), "done");
    assert_eq!(ended["attempt"], 1);
    let other = second.tool(
        "delegate",
        &json!({"prompt": "another", "idempotency_key": "k"}),
    );
    assert_eq!(other["kind"], "idempotency_conflict", "{other}");
    // Long after its end, too.
    let late = second.delegate("!sleep 300\n!say done", asked);
    assert_eq!(
        (&late["id"], &late["state"]),
        (&run["id"], &json!("succeeded"))
    );
    assert_eq!(labelled(&job, "kept").len(), 1);
}

#[test]
fn a_face_killed_before_it_says_anything_leaves_nothing_behind() {
    let job = Job::new();
    let mut silent = job.ungreeted(&[]);
    silent.write(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"dele",
    );
    silent.kill();
    job.ungreeted(&[]).kill();
    let mut face = job.face();
    assert_eq!(face.said("!say here", json!({})), "here");
    let all = job.rpc().result("run.list", &json!({}));
    assert_eq!(all["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_face_killed_during_accept_is_repeated_without_harm() {
    let job = Job::new();
    // A hub is there, so that the kill falls into the call and not into the start.
    let mut last = job.face();
    for round in 0..12 {
        let label = format!("r{round}");
        let asked = json!({"idempotency_key": label, "label": label});
        let mut face = job.face();
        let mut call = asked.clone();
        call["prompt"] = json!("!say done");
        call["wait_ms"] = json!(0);
        face.begin("delegate", &call);
        // Each time a little later: some kills come before the hub reads the call, some after.
        for _ in 0..round * 20_000 {
            std::hint::spin_loop();
        }
        face.kill();
        let run = last.done("!say done", asked);
        assert_eq!(run["state"], "succeeded", "{run}");
        assert_eq!(labelled(&job, &label).len(), 1, "{label}");
    }
}

#[test]
fn without_a_key_each_call_is_a_run_and_each_is_finished() {
    let job = Job::new();
    let ids: Vec<Value> = (0..4)
        .map(|n| {
            let mut face = job.face();
            let run = face.delegate(&format!("!say {n}"), json!({"label": "each"}));
            face.kill();
            run
        })
        .collect();
    let mut face = job.face();
    for (n, run) in ids.iter().enumerate() {
        assert_eq!(summary(&face.finished(run)), n.to_string());
    }
    assert_eq!(labelled(&job, "each").len(), 4);
}
