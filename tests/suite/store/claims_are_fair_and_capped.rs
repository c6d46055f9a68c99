//! No class has more turns than its cap; no class with much to do holds up another.

use super::kit::{Home, run, run_in, session};
use eyas::{
    domain::run::Waiting,
    store::{NewRun, SessionRow},
};
use std::collections::HashSet;

fn of_agent(agent: &str) -> NewRun {
    run_in(SessionRow {
        agent: agent.to_owned(),
        ..session()
    })
}

#[tokio::test]
async fn a_class_has_its_cap_and_no_more() {
    let home = Home::capped(2).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(home.accept(run()).await);
    }
    let held = home.claim(10).await;
    assert_eq!(held.len(), 2);
    assert_eq!(
        held.iter()
            .map(|claimed| claimed.lease.run)
            .collect::<Vec<_>>(),
        ids[..2]
    );
    assert!(home.claim(10).await.is_empty());
    assert_eq!(
        home.store.runs.get(ids[2]).await.unwrap().waiting,
        Some(Waiting::Slot)
    );
    home.finish(held[0].lease).await;
    assert_eq!(
        home.store.runs.get(ids[2]).await.unwrap().waiting,
        None,
        "about to be claimed"
    );
    assert_eq!(home.claim_one().await.run, ids[2]);
}

#[tokio::test]
async fn a_new_default_cap_holds_for_classes_old_and_new() {
    let home = Home::capped(1).await;
    for _ in 0..4 {
        home.accept(of_agent("a")).await;
        home.accept(of_agent("b")).await;
    }
    assert_eq!(home.claim(10).await.len(), 2);
    home.store.runs.set_default_cap(3).await.unwrap();
    assert_eq!(home.claim(10).await.len(), 4);
    for _ in 0..4 {
        home.accept(of_agent("c")).await;
    }
    assert_eq!(home.claim(10).await.len(), 3);
}

#[tokio::test]
async fn a_lane_is_a_class() {
    let home = Home::capped(1).await;
    for lane in ["one", "one", "two"] {
        home.accept(NewRun {
            lane: lane.to_owned(),
            ..run()
        })
        .await;
    }
    assert_eq!(home.claim(10).await.len(), 2);
}

#[tokio::test]
async fn classes_take_turns() {
    let home = Home::capped(50).await;
    for _ in 0..30 {
        home.accept(of_agent("busy")).await;
    }
    let agents: Vec<String> = (0..9).map(|n| format!("agent-{n}")).collect();
    for agent in &agents {
        home.accept(of_agent(agent)).await;
    }
    let claimed = home.claim(10).await;
    let seen: HashSet<_> = claimed
        .iter()
        .map(|claimed| claimed.run.agent.clone())
        .collect();
    assert_eq!(
        seen.len(),
        10,
        "one of each class, though one has thirty waiting: {seen:?}"
    );
    assert_eq!(home.claim(5).await.len(), 5);
}

#[tokio::test]
async fn a_claim_takes_what_was_asked_for_and_no_more() {
    let home = Home::capped(50).await;
    for _ in 0..5 {
        home.accept(run()).await;
    }
    assert!(home.claim(0).await.is_empty());
    assert_eq!(home.claim(3).await.len(), 3);
    assert_eq!(home.claim(3).await.len(), 2);
}
