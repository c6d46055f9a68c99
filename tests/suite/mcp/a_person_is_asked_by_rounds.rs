//! 2026-07-28: a server sends no requests. The answer asks, and the call comes again with what the person said.

use super::{
    fake,
    pipe::{Pipe, meta},
};
use eyas::domain::run::RunState;
use serde_json::{Value, json};

async fn call(pipe: &mut Pipe, tool: &str, arguments: Value, more: Value) -> Value {
    let mut meta = meta();
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {"form": {}}});
    let mut params = json!({"name": tool, "arguments": arguments, "_meta": meta});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    pipe.ask("tools/call", params).await
}

fn again(asked: &Value, request: &str, said: &Value) -> Value {
    json!({
        "requestState": asked["result"]["requestState"],
        "inputResponses": {request: said},
    })
}

fn accept(answer: &str) -> Value {
    json!({"action": "accept", "content": {"answer": answer}})
}

#[tokio::test]
async fn the_call_comes_again_with_the_answer_and_nothing_is_delegated_twice() {
    let mut pipe = Pipe::new().await;
    let delegate = json!({"prompt": "ask", "label": "l"});
    let asked = call(&mut pipe, "delegate", delegate, json!({})).await;
    let result = &asked["result"];
    assert_eq!(result["resultType"], "input_required", "{asked}");
    assert!(result.get("content").is_none() && result.get("structuredContent").is_none());
    assert_eq!(
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"],
        "eyas"
    );
    let question = &result["inputRequests"]["r1"];
    assert_eq!(question["method"], "elicitation/create");
    assert_eq!(question["params"]["mode"], "form");
    let field = &question["params"]["requestedSchema"]["properties"]["answer"];
    assert_eq!(field["oneOf"][2]["const"], "no");
    // Another order of the arguments is the same call.
    let delegate = json!({"label": "l", "prompt": "ask"});
    let more = again(&asked, "r1", &accept("yes"));
    let done = call(&mut pipe, "delegate", delegate, more).await;
    let run = &done["result"]["structuredContent"];
    assert_eq!(
        run["conclusion"]["summary"], "The person said yes.",
        "{done}"
    );
    assert_eq!(done["result"]["resultType"], "complete");
    assert_eq!(pipe.hub.count("run.delegate"), 1);
    assert_eq!(pipe.hub.count("run.answer"), 1);
}

#[tokio::test]
async fn declining_denies_and_cancelling_leaves_it_open() {
    for (action, state) in [("decline", "succeeded"), ("cancel", "input_required")] {
        let mut pipe = Pipe::new().await;
        let delegate = json!({"prompt": "ask"});
        let asked = call(&mut pipe, "delegate", delegate.clone(), json!({})).await;
        let more = again(&asked, "r1", &json!({"action": action}));
        let done = call(&mut pipe, "delegate", delegate, more).await;
        assert_eq!(done["result"]["resultType"], "complete", "{done}");
        assert_eq!(done["result"]["structuredContent"]["state"], state);
        assert_eq!(pipe.hub.count("run.delegate"), 1);
    }
}

#[tokio::test]
async fn two_requests_are_asked_together_and_what_is_not_answered_again() {
    let mut pipe = Pipe::new().await;
    let delegate = json!({"prompt": "ask twice"});
    let both = call(&mut pipe, "delegate", delegate.clone(), json!({})).await;
    let asked = both["result"]["inputRequests"].as_object().unwrap();
    assert_eq!(asked.keys().collect::<Vec<_>>(), ["r1", "r2"]);
    let more = again(&both, "r2", &accept("no"));
    let left = call(&mut pipe, "delegate", delegate.clone(), more).await;
    let asked = left["result"]["inputRequests"].as_object().unwrap();
    assert_eq!(asked.keys().collect::<Vec<_>>(), ["r1"]);
    let more = again(&left, "r1", &accept("yes"));
    let done = call(&mut pipe, "delegate", delegate, more).await;
    assert_eq!(done["result"]["structuredContent"]["state"], "succeeded");
    assert_eq!(pipe.hub.count("run.delegate"), 1);
    assert_eq!(pipe.hub.count("run.answer"), 2);
}

#[tokio::test]
async fn what_a_run_below_asks_is_asked_and_answered_by_its_own_id() {
    let mut pipe = Pipe::new().await;
    let mut talon = fake::run("the work of a talon");
    fake::asks(&mut talon, vec![fake::permission("r1")]);
    let child = talon.id;
    pipe.hub.put(talon);
    let mut above = fake::run("lead");
    above.state = RunState::Running;
    above.asks_below.push(fake::stands_above(&pipe.hub, child));
    let id = above.id;
    pipe.hub.put(above);
    let get = json!({"id": id, "wait_ms": 200});
    let asked = call(&mut pipe, "run_get", get.clone(), json!({})).await;
    let message = &asked["result"]["inputRequests"]["r1"]["params"]["message"];
    let names = format!("Run {child}, below run {id}, task: the work of a talon");
    assert!(message.as_str().unwrap().contains(&names), "{asked}");
    let more = again(&asked, "r1", &accept("yes"));
    let done = call(&mut pipe, "run_get", get, more).await;
    assert_eq!(done["result"]["structuredContent"]["state"], "running");
    let answers = pipe.hub.asked().into_iter();
    let answers: Vec<_> = answers
        .filter(|(method, _)| *method == "run.answer")
        .map(|(_, params)| params)
        .collect();
    assert_eq!(
        answers,
        [json!({"id": child, "request": "r1", "option": "yes"})]
    );
}

#[tokio::test]
async fn an_answer_that_is_missing_is_asked_for_again() {
    let mut pipe = Pipe::new().await;
    let delegate = json!({"prompt": "ask"});
    let asked = call(&mut pipe, "delegate", delegate.clone(), json!({})).await;
    for more in [
        json!({"requestState": asked["result"]["requestState"]}),
        again(&asked, "another", &accept("yes")),
    ] {
        let once_more = call(&mut pipe, "delegate", delegate.clone(), more).await;
        assert!(
            once_more["result"]["inputRequests"]["r1"].is_object(),
            "{once_more}"
        );
    }
    assert_eq!(pipe.hub.count("run.delegate"), 1);
    assert_eq!(pipe.hub.count("run.answer"), 0);
}

#[tokio::test]
async fn a_state_that_is_not_this_calls_is_refused_and_does_nothing() {
    let mut pipe = Pipe::new().await;
    let delegate = json!({"prompt": "ask"});
    let asked = call(&mut pipe, "delegate", delegate.clone(), json!({})).await;
    let state = asked["result"]["requestState"].as_str().unwrap().to_owned();
    let said = json!({"r1": accept("yes")});
    for (arguments, more) in [
        (
            json!({"prompt": "ask twice"}),
            json!({"requestState": state, "inputResponses": said}),
        ),
        (
            delegate.clone(),
            json!({"requestState": "made up", "inputResponses": said}),
        ),
        (
            delegate.clone(),
            json!({"requestState": state.replace("call", "coll"), "inputResponses": said}),
        ),
        (delegate.clone(), json!({"inputResponses": said})),
    ] {
        let answer = call(&mut pipe, "delegate", arguments, more).await;
        assert_eq!(answer["error"]["code"], -32602, "{answer}");
    }
    // Pointed at another request, it is an answer that comes too late, and the open one is asked for.
    let other = state.replace("\"r1\"", "\"r9\"");
    let more = json!({"requestState": other, "inputResponses": {"r9": accept("yes")}});
    let answer = call(&mut pipe, "delegate", delegate.clone(), more).await;
    assert!(
        answer["result"]["inputRequests"]["r1"].is_object(),
        "{answer}"
    );
    assert_eq!(pipe.hub.count("run.delegate"), 1);
    assert_eq!(pipe.hub.count("run.answer"), 0);
    // Pointed at a run that is not there, it finds none.
    let id = pipe.hub.asked_run().to_string();
    let other = state.replace(&id, "01890a5d-ac96-774b-bcce-b302099a8057");
    let more = json!({"requestState": other, "inputResponses": said});
    let answer = call(&mut pipe, "delegate", delegate, more).await;
    assert_eq!(answer["result"]["structuredContent"]["kind"], "not_found");
}

#[tokio::test]
async fn what_was_decided_meanwhile_is_said() {
    let mut pipe = Pipe::new().await;
    let delegate = json!({"prompt": "ask"});
    let asked = call(&mut pipe, "delegate", delegate.clone(), json!({})).await;
    let id = pipe.hub.asked_run();
    pipe.hub.change(id, |run| {
        run.requests.clear();
        fake::conclude(run, "Somebody else said so.");
    });
    let more = again(&asked, "r1", &accept("yes"));
    let done = call(&mut pipe, "delegate", delegate, more).await;
    let run = &done["result"]["structuredContent"];
    assert_eq!(run["state"], "succeeded");
    assert_eq!(run["warnings"][0]["kind"], "answer_late");
    assert_eq!(pipe.hub.count("run.answer"), 0);
}

#[tokio::test]
async fn nobody_is_asked_without_the_capability_of_this_very_request() {
    let mut pipe = Pipe::new().await;
    // What a session said is not what this request says.
    pipe.greet_as("2025-06-18", json!({"elicitation": {}}))
        .await;
    let params = json!({"name": "delegate", "arguments": {"prompt": "ask"}});
    let plain = pipe.ask_modern("tools/call", params).await;
    assert_eq!(plain["result"]["resultType"], "complete", "{plain}");
    let run = &plain["result"]["structuredContent"];
    assert_eq!(run["state"], "input_required");
    assert_eq!(run["requests"][0]["options"][0]["id"], "yes");
    let look = json!({"id": run["id"], "wait_ms": 0});
    let looked = call(&mut pipe, "run_get", look, json!({})).await;
    assert_eq!(looked["result"]["resultType"], "complete");
    let asked = call(&mut pipe, "run_get", json!({"id": run["id"]}), json!({})).await;
    assert_eq!(asked["result"]["resultType"], "input_required");
    let answer = json!({"id": run["id"], "answer": {"request": "r1", "option": "yes"}});
    let done = call(&mut pipe, "run_input", answer, json!({})).await;
    assert_eq!(done["result"]["structuredContent"]["state"], "succeeded");
}
