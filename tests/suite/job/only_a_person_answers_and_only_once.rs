//! `run.answer`: by a person, once, in time, and for the run that asked.

use super::kit::{Face, Job, is_over, summary};
use crate::hub::nest::until;
use serde_json::{Value, json};

const ASK: &str = "!permission execute git push\n!say done";

/// A run that waits for a person, and what it asks.
fn asking(rpc: &mut Face, project: &str, policy: &Value) -> (Value, Value) {
    let params = json!({"prompt": ASK, "project": project, "policy": policy, "concurrent": true});
    let run = rpc.result("run.delegate", &params);
    let waited = rpc.result("run.wait", &json!({"id": run["id"], "wait_ms": 45_000}));
    assert_eq!(waited["state"], "input_required", "{waited}");
    let request = waited["requests"][0].clone();
    (waited, request)
}

fn answer(run: &Value, request: &Value, option: &str) -> Value {
    json!({"id": run["id"], "request": request["id"], "option": option})
}

fn ended(rpc: &mut Face, run: &Value) -> Value {
    let ended = over(rpc, run);
    assert_eq!(ended["state"], "succeeded", "{ended}");
    ended
}

/// A wait ends with a question too.
fn over(rpc: &mut Face, run: &Value) -> Value {
    let params = json!({"id": run["id"], "wait_ms": 45_000});
    until("the end of the run", || {
        let run = rpc.result("run.wait", &params);
        is_over(&run).then_some(run)
    })
}

#[test]
fn and_whoever_comes_later_is_told_who_said_what() {
    let job = Job::new();
    let project = job.project.to_str().unwrap();
    let mut rpc = job.rpc();
    let (first, request) = asking(&mut rpc, project, &json!({}));
    let (second, other) = asking(&mut rpc, project, &json!({}));
    for (params, kind) in [
        (
            json!({"id": first["id"], "request": request["id"]}),
            "required_field",
        ),
        (answer(&first, &request, "perhaps"), "invalid_params"),
        (answer(&first, &other, "yes"), "not_found"),
        (answer(&first, &json!({"id": "x"}), "yes"), "not_found"),
    ] {
        let refusal = rpc.refusal("run.answer", &params);
        assert_eq!(refusal["kind"], kind, "{refusal}");
    }
    let run = rpc.result("run.answer", &answer(&first, &request, "yes"));
    assert_eq!(run["requests"], json!([]));
    let again = rpc.refusal("run.answer", &answer(&first, &request, "no"));
    assert_eq!(again["kind"], "invalid_params", "{again}");
    let detail = again["detail"].as_str().unwrap();
    assert!(
        detail.contains("answered before") && detail.contains("\"yes\"") && detail.contains("rpc"),
        "{detail}"
    );
    assert_eq!(summary(&ended(&mut rpc, &first)), "permission: yes\ndone");
    rpc.result("run.cancel", &json!({"id": second["id"]}));
    over(&mut rpc, &second);
    let late = rpc.refusal("run.answer", &answer(&second, &other, "yes"));
    assert_eq!(late["kind"], "run_terminal", "{late}");
}

#[test]
fn and_in_time() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let project = job.project.to_str().unwrap();
    let policy = json!({"ask_timeout_ms": 1_500});
    let (run, request) = asking(&mut rpc, project, &policy);
    assert_eq!(summary(&ended(&mut rpc, &run)), "permission: no\ndone");
    let late = rpc.refusal("run.answer", &answer(&run, &request, "yes"));
    assert_eq!(late["kind"], "invalid_params");
    assert!(
        late["detail"].as_str().unwrap().contains("expired"),
        "{late}"
    );
    let never = json!({"prompt": ASK, "project": project, "policy": {"ask_timeout_ms": 0}});
    let refusal = rpc.refusal("run.delegate", &never);
    assert_eq!(refusal["field"], "policy.ask_timeout_ms");
}

#[test]
fn by_the_command_line_which_shows_what_is_asked() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let (run, request) = asking(&mut rpc, job.project.to_str().unwrap(), &json!({}));
    let id = run["id"].as_str().unwrap();
    let shown = job.nest.say(&["run", "get", id], "");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for part in [
        "asks: git push",
        "$ git push",
        "--option yes",
        request["id"].as_str().unwrap(),
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let said = job.nest.say(&["run", "answer", id, "--option", "no"], "");
    assert!(said.status.success(), "{said:?}");
    assert_eq!(summary(&ended(&mut rpc, &run)), "permission: no\ndone");
    let late = job.nest.say(&["run", "answer", id, "--option", "no"], "");
    assert_eq!(late.status.code(), Some(1), "{late:?}");
}

#[test]
fn and_no_agent_answers_itself() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let project = job.project.to_str().unwrap();
    let (run, request) = asking(&mut rpc, project, &json!({}));
    let eyas = format!(
        "EYAS_HOME={} {}",
        job.nest.home.display(),
        env!("CARGO_BIN_EXE_eyas")
    );
    let eyas_alone = eyas.replacen(' ', " setsid ", 1);
    let (id, request) = (run["id"].as_str().unwrap(), request["id"].as_str().unwrap());
    let line = json!({"jsonrpc": "2.0", "id": 1, "method": "run.answer",
        "params": {"id": id, "request": request, "option": "yes"}});
    let prompt = format!(
        "!run {eyas} run answer {id} --option yes\n!run {eyas} run answer {id} {request} --option yes\n!run ({eyas_alone} run answer {id} --option yes)\n!run printf '%s\\n' '{line}' | {eyas} rpc"
    );
    let mole = rpc.result(
        "run.delegate",
        &json!({"prompt": prompt, "project": project, "concurrent": true}),
    );
    let mole = ended(&mut rpc, &mole);
    let refusals = ["(forbidden)", "\"kind\":\"forbidden\""];
    let refused = refusals.map(|word| summary(&mole).matches(word).count());
    assert_eq!(refused, [3, 1], "{mole}");
    let still = rpc.result("run.get", &json!({"id": id}));
    assert_eq!(still["state"], "input_required");
    rpc.result(
        "run.answer",
        &json!({"id": id, "request": request, "option": "no"}),
    );
    ended(&mut rpc, &run);
}
