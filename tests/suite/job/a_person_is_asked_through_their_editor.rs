//! What an agent asks reaches the person behind the editor, whichever revision that speaks, and the agent goes on with what they say.

use super::{
    below::Script,
    kit::{Face, Job, summary},
};
use serde_json::{Value, json};

const ASK: &str = "!permission execute git push\n!say done";

/// The next question of the face.
fn question(face: &mut Face) -> Value {
    loop {
        let message = face.hear();
        if message["method"] == "elicitation/create" {
            return message;
        }
    }
}

fn reply(face: &mut Face, question: &Value, result: &Value) {
    let id = &question["id"];
    let line = json!({"jsonrpc": "2.0", "id": id, "result": result});
    face.write(&format!("{line}\n"));
}

fn accept(option: &str) -> Value {
    json!({"action": "accept", "content": {"answer": option}})
}

fn asking(job: &Job) -> Face {
    let mut face = job.ungreeted(&[]);
    face.greet_as(&json!({"elicitation": {}}));
    face
}

#[test]
fn by_a_request_in_a_session_that_shook_hands() {
    let job = Job::new();
    let mut face = asking(&job);
    for (said, option) in [(accept("yes"), "yes"), (json!({"action": "decline"}), "no")] {
        let delegate = json!({"prompt": ASK, "wait_ms": 45_000});
        let call = face.begin("delegate", &delegate);
        let question = question(&mut face);
        let params = &question["params"];
        let message = params["message"].as_str().unwrap();
        assert!(message.contains("git push"), "{message}");
        let options = &params["requestedSchema"]["properties"]["answer"]["enum"];
        assert!(options.as_array().unwrap().contains(&json!("yes")));
        reply(&mut face, &question, &said);
        let answer = face.answer(call);
        let run = &answer["result"]["structuredContent"];
        assert_eq!(run["state"], "succeeded", "{answer}");
        assert_eq!(summary(run), format!("permission: {option}\ndone"));
    }
}

#[test]
fn by_rounds_where_servers_send_no_requests() {
    let job = Job::new();
    let mut face = job.ungreeted(&[]);
    let call = |more: Value| {
        let mut params = json!({
            "name": "delegate",
            "arguments": {"prompt": ASK, "wait_ms": 45_000},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}},
            },
        });
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        params
    };
    let asked = face.ask("tools/call", &call(json!({})));
    let asked = &asked["result"];
    assert_eq!(asked["resultType"], "input_required", "{asked}");
    let requests = asked["inputRequests"].as_object().unwrap();
    let (id, request) = requests.iter().next().unwrap();
    assert_eq!(request["method"], "elicitation/create");
    let more =
        json!({"requestState": asked["requestState"], "inputResponses": {id: accept("yes")}});
    let done = face.ask("tools/call", &call(more));
    let run = &done["result"]["structuredContent"];
    assert_eq!(run["state"], "succeeded", "{done}");
    assert_eq!(summary(run), "permission: yes\ndone");
    let runs = job.rpc().result("run.list", &json!({}));
    assert_eq!(runs["items"].as_array().unwrap().len(), 1);
}

#[test]
fn all_at_once_and_not_when_somebody_was_faster() {
    let job = Job::new();
    let mut face = asking(&job);
    let together = "!together execute git push | execute rm x\n!say done";
    let run = face.delegate(together, json!({}));
    let both = |run: &Value| run["requests"].as_array().is_some_and(|all| all.len() == 2);
    let open = face.once(&run, both)["requests"].take();
    let call = face.begin("run_get", &json!({"id": run["id"], "wait_ms": 45_000}));
    let first = question(&mut face);
    let fields = &first["params"]["requestedSchema"]["properties"];
    assert!(fields["answer_1"].is_object() && fields["answer_2"].is_object());
    let elsewhere = json!({"id": run["id"], "request": open[0]["id"], "option": "no"});
    job.rpc().result("run.answer", &elsewhere);
    let note = face.hear();
    assert_eq!(note["method"], "notifications/cancelled");
    assert_eq!(note["params"]["requestId"], first["id"]);
    let second = question(&mut face);
    reply(&mut face, &second, &accept("yes"));
    let answer = face.answer(call);
    let run = &answer["result"]["structuredContent"];
    assert_eq!(run["state"], "succeeded", "{answer}");
    let said = summary(run);
    assert!(said.contains("yes") && said.contains("no"), "{said}");
}

#[test]
fn also_what_a_run_below_the_one_they_wait_for_asks() {
    let job = Job::new();
    let mut face = asking(&job);
    let project = job.project.to_str().unwrap();
    for (name, persona) in [("cap", "project-captain"), ("tal", "builder")] {
        let made = json!({"name": name, "persona": persona, "project": project});
        face.tool("instance_create", &made);
    }
    let work = json!({"instance": "tal", "prompt": ASK, "concurrent": true});
    let ended = json!({"jsonrpc": "2.0", "id": 1, "method": "run.get", "params": {"id": "%s"}});
    let script = Script::new(&job).keep("run", "run.delegate", &work);
    let eyas = script.eyas();
    let prompt = script
        .line(&format!(
            "until printf '{ended}\\n' \"$run\" | {eyas} rpc | grep -q '\"state\":\"succeeded\"'; do sleep 0.1; done"
        ))
        .prompt("lead");
    let lead = json!({"instance": "cap", "prompt": prompt, "wait_ms": 45_000});
    let call = face.begin("delegate", &lead);
    let asked = question(&mut face);
    let message = asked["params"]["message"].as_str().unwrap();
    assert!(
        message.contains("git push") && message.contains(", below run "),
        "{message}"
    );
    reply(&mut face, &asked, &accept("yes"));
    let answer = face.answer(call);
    let run = &answer["result"]["structuredContent"];
    assert!(message.contains(run["id"].as_str().unwrap()), "{message}");
    let done = face.finished(run);
    assert_eq!(done["state"], "succeeded", "{done}");
    let below = job.rpc().result("run.list", &json!({"parent": run["id"]}));
    assert_eq!(summary(&below["items"][0]), "permission: yes\ndone");
}

#[test]
fn and_by_the_model_where_the_client_cannot_ask() {
    let job = Job::new();
    let mut face = job.face();
    let run = face.tool("delegate", &json!({"prompt": ASK, "wait_ms": 45_000}));
    assert_eq!(run["state"], "input_required", "{run}");
    let next = run["next"].as_str().unwrap();
    assert!(next.contains("run_input"), "{next}");
    let request = &run["requests"][0]["id"];
    let answer = json!({"id": run["id"], "answer": {"request": request, "option": "yes"}});
    face.tool("run_input", &answer);
    assert_eq!(summary(&face.finished(&run)), "permission: yes\ndone");
    let again = face.tool("run_input", &answer);
    assert!(again["kind"].is_string(), "{again}");
}
