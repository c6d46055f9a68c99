use super::kit::{LIMITS, Linked, connect};
use eyas::domain::fault::{ErrorKind, Fault};
use std::time::{Duration, Instant};

fn told(fault: &Fault, status: &str) {
    assert_eq!(fault.kind, ErrorKind::AgentDied, "{fault}");
    assert!(
        fault.detail.contains(status) && fault.detail.contains("dies as told"),
        "{fault}"
    );
}

#[tokio::test]
async fn at_initialize() {
    told(
        &connect(&["--die-at", "initialize"], LIMITS)
            .await
            .1
            .unwrap_err(),
        "exit status 7",
    );
}

#[tokio::test]
async fn at_session_new() {
    let linked = Linked::new(&["--die-at", "session"]).await;
    told(
        &linked.link.open(linked.opening()).await.unwrap_err(),
        "exit status 7",
    );
}

#[tokio::test]
async fn at_the_prompt() {
    let linked = Linked::new(&["--die-at", "prompt"]).await;
    let session = linked.session().await;
    told(
        &linked.prompt(&session, "hello").await.unwrap_err(),
        "exit status 7",
    );
}

#[tokio::test]
async fn in_the_midst_of_a_turn_and_all_waiters_learn_it() {
    let linked = Linked::new(&[]).await;
    let (one, two) = (linked.session().await, linked.session().await);
    let begun = Instant::now();
    let (first, second, third, ()) = tokio::join!(
        linked.prompt(&one, "!hang"),
        linked.prompt(&one, "behind it"),
        linked.prompt(&two, "!sleep 50\n!die 3"),
        linked.link.died(),
    );
    for fault in [first, second, third].map(Result::unwrap_err) {
        told(&fault, "exit status 3");
    }
    assert!(begun.elapsed() < Duration::from_secs(5));
    told(
        &linked.prompt(&one, "after it").await.unwrap_err(),
        "exit status 3",
    );
    told(
        &linked.link.open(linked.opening()).await.unwrap_err(),
        "exit status 3",
    );
}

#[tokio::test]
async fn though_a_grandchild_holds_its_pipes() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    linked.say(&session, "!grandchild pipes").await;
    let begun = Instant::now();
    told(
        &linked.prompt(&session, "!die 4").await.unwrap_err(),
        "exit status 4",
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}
