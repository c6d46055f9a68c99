use super::pipe::Pipe;
use serde_json::json;
use std::time::Duration;

/// The contract says 50 ms; the rest is the machine's.
const AT_ONCE: Duration = Duration::from_millis(250);

#[tokio::test]
async fn with_nothing_open_at_once_even_before_the_first_request() {
    for begin in 0..4 {
        let mut pipe = Pipe::new().await;
        match begin {
            0 => {}
            1 => drop(pipe.ask_modern("server/discover", json!({})).await),
            2 => drop(pipe.greet().await),
            _ => {
                pipe.greet().await;
                pipe.call("run_list", json!({})).await;
            }
        }
        pipe.close().await;
        let (took, well) = pipe.end().await;
        assert!(well && took < AT_ONCE, "{begin}: {took:?}");
    }
}

#[tokio::test]
async fn a_wait_answers_with_what_is_known() {
    let mut pipe = Pipe::greeted().await;
    let id = pipe
        .begin("delegate", json!({"prompt": "long", "wait_ms": 40_000}))
        .await;
    until(|| pipe.hub.count("run.wait") > 0).await;
    pipe.close().await;
    let answer = pipe.answer(id).await;
    assert_eq!(answer["result"]["structuredContent"]["state"], "running");
    let (took, well) = pipe.end().await;
    assert!(well && took < AT_ONCE, "{took:?}");
}

#[tokio::test]
async fn calls_that_were_read_are_answered() {
    let mut pipe = Pipe::greeted().await;
    let mut ids = Vec::new();
    for _ in 0..100 {
        ids.push(pipe.begin("delegate", json!({"prompt": "succeed"})).await);
    }
    pipe.close().await;
    for _ in &ids {
        let answer = pipe.hear().await;
        assert_eq!(answer["result"]["structuredContent"]["state"], "succeeded");
    }
    assert!(pipe.hear_or_end().await.is_none());
    assert!(pipe.end().await.1);
}

#[tokio::test]
async fn the_last_line_needs_no_end() {
    let mut pipe = Pipe::new().await;
    pipe.write(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}")
        .await;
    pipe.close().await;
    assert_eq!(pipe.hear().await["id"], 1);
    assert!(pipe.end().await.1);
}

#[tokio::test]
async fn a_hub_that_does_not_answer_has_one_second() {
    let mut pipe = Pipe::greeted().await;
    let id = pipe.begin("delegate", json!({"prompt": "never"})).await;
    until(|| pipe.hub.count("run.delegate") > 0).await;
    pipe.close().await;
    let begun = std::time::Instant::now();
    let answer = pipe.answer(id).await;
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    assert!(
        begun.elapsed() < Duration::from_millis(1400),
        "{:?}",
        begun.elapsed()
    );
    assert!(pipe.end().await.1);
}

#[tokio::test]
async fn a_dead_parent_is_the_end_too() {
    let mut pipe = Pipe::greeted().await;
    let id = pipe
        .begin("delegate", json!({"prompt": "long", "wait_ms": 40_000}))
        .await;
    until(|| pipe.hub.count("run.wait") > 0).await;
    pipe.gone.cancel();
    assert_eq!(
        pipe.answer(id).await["result"]["structuredContent"]["state"],
        "running"
    );
    let (took, well) = pipe.end().await;
    assert!(well && took < AT_ONCE, "{took:?}");
}

#[tokio::test]
async fn a_client_that_no_longer_reads_does_not_hold_it() {
    let mut pipe = Pipe::greeted().await;
    let call = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n".repeat(400);
    pipe.write(call.as_bytes()).await;
    pipe.close().await;
    let (took, well) = pipe.end().await;
    assert!(well && took < Duration::from_secs(3), "{took:?}");
}

/// Waits for something that comes, with a deadline.
async fn until(mut there: impl FnMut() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    while !there() {
        assert!(tokio::time::Instant::now() < deadline, "it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
