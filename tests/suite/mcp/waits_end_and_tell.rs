use super::{
    fake,
    pipe::{Pipe, text},
};
use eyas::domain::{
    ids::RunId,
    request::{Request, RequestKind},
    run::RunState,
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn id_of(result: &Value) -> RunId {
    result["structuredContent"]["id"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap()
}

#[tokio::test]
async fn a_wait_ends_with_the_run_and_with_the_time() {
    let mut pipe = Pipe::greeted().await;
    let begun = Instant::now();
    let run = pipe
        .call("delegate", json!({"prompt": "long", "wait_ms": 200}))
        .await;
    assert!(begun.elapsed() >= Duration::from_millis(190));
    assert_eq!(run["structuredContent"]["state"], "running");
    let id = id_of(&run);
    assert!(
        text(&run).starts_with(&format!(
            "running · step: reading · call run_get {{\"id\":\"{id}\""
        )),
        "{}",
        text(&run)
    );
    let hub = pipe.hub.clone();
    let call = pipe.begin("run_get", json!({"id": id})).await;
    until(|| hub.count("run.wait") > 1).await;
    hub.change(id, |run| fake::conclude(run, "All good."));
    let begun = Instant::now();
    let answer = pipe.answer(call).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(
        answer["result"]["structuredContent"]["conclusion"]["summary"],
        "All good."
    );
}

#[tokio::test]
async fn a_wait_ends_when_a_person_is_needed() {
    let mut pipe = Pipe::greeted().await;
    let run = pipe
        .call("delegate", json!({"prompt": "long", "wait_ms": 0}))
        .await;
    let id = id_of(&run);
    let call = pipe.begin("run_get", json!({"id": id})).await;
    pipe.hub.change(id, |run| {
        run.state = RunState::InputRequired;
        run.requests.push(Request {
            id: "r1".to_owned(),
            kind: RequestKind::Permission,
            title: "cargo test".to_owned(),
            detail: None,
            options: Vec::new(),
            deadline: None,
        });
    });
    let answer = pipe.answer(call).await;
    assert!(
        text(&answer["result"])
            .starts_with("input_required · permission: cargo test · a person must answer")
    );
}

#[tokio::test]
async fn zero_answers_at_once_and_too_long_is_said() {
    let mut pipe = Pipe::greeted().await;
    let run = pipe
        .call("delegate", json!({"prompt": "long", "wait_ms": 0}))
        .await;
    assert_eq!(pipe.hub.count("run.wait"), 0);
    let id = id_of(&run);
    pipe.hub.change(id, |run| fake::conclude(run, "x"));
    let run = pipe
        .call("run_get", json!({"id": id, "wait_ms": 60_000}))
        .await;
    let said = "wait_ms 60000 was taken as 45000";
    assert!(text(&run).contains(said), "{}", text(&run));
    assert_eq!(run["structuredContent"]["warnings"][0]["detail"], said);
}

#[tokio::test]
async fn cancelling_a_request_ends_the_wait_and_never_the_run() {
    let mut pipe = Pipe::greeted().await;
    let call = pipe
        .begin("delegate", json!({"prompt": "long", "wait_ms": 40_000}))
        .await;
    let hub = pipe.hub.clone();
    until(|| hub.count("run.wait") > 0).await;
    pipe.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": call}})).await;
    pipe.ask("ping", json!({})).await;
    assert_eq!(hub.count("run.cancel"), 0);
    pipe.close().await;
    assert!(
        pipe.hear_or_end().await.is_none(),
        "something was sent for a cancelled request"
    );
    assert!(pipe.end().await.1);
}

#[tokio::test]
async fn progress_is_told_when_the_step_changes_and_only_grows() {
    let mut pipe = Pipe::greeted().await;
    let run = pipe
        .call("delegate", json!({"prompt": "long", "wait_ms": 0}))
        .await;
    let id = id_of(&run);
    let call = pipe
        .send(
            "tools/call",
            json!({"name": "run_get", "arguments": {"id": id}, "_meta": {"progressToken": "tok"}}),
        )
        .await;
    let first = pipe.hear().await;
    assert_eq!(first["method"], "notifications/progress", "{first}");
    assert_eq!(first["params"]["progressToken"], "tok");
    assert_eq!(first["params"]["message"], "running · step: reading");
    pipe.hub
        .change(id, |run| run.step = Some("writing".to_owned()));
    let second = pipe.hear().await;
    assert_eq!(second["params"]["message"], "running · step: writing");
    assert!(second["params"]["progress"].as_f64() > first["params"]["progress"].as_f64());
    pipe.hub.change(id, |run| fake::conclude(run, "x"));
    assert_eq!(pipe.hear().await["id"], call);
}

#[tokio::test]
async fn a_hub_that_hangs_does_not_hold_a_wait() {
    let mut pipe = Pipe::greeted().await;
    let begun = Instant::now();
    let run = pipe
        .call("delegate", json!({"prompt": "hang", "wait_ms": 100}))
        .await;
    assert_eq!(run["structuredContent"]["state"], "running");
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn three_hundred_waits_hold_up_nobody() {
    let mut pipe = Pipe::greeted().await;
    let mut ids = Vec::new();
    for _ in 0..300 {
        let wait = json!({"prompt": "long", "wait_ms": 3_000});
        ids.push(pipe.begin("delegate", wait).await);
    }
    let begun = Instant::now();
    let listed = pipe.call("instance_list", json!({})).await;
    assert_eq!(listed["isError"], false);
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "{:?}",
        begun.elapsed()
    );
    for _ in ids {
        let answer = pipe.hear().await;
        assert_eq!(answer["result"]["isError"], false, "{answer}");
        assert_eq!(answer["result"]["structuredContent"]["warnings"], json!([]));
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_told() {
    let mut pipe = Pipe::greeted().await;
    let call = pipe
        .begin("delegate", json!({"prompt": "long", "wait_ms": 300}))
        .await;
    assert_eq!(pipe.hear().await["id"], call);
}

#[tokio::test]
async fn several_runs_are_awaited_together() {
    let mut pipe = Pipe::greeted().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let run = pipe
            .call("delegate", json!({"prompt": "long", "wait_ms": 0}))
            .await;
        ids.push(id_of(&run));
    }
    let any = pipe
        .begin("run_get", json!({"ids": ids, "until": "any"}))
        .await;
    pipe.hub.change(ids[1], |run| fake::conclude(run, "second"));
    let answer = pipe.answer(any).await;
    let page = &answer["result"]["structuredContent"];
    assert_eq!(page["items"][1]["state"], "succeeded");
    assert_eq!(page["items"][0]["state"], "running");
    assert!(text(&answer["result"]).starts_with("1 of 3 runs have ended"));
    let all = pipe.begin("run_get", json!({"ids": ids})).await;
    pipe.hub.change(ids[0], |run| fake::conclude(run, "first"));
    pipe.hub.change(ids[2], |run| fake::conclude(run, "third"));
    let answer = pipe.answer(all).await;
    assert!(
        text(&answer["result"]).starts_with("3 of 3 runs have ended"),
        "{answer}"
    );
}

/// Waits for something that comes, with a deadline.
pub(super) async fn until(mut there: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !there() {
        assert!(tokio::time::Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
