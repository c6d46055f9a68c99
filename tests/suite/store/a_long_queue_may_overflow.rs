//! Where many wait for a slot, a few go beyond it: never more than there may be cold ones, never who must be warm, and only if it is set so.

use super::kit::{Home, run, run_in, session};
use eyas::{
    domain::run::{Mode, RunState, Waiting},
    store::{AttemptNote, Claimed, NewRun, Progress, Release, sql::Settings},
};

const DEPTH: u32 = 2;

async fn crowded(overflow: Option<u32>, cold_cap: u32) -> Home {
    Home::with(Settings {
        default_cap: 1,
        cold_cap,
        overflow,
        ..Settings::default()
    })
    .await
}

fn beyond(claimed: &[Claimed]) -> usize {
    claimed.iter().filter(|one| one.overflow.is_some()).count()
}

#[tokio::test]
async fn what_is_above_the_depth_goes_cold_oldest_first() {
    let home = crowded(Some(DEPTH), 2).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(home.accept(run()).await);
    }
    let first = home.claim(10).await;
    assert_eq!((first.len(), beyond(&first)), (1, 0), "two may wait");
    for _ in 0..3 {
        ids.push(home.accept(run()).await);
    }
    let cold = home.claim(10).await;
    assert_eq!((cold.len(), beyond(&cold)), (2, 2), "five wait, two may go");
    let taken: Vec<_> = cold.iter().map(|one| one.lease.run).collect();
    assert_eq!(taken, ids[1..3]);
    assert_eq!(cold[0].overflow, Some(DEPTH));
    assert!(home.claim(10).await.is_empty(), "no more than two");
    // What was leased beyond takes no slot of the class.
    home.finish(first[0].lease).await;
    let next = home.claim(10).await;
    assert_eq!((next.len(), beyond(&next)), (1, 0));
    assert_eq!(next[0].lease.run, ids[3]);
    home.finish(cold[0].lease).await;
    assert!(
        home.claim(10).await.is_empty(),
        "two are left, and may wait"
    );
    let waiting = home.store.runs.get(ids[5]).await.unwrap().waiting;
    assert_eq!(waiting, Some(Waiting::Slot));
}

#[tokio::test]
async fn nobody_goes_cold_where_all_are_to_wait() {
    let home = crowded(None, 2).await;
    for _ in 0..40 {
        home.accept(run()).await;
    }
    assert_eq!(home.claim(100).await.len(), 1);
}

#[tokio::test]
async fn who_must_be_warm_or_has_an_agent_waits() {
    let home = crowded(Some(0), 8).await;
    let talk = session();
    let first = home.accept(run_in(talk.clone())).await;
    let lease = home.claim_one().await;
    let note = AttemptNote {
        agent_session: Some("its own".to_owned()),
        ..AttemptNote::default()
    };
    let noted = Progress {
        note,
        ..Progress::default()
    };
    home.store.runs.append(lease, noted).await.unwrap();
    home.finish(lease).await;
    let mut ids = vec![home.accept(run()).await];
    for _ in 0..3 {
        let mode = Mode::Warm;
        ids.push(home.accept(NewRun { mode, ..run() }).await);
    }
    let again = home.accept(run_in(talk)).await;
    let last = home.accept(run()).await;
    let claimed = home.claim(10).await;
    let taken: Vec<_> = claimed.iter().map(|one| one.lease.run).collect();
    assert_eq!(taken, [ids[0], last], "one has the slot, one goes beyond");
    assert_eq!(beyond(&claimed), 1);
    assert_eq!(home.state(again).await, RunState::Queued);
    assert_eq!(home.state(first).await, RunState::Succeeded);
    assert!(home.claim(10).await.is_empty());
}

#[tokio::test]
async fn a_tree_keeps_its_one_writer() {
    let home = crowded(Some(0), 8).await;
    for tree in ["/a", "/a", "/b", "/b", "/b"] {
        let tree = Some(tree.to_owned());
        home.accept(NewRun { tree, ..run() }).await;
    }
    let claimed = home.claim(10).await;
    assert_eq!((claimed.len(), beyond(&claimed)), (2, 1));
    assert!(home.claim(10).await.is_empty());
}

#[tokio::test]
async fn one_that_is_given_back_waits_like_the_others() {
    let home = crowded(Some(0), 1).await;
    home.accept(run()).await;
    let id = home.accept(run()).await;
    let claimed = home.claim(10).await;
    assert_eq!(beyond(&claimed), 1);
    let release = Release {
        waiting: Some(Waiting::Environment),
        delay_ms: 3_600_000,
        reason: "not now".to_owned(),
    };
    home.store
        .runs
        .release(claimed[1].lease, release)
        .await
        .unwrap();
    home.finish(claimed[0].lease).await;
    home.store.runs.wake(Waiting::Environment).await.unwrap();
    let again = home.claim(10).await;
    assert_eq!((again[0].lease.run, beyond(&again)), (id, 0));
}

#[tokio::test]
async fn every_agent_has_its_queue_and_all_share_the_room() {
    let home = crowded(Some(1), 3).await;
    for agent in ["a", "b", "c"] {
        for _ in 0..6 {
            let agent = agent.to_owned();
            home.accept(run_in(eyas::store::SessionRow { agent, ..session() }))
                .await;
        }
    }
    let claimed = home.claim(100).await;
    assert_eq!((claimed.len(), beyond(&claimed)), (6, 3));
    let cold: std::collections::HashSet<_> = claimed
        .iter()
        .filter(|one| one.overflow.is_some())
        .map(|one| one.run.agent.clone())
        .collect();
    assert_eq!(cold.len(), 3, "one of each");
    // What was asked to be cold shares it too.
    let mode = Mode::Cold;
    let asked = home.accept(NewRun { mode, ..run() }).await;
    assert!(home.claim(100).await.is_empty());
    let ended = claimed.iter().find(|one| one.overflow.is_some()).unwrap();
    home.finish(ended.lease).await;
    let next = home.claim(100).await;
    assert_eq!(next.len(), 1);
    assert_eq!((next[0].lease.run, next[0].overflow), (asked, None));
}
