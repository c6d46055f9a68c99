//! A session by its caller's own name, what a run was, and what runs add up to.

use super::kit::{Face, Job, summary};
use serde_json::{Value, json};

fn ran(rpc: &mut Face, job: &Job, more: Value) -> Value {
    let mut params = more;
    params["project"] = json!(job.project);
    rpc.ran(&params)
}

#[test]
fn a_session_goes_on_under_the_name_its_caller_gave() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let keyed = |prompt: &str| json!({"prompt": prompt, "session_key": "nightly", "extra_system_prompt": "Be brief."});
    let first = ran(&mut rpc, &job, keyed("!system"));
    assert!(summary(&first).contains("Be brief."), "{first}");
    let second = ran(&mut rpc, &job, keyed("!history"));
    assert_eq!(second["session"], first["session"]);
    assert_eq!(second["continuity"], "live", "{second}");
    let other = ran(
        &mut rpc,
        &job,
        json!({"prompt": "!say x", "session_key": "weekly"}),
    );
    assert_ne!(other["session"], first["session"]);
    let project = job.project.to_str().unwrap();
    for (more, field) in [
        (
            json!({"session_key": "nightly", "extra_system_prompt": "Be long."}),
            "extra_system_prompt",
        ),
        (
            json!({"session": first["session"], "extra_system_prompt": "x"}),
            "extra_system_prompt",
        ),
        (
            json!({"session_key": "nightly", "previous": first["id"]}),
            "session_key",
        ),
        (json!({"session_key": ""}), "session_key"),
        (json!({"hook": " "}), "hook"),
    ] {
        let mut params = more;
        params["prompt"] = json!("!say x");
        params["project"] = json!(project);
        let refusal = rpc.refusal("run.delegate", &params);
        assert_eq!(
            (&refusal["kind"], &refusal["field"]),
            (&json!("invalid_params"), &json!(field)),
            "{refusal}"
        );
    }
    // The repetition of the request that opened the session is no second one.
    let mut once = keyed("!say once");
    once["session_key"] = json!("monthly");
    once["idempotency_key"] = json!("k");
    let opened = ran(&mut rpc, &job, once.clone());
    let again = ran(&mut rpc, &job, once);
    assert_eq!(again["id"], opened["id"], "{again}");
}

#[test]
fn a_run_has_a_past_and_may_be_put_away() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let run = ran(
        &mut rpc,
        &job,
        json!({"prompt": "!say x", "hook": "{\"ticket\":7}"}),
    );
    assert_eq!(run["hook"], "{\"ticket\":7}");
    let id = json!({"id": run["id"]});
    let page = rpc.result("run.snapshots", &id);
    let states: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(states, ["queued", "running", "succeeded"], "{page}");
    assert_eq!(page["items"][2]["attempt"], 1);
    let stats = rpc.result("run.stats", &json!({"agent": "fake"}));
    assert_eq!(
        (&stats["runs"], &stats["states"]["succeeded"]),
        (&json!(1), &json!(1)),
        "{stats}"
    );
    assert!(stats["duration"]["p95_ms"].is_number(), "{stats}");

    let put_away = rpc.result("run.archive", &id);
    assert!(put_away["archived_at"].is_string(), "{put_away}");
    let count = |rpc: &mut Face, more: &Value| {
        let page = rpc.result("run.list", more);
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(count(&mut rpc, &json!({})), 0);
    assert_eq!(count(&mut rpc, &json!({"archived": true})), 1);
    assert_eq!(rpc.result("run.get", &id)["state"], "succeeded");
    rpc.result("run.archive", &json!({"id": run["id"], "archived": false}));
    assert_eq!(count(&mut rpc, &json!({})), 1);
    let params = json!({"prompt": "!sleep 60000", "project": job.project});
    let open = rpc.result("run.delegate", &params);
    let refusal = rpc.refusal("run.archive", &json!({"id": open["id"]}));
    assert_eq!(refusal["kind"], "in_use", "{refusal}");
    rpc.result("run.cancel", &json!({"id": open["id"]}));
}

#[test]
fn an_instance_is_created_once_per_key() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let create = |name: &str| json!({"name": name, "persona": "reviewer", "idempotency_key": "k"});
    let first = rpc.result("instance.create", &create("kim"));
    assert!(first.get("duplicate").is_none(), "{first}");
    let again = rpc.result("instance.create", &create("kim"));
    assert_eq!(
        (&again["id"], &again["duplicate"]),
        (&first["id"], &json!(true))
    );
    let refusal = rpc.refusal("instance.create", &create("lee"));
    assert_eq!(refusal["kind"], "idempotency_conflict", "{refusal}");
    let plain = json!({"name": "kim", "persona": "reviewer"});
    assert_eq!(
        rpc.refusal("instance.create", &plain)["kind"],
        "name_exists"
    );
    let all = rpc.result("instance.list", &json!({}));
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
}
