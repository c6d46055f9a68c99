//! Some agents say a last word after the end of their turn: it is heard for a moment, and nobody waits for it.

use super::kit::Linked;
use eyas::{
    agents::acp::{STRAGGLERS, TurnEvent},
    domain::policy::Security,
};
use std::time::Duration;
use tokio::{sync::mpsc, time::timeout};

fn message(text: &str) -> TurnEvent {
    TurnEvent::Message {
        text: text.to_owned(),
    }
}

#[tokio::test]
async fn and_what_comes_later_is_not() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let permit = || linked.permit(Security::Allowlist);
    // Several times: on a busy machine the end of the turn may be heard of too late, and the last word is then in it, or the moment is over.
    for round in 1.. {
        let (send, mut told) = mpsc::unbounded_channel();
        let script = "!say in time\n!late 15 just after\n!late 400 much later".to_owned();
        let end = linked.link.prompt(&session, script, permit(), send).await;
        let text = end.unwrap().text;
        assert!(text.starts_with("in time"), "{text}");
        assert_eq!(told.recv().await, Some(message("in time")));
        let after = timeout(STRAGGLERS * 2, told.recv()).await;
        let later = timeout(Duration::from_millis(600), told.recv()).await;
        assert!(!matches!(later, Ok(Some(_))), "{later:?}");
        if text == "in time" && after == Ok(Some(message("just after"))) {
            break;
        }
        assert!(round < 10, "{text}, {after:?}");
    }
    assert_eq!(linked.say(&session, "!say next").await, "next");
}
