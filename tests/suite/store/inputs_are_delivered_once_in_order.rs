//! What is said to a run is a turn of it, once, in the order that was asked for.

use super::kit::{Home, ends, is_lost, run, success};
use eyas::{
    domain::{
        event::EventKind,
        ids::RunId,
        input::{
            Delivery, DeliveryOutcome,
            InputMode::{self, Followup, Interrupt, Queue, Steer},
            InputState,
        },
        run::{AttemptOutcome, RunState},
    },
    store::{
        AcceptedInput, Finish, Idempotency, InputsWaiting, Lease, NewInput, Release, StoreError,
        TakenInput,
    },
};

fn saying(run: RunId, mode: InputMode, message: &str) -> NewInput {
    NewInput {
        run,
        mode,
        message: message.to_owned(),
        idempotency: None,
        between: false,
    }
}

fn keyed(run: RunId, message: &str, key: &str, fingerprint: &str) -> NewInput {
    NewInput {
        idempotency: Some(Idempotency {
            scope: format!("input/{run}"),
            key: key.to_owned(),
            fingerprint: fingerprint.to_owned(),
        }),
        ..saying(run, Queue, message)
    }
}

/// The end of a turn, which is the run's only if nothing waits.
fn last_turn() -> Finish {
    Finish {
        unless_input: true,
        ..success()
    }
}

fn waits<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::InputsWait(_)))
}

async fn say(home: &Home, run: RunId, mode: InputMode, message: &str) -> Delivery {
    match home.store.inputs.accept(saying(run, mode, message)).await {
        Ok(AcceptedInput::Taken { delivery, .. }) => delivery,
        other => panic!("{other:?}"),
    }
}

async fn take(home: &Home, lease: Lease, ended: i64) -> Option<TakenInput> {
    home.store.inputs.take(lease, Some(ended)).await.unwrap()
}

async fn release(home: &Home, lease: Lease) {
    let release = Release {
        waiting: None,
        delay_ms: 0,
        reason: "stop".to_owned(),
    };
    home.store.runs.release(lease, release).await.unwrap();
}

#[tokio::test]
async fn those_that_go_first_before_those_that_wait() {
    let home = Home::new().await;
    let run = home.accept(run()).await;
    let queued = |seq| Delivery {
        outcome: DeliveryOutcome::Queued,
        seq,
    };
    assert_eq!(say(&home, run, Queue, "a").await, queued(1));
    assert_eq!(say(&home, run, Queue, "b").await, queued(2));
    assert_eq!(say(&home, run, Followup, "c").await, queued(3));
    // Nothing has begun that it could interrupt.
    assert_eq!(say(&home, run, Interrupt, "d").await, queued(4));
    let lease = home.claim_one().await;
    let waiting = home.store.inputs.waiting(run).await.unwrap();
    assert_eq!(waiting, InputsWaiting::Something);
    assert_eq!(say(&home, run, Steer, "e").await, queued(5));
    let mut said = String::new();
    let mut ended = 0;
    while let Some(taken) = take(&home, lease, ended).await {
        assert!(!taken.again && taken.input.attempt == Some(1), "{taken:?}");
        said += &taken.input.message;
        ended = taken.input.seq;
    }
    assert_eq!(said, "edcab");
    home.store.runs.finish(lease, last_turn()).await.unwrap();
    let all = home.store.inputs.of(run).await.unwrap();
    assert!(all.iter().all(|one| one.state == InputState::Delivered));
}

#[tokio::test]
async fn and_the_run_does_not_end_before() {
    let home = Home::new().await;
    let run = home.accept(run()).await;
    let lease = home.claim_one().await;
    assert_eq!(
        home.store.inputs.waiting(run).await.unwrap(),
        InputsWaiting::Nothing
    );
    say(&home, run, Queue, "more").await;
    let before = home.store.runs.get(run).await.unwrap();
    let events = home.events(run).await;
    assert!(waits(&home.store.runs.finish(lease, last_turn()).await));
    assert_eq!(home.store.runs.get(run).await.unwrap(), before);
    assert_eq!(home.events(run).await, events, "nothing of it was written");
    let taken = take(&home, lease, 0).await.unwrap();
    assert_eq!(taken.input.message, "more");
    home.store.runs.finish(lease, last_turn()).await.unwrap();
    assert_eq!(home.state(run).await, RunState::Succeeded);
    let kinds = home.kinds(run).await;
    let inputs = kinds.iter().filter(|kind| **kind == EventKind::Input);
    assert_eq!(inputs.count(), 2, "accepted and delivered: {kinds:?}");
    let late = home.store.inputs.accept(saying(run, Queue, "late")).await;
    assert_eq!(late.unwrap(), AcceptedInput::Ended);
}

#[tokio::test]
async fn to_an_attempt_that_holds_its_run_alone() {
    let home = Home::new().await;
    let run = home.accept(run()).await;
    let old = home.claim_one().await;
    say(&home, run, Queue, "a").await;
    release(&home, old).await;
    assert!(is_lost(&home.store.inputs.take(old, Some(0)).await));
    assert!(is_lost(&home.store.inputs.turn_ended(old, 0).await));
    let lease = home.claim_one().await;
    assert!(is_lost(&home.store.inputs.take(old, None).await));
    let all = home.store.inputs.of(run).await.unwrap();
    assert_eq!(all[0].state, InputState::Pending);
    assert_eq!(take(&home, lease, 0).await.unwrap().input.message, "a");
}

#[tokio::test]
async fn again_by_the_next_attempt_when_its_turn_did_not_end() {
    let home = Home::new().await;
    let run = home.accept(run()).await;
    let claimed = home.claim(1).await;
    assert!(!claimed[0].prompted);
    let first = claimed[0].lease;
    for message in ["a", "b", "c"] {
        say(&home, run, Queue, message).await;
    }
    assert_eq!(take(&home, first, 0).await.unwrap().input.seq, 1);
    assert_eq!(take(&home, first, 1).await.unwrap().input.seq, 2);
    // An answer that was lost is asked for again, and nothing is passed over.
    assert_eq!(take(&home, first, 1).await.unwrap().input.seq, 2);
    release(&home, first).await;

    let claimed = home.claim(1).await;
    assert!(claimed[0].prompted, "the prompt's turn has ended");
    let second = claimed[0].lease;
    let again = home.store.inputs.take(second, None).await.unwrap().unwrap();
    assert_eq!((again.input.seq, again.again), (2, true));
    home.store.inputs.turn_ended(second, 2).await.unwrap();
    release(&home, second).await;

    let third = home.claim_one().await;
    let next = home.store.inputs.take(third, None).await.unwrap().unwrap();
    assert_eq!((next.input.seq, next.again), (3, false));
    assert!(take(&home, third, 3).await.is_none());
    home.store.runs.finish(third, last_turn()).await.unwrap();
}

#[tokio::test]
async fn once_though_it_is_said_twice() {
    let home = Home::new().await;
    let run = home.accept(run()).await;
    let inputs = &home.store.inputs;
    let taken = |duplicate| AcceptedInput::Taken {
        delivery: Delivery {
            outcome: DeliveryOutcome::Queued,
            seq: 1,
        },
        duplicate,
    };
    assert_eq!(
        inputs.accept(keyed(run, "a", "k", "f")).await.unwrap(),
        taken(false)
    );
    assert_eq!(
        inputs.accept(keyed(run, "a", "k", "f")).await.unwrap(),
        taken(true)
    );
    let other = inputs.accept(keyed(run, "b", "k", "g")).await;
    assert!(matches!(other, Err(StoreError::IdempotencyConflict(_))));
    let lease = home.claim_one().await;
    assert_eq!(take(&home, lease, 0).await.unwrap().input.seq, 1);
    assert!(take(&home, lease, 1).await.is_none());
    home.store.runs.finish(lease, last_turn()).await.unwrap();
    // What was delivered was delivered, also when its run has ended since.
    assert_eq!(
        inputs.accept(keyed(run, "a", "k", "f")).await.unwrap(),
        taken(true)
    );
    let new = inputs.accept(keyed(run, "a", "l", "f")).await.unwrap();
    assert_eq!(new, AcceptedInput::Ended);
}

#[tokio::test]
async fn or_dropped_with_a_run_that_ends_otherwise() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    say(&home, id, Queue, "a").await;
    let failed = ends(RunState::Failed, AttemptOutcome::Failed);
    home.store.runs.finish(lease, failed).await.unwrap();
    let all = home.store.inputs.of(id).await.unwrap();
    assert_eq!(all[0].state, InputState::Dropped);
    let events = home.events(id).await;
    let last = events.last().unwrap();
    assert_eq!(last.kind, EventKind::Finished, "the end is the last word");
    assert!(
        events
            .iter()
            .any(|told| told.kind == EventKind::Input && told.data["state"] == "dropped"),
        "{events:#?}"
    );
    let numbers: Vec<_> = events.iter().filter_map(|told| told.run_seq).collect();
    let expected: Vec<i64> = (1..).take(numbers.len()).collect();
    assert_eq!(numbers, expected);

    let queued = home.accept(run()).await;
    say(&home, queued, Queue, "b").await;
    let ended = home.store.runs.cancel(queued, "no".to_owned()).await;
    assert_eq!(ended.unwrap(), RunState::Cancelled);
    let all = home.store.inputs.of(queued).await.unwrap();
    assert_eq!(all[0].state, InputState::Dropped);
}

#[tokio::test]
async fn with_an_outcome_that_says_what_becomes_of_it() {
    let home = Home::new().await;
    let run = home.accept(run()).await;
    let lease = home.claim_one().await;
    let resting = NewInput {
        between: true,
        ..saying(run, Queue, "a")
    };
    let direct = home.store.inputs.accept(resting).await.unwrap();
    assert!(
        matches!(direct, AcceptedInput::Taken { delivery, .. } if delivery.outcome == DeliveryOutcome::Direct)
    );
    let interrupting = say(&home, run, Interrupt, "b").await;
    assert_eq!(interrupting.outcome, DeliveryOutcome::Interrupted);
    assert_eq!(
        home.store.inputs.waiting(run).await.unwrap(),
        InputsWaiting::Interrupt
    );
    say(&home, run, Interrupt, "c").await;
    assert_eq!(take(&home, lease, 0).await.unwrap().input.message, "c");
    // It has cut the turn for both: it is not cut itself for the one that came before it.
    assert_eq!(
        home.store.inputs.waiting(run).await.unwrap(),
        InputsWaiting::Something
    );
    home.store.runs.cancel(run, "no".to_owned()).await.unwrap();
    let late = home.store.inputs.accept(saying(run, Queue, "d")).await;
    assert_eq!(late.unwrap(), AcceptedInput::Ending);
    let nobody = RunId(eyas::stdx::mint());
    let unknown = home.store.inputs.accept(saying(nobody, Queue, "e")).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}
