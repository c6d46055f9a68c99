use super::kit::{Linked, until};
use std::time::Duration;

#[tokio::test]
async fn whether_it_is_asked_for() {
    let linked = Linked::new(&["--ask-trust"]).await;
    let session = linked.session().await;
    until(Duration::from_secs(5), || {
        linked.link.trust_wanted().is_some()
    })
    .await;
    let said = linked.link.trust_wanted().unwrap();
    assert!(said.contains("Trust this folder?"), "{said}");
    let answers = linked.say(&session, "!strays").await;
    assert_eq!(answers, r#"[{"outcome":{"outcome":"cancelled"}}]"#);
}

#[tokio::test]
async fn or_only_muttered_about() {
    let muttered = "Skipping context files due to untrusted folder";
    let linked = Linked::new(&["--mutter", muttered]).await;
    linked.session().await;
    until(Duration::from_secs(5), || {
        linked.link.trust_wanted().is_some()
    })
    .await;
    assert_eq!(linked.link.trust_wanted().as_deref(), Some(muttered));
}

#[tokio::test]
async fn and_most_say_nothing_of_it() {
    let linked = Linked::new(&["--mutter", "hello"]).await;
    let session = linked.session().await;
    linked.say(&session, "!permission execute git status").await;
    assert_eq!(linked.link.trust_wanted(), None);
}
