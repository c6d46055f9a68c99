use super::kit::Linked;
use std::time::{Duration, Instant};

#[tokio::test]
async fn two_sessions_at_once() {
    let linked = Linked::new(&[]).await;
    let (one, two) = (linked.session().await, linked.session().await);
    let begun = Instant::now();
    let (a, b) = tokio::join!(
        linked.say(&one, "!sleep 1500\n!say a"),
        linked.say(&two, "!sleep 1500\n!say b")
    );
    assert_eq!((a.as_str(), b.as_str()), ("a", "b"));
    assert!(begun.elapsed() < Duration::from_millis(2_900));
}

#[tokio::test]
async fn one_session_after_the_other() {
    let linked = Linked::new(&[]).await;
    let session = linked.session().await;
    let begun = Instant::now();
    let (a, b, c) = tokio::join!(
        biased;
        linked.say(&session, "!sleep 200\n!history"),
        linked.say(&session, "!sleep 200\n!history"),
        linked.say(&session, "!history"),
    );
    assert_eq!([a, b, c], ["1", "2", "3"]);
    assert!(begun.elapsed() >= Duration::from_millis(400));
}
