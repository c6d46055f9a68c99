use super::kit::Linked;
use eyas::{agents::acp::TurnEvent, domain::policy::Security};

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
