//! Of a session, the oldest unfinished run is worked on, alone.

use super::kit::{Home, conclusion, run_in, session};
use eyas::domain::run::{RunState, Waiting};

#[tokio::test]
async fn runs_of_a_session_follow_each_other() {
    let home = Home::new().await;
    let talk = session();
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(home.accept(run_in(talk.clone())).await);
    }
    let second = home.store.runs.get(ids[1]).await.unwrap();
    assert_eq!(second.waiting, Some(Waiting::Session));
    let mut fence = 0;
    for (n, id) in ids.iter().enumerate() {
        let claimed = home.claim(10).await;
        assert_eq!(claimed.len(), 1, "one at a time");
        let claimed = &claimed[0];
        assert_eq!(claimed.lease.run, *id, "in order");
        assert_eq!(claimed.run.state, RunState::Running);
        assert!(claimed.lease.fence > fence, "the fence rises");
        fence = claimed.lease.fence;
        let before = claimed
            .last_conclusion
            .as_ref()
            .map(|last| last.summary.as_str());
        assert_eq!(before, (n > 0).then_some("done"));
        assert!(home.claim(10).await.is_empty());
        home.finish(claimed.lease).await;
    }
    assert!(home.claim(10).await.is_empty());
    assert_eq!(
        home.store.runs.get(ids[2]).await.unwrap().conclusion,
        Some(conclusion("done"))
    );
}

#[tokio::test]
async fn a_continued_session_keeps_its_own_row() {
    let home = Home::new().await;
    let talk = session();
    home.accept(run_in(talk.clone())).await;
    let mut other = talk.clone();
    other.agent = "claude".to_owned();
    other.cwd = "/elsewhere".to_owned();
    let second = home.accept(run_in(other)).await;
    assert_eq!(home.store.runs.session(talk.id).await.unwrap(), talk);
    assert_eq!(home.store.runs.get(second).await.unwrap().agent, "embedded");
}

#[tokio::test]
async fn a_session_that_was_idle_takes_new_runs() {
    let home = Home::new().await;
    let talk = session();
    home.accept(run_in(talk.clone())).await;
    let first = home.claim_one().await;
    home.finish(first).await;
    let second = home.accept(run_in(talk)).await;
    let lease = home.claim_one().await;
    assert_eq!(lease.run, second);
    assert_eq!(lease.fence, first.fence + 1);
}
