use super::kit::Linked;
use eyas::{
    agents::acp::{PlanEntry, TurnEvent},
    domain::policy::Security,
};

#[tokio::test]
async fn in_order_and_before_it_ends() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let script =
        "persona block before it\n!think hm\n!plan a,b\n!tool look read src\n!usage\n!say done";
    let (end, events) = linked.watched(&session, script, Security::Allowlist).await;
    let tool = |status: &str| TurnEvent::ToolCall {
        id: "t1".to_owned(),
        title: "look".to_owned(),
        kind: "read".to_owned(),
        status: status.to_owned(),
        locations: vec!["src".into()],
    };
    let entry = |content: &str| PlanEntry {
        content: content.to_owned(),
        status: "pending".to_owned(),
    };
    assert_eq!(
        events[0],
        TurnEvent::Thought {
            text: "hm".to_owned()
        }
    );
    assert_eq!(
        events[1],
        TurnEvent::Plan {
            entries: vec![entry("a"), entry("b")]
        }
    );
    assert_eq!(events[2..4], [tool("pending"), tool("completed")]);
    assert!(
        matches!(&events[4], TurnEvent::Usage { usage, turn_usd } if usage.cost_usd == Some(0.25) && (*turn_usd - 0.25).abs() < 1e-9)
    );
    assert_eq!(
        events[5..],
        [TurnEvent::Message {
            text: "done".to_owned()
        }]
    );
    let end = end.unwrap();
    let usage = end.usage.unwrap();
    assert_eq!((usage.total_tokens, usage.cost_usd), (Some(18), Some(0.25)));
    assert!(!end.edited && end.denied.is_empty() && end.stop_reason == "end_turn");
}

#[tokio::test]
async fn a_thousand_messages_arrive_in_order() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let script: String = (0..1_000).map(|n| format!("!say {n},\n")).collect();
    let expected: String = (0..1_000).map(|n| format!("{n},")).collect();
    let (end, events) = linked.watched(&session, &script, Security::Allowlist).await;
    assert_eq!(end.unwrap().text, expected);
    assert_eq!(events.len(), 1_000);
}

#[tokio::test]
async fn whether_something_may_have_changed() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    for (script, edited) in [
        ("!tool look read", false),
        ("!tool change edit", true),
        ("!tool run execute", true),
        ("!permission execute git status", true),
        ("!permission execute git push", false),
        ("!write a.txt hello", true),
    ] {
        assert_eq!(
            linked.prompt(&session, script).await.unwrap().edited,
            edited,
            "{script}"
        );
    }
}
