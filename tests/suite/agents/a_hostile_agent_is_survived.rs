use super::kit::{Linked, is_alive};
use eyas::domain::{fault::ErrorKind, policy::Security};
use std::time::Duration;

#[tokio::test]
async fn garbage_in_a_turn() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert_eq!(
        linked.say(&session, "!garbage\n!say still here").await,
        "still here"
    );
}

#[tokio::test]
async fn a_flood_on_stdout() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert_eq!(
        linked.say(&session, "!chatter 50000\n!say dry").await,
        "dry"
    );
    let fault = linked
        .prompt(&session, "!chatter 5\n!die 2")
        .await
        .unwrap_err();
    assert!(fault.detail.contains("50005 line(s) on stdout"), "{fault}");
    assert!(fault.detail.len() < 8_000, "{fault}");
}

#[tokio::test]
async fn a_stop_reason_an_update_and_an_option_kind_from_the_future() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let end = linked
        .prompt(
            &session,
            "!weird\n!permission execute git status\n!stop weird_reason",
        )
        .await
        .unwrap();
    assert_eq!(
        (end.stop_reason.as_str(), end.text.as_str()),
        ("weird_reason", "permission: yes\n")
    );
}

#[tokio::test]
async fn updates_for_nobody() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert_eq!(
        linked.say(&session, "!stray not mine\n!say mine").await,
        "mine"
    );
}

#[tokio::test]
async fn requests_that_were_never_offered() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    for method in [
        "fs/read_text_file",
        "fs/write_text_file",
        "terminal/create",
        "terminal/output",
        "terminal/kill",
        "terminal/release",
        "session/new",
        "from/the_future",
    ] {
        let said = linked.say(&session, &format!("!ask {method}")).await;
        assert_eq!(said, "-32601", "{method}");
    }
}

#[tokio::test]
async fn a_line_of_64_mib_is_read_past_and_a_longer_one_ends_its_turn() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert_eq!(
        linked.say(&session, "!line 67108864\n!say whole").await,
        "whole"
    );
    let fault = linked
        .prompt(&session, "!line 67108865\n!sleep 60000")
        .await
        .unwrap_err();
    assert_eq!(fault.kind, ErrorKind::TooLarge);
    assert_eq!(linked.say(&session, "!say again").await, "again");
}

#[tokio::test]
async fn a_flood_on_stderr() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    assert_eq!(
        linked.say(&session, "!stderr 5000000\n!say dry").await,
        "dry"
    );
    assert!(linked.link.process().stderr_tail().len() <= 65_536);
}

#[tokio::test]
async fn a_flood_of_messages_keeps_its_tail() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let script = format!("!say {}\n", "x".repeat(100_000)).repeat(8) + "!say the end";
    let end = linked.prompt(&session, &script).await.unwrap();
    assert!(end.text.len() <= 256 * 1024 && end.text.ends_with("the end"));
}

#[tokio::test]
async fn grandchildren_and_deafness() {
    let linked = Linked::new(&["--ignore-term"]).await;
    let session = linked.session().await;
    let mut pids = Vec::new();
    for how in ["setsid", "double", "pipes"] {
        pids.push(
            linked
                .say(&session, &format!("!grandchild {how}"))
                .await
                .parse()
                .unwrap(),
        );
    }
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    tokio::time::timeout(Duration::from_secs(8), linked.link.close())
        .await
        .unwrap();
    assert!(!pids.iter().any(|pid| is_alive(*pid)));
}

#[tokio::test]
async fn dropping_the_link_leaves_nobody() {
    let linked = Linked::new(&["--ignore-term"]).await;
    let session = linked.session().await;
    let (end, _) = linked
        .watched(&session, "!grandchild double", Security::Full)
        .await;
    let pids = [
        linked.link.process().pid(),
        end.unwrap().text.parse().unwrap(),
    ];
    drop(linked.link);
    super::kit::until(Duration::from_secs(2), || {
        !pids.iter().any(|pid| is_alive(*pid))
    })
    .await;
}
