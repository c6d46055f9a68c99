use super::kit::{LIMITS, Linked};
use eyas::domain::{agent::Limits, fault::ErrorKind, policy::Security};
use std::time::{Duration, Instant};
use tokio::{sync::mpsc, time::timeout};

#[tokio::test]
async fn and_the_next_prompt_works() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let (send, mut events) = mpsc::unbounded_channel();
    let permit = linked.permit(Security::Allowlist);
    let turn = linked.link.prompt(
        &session,
        "!say begun\n!sleep 60000".to_owned(),
        permit,
        send,
    );
    let cancel = async {
        events.recv().await.unwrap();
        linked.link.cancel(&session);
    };
    let begun = Instant::now();
    let (end, ()) = tokio::join!(turn, cancel);
    let end = end.unwrap();
    assert_eq!(
        (end.stop_reason.as_str(), end.text.as_str()),
        ("cancelled", "begun")
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(linked.say(&session, "!history").await, "2");
}

#[tokio::test]
async fn so_does_one_whose_caller_left() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert!(
        timeout(
            Duration::from_millis(100),
            linked.prompt(&session, "!sleep 60000")
        )
        .await
        .is_err()
    );
    // It waits for the end of the abandoned turn, not for its minute.
    let next = timeout(Duration::from_secs(5), linked.say(&session, "!history"))
        .await
        .unwrap();
    assert_eq!(next, "2");
}

#[tokio::test]
async fn and_one_whose_caller_left_before_its_turn() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let long = linked.prompt(&session, "!sleep 400\n!say done");
    let left = timeout(
        Duration::from_millis(100),
        linked.prompt(&session, "!say never"),
    );
    let (long, left, after) = tokio::join!(biased; long, left, linked.say(&session, "!history"));
    assert_eq!(long.unwrap().text, "done");
    assert!(left.is_err());
    assert_eq!(after, "2");
}

#[tokio::test]
async fn a_turn_that_takes_too_long_is_stopped() {
    let linked = Linked::limited(Limits {
        prompt_ms: 200,
        ..LIMITS
    })
    .await;
    let session = linked.session().await;
    let fault = linked.prompt(&session, "!sleep 60000").await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::TimedOut);
    assert_eq!(linked.say(&session, "hello").await, "echo: hello");
}

#[tokio::test]
async fn but_one_that_never_answers_is_stalled_and_other_sessions_go_on() {
    let linked = Linked::limited(Limits {
        prompt_ms: 200,
        close_ms: 200,
        ..LIMITS
    })
    .await;
    let (stuck, other) = (linked.session().await, linked.session().await);
    assert_eq!(
        linked.prompt(&stuck, "!hang").await.unwrap_err().kind,
        ErrorKind::TimedOut
    );
    assert_eq!(
        linked.prompt(&stuck, "hello").await.unwrap_err().kind,
        ErrorKind::Stalled
    );
    assert_eq!(linked.say(&other, "hello").await, "echo: hello");
}

#[tokio::test]
async fn what_is_asked_after_the_cancellation_is_answered_cancelled() {
    let linked = Linked::limited(Limits {
        close_ms: 2_000,
        ..LIMITS
    })
    .await;
    let session = linked.session().await;
    let (send, mut events) = mpsc::unbounded_channel();
    let permit = linked.permit(Security::Full);
    // A deaf agent: it goes on, and asks.
    let script = "!deaf\n!say begun\n!sleep 300\n!permission execute git status";
    let turn = linked
        .link
        .prompt(&session, script.to_owned(), permit, send);
    let cancel = async {
        events.recv().await.unwrap();
        linked.link.cancel(&session);
    };
    let (end, ()) = tokio::join!(turn, cancel);
    assert_eq!(end.unwrap().text, "begunpermission: cancelled\n");
}

#[tokio::test]
async fn a_deaf_turn_is_stalled() {
    let linked = Linked::limited(Limits {
        close_ms: 100,
        ..LIMITS
    })
    .await;
    let session = linked.session().await;
    let (send, mut events) = mpsc::unbounded_channel();
    let turn = linked.link.prompt(
        &session,
        "!deaf\n!say begun\n!hang".to_owned(),
        linked.permit(Security::Full),
        send,
    );
    let cancel = async {
        events.recv().await.unwrap();
        linked.link.cancel(&session);
    };
    let (end, ()) = tokio::join!(turn, cancel);
    assert_eq!(end.unwrap_err().kind, ErrorKind::Stalled);
}

#[tokio::test]
async fn one_cancelled_before_it_was_sent_never_is() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let (end, ()) = tokio::join!(biased; linked.prompt(&session, "!hang"), async { linked.link.cancel(&session) });
    assert_eq!(end.unwrap().stop_reason, "cancelled");
    assert_eq!(linked.say(&session, "!history").await, "1");
}

#[tokio::test]
async fn closing_the_link_ends_the_turn() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let begun = Instant::now();
    let (end, ()) =
        tokio::join!(biased; linked.prompt(&session, "!say a\n!sleep 60000"), linked.link.close());
    assert_eq!(end.unwrap().stop_reason, "cancelled");
    assert!(begun.elapsed() < Duration::from_secs(3));
    linked.link.died().await;
}
