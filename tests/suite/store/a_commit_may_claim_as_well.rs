//! A run may be claimed in the commit that accepts it, or in that of the end which makes room for it.

use super::kit::{Home, LEASE_MS, hub, is_lost, run, run_in, session, success};
use eyas::{
    domain::{
        input::InputMode,
        run::{RunState, Waiting},
    },
    store::{Claimed, Finish, Lease, NewInput, NewRun, StoreError},
};

async fn end(home: &Home, lease: Lease, finish: Finish) -> Result<Option<Claimed>, StoreError> {
    let runs = &home.store.runs;
    runs.finish_and_claim(lease, finish, home.me, LEASE_MS)
        .await
}

#[tokio::test]
async fn of_the_next_run_of_its_session() {
    let home = Home::new().await;
    let conversation = session();
    let first = home.accept(run_in(conversation.clone())).await;
    let second = home.accept(run_in(conversation)).await;
    let lease = home.claim_one().await;
    assert_eq!(lease.run, first);
    let next = end(&home, lease, success()).await.unwrap().unwrap();
    assert_eq!(next.lease.run, second);
    assert_eq!(home.state(first).await, RunState::Succeeded);
    assert_eq!(home.state(second).await, RunState::Running);
    assert!(end(&home, next.lease, success()).await.unwrap().is_none());
}

#[tokio::test]
async fn of_one_that_waits_for_its_slot_or_its_tree() {
    let home = Home::capped(1).await;
    let in_tree = || NewRun {
        tree: Some("/tree".to_owned()),
        ..run()
    };
    home.accept(in_tree()).await;
    let lease = home.claim_one().await;
    let waiting = home.accept(in_tree()).await;
    let next = end(&home, lease, success()).await.unwrap().unwrap();
    assert_eq!(next.lease.run, waiting);
    assert!(home.claim(10).await.is_empty());
}

#[tokio::test]
async fn an_end_that_is_refused_claims_nothing() {
    let home = Home::new().await;
    let held = home.accept(run()).await;
    let lease = home.claim_one().await;
    let other = home.accept(run()).await;
    let input = NewInput {
        run: held,
        mode: InputMode::Queue,
        message: "more".to_owned(),
        idempotency: None,
        between: false,
    };
    home.store.inputs.accept(input).await.unwrap();
    let unless_input = Finish {
        unless_input: true,
        ..success()
    };
    let refused = end(&home, lease, unless_input).await;
    assert!(matches!(refused, Err(StoreError::InputsWait(_))));
    assert_eq!(home.state(other).await, RunState::Queued);
    let stale = Lease {
        fence: lease.fence - 1,
        ..lease
    };
    assert!(is_lost(&end(&home, stale, success()).await));
    assert_eq!(home.state(other).await, RunState::Queued);
    assert_eq!(home.state(held).await, RunState::Running);
}

#[tokio::test]
async fn an_acceptance_claims_the_longest_waiting() {
    let home = Home::new().await;
    let runs = &home.store.runs;
    let (accepted, claimed) = runs.accept_and_claim(run(), hub(), LEASE_MS).await;
    let first = accepted.unwrap().run;
    assert_eq!(claimed.unwrap().unwrap().lease.run, first.id);
    let waiting = home.accept(run()).await;
    let (accepted, claimed) = runs.accept_and_claim(run(), hub(), LEASE_MS).await;
    assert_eq!(claimed.unwrap().unwrap().lease.run, waiting);
    assert_eq!(home.state(accepted.unwrap().run.id).await, RunState::Queued);
}

#[tokio::test]
async fn what_an_acceptance_answers_is_what_is_there() {
    let home = Home::capped(2).await;
    let conversation = session();
    let in_tree = || NewRun {
        tree: Some("/tree".to_owned()),
        label: Some("a label".to_owned()),
        ..run()
    };
    let of_another_class = |tree: NewRun| NewRun {
        lane: "aside".to_owned(),
        ..tree
    };
    let mut waits = Vec::new();
    for (run, claims) in [
        (run_in(conversation.clone()), 1),
        (run_in(conversation), 0),
        (in_tree(), 1),
        (of_another_class(in_tree()), 0),
        (run(), 0),
        (of_another_class(run()), 0),
    ] {
        let accepted = home.store.runs.accept(run).await.unwrap().run;
        assert_eq!(home.store.runs.get(accepted.id).await.unwrap(), accepted);
        waits.push(accepted.waiting);
        assert_eq!(home.claim(claims).await.len(), claims as usize);
    }
    let expected = [
        None,
        Some(Waiting::Session),
        None,
        Some(Waiting::Tree),
        Some(Waiting::Slot),
        None,
    ];
    assert_eq!(waits, expected);
}
