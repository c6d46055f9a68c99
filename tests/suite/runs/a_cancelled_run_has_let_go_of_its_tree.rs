//! A cancelled run is over when its agent has let go: nobody works in its tree then, and the conversation can go on.

use super::kit::Yard;
use eyas::domain::run::{Continuity, RunState};

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_has_ended_its_turn_and_the_conversation_goes_on() {
    let yard = Yard::new().await;
    let session = yard.session();
    let run = yard
        .accept(Yard::asking_in(
            session.clone(),
            "!tool begun read\n!sleep 600000",
        ))
        .await;
    yard.until_at(run, "begun").await;
    yard.cancel(run).await;
    let run = yard.end_of(run).await;
    assert_eq!(run.state, RunState::Cancelled);
    assert!(run.usage.is_some(), "the agent's own end was waited for");
    assert_eq!(yard.pool.rows().await[0].busy, 0);
    let (next, said) = yard.say(&session, "!history").await;
    assert_eq!(next.continuity, Some(Continuity::Live));
    assert_eq!(said, "2");
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_does_not_listen_is_not_waited_for_long() {
    let yard = Yard::with_args(&["--load"]).await;
    let session = yard.session();
    let run = yard
        .accept(Yard::asking_in(
            session.clone(),
            "!tool begun read\n!deaf\n!sleep 600000",
        ))
        .await;
    yard.until_at(run, "begun").await;
    yard.cancel(run).await;
    assert_eq!(yard.end_of(run).await.state, RunState::Cancelled);
    // The session owes us the end of a turn: it is taken up anew.
    let (next, _) = yard.say(&session, "hello").await;
    assert_eq!(next.continuity, Some(Continuity::Loaded));
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_ends_a_turn_as_a_person_does() {
    let yard = Yard::new().await;
    let mut run = yard.asking("!tool begun read\n!sleep 600000");
    run.timeout_ms = Some(1_500);
    let run = yard.run(run).await;
    assert_eq!(run.state, RunState::TimedOut);
    assert_eq!(yard.pool.rows().await[0].busy, 0);
    yard.pool.close().await;
}
