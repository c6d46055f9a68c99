//! A follow-up finds its conversation: still open, else loaded, else told what came of it. And who the agent is, is said again.

use super::kit::{Larder, Yard};
use eyas::domain::run::{Continuity, PersonaRoute};

#[tokio::test(flavor = "multi_thread")]
async fn live_then_loaded_or_recalled() {
    for (args, expected) in [
        (&["--load"][..], Continuity::Loaded),
        (&["--resume"], Continuity::Resumed),
        (&[], Continuity::Recalled),
    ] {
        let mut yard = Yard::with_args(args).await;
        let session = yard.session();
        let (first, _) = yard
            .say(&session, "!conclude success the walls are blue")
            .await;
        assert_eq!(first.continuity, Some(Continuity::New));
        let (second, said) = yard.say(&session, "!history").await;
        assert_eq!(second.continuity, Some(Continuity::Live));
        assert_eq!(said, "2");
        yard.restart().await;
        yard.resume();
        let (third, said) = yard.say(&session, "and now?").await;
        assert_eq!(third.continuity, Some(expected));
        // The last conclusion is that of the second run.
        assert_eq!(
            said.contains("<eyas:recall>"),
            expected == Continuity::Recalled
        );
        yard.pool.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_persona_in_the_prompt_is_whole_at_first_and_one_line_afterwards() {
    let larder = Larder {
        args: vec!["--no-system-prompt".to_owned()],
        persona: Some("# Kim the reviewer".to_owned()),
        ..Larder::default()
    };
    let yard = Yard::with(larder, 4).await;
    let session = yard.session();
    let (first, said) = yard.say(&session, "hello").await;
    assert!(said.contains("# Kim the reviewer"), "{said}");
    let (second, said) = yard.say(&session, "hello").await;
    assert_eq!(second.continuity, Some(Continuity::Live));
    assert!(
        said.contains("still holds") && !said.contains("Kim"),
        "{said}"
    );
    for run in [first.id, second.id] {
        let attempts = yard.store.runs.attempts(run).await.unwrap();
        assert_eq!(attempts[0].persona_route, Some(PersonaRoute::PromptBlock));
    }
    yard.pool.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spare_session_is_not_a_used_one() {
    let yard = Yard::new().await;
    yard.run(yard.asking("hello")).await;
    let begun = std::time::Instant::now();
    while yard.pool.rows().await[0].spare == 0 {
        assert!(begun.elapsed() < super::kit::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    let (run, said) = yard.say(&yard.session(), "!history").await;
    assert_eq!(
        (run.continuity, said.as_str()),
        (Some(Continuity::New), "1")
    );
    assert!(run.warm);
    yard.pool.close().await;
}
