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
fn and_each_of_two_agents_that_ask_at_once() {
    let job = Job::new();
    job.agent("other", &["--name", "other"], "");
    let mut rpc = job.rpc();
    let asked: Vec<_> = ["fake", "other"]
        .into_iter()
        .map(|agent| json!({"prompt": ASK, "agent": agent, "concurrent": true}))
        .map(|params| rpc.result("run.delegate", &params))
        .collect();
    let [one, two] = &asked[..] else { panic!() };
    let mut waiting = |run: &Value| {
        let waited = rpc.result("run.wait", &json!({"id": run["id"], "wait_ms": 45_000}));
        assert_eq!(waited["state"], "input_required", "{waited}");
        waited["requests"][0].clone()
    };
    let (first, second) = (waiting(one), waiting(two));
    // Each knows its own alone, and neither waits for the other.
    let crossed = rpc.refusal("run.answer", &answer(one, &second, "yes"));
    assert_eq!(crossed["kind"], "not_found", "{crossed}");
    rpc.result("run.answer", &answer(two, &second, "yes"));
    assert_eq!(summary(&over(&mut rpc, two)), "permission: yes\ndone");
    let still = rpc.result("run.get", &json!({"id": one["id"]}));
    assert_eq!(still["requests"][0]["id"], first["id"], "{still}");
    rpc.result("run.answer", &answer(one, &first, "no"));
    assert_eq!(summary(&over(&mut rpc, one)), "permission: no\ndone");
}

#[test]
fn and_a_question_and_a_permission_that_are_open_at_once() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let prompt = r#"!both ask {"question":"which?","choices":["red","blue"]} | execute git push"#;
    let run = rpc.result("run.delegate", &json!({ "prompt": prompt }));
    let open = until("both questions", || {
        let now = rpc.result("run.get", &json!({"id": run["id"]}));
        let open = now["requests"].as_array().unwrap().clone();
        (open.len() == 2).then_some(open)
    });
    let of = |kind: &str| open.iter().find(|one| one["kind"] == kind).unwrap();
    let (question, permission) = (of("question"), of("permission"));
    // A name of the one means nothing to the other.
    let mixed = rpc.refusal("run.answer", &answer(&run, question, "yes"));
    assert_eq!(mixed["kind"], "invalid_params", "{mixed}");
    let now = rpc.result("run.answer", &answer(&run, question, "2"));
    assert_eq!(now["state"], "input_required", "{now}");
    assert_eq!(now["requests"][0]["id"], permission["id"]);
    rpc.result("run.answer", &answer(&run, permission, "yes"));
    let ended = ended(&mut rpc, &run);
    let said = ended["conclusion"]["summary"].as_str().unwrap();
    assert!(said.contains("permission: yes"), "{ended}");
    let audit = rpc.result("run.events", &json!({"id": run["id"], "limit": 200}));
    let answers = audit["items"].as_array().unwrap().iter();
    let answers = answers.filter(|event| event["kind"] == "answered");
    let said: Vec<_> = answers
        .map(|event| event["data"]["answer"]["option"].clone())
        .collect();
    assert_eq!(said, ["2", "yes"]);
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
