//! `run.input` and what belongs to it: from every face, at every time of a run's life, once.

use super::{
    below::{Script, answers, kind},
    kit::{Face, Job, is_over, summary},
};
use crate::hub::nest::until;
use serde_json::{Value, json};

fn begun(rpc: &mut Face, job: &Job, prompt: &str) -> Value {
    let project = job.project.to_str().unwrap();
    let params = json!({"prompt": prompt, "project": project, "concurrent": true});
    rpc.result("run.delegate", &params)
}

fn over(rpc: &mut Face, id: &Value) -> Value {
    let params = json!({"id": id, "wait_ms": 20_000});
    until("the end of the run", || {
        let run = rpc.result("run.wait", &params);
        is_over(&run).then_some(run)
    })
}

fn input(rpc: &mut Face, id: &Value, mode: &str, message: &str) -> Value {
    rpc.result(
        "run.input",
        &json!({"id": id, "mode": mode, "message": message}),
    )
}

/// All that its agent said.
fn output(rpc: &mut Face, id: &Value) -> String {
    let page = rpc.result("run.events", &json!({"id": id, "limit": 200}));
    let events = page["items"].as_array().unwrap();
    let said = events.iter().filter(|event| event["kind"] == "message");
    said.filter_map(|event| event["data"]["text"].as_str())
        .collect()
}

fn until_said(rpc: &mut Face, id: &Value, what: &str) {
    until(what, || output(rpc, id).contains(what).then_some(()));
}

#[test]
fn while_it_works() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let run = begun(&mut rpc, &job, "!say one.\n!sleep 60000");
    let id = &run["id"];
    until_said(&mut rpc, id, "one.");
    let queued = input(&mut rpc, id, "queue", "!say three.");
    assert_eq!(queued["delivery"], json!({"outcome": "queued", "seq": 1}));
    assert_eq!(queued["id"], *id, "a run, and how it was taken");
    let interaction = rpc.result("run.interaction", &json!({"id": id}));
    assert_eq!(interaction["state"], "working");
    assert_eq!(interaction["pending_inputs"][0]["message"], "!say three.");
    let steered = input(&mut rpc, id, "steer", "!say between.");
    assert_eq!(
        steered["delivery"]["outcome"], "queued",
        "no agent takes it now"
    );
    let now = input(&mut rpc, id, "interrupt", "!say two.");
    assert_eq!(now["delivery"]["outcome"], "interrupted");
    let ended = over(&mut rpc, id);
    assert_eq!(
        (&ended["state"], &ended["attempt"]),
        (&json!("succeeded"), &json!(1))
    );
    assert_eq!(output(&mut rpc, id), "one.two.between.three.");
    assert_eq!(summary(&ended), "three.");
    let interaction = rpc.result("run.interaction", &json!({"id": id}));
    assert_eq!(interaction["state"], "closed");
    assert_eq!(interaction["pending_inputs"], json!([]));
}

#[test]
fn after_it_has_ended() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let project = job.project.to_str().unwrap();
    let delegate = json!({"prompt": "!say one.", "project": project, "label": "nightly",
        "hook": "ticket 7", "policy": {"security": "deny"}});
    let run = rpc.result("run.delegate", &delegate);
    let id = &run["id"];
    let ended = over(&mut rpc, id);
    let params = json!({"id": id, "message": "!say two.", "idempotency_key": "k"});
    let next = rpc.result("run.input", &params);
    assert_eq!(next["delivery"], json!({"outcome": "restarted", "seq": 0}));
    assert_eq!(next["previous"], *id, "{next}");
    assert_eq!(next["session"], run["session"]);
    assert_ne!(next["id"], *id);
    for inherited in ["label", "hook"] {
        assert_eq!(next[inherited], run[inherited], "{next}");
    }
    assert_eq!(
        next["policy"]["security"], "deny",
        "no more than the run before it"
    );
    let again = rpc.result("run.input", &params);
    assert_eq!(
        (&again["id"], &again["duplicate"]),
        (&next["id"], &json!(true))
    );
    let other = json!({"id": id, "message": "!say three.", "idempotency_key": "k"});
    let refusal = rpc.refusal("run.input", &other);
    assert_eq!(refusal["kind"], "idempotency_conflict", "{refusal}");
    let done = over(&mut rpc, &next["id"]);
    assert_eq!(
        (summary(&done), &done["continuity"]),
        ("two.", &json!("live"))
    );
    assert_eq!(
        rpc.result("run.get", &json!({"id": id})),
        ended,
        "what ended stays"
    );
}

#[test]
fn only_with_something_to_say() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let run = begun(&mut rpc, &job, "!say one.\n!sleep 60000");
    let id = &run["id"];
    until_said(&mut rpc, id, "one.");
    let nobody = "01890000-0000-7000-8000-000000000000";
    for (params, kind, field) in [
        (json!({}), "required_field", "id"),
        (json!({"id": id}), "required_field", "message"),
        (
            json!({"id": id, "message": " \n"}),
            "required_field",
            "message",
        ),
        (json!({"id": nobody, "message": "x"}), "not_found", ""),
        (
            json!({"id": id, "message": "x", "mode": "collect"}),
            "invalid_params",
            "collect",
        ),
        (
            json!({"id": id, "message": "x", "idempotency_key": ""}),
            "invalid_params",
            "idempotency_key",
        ),
        (
            json!({"id": id, "message": "x".repeat((4 << 20) + 1)}),
            "too_large",
            "message",
        ),
    ] {
        let refusal = rpc.refusal("run.input", &params);
        assert_eq!(refusal["kind"], kind, "{refusal}");
        assert!(
            refusal["field"].as_str().unwrap_or_default() == field,
            "{refusal}"
        );
    }
    let interaction = rpc.result("run.interaction", &json!({"id": id}));
    assert_eq!(
        interaction["pending_inputs"],
        json!([]),
        "nothing was written"
    );
    let large = format!("!say whole.\n{}", "é".repeat(1 << 19));
    let params = json!({"id": id, "message": large, "mode": "interrupt", "idempotency_key": "k"});
    let taken = rpc.result("run.input", &params);
    let again = rpc.result("run.input", &params);
    assert_eq!(
        (&again["delivery"], &again["duplicate"]),
        (&taken["delivery"], &json!(true))
    );
    let ended = over(&mut rpc, id);
    assert_eq!(summary(&ended), "whole.");
    assert_eq!(output(&mut rpc, id), "one.whole.", "once");
}

#[test]
fn though_its_hub_is_killed_meanwhile() {
    let job = Job::new();
    job.agent("fake", &["--load"], "");
    let mut rpc = job.rpc();
    let ask = "!say one.\n!permission execute git push";
    let run = begun(&mut rpc, &job, ask);
    let id = &run["id"];
    until("the question", || {
        let now = rpc.result("run.get", &json!({"id": id}));
        (now["state"] == "input_required").then_some(())
    });
    input(&mut rpc, id, "queue", "!say two.\n");
    input(
        &mut rpc,
        id,
        "queue",
        "!permission execute git pull\n!say three.",
    );
    input(&mut rpc, id, "queue", "!say four.");
    let answer = |rpc: &mut Face, title: &str| {
        let request = until(title, || {
            let now = rpc.result("run.get", &json!({"id": id}));
            let found = now["requests"]
                .as_array()?
                .iter()
                .find(|one| one["title"] == title);
            found.filter(|_| now["state"] == "input_required").cloned()
        });
        let params = json!({"id": id, "request": request["id"], "option": "no"});
        rpc.result("run.answer", &params);
    };
    job.kill_hub();
    // Before its first turn has ended, and then in the midst of another.
    let mut rpc = job.rpc();
    let interaction = rpc.result("run.interaction", &json!({"id": id}));
    assert_eq!(interaction["pending_inputs"].as_array().unwrap().len(), 3);
    answer(&mut rpc, "git push");
    until("the second question", || {
        let now = rpc.result("run.get", &json!({"id": id}));
        (now["requests"][0]["title"] == "git pull").then_some(())
    });
    job.kill_hub();
    let mut rpc = job.rpc();
    answer(&mut rpc, "git pull");
    let ended = over(&mut rpc, id);
    assert_eq!(ended["state"], "succeeded", "{ended}");
    let said = output(&mut rpc, id);
    for (what, times) in [("two.", 1), ("three.", 1), ("four.", 1)] {
        assert_eq!(said.matches(what).count(), times, "{said}");
    }
    assert!(said.ends_with("four."), "{said}");
}

#[test]
fn by_an_editors_model() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.delegate("!say one.\n!sleep 60000", json!({}));
    face.output(&run, |said| said.contains("one."));
    let nothing = face.tool("run_input", &json!({"id": run["id"]}));
    assert_eq!(nothing["kind"], "required_field", "{nothing}");
    let both = json!({"id": run["id"], "message": "x", "answer": {"request": "r", "option": "o"}});
    assert_eq!(face.tool("run_input", &both)["kind"], "invalid_params");
    let said = json!({"id": run["id"], "message": "!say two.", "mode": "interrupt", "idempotency_key": "k"});
    let taken = face.tool("run_input", &said);
    assert_eq!(taken["delivery"]["outcome"], "interrupted", "{taken}");
    let done = face.finished(&run);
    assert_eq!(summary(&done), "two.");
    let next = face.tool(
        "run_input",
        &json!({"id": run["id"], "message": "!say three."}),
    );
    assert_eq!(next["delivery"]["outcome"], "restarted", "{next}");
    let done = face.finished(&next);
    assert_eq!((summary(&done), &done["previous"]), ("three.", &run["id"]));
}

#[test]
fn by_the_command_line() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let run = begun(&mut rpc, &job, "!say one.\n!sleep 60000");
    until_said(&mut rpc, &run["id"], "one.");
    let id = run["id"].as_str().unwrap();
    let said = job.nest.say(
        &["run", "input", id, "--mode", "interrupt", "!say two."],
        "",
    );
    assert!(said.status.success(), "{said:?}");
    assert!(
        String::from_utf8_lossy(&said.stdout).starts_with("interrupted"),
        "{said:?}"
    );
    assert_eq!(summary(&over(&mut rpc, &run["id"])), "two.");
    let said = job.nest.say(&["run", "input", id, "-"], "!say three.");
    assert!(
        String::from_utf8_lossy(&said.stdout).contains("a new run goes on"),
        "{said:?}"
    );
    let empty = job.nest.say(&["run", "input", id, " "], "");
    assert_eq!(empty.status.code(), Some(2), "{empty:?}");
}

#[test]
fn by_an_agent_only_if_it_began_it() {
    let job = Job::new();
    let mut rpc = job.rpc();
    let project = job.project.to_str().unwrap();
    let place = json!({"name": "cap", "persona": "project-captain", "project": project});
    rpc.result("instance.create", &place);
    let foreign = begun(&mut rpc, &job, "!say one.\n!sleep 60000");
    until_said(&mut rpc, &foreign["id"], "one.");
    let message = |id: &Value| json!({"id": id, "message": "!say more."});
    let work = json!({"instance": "tal", "prompt": "!say built.\n!sleep 8000", "concurrent": true,
        "mode": "cold"});
    let script = Script::new(&job)
        .call("run.input", &message(&foreign["id"]))
        .call("run.archive", &json!({"id": foreign["id"]}))
        .call(
            "instance.create",
            &json!({"name": "tal", "persona": "builder"}),
        )
        .keep("run", "run.delegate", &work);
    let eyas = script.eyas();
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "run.input",
        "params": {"id": "%s", "message": "!say more.", "mode": "followup"}});
    let prompt = script
        .line(&format!("printf '{call}\\n' \"$run\" | {eyas} rpc"))
        .wait("run")
        .prompt("lead");
    // In a process of its own: what several sessions share speaks for none of them.
    let lead = json!({"prompt": prompt, "instance": "cap", "concurrent": true, "mode": "cold"});
    let run = rpc.result("run.delegate", &lead);
    assert_eq!(over(&mut rpc, &run["id"])["state"], "succeeded");
    let said = answers(&output(&mut rpc, &run["id"]));
    assert_eq!(
        (kind(&said[0]), kind(&said[1])),
        ("forbidden", "forbidden"),
        "{said:?}"
    );
    let taken = &said[4]["result"];
    assert!(taken["delivery"]["outcome"].is_string(), "{said:?}");
    assert_eq!(summary(&said[5]["result"]), "more.");
    let interaction = rpc.result("run.interaction", &json!({"id": foreign["id"]}));
    assert_eq!(interaction["pending_inputs"], json!([]));
    rpc.result("run.cancel", &json!({"id": foreign["id"]}));
}
