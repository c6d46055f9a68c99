//! The tasks extension (2026-07-28): who takes a task for an answer gets the run as one, and nobody else does.

use super::{
    fake,
    fake_log::RETENTION_MS,
    pipe::{Pipe, meta, text},
};
use eyas::domain::{
    fault::{ErrorKind, Fault},
    ids::RunId,
    run::RunState,
    time::Timestamp,
};
use serde_json::{Value, json};

const GONE: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const FOREIGN: [&str; 3] = [GONE, "nope", ""];

/// A client that takes tasks, and has no person to ask.
fn takes() -> Value {
    json!({"extensions": {"io.modelcontextprotocol/tasks": {}}})
}

/// The same, with a person.
fn asks() -> Value {
    let mut capabilities = takes();
    capabilities["elicitation"] = json!({"form": {}});
    capabilities
}

async fn delegate(pipe: &mut Pipe, prompt: &str) -> Value {
    let call = json!({"name": "delegate", "arguments": {"prompt": prompt, "wait_ms": 45_000}});
    let answer = pipe.ask_as(&takes(), "tools/call", call).await;
    assert_eq!(answer["result"]["resultType"], "task", "{answer}");
    answer["result"].clone()
}

async fn get(pipe: &mut Pipe, capabilities: &Value, id: &Value) -> Value {
    let answer = pipe
        .ask_as(capabilities, "tasks/get", json!({"taskId": id}))
        .await;
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    answer["result"].clone()
}

async fn update(pipe: &mut Pipe, id: &Value, responses: Value) -> Value {
    let params = json!({"taskId": id, "inputResponses": responses});
    pipe.ask_as(&asks(), "tasks/update", params).await
}

fn run_of(task: &Value) -> RunId {
    task["taskId"].as_str().unwrap().parse().unwrap()
}

fn accept(answer: &str) -> Value {
    json!({"action": "accept", "content": {"answer": answer}})
}

/// The last of its life, a good while after its beginning.
fn ends(run: &mut eyas::domain::run::Run, state: RunState) {
    run.state = state;
    run.ended_at = Some(Timestamp(run.created_at.0 + 5_000));
}

#[tokio::test]
async fn a_delegation_is_a_task_at_once_and_the_task_is_the_run() {
    let mut pipe = Pipe::new().await;
    let task = delegate(&mut pipe, "long").await;
    let id = run_of(&task);
    assert_eq!(id, pipe.hub.asked_run());
    assert_eq!(task["status"], "working");
    assert_eq!(task["statusMessage"], "running · step: reading");
    assert_eq!(task["createdAt"], "2023-11-14T22:13:20.000Z");
    assert_eq!(task["ttlMs"], Value::Null, "an open run is never removed");
    assert!(task.as_object().unwrap().contains_key("ttlMs"));
    assert_eq!(task["pollIntervalMs"], 5000, "it is years old");
    for absent in ["content", "structuredContent", "result", "inputRequests"] {
        assert!(task.get(absent).is_none(), "{task}");
    }
    let server = &task["_meta"]["io.modelcontextprotocol/serverInfo"];
    assert_eq!(server["name"], "eyas");
    assert_eq!(pipe.hub.count("run.delegate"), 1);
    assert_eq!(pipe.hub.count("run.wait"), 0, "it waited");
    let found = get(&mut pipe, &takes(), &task["taskId"]).await;
    assert_eq!(found["status"], "working");
    // The tools know it by the same id.
    let run = pipe
        .ask_as(
            &takes(),
            "tools/call",
            json!({"name": "run_get", "arguments": {"id": id, "wait_ms": 0}}),
        )
        .await;
    assert_eq!(run["result"]["resultType"], "complete");
    assert_eq!(run["result"]["structuredContent"]["state"], "running");
}

#[tokio::test]
async fn each_state_has_its_status_and_what_ended_its_result() {
    let mut pipe = Pipe::new().await;
    for (state, status) in [
        (RunState::Queued, "working"),
        (RunState::Running, "working"),
        (RunState::Succeeded, "completed"),
        (RunState::Failed, "completed"),
        (RunState::TimedOut, "completed"),
        (RunState::Cancelled, "cancelled"),
    ] {
        let task = delegate(&mut pipe, "long").await;
        let failed = matches!(state, RunState::Failed | RunState::TimedOut);
        pipe.hub.change(run_of(&task), |run| {
            if state == RunState::Succeeded {
                fake::conclude(run, "All good.");
            }
            if failed {
                run.error = Some(Fault::new(ErrorKind::AgentDied, "exit 3"));
            }
            if state.is_terminal() {
                ends(run, state);
            }
            run.state = state;
        });
        let task = get(&mut pipe, &takes(), &task["taskId"]).await;
        assert_eq!(task["status"], status, "{task}");
        assert!(task.get("error").is_none() && task.get("inputRequests").is_none());
        if status != "completed" {
            assert!(task.get("result").is_none(), "{task}");
            continue;
        }
        let result = &task["result"];
        assert_eq!(result["isError"], failed, "{task}");
        let word = task["statusMessage"].as_str().unwrap();
        assert!(text(result).starts_with(word), "{task}");
        assert_eq!(
            result["structuredContent"]["id"], task["taskId"],
            "the whole answer of a delegation"
        );
        if state == RunState::Succeeded {
            let conclusion = &result["structuredContent"]["conclusion"];
            assert_eq!(conclusion["summary"], "All good.");
        }
        assert_eq!(task["ttlMs"], 5_000 + RETENTION_MS);
        assert_eq!(task["lastUpdatedAt"], "2023-11-14T22:13:25.000Z");
    }
}

#[tokio::test]
async fn what_has_ended_before_it_is_answered_is_a_task_too() {
    let mut pipe = Pipe::new().await;
    let task = delegate(&mut pipe, "succeed").await;
    assert_eq!(task["status"], "completed");
    let task = get(&mut pipe, &takes(), &task["taskId"]).await;
    let summary = &task["result"]["structuredContent"]["conclusion"]["summary"];
    assert_eq!(summary, "It is done.\nTwo lines of it.");
}

#[tokio::test]
async fn only_this_very_request_can_declare_it() {
    let mut pipe = Pipe::new().await;
    pipe.greet_as("2025-11-25", takes()).await;
    let call = json!({"name": "delegate", "arguments": {"prompt": "succeed"}});
    let legacy = pipe.ask("tools/call", call.clone()).await;
    assert!(legacy["result"].get("resultType").is_none(), "{legacy}");
    assert_eq!(legacy["result"]["structuredContent"]["state"], "succeeded");
    let undeclared = pipe.ask_modern("tools/call", call).await;
    assert_eq!(undeclared["result"]["resultType"], "complete");
    let id = legacy["result"]["structuredContent"]["id"].clone();
    for (method, params) in [
        ("tasks/get", json!({"taskId": id})),
        ("tasks/update", json!({"taskId": id, "inputResponses": {}})),
        ("tasks/cancel", json!({"taskId": id})),
    ] {
        let legacy = pipe.ask(method, params.clone()).await;
        assert_eq!(legacy["error"]["code"], -32601, "{method}: {legacy}");
        let undeclared = pipe.ask_modern(method, params).await;
        assert_eq!(
            undeclared["error"]["code"], -32021,
            "{method}: {undeclared}"
        );
        assert_eq!(undeclared["error"]["data"]["requiredCapabilities"], takes());
    }
    assert_eq!(pipe.hub.count("run.cancel"), 0);
}

#[tokio::test]
async fn it_is_offered_where_it_can_be_taken() {
    let mut pipe = Pipe::new().await;
    let introduced = pipe.ask_modern("server/discover", json!({})).await;
    let capabilities = &introduced["result"]["capabilities"];
    assert_eq!(capabilities["extensions"], takes()["extensions"]);
    let greeting = pipe.greet_as("2025-11-25", takes()).await;
    assert!(greeting["capabilities"].get("extensions").is_none());
}

#[tokio::test]
async fn what_an_agent_asks_is_put_and_answered_in_parts() {
    let mut pipe = Pipe::new().await;
    let task = delegate(&mut pipe, "ask twice").await;
    let id = &task["taskId"];
    let asked = get(&mut pipe, &asks(), id).await;
    assert_eq!(asked["status"], "input_required", "{asked}");
    let requests = asked["inputRequests"].as_object().unwrap();
    assert_eq!(requests.keys().collect::<Vec<_>>(), ["r1", "r2"]);
    assert_eq!(requests["r1"]["method"], "elicitation/create");
    let form = &requests["r1"]["params"];
    assert_eq!(form["mode"], "form");
    assert!(form["message"].as_str().unwrap().contains("cargo publish"));
    let half = json!({"r2": accept("no"), "another": accept("yes"), "r1": {"action": "cancel"}});
    let taken = update(&mut pipe, id, half).await;
    assert_eq!(taken["result"]["resultType"], "complete", "{taken}");
    let left = get(&mut pipe, &asks(), id).await;
    let requests = left["inputRequests"].as_object().unwrap();
    assert_eq!(requests.keys().collect::<Vec<_>>(), ["r1"]);
    // What is answered already is left aside, the other one taken.
    let rest = json!({"r2": accept("yes"), "r1": {"action": "decline"}});
    update(&mut pipe, id, rest).await;
    let done = get(&mut pipe, &asks(), id).await;
    assert_eq!(done["status"], "completed", "{done}");
    let summary = &done["result"]["structuredContent"]["conclusion"]["summary"];
    assert_eq!(summary, "The person said no.");
    assert_eq!(pipe.hub.count("run.answer"), 2);
    let late = update(&mut pipe, id, json!({"r1": accept("yes")})).await;
    assert_eq!(late["result"]["resultType"], "complete", "{late}");
    assert_eq!(pipe.hub.count("run.answer"), 2);
}

#[tokio::test]
async fn what_a_run_below_asks_is_asked_by_the_task_above() {
    let mut pipe = Pipe::new().await;
    let mut talon = fake::run("the work of a talon");
    fake::asks(&mut talon, vec![fake::permission("r1")]);
    let child = talon.id;
    pipe.hub.put(talon);
    let task = delegate(&mut pipe, "lead").await;
    let below = fake::stands_above(&pipe.hub, child);
    pipe.hub
        .change(run_of(&task), |run| run.asks_below.push(below));
    let asked = get(&mut pipe, &asks(), &task["taskId"]).await;
    assert_eq!(asked["status"], "input_required", "{asked}");
    update(&mut pipe, &task["taskId"], json!({"r1": accept("yes")})).await;
    let asked = pipe.hub.asked().into_iter();
    let answers: Vec<_> = asked
        .filter(|(method, _)| *method == "run.answer")
        .map(|(_, params)| params)
        .collect();
    assert_eq!(
        answers,
        [json!({"id": child, "request": "r1", "option": "yes"})]
    );
    let goes_on = get(&mut pipe, &asks(), &task["taskId"]).await;
    assert_eq!(goes_on["status"], "working");
}

#[tokio::test]
async fn a_client_without_a_person_is_told_who_must_answer_and_not_asked() {
    let mut pipe = Pipe::new().await;
    let task = delegate(&mut pipe, "ask").await;
    let task = get(&mut pipe, &takes(), &task["taskId"]).await;
    assert_eq!(task["status"], "working", "{task}");
    assert!(task.get("inputRequests").is_none());
    assert_eq!(
        task["statusMessage"],
        "input_required · permission: cargo publish"
    );
}

#[tokio::test]
async fn an_answer_that_is_not_the_clients_to_give_is_refused() {
    let mut pipe = Pipe::new().await;
    let task = delegate(&mut pipe, "ask").await;
    pipe.hub.change(run_of(&task), |run| {
        run.prompt = "ask, in vain".to_owned();
    });
    let answer = update(&mut pipe, &task["taskId"], json!({"r1": accept("yes")})).await;
    assert_eq!(answer["error"]["data"]["kind"], "forbidden", "{answer}");
}

#[tokio::test]
async fn cancelling_ends_the_run_once_and_what_is_final_stays() {
    let mut pipe = Pipe::new().await;
    let task = delegate(&mut pipe, "long").await;
    for _ in 0..2 {
        let params = json!({"taskId": task["taskId"]});
        let taken = pipe.ask_as(&takes(), "tasks/cancel", params).await;
        assert_eq!(taken["result"]["resultType"], "complete", "{taken}");
        let now = get(&mut pipe, &takes(), &task["taskId"]).await;
        assert_eq!(now["status"], "cancelled");
    }
    let done = delegate(&mut pipe, "succeed").await;
    let params = json!({"taskId": done["taskId"]});
    let taken = pipe.ask_as(&takes(), "tasks/cancel", params).await;
    assert_eq!(taken["result"]["resultType"], "complete", "{taken}");
    let now = get(&mut pipe, &takes(), &done["taskId"]).await;
    assert_eq!(now["status"], "completed", "what is final stays");
}

#[tokio::test]
async fn a_task_that_is_not_there_is_invalid_params() {
    let mut pipe = Pipe::new().await;
    for id in FOREIGN {
        for (method, params) in [
            ("tasks/get", json!({"taskId": id})),
            (
                "tasks/update",
                json!({"taskId": id, "inputResponses": {"r1": accept("yes")}}),
            ),
            ("tasks/cancel", json!({"taskId": id})),
        ] {
            let answer = pipe.ask_as(&takes(), method, params).await;
            assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.starts_with("no task"), "{message}");
        }
    }
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let answer = pipe.ask_as(&takes(), method, json!({})).await;
        assert_eq!(answer["error"]["code"], -32602, "{method}: {answer}");
    }
    for gone in ["tasks/list", "tasks/result"] {
        let answer = pipe.ask_as(&takes(), gone, json!({"taskId": GONE})).await;
        assert_eq!(answer["error"]["code"], -32601, "{gone}: {answer}");
    }
}

#[tokio::test]
async fn progress_is_not_told_of_tasks() {
    let mut pipe = Pipe::new().await;
    let mut meta = meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = takes();
    meta["progressToken"] = json!("tok");
    let call = json!({"name": "delegate", "arguments": {"prompt": "long"}, "_meta": meta});
    let id = pipe.send("tools/call", call).await;
    assert_eq!(pipe.hear().await["id"], id, "the answer is all there is");
}
