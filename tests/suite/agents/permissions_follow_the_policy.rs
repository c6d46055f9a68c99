use super::kit::{LIMITS, Linked, until};
use eyas::{
    agents::acp::{Permit, Touch, TurnEvent},
    domain::{agent::Limits, policy::Security},
};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

async fn asked(
    linked: &Linked,
    what: &str,
    security: Security,
) -> (String, Vec<String>, Vec<TurnEvent>) {
    let session = linked.session().await;
    let (end, events) = linked
        .watched(&session, &format!("!permission {what}"), security)
        .await;
    let end = end.unwrap();
    (end.text.trim().to_owned(), end.denied, events)
}

#[tokio::test]
async fn and_are_picked_by_kind() {
    let linked = Linked::new(&[]).await;
    for (what, security, answer) in [
        ("execute git status", Security::Allowlist, "yes"),
        ("execute git push", Security::Allowlist, "no"),
        ("execute git push", Security::Full, "yes"),
        ("edit src/a.rs", Security::Allowlist, "yes"),
        ("edit /etc/passwd", Security::Allowlist, "no"),
        ("edit src/a.rs", Security::Deny, "no"),
        ("read src/a.rs", Security::Deny, "yes"),
        ("from_the_future x", Security::Allowlist, "no"),
    ] {
        let (said, denied, events) = asked(&linked, what, security).await;
        assert_eq!(said, format!("permission: {answer}"), "{what}");
        assert_eq!(denied.len(), usize::from(answer == "no"), "{what}");
        let title = what.split_once(' ').unwrap().1.to_owned();
        let decision = if answer == "no" {
            "rejected"
        } else {
            "allowed"
        };
        let TurnEvent::Permission {
            title: told,
            decision: decided,
            option,
            why,
        } = &events[0]
        else {
            panic!("{events:?}");
        };
        assert_eq!((told, *decided), (&title, decision));
        assert_eq!(option.as_deref(), Some(answer));
        assert!(!why.is_empty());
    }
}

#[tokio::test]
async fn and_a_person_may_take_longer_than_a_prompt() {
    let limits = Limits {
        prompt_ms: 1_000,
        ..LIMITS
    };
    let linked = Linked::limited(limits).await;
    let session = linked.session().await;
    let (send, mut petitions) = mpsc::unbounded_channel();
    let permit = Permit {
        petitions: Some(send),
        ..linked.permit(Security::Allowlist)
    };
    let pause = permit.pause.clone();
    let (events, _heard) = mpsc::unbounded_channel();
    let text = "!permission execute git push\n!permission execute git fetch".to_owned();
    let turn = linked.link.prompt(&session, text, permit, events);
    let person = async {
        let first = petitions.recv().await.unwrap();
        let held = pause.hold();
        let begun = Instant::now();
        until(Duration::from_secs(10), || {
            begun.elapsed() > Duration::from_millis(1_200)
        })
        .await;
        first.answer(Some("yes".to_owned()));
        drop(held);
        // Whoever was asked has left.
        drop(petitions.recv().await.unwrap());
    };
    let (end, ()) = tokio::join!(turn, person);
    let end = end.unwrap();
    assert_eq!(end.text, "permission: yes\npermission: no\n");
    assert!(end.denied.is_empty(), "the policy denied nothing");
}

/// Whoever keeps the books has the first change before the agent is told that it may; what follows waits for nothing.
#[tokio::test]
async fn and_what_changes_something_waits_until_that_is_kept() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let text = "!permission read a\n!permission execute git push\n!permission execute git fetch";
    let run = |touches: mpsc::UnboundedSender<Touch>| {
        let permit = Permit {
            touches: Some(touches),
            ..linked.permit(Security::Full)
        };
        let (events, _heard) = mpsc::unbounded_channel();
        linked
            .link
            .prompt(&session, text.to_owned(), permit, events)
    };
    let (send, mut touches) = mpsc::unbounded_channel::<Touch>();
    let keeper = async {
        let first = touches.recv().await.unwrap();
        assert_eq!(
            (first.title.as_str(), first.is_awaited()),
            ("git push", true)
        );
        let early = tokio::time::timeout(Duration::from_millis(300), touches.recv()).await;
        assert!(early.is_err(), "the agent waits");
        first.keep();
        let second = touches.recv().await.unwrap();
        assert!(!second.is_awaited());
    };
    let (end, ()) = tokio::join!(run(send), keeper);
    assert_eq!(end.unwrap().text.matches("permission: yes").count(), 3);

    // What could not be written down does not happen.
    let (send, mut touches) = mpsc::unbounded_channel::<Touch>();
    let forgetful = async { while touches.recv().await.is_some() {} };
    let turn = async move { run(send).await };
    let (end, ()) = tokio::join!(turn, forgetful);
    let end = end.unwrap();
    assert_eq!(
        end.text.matches("permission: no").count(),
        2,
        "{}",
        end.text
    );
    assert!(!end.edited);
}
