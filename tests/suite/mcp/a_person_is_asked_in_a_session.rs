//! Sessions that shook hands: the question goes to the client while its call is open.

use super::{
    fake,
    pipe::{Pipe, text},
    waits_end_and_tell::until,
};
use eyas::{
    domain::{
        ids::RunId,
        run::{Run, RunState},
        time::Timestamp,
    },
    stdx::clock,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn accept(answer: &str) -> Value {
    json!({"action": "accept", "content": {"answer": answer}})
}

fn answers(pipe: &Pipe) -> Vec<Value> {
    let asked = pipe.hub.asked().into_iter();
    asked
        .filter(|(method, _)| *method == "run.answer")
        .map(|(_, params)| params)
        .collect()
}

/// A run that is there already and asks.
fn asking(pipe: &Pipe, prompt: &str, change: impl FnOnce(&mut Run)) -> RunId {
    let mut run = fake::run(prompt);
    fake::asks(&mut run, vec![fake::permission("r1")]);
    change(&mut run);
    let id = run.id;
    pipe.hub.put(run);
    id
}

#[tokio::test]
async fn accepting_answers_with_the_option_and_the_call_goes_on_to_the_conclusion() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask"})).await;
    let question = pipe.hear().await;
    assert_eq!(question["method"], "elicitation/create", "{question}");
    let params = &question["params"];
    assert_eq!(params["mode"], "form");
    let message = params["message"].as_str().unwrap();
    assert!(message.starts_with("The agent fake asks for permission:\n\ncargo publish\n"));
    assert!(message.contains("in /place/shop"), "{message}");
    let field = &params["requestedSchema"]["properties"]["answer"];
    assert_eq!(field["enum"], json!(["yes", "never", "no"]));
    pipe.reply(&question, accept("yes")).await;
    let answer = pipe.answer(call).await;
    let run = &answer["result"]["structuredContent"];
    assert_eq!(run["state"], "succeeded", "{answer}");
    assert_eq!(run["conclusion"]["summary"], "The person said yes.");
    assert_eq!(
        answers(&pipe),
        [json!({"id": run["id"], "request": "r1", "option": "yes"})]
    );
}

#[tokio::test]
async fn declining_is_the_option_that_denies_once() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask"})).await;
    let question = pipe.hear().await;
    pipe.reply(&question, json!({"action": "decline"})).await;
    pipe.answer(call).await;
    assert_eq!(answers(&pipe)[0]["option"], "no");
}

#[tokio::test]
async fn a_question_is_answered_in_words() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "question"})).await;
    let question = pipe.hear().await;
    let field = &question["params"]["requestedSchema"]["properties"]["answer"];
    assert_eq!(field["type"], "string");
    assert!(field.get("enum").is_none());
    pipe.reply(&question, accept("blue")).await;
    pipe.answer(call).await;
    assert_eq!(answers(&pipe)[0]["text"], "blue");
    assert!(answers(&pipe)[0].get("option").is_none());
}

#[tokio::test]
async fn cancelling_leaves_the_request_open_and_answers_the_call() {
    for said in [
        json!({"action": "cancel"}),
        json!({"action": "shrug"}),
        json!({}),
        accept("sudo"),
    ] {
        let mut pipe = Pipe::asking().await;
        let call = pipe.begin("delegate", json!({"prompt": "ask"})).await;
        let question = pipe.hear().await;
        pipe.reply(&question, said).await;
        let answer = pipe.answer(call).await;
        let run = &answer["result"]["structuredContent"];
        assert_eq!(run["state"], "input_required");
        assert_eq!(run["requests"][0]["id"], "r1");
        let next = run["next"].as_str().unwrap();
        assert!(
            next.contains("a person must answer") && next.contains("\"request\":\"r1\""),
            "{next}"
        );
        assert!(answers(&pipe).is_empty());
    }
}

#[tokio::test]
async fn a_client_that_refuses_or_knows_no_such_thing_is_not_waited_for() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask"})).await;
    let question = pipe.hear().await;
    let error = json!({"code": -32601, "message": "no such method"});
    pipe.say(&json!({"jsonrpc": "2.0", "id": question["id"], "error": error}))
        .await;
    let answer = pipe.answer(call).await;
    assert_eq!(
        answer["result"]["structuredContent"]["state"],
        "input_required"
    );
}

#[tokio::test]
async fn nobody_is_asked_without_the_capability_or_by_one_who_only_looks() {
    let mut pipe = Pipe::greeted().await;
    let run = pipe.call("delegate", json!({"prompt": "ask"})).await;
    assert!(text(&run).starts_with("input_required · permission: cargo publish · a person must"));
    for word in [
        "run_input",
        "\"request\":\"r1\"",
        "\"yes\"",
        "in /place/shop",
    ] {
        assert!(text(&run).contains(word), "{}", text(&run));
    }
    let mut pipe = Pipe::new().await;
    pipe.greet_as("2025-11-25", json!({"elicitation": {"url": {}}}))
        .await;
    let run = pipe.call("delegate", json!({"prompt": "ask"})).await;
    assert_eq!(run["structuredContent"]["state"], "input_required");
    let mut pipe = Pipe::asking().await;
    let look = json!({"prompt": "ask", "wait_ms": 0});
    let run = pipe.call("delegate", look).await;
    assert_eq!(run["structuredContent"]["state"], "input_required");
    // What is heard next is the answer: nothing was asked.
    let ping = pipe.send("ping", json!({})).await;
    assert_eq!(pipe.hear().await["id"], ping);
}

#[tokio::test]
async fn newer_sessions_get_choices_with_titles() {
    let mut pipe = Pipe::new().await;
    pipe.greet_as("2025-11-25", json!({"elicitation": {"form": {}}}))
        .await;
    pipe.begin("delegate", json!({"prompt": "ask"})).await;
    let question = pipe.hear().await;
    let field = &question["params"]["requestedSchema"]["properties"]["answer"];
    assert_eq!(
        field["oneOf"][0],
        json!({"const": "yes", "title": "Allow (allow once)"})
    );
}

#[tokio::test]
async fn two_requests_are_asked_together() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask twice"})).await;
    let question = pipe.hear().await;
    let fields = &question["params"]["requestedSchema"]["properties"];
    assert_eq!(fields["answer_1"]["enum"], fields["answer_2"]["enum"]);
    let message = question["params"]["message"].as_str().unwrap();
    assert!(message.starts_with("2 requests wait for you"), "{message}");
    pipe.ask("ping", json!({})).await;
    let content = json!({"answer_1": "yes", "answer_2": "no"});
    pipe.reply(&question, json!({"action": "accept", "content": content}))
        .await;
    let answer = pipe.answer(call).await;
    assert_eq!(answer["result"]["structuredContent"]["state"], "succeeded");
    let said = answers(&pipe);
    for (said, (request, option)) in said.iter().zip([("r1", "yes"), ("r2", "no")]) {
        assert_eq!(
            (&said["request"], &said["option"]),
            (&json!(request), &json!(option))
        );
    }
    assert_eq!(said.len(), 2);
}

#[tokio::test]
async fn what_is_left_out_of_an_answer_stays_open() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask twice"})).await;
    let question = pipe.hear().await;
    let content = json!({"answer_2": "yes"});
    pipe.reply(&question, json!({"action": "accept", "content": content}))
        .await;
    let answer = pipe.answer(call).await;
    let run = &answer["result"]["structuredContent"];
    assert_eq!(run["state"], "input_required");
    let open = run["requests"].as_array().unwrap();
    assert_eq!((open.len(), &open[0]["id"]), (1, &json!("r1")));
    assert_eq!(answers(&pipe).len(), 1);
}

#[tokio::test]
async fn what_is_left_when_another_was_answered_elsewhere_is_put_anew() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask twice"})).await;
    let both = pipe.hear().await;
    let id = pipe.hub.asked_run();
    pipe.hub.change(id, |run| {
        run.requests.remove(0);
    });
    let note = pipe.hear().await;
    assert_eq!(note["params"]["requestId"], both["id"], "{note}");
    let alone = pipe.hear().await;
    let fields = &alone["params"]["requestedSchema"]["properties"];
    assert!(fields["answer"].is_object(), "{alone}");
    pipe.reply(&alone, accept("yes")).await;
    let answer = pipe.answer(call).await;
    assert_eq!(answer["result"]["structuredContent"]["state"], "succeeded");
    assert_eq!(answers(&pipe)[0]["request"], "r2");
}

#[tokio::test]
async fn what_a_run_below_asks_is_put_and_answered_by_its_own_id() {
    let mut pipe = Pipe::asking().await;
    let child = asking(&pipe, "the work of a talon", |_| {});
    let mut above = fake::run("lead");
    above.state = RunState::Running;
    let id = above.id;
    pipe.hub.put(above);
    let call = pipe
        .begin("run_get", json!({"id": id, "wait_ms": 45_000}))
        .await;
    let hub = pipe.hub.clone();
    until(|| hub.count("run.wait") > 0).await;
    let below = fake::stands_above(&pipe.hub, child);
    pipe.hub.change(id, |run| run.asks_below.push(below));
    let question = pipe.hear().await;
    let message = question["params"]["message"].as_str().unwrap();
    let names = format!("Run {child}, below run {id}, task: the work of a talon");
    assert!(message.contains(&names), "{message}");
    pipe.reply(&question, accept("yes")).await;
    until(|| hub.count("run.answer") > 0).await;
    assert_eq!(
        answers(&pipe),
        [json!({"id": child, "request": "r1", "option": "yes"})]
    );
    // The wait goes on: it is for the run that was named.
    pipe.hub
        .change(id, |run| fake::conclude(run, "All is done."));
    let answer = pipe.answer(call).await;
    let run = &answer["result"]["structuredContent"];
    assert_eq!(run["conclusion"]["summary"], "All is done.", "{answer}");
}

#[tokio::test]
async fn who_cannot_be_asked_is_told_which_run_below_asks_what() {
    let mut pipe = Pipe::greeted().await;
    let child = asking(&pipe, "the work of a talon", |_| {});
    let mut above = fake::run("lead");
    above.state = RunState::Running;
    above.asks_below.push(fake::stands_above(&pipe.hub, child));
    let id = above.id;
    pipe.hub.put(above);
    let answered = pipe
        .call("run_get", json!({"id": id, "wait_ms": 45_000}))
        .await;
    let run = &answered["structuredContent"];
    assert_eq!(run["state"], "running");
    assert_eq!(run["asks_below"][0]["run"], json!(child));
    assert_eq!(run["asks_below"][0]["requests"][0]["id"], "r1");
    let next = run["next"].as_str().unwrap();
    let answer = format!("run_input {{\"id\":\"{child}\",\"answer\":{{\"request\":\"r1\"");
    assert!(next.contains(&answer), "{next}");
    assert!(text(&answered).contains(&format!(
        "run {child} below it asks: permission: cargo publish"
    )));
    // One of several is the one that the wait was for.
    let several = json!({"ids": [id, child], "until": "any", "wait_ms": 45_000});
    let several = pipe.call("run_get", several).await;
    assert!(text(&several).starts_with("2 of 2"), "{}", text(&several));
}

#[tokio::test]
async fn what_was_answered_elsewhere_is_taken_back() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask"})).await;
    let question = pipe.hear().await;
    let id = pipe.hub.asked_run();
    pipe.hub.change(id, |run| {
        run.requests.clear();
        fake::conclude(run, "Somebody else said so.");
    });
    let note = pipe.hear().await;
    assert_eq!(note["method"], "notifications/cancelled");
    assert_eq!(note["params"]["requestId"], question["id"]);
    let answer = pipe.answer(call).await;
    assert_eq!(answer["result"]["structuredContent"]["state"], "succeeded");
    // An answer that comes all the same does no harm.
    pipe.reply(&question, accept("yes")).await;
    pipe.ask("ping", json!({})).await;
    assert!(answers(&pipe).is_empty());
}

#[tokio::test]
async fn an_answer_that_the_hub_refuses_is_said() {
    let mut pipe = Pipe::asking().await;
    let id = asking(&pipe, "ask, in vain", |_| {});
    let call = pipe.begin("run_get", json!({"id": id})).await;
    let question = pipe.hear().await;
    pipe.reply(&question, accept("yes")).await;
    let answer = pipe.answer(call).await;
    let run = &answer["result"]["structuredContent"];
    assert_eq!(run["state"], "input_required");
    assert_eq!(run["warnings"][0]["kind"], "forbidden");
}

#[tokio::test]
async fn a_client_that_never_answers_holds_nothing_beyond_the_deadline() {
    let mut pipe = Pipe::asking().await;
    let deadline = Timestamp(clock::now_ms() + 100);
    let id = asking(&pipe, "x", |run| run.requests[0].deadline = Some(deadline));
    let call = pipe.begin("run_get", json!({"id": id})).await;
    let question = pipe.hear().await;
    let begun = Instant::now();
    let note = pipe.hear().await;
    assert_eq!(note["method"], "notifications/cancelled");
    assert_eq!(note["params"]["requestId"], question["id"]);
    let answer = pipe.answer(call).await;
    assert_eq!(
        answer["result"]["structuredContent"]["state"],
        "input_required"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn cancelling_the_call_takes_the_question_back_and_other_calls_go_on() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask"})).await;
    let question = pipe.hear().await;
    let listed = pipe.call("instance_list", json!({})).await;
    assert_eq!(listed["isError"], false);
    pipe.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call}})).await;
    let note = pipe.hear().await;
    assert_eq!(note["method"], "notifications/cancelled");
    assert_eq!(note["params"]["requestId"], question["id"]);
    assert_eq!(pipe.hub.count("run.cancel"), 0);
    pipe.close().await;
    assert!(pipe.hear_or_end().await.is_none());
    assert!(pipe.end().await.1);
}

#[tokio::test]
async fn two_calls_for_one_run_ask_once() {
    let mut pipe = Pipe::asking().await;
    let id = asking(&pipe, "x", |_| {});
    let first = pipe.begin("run_get", json!({"id": id})).await;
    let question = pipe.hear().await;
    let second = pipe.call("run_get", json!({"id": id})).await;
    assert_eq!(second["structuredContent"]["state"], "input_required");
    pipe.reply(&question, accept("yes")).await;
    let answer = pipe.answer(first).await;
    assert_eq!(answer["result"]["structuredContent"]["state"], "succeeded");
    assert_eq!(answers(&pipe).len(), 1);
}

#[tokio::test]
async fn the_time_of_a_person_is_not_the_callers_and_progress_is_told_meanwhile() {
    let mut pipe = Pipe::asking().await;
    let arguments = json!({"prompt": "long", "wait_ms": 1_000});
    let params = json!({"name": "delegate", "arguments": arguments, "_meta": {"progressToken": 7}});
    let call = pipe.send("tools/call", params).await;
    let hub = pipe.hub.clone();
    until(|| hub.count("run.wait") > 0).await;
    let id = hub.asked_run();
    hub.change(id, |run| fake::asks(run, vec![fake::permission("r1")]));
    let mut told = Vec::new();
    let question = loop {
        let message = pipe.hear().await;
        if message["method"] == "elicitation/create" {
            break message;
        }
        told.push(message["params"]["progress"].as_f64().unwrap());
    };
    let note = pipe.hear().await;
    assert_eq!(
        note["params"]["message"],
        "input_required · permission: cargo publish"
    );
    told.push(note["params"]["progress"].as_f64().unwrap());
    assert!(told.is_sorted_by(|one, next| one < next), "{told:?}");
    // Longer than the caller gave.
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    hub.change(id, |run| run.prompt = "goes on".to_owned());
    pipe.reply(&question, accept("yes")).await;
    let answer = pipe.answer(call).await;
    assert_eq!(answer["result"]["structuredContent"]["state"], "succeeded");
}

#[tokio::test]
async fn the_end_of_the_input_ends_the_question() {
    let mut pipe = Pipe::asking().await;
    let call = pipe.begin("delegate", json!({"prompt": "ask"})).await;
    pipe.hear().await;
    pipe.close().await;
    let answer = pipe.answer(call).await;
    assert_eq!(
        answer["result"]["structuredContent"]["state"],
        "input_required"
    );
    let (took, well) = pipe.end().await;
    assert!(well && took < Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn an_agents_words_cannot_pass_for_ours() {
    let mut pipe = Pipe::asking().await;
    let id = asking(&pipe, "x", |run| {
        run.requests[0].title = "ls\u{1b}[2J\u{202e}".to_owned() + &"x".repeat(100_000);
        run.requests[0].detail = Some("y".repeat(100_000));
    });
    pipe.begin("run_get", json!({"id": id})).await;
    let question = pipe.hear().await;
    let message = question["params"]["message"].as_str().unwrap();
    assert!(message.len() < 4096, "{}", message.len());
    assert!(!message.contains(['\u{1b}', '\u{202e}']));
    assert!(message.starts_with("The agent fake asks for permission:"));
    assert!(message.ends_with("task: x"), "{message}");
}

#[tokio::test]
async fn run_input_passes_an_answer_on_and_teaches() {
    let mut pipe = Pipe::greeted().await;
    let id = asking(&pipe, "x", |run| {
        run.requests.push(fake::permission("r2"));
    });
    for (arguments, said) in [
        (json!({"id": id}), "required_field: `message`"),
        (json!({"id": id, "answer": {}}), "`answer.request`"),
        (
            json!({"id": id, "answer": {"request": "r1"}}),
            "`answer.option`",
        ),
        (
            json!({"id": id, "answer": {"request": "r1", "choice": "yes"}}),
            "unknown argument `answer.choice`",
        ),
        (
            json!({"id": id, "answer": {"request": "r1", "option": "sudo"}}),
            "its options: yes, never, no",
        ),
        (
            json!({"id": id, "answer": {"request": "r9", "option": "yes"}}),
            "not_found: no request \"r9\"",
        ),
        (
            json!({"id": id, "message": "go on", "answer": {"request": "r1", "option": "yes"}}),
            "beside `answer`",
        ),
        (json!({"id": id, "message": " ", "mode": "now"}), "`mode`"),
    ] {
        let result = pipe.call("run_input", arguments.clone()).await;
        assert_eq!(result["isError"], true, "{arguments}");
        assert!(
            text(&result).contains(said),
            "{arguments}: {}",
            text(&result)
        );
    }
    let answer = json!({"id": id, "answer": {"request": "r1", "option": "yes"}});
    let run = pipe.call("run_input", answer).await;
    assert_eq!(run["structuredContent"]["state"], "input_required");
    assert_eq!(run["structuredContent"]["requests"][0]["id"], "r2");
    let answer = json!({"id": id, "answer": {"request": "r2", "option": "no"}});
    let run = pipe.call("run_input", answer).await;
    assert_eq!(run["structuredContent"]["state"], "succeeded");
    assert_eq!(pipe.hub.count("run.answer"), 4);
    let more = json!({"id": id, "message": "go on", "mode": "followup", "idempotency_key": "k"});
    let run = pipe.call("run_input", more).await;
    assert_eq!(run["structuredContent"]["delivery"]["outcome"], "restarted");
    assert!(text(&run).contains("restarted"), "{run}");
    let (_, asked) = pipe.hub.asked().pop().unwrap();
    assert_eq!(
        (&asked["message"], &asked["mode"]),
        (&json!("go on"), &json!("followup"))
    );
}
