use super::kit::{Bench, LIMITS, Linked, connect};
use eyas::{
    agents::acp::Link,
    domain::{
        agent::Limits,
        fault::{ErrorKind, Fault},
    },
};

const SHORT: Limits = Limits {
    initialize_ms: 400,
    ..LIMITS
};

async fn refused(args: &[&str]) -> Fault {
    connect(args, SHORT).await.1.unwrap_err()
}

#[tokio::test]
async fn capabilities_are_read() {
    let linked = Linked::new(&["--load", "--name", "@x/claude-like"]).await;
    let can = linked.link.capabilities();
    assert!(can.load && !can.resume && can.close && can.system_prompt);
    assert_eq!(
        (can.agent_name.as_str(), can.agent_version.as_deref()),
        ("@x/claude-like", Some("1.2.3"))
    );
}

#[tokio::test]
async fn version_1_is_asked_for() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert_eq!(linked.say(&session, "!version").await, "1");
}

#[tokio::test]
async fn a_silent_agent_times_out() {
    assert_eq!(
        refused(&["--silent"]).await.kind,
        ErrorKind::HandshakeTimeout
    );
}

#[tokio::test]
async fn one_that_only_prints_is_malformed_and_quoted() {
    let fault = refused(&["--garbage-only"]).await;
    assert_eq!(fault.kind, ErrorKind::HandshakeMalformed);
    assert!(fault.detail.contains("Welcome to the agent!"), "{fault}");
}

#[tokio::test]
async fn another_version_is_a_mismatch() {
    let fault = refused(&["--protocol", "2"]).await;
    assert_eq!(fault.kind, ErrorKind::VersionMismatch);
    assert!(fault.detail.contains('2'), "{fault}");
}

#[tokio::test]
async fn noise_before_the_answer_is_no_failure() {
    let linked = Linked::new(&["--garbage-first"]).await;
    let session = linked.session().await;
    assert_eq!(linked.say(&session, "hello").await, "echo: hello");
}

#[tokio::test]
async fn a_program_that_prints_and_exits_is_quoted() {
    let bench = Bench::new();
    let process = bench
        .launch("sh", &["-c", "echo this agent is no longer maintained"])
        .await;
    let fault = Link::connect(process, LIMITS, "fake").await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentDied);
    assert!(
        fault.detail.contains("no longer maintained") && fault.detail.contains("exit status 0"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_a_spawn_failure() {
    let bench = Bench::new();
    let process = bench.launch("no-such-program-anywhere", &[]).await;
    let fault = Link::connect(process, LIMITS, "fake").await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::AgentSpawn);
    assert!(fault.detail.contains("no-such-program-anywhere"), "{fault}");
}
