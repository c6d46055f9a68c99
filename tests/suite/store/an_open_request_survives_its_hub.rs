//! A run that waits for a person outlives its hub, and is not asked again what it was asked before.

use super::kit::{Home, asks, hub, option, run};
use eyas::{
    domain::{
        event::EventKind,
        fault::ErrorKind,
        request::{Answer, DecidedBy, OptionKind, RequestOption},
        run::{AttemptOutcome, RunState},
    },
    store::{Lease, NewRequest, Release, StoreError},
};
use std::time::{Duration, Instant};

fn drained() -> Release {
    Release {
        waiting: None,
        delay_ms: 0,
        reason: "the hub stops".to_owned(),
    }
}

/// Asks, and then its hub is dead.
async fn orphan(request: NewRequest) -> (Home, Lease, String) {
    let home = Home::new().await;
    home.accept(run()).await;
    let lease = home.claim_one().await;
    let id = home
        .store
        .requests
        .open(lease, request)
        .await
        .unwrap()
        .request
        .id;
    let home = home.reopen().await;
    let taken = home.store.runs.recover(vec![hub()]).await.unwrap();
    assert_eq!(taken, [lease.run]);
    (home, lease, id)
}

#[tokio::test]
async fn it_is_queued_and_shown_and_taken_up_when_asked_again() {
    let (home, before, id) = orphan(asks("one")).await;
    let shown = home.store.runs.get(before.run).await.unwrap();
    assert_eq!(shown.state, RunState::Queued);
    assert_eq!(shown.requests[0].id, id);
    let attempts = home.store.runs.attempts(before.run).await.unwrap();
    assert_eq!(attempts[0].outcome, Some(AttemptOutcome::Lost));

    let lease = home.claim_one().await;
    assert_eq!(lease.run, before.run);
    let other = home.store.requests.open(lease, asks("two")).await.unwrap();
    assert_ne!(other.request.id, id);
    home.store
        .requests
        .answer(lease.run, &other.request.id, option("no"), None)
        .await
        .unwrap();
    assert_eq!(
        home.state(lease.run).await,
        RunState::Running,
        "nobody waits for the other one"
    );
    let again = home.store.requests.open(lease, asks("one")).await.unwrap();
    assert_eq!(again.request.id, id);
    assert_eq!(home.state(lease.run).await, RunState::InputRequired);
    home.store
        .requests
        .answer(lease.run, &id, option("yes"), None)
        .await
        .unwrap();
    assert_eq!(home.state(lease.run).await, RunState::Running);
    assert_eq!(home.store.requests.of(lease.run).await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_answer_while_it_is_queued_is_kept_for_one_attempt() {
    let (home, before, id) = orphan(asks("one")).await;
    let (_, taken) = home
        .store
        .requests
        .answer(before.run, &id, option("yes"), None)
        .await
        .unwrap();
    assert!(taken);
    assert_eq!(home.state(before.run).await, RunState::Queued);
    let lease = home.claim_one().await;
    let found = home.store.requests.open(lease, asks("one")).await.unwrap();
    assert_eq!(found.request.id, id);
    assert_eq!(found.decided.unwrap().answer, option("yes"));
    assert_eq!(
        home.state(lease.run).await,
        RunState::Running,
        "there is nothing to wait for"
    );
    let once_more = home.store.requests.open(lease, asks("one")).await.unwrap();
    assert_ne!(once_more.request.id, id, "an answer is used up");
    assert!(once_more.decided.is_none());
}

/// The same question with options of other ids, kinds and names.
fn offering(options: &[(&str, &str, OptionKind)]) -> NewRequest {
    let option = |&(id, name, kind): &(&str, &str, OptionKind)| RequestOption {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
    };
    NewRequest {
        options: options.iter().map(option).collect(),
        ..asks("one")
    }
}

#[tokio::test]
async fn an_answer_is_one_of_the_options_that_there_are_by_then() {
    let (home, _, id) = orphan(asks("one")).await;
    let lease = home.claim_one().await;
    let requests = &home.store.requests;
    let other = offering(&[
        ("go", "Go on", OptionKind::AllowOnce),
        ("no", "no, please", OptionKind::RejectOnce),
    ]);
    let again = requests.open(lease, other).await.unwrap();
    assert_eq!(again.request.id, id);
    // Whoever answers has looked before.
    let refused = requests.answer(lease.run, &id, option("yes"), None).await;
    let Err(StoreError::Unfit(fault)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(fault.kind, ErrorKind::InvalidParams);
    assert!(fault.hint.as_deref().unwrap().contains("go, no"));
    let nothing = Answer::default();
    let refused = requests.answer(lease.run, &id, nothing, None).await;
    assert!(matches!(refused, Err(StoreError::Unfit(_))), "{refused:?}");
    assert_eq!(home.state(lease.run).await, RunState::InputRequired);
    let taken = requests.answer(lease.run, &id, option("go"), None).await;
    assert!(taken.unwrap().1);
}

#[tokio::test]
async fn an_option_never_comes_to_mean_something_else() {
    let (home, _, id) = orphan(asks("one")).await;
    let lease = home.claim_one().await;
    let requests = &home.store.requests;
    let turned = offering(&[
        ("no", "no, please", OptionKind::AllowOnce),
        ("yes", "yes, please", OptionKind::RejectOnce),
    ]);
    let again = requests.open(lease, turned).await.unwrap();
    assert_ne!(again.request.id, id, "it is another question now");
    let (before, taken) = requests
        .answer(lease.run, &id, option("no"), None)
        .await
        .unwrap();
    assert!(!taken);
    assert_eq!(before.decided.unwrap().by, DecidedBy::Withdrawn);
    assert_eq!(home.state(lease.run).await, RunState::InputRequired);
    let shown = home.store.runs.get(lease.run).await.unwrap();
    assert_eq!(shown.requests, [again.request]);
}

#[tokio::test]
async fn an_answer_that_somebody_waited_for_is_not_used_again() {
    let home = Home::new().await;
    home.accept(run()).await;
    let lease = home.claim_one().await;
    let requests = &home.store.requests;
    let (answered, open) = (asks("one"), asks("two"));
    for request in [&answered, &open] {
        requests.open(lease, request.clone()).await.unwrap();
    }
    requests
        .answer(lease.run, &answered.id, option("yes"), None)
        .await
        .unwrap();
    home.store.runs.release(lease, drained()).await.unwrap();
    let lease = home.claim_one().await;
    let again = requests.open(lease, asks("one")).await.unwrap();
    assert_ne!(again.request.id, answered.id, "once is once");
    assert_eq!(
        requests.open(lease, asks("two")).await.unwrap().request.id,
        open.id
    );
}

#[tokio::test]
async fn an_orderly_release_keeps_it_too() {
    let home = Home::new().await;
    home.accept(run()).await;
    let lease = home.claim_one().await;
    let id = home
        .store
        .requests
        .open(lease, asks("one"))
        .await
        .unwrap()
        .request
        .id;
    home.store.runs.release(lease, drained()).await.unwrap();
    let shown = home.store.runs.get(lease.run).await.unwrap();
    assert_eq!((shown.state, shown.requests.len()), (RunState::Queued, 1));
    let lease = home.claim_one().await;
    assert_eq!(
        home.store
            .requests
            .open(lease, asks("one"))
            .await
            .unwrap()
            .request
            .id,
        id
    );
}

#[tokio::test]
async fn nobody_waits_for_it_and_its_deadline_decides_it() {
    let short = NewRequest {
        deadline_ms: Some(30),
        ..asks("one")
    };
    let (home, lease, id) = orphan(short).await;
    let until = Instant::now() + Duration::from_secs(10);
    let decided = loop {
        let left = home.store.runs.sweep(home.me).await.unwrap();
        if let Some(decided) = home
            .store
            .requests
            .get(lease.run, &id)
            .await
            .unwrap()
            .decided
        {
            break decided;
        }
        assert!(Instant::now() < until && left.is_some());
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    assert_eq!(decided.by, DecidedBy::Deadline);
    assert_eq!(home.state(lease.run).await, RunState::Queued);
    assert_eq!(
        home.kinds(lease.run).await.last(),
        Some(&EventKind::Answered)
    );
    assert_eq!(home.store.runs.sweep(home.me).await.unwrap(), None);
    let lease = home.claim_one().await;
    assert_ne!(
        home.store
            .requests
            .open(lease, asks("one"))
            .await
            .unwrap()
            .request
            .id,
        id
    );
}

#[tokio::test]
async fn what_an_attempt_waits_for_is_left_to_it() {
    let home = Home::new().await;
    home.accept(run()).await;
    let lease = home.claim_one().await;
    let late = NewRequest {
        deadline_ms: Some(0),
        ..asks("one")
    };
    home.store.requests.open(lease, late).await.unwrap();
    assert_eq!(home.store.runs.sweep(home.me).await.unwrap(), None);
    assert_eq!(home.state(lease.run).await, RunState::InputRequired);
}

#[tokio::test]
async fn a_cancelled_one_ends_with_its_hub() {
    let home = Home::new().await;
    home.accept(run()).await;
    let lease = home.claim_one().await;
    home.store.requests.open(lease, asks("one")).await.unwrap();
    home.store
        .runs
        .cancel(lease.run, "enough".to_owned())
        .await
        .unwrap();
    assert_eq!(home.store.runs.recover(vec![]).await.unwrap(), [lease.run]);
    assert_eq!(home.state(lease.run).await, RunState::Cancelled);
    let row = home.store.requests.of(lease.run).await.unwrap().remove(0);
    assert_eq!(row.decided.unwrap().by, DecidedBy::Withdrawn);
}

#[tokio::test]
async fn cancelling_it_in_the_queue_takes_it_back() {
    let (home, lease, _) = orphan(asks("one")).await;
    home.store
        .runs
        .cancel(lease.run, "enough".to_owned())
        .await
        .unwrap();
    assert_eq!(home.state(lease.run).await, RunState::Cancelled);
    let row = home.store.requests.of(lease.run).await.unwrap().remove(0);
    assert_eq!(row.decided.unwrap().by, DecidedBy::Withdrawn);
}
