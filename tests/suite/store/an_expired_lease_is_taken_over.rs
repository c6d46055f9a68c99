//! A lease ends by the database's clock. Whoever finds it over takes the run from its holder, who writes nothing more of it.

use super::kit::{Home, LEASE_MS, ends, hub, is_lost, run, says};
use eyas::{
    domain::{
        event::EventKind,
        fault::ErrorKind,
        ids::HubId,
        policy::Asking,
        run::{AttemptOutcome, RunState},
        worktree::Isolation,
    },
    store::{Claimed, NewRun, Progress, Release},
};
use std::time::{Duration, Instant};

/// A run that `holder` has claimed and does not renew.
async fn held(home: &Home, holder: HubId, new: NewRun) -> Claimed {
    home.accept(new).await;
    home.store.runs.claim(holder, 1, 1).await.unwrap().remove(0)
}

/// Sweeps until what is over is taken.
async fn swept(home: &Home, by: HubId, held: &Claimed) {
    let begun = Instant::now();
    while home.state(held.lease.run).await.is_held() {
        home.store.runs.sweep(by).await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

fn touched() -> Progress {
    let mut progress = Progress::default();
    progress.note.touched = vec!["edit a".to_owned()];
    progress
}

#[tokio::test]
async fn a_holder_is_told_of_its_own() {
    let home = Home::new().await;
    let (me, other) = (hub(), hub());
    let old = held(&home, me, run()).await;
    let begun = Instant::now();
    let runs = &home.store.runs;
    while runs.overdue(me).await.unwrap() != [old.lease] {
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
    assert!(runs.overdue(other).await.unwrap().is_empty());
    runs.renew(vec![old.lease], LEASE_MS).await.unwrap();
    assert!(runs.overdue(me).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_next_holder_has_another_fence_and_the_stale_one_none() {
    let home = Home::new().await;
    let (first, second) = (hub(), hub());
    let old = held(&home, first, run()).await;
    swept(&home, second, &old).await;
    let runs = &home.store.runs;
    let new = runs.claim(second, 1, LEASE_MS).await.unwrap().remove(0);
    assert_eq!((new.lease.run, new.lease.attempt), (old.lease.run, 2));
    assert!(new.lease.fence > old.lease.fence);
    let left = new.left.clone().unwrap();
    assert_eq!(
        (left.attempt, left.outcome, left.error.kind),
        (1, AttemptOutcome::Lost, ErrorKind::HubLost)
    );
    // The first goes on as if nothing had happened.
    assert!(is_lost(&runs.append(old.lease, says("late")).await));
    let late = ends(RunState::Failed, AttemptOutcome::Failed);
    assert!(is_lost(&runs.finish(old.lease, late).await));
    let release = Release {
        waiting: None,
        delay_ms: 0,
        reason: "late".to_owned(),
    };
    assert!(is_lost(&runs.release(old.lease, release).await));
    assert!(!runs.renew(vec![old.lease], LEASE_MS).await.unwrap()[0].held);
    home.finish(new.lease).await;
    let kinds = home.kinds(old.lease.run).await;
    let many = |kind| kinds.iter().filter(|one| **one == kind).count();
    assert_eq!(
        (many(EventKind::Finished), many(EventKind::Retried)),
        (1, 1)
    );
    let attempts = runs.attempts(old.lease.run).await.unwrap();
    let outcomes: Vec<_> = attempts.iter().filter_map(|one| one.outcome).collect();
    assert_eq!(outcomes, [AttemptOutcome::Lost, AttemptOutcome::Succeeded]);
}

#[tokio::test]
async fn nobody_takes_his_own_nor_what_is_renewed() {
    let home = Home::new().await;
    let (first, second) = (hub(), hub());
    let old = held(&home, first, run()).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(home.store.runs.sweep(first).await.unwrap(), None);
    assert_eq!(home.state(old.lease.run).await, RunState::Running);
    let renewed = home.store.runs.renew(vec![old.lease], LEASE_MS).await;
    assert!(renewed.unwrap()[0].held, "over, and nobody has taken it");
    let next = home.store.runs.sweep(second).await.unwrap().unwrap();
    assert!(next > LEASE_MS / 2, "{next}");
    assert_eq!(home.state(old.lease.run).await, RunState::Running);
}

#[tokio::test]
async fn what_was_touched_decides() {
    let home = Home::new().await;
    let (first, second) = (hub(), hub());
    let silent = || {
        let mut silent = run();
        silent.policy.ask = Asking::Off;
        silent
    };
    let mut forced = silent();
    forced.retry.regardless = true;
    let mut apart = silent();
    apart.isolation = Isolation::Worktree;
    let agent = |mut new: NewRun| {
        new.session.agent = "fake".to_owned();
        new
    };
    for (new, state, asks) in [
        (run(), RunState::Queued, true),
        (silent(), RunState::Failed, false),
        (forced, RunState::Queued, false),
        (apart, RunState::Queued, false),
    ] {
        let old = held(&home, first, agent(new)).await;
        home.store.runs.append(old.lease, touched()).await.unwrap();
        swept(&home, second, &old).await;
        let found = home.store.runs.get(old.lease.run).await.unwrap();
        assert_eq!(found.state, state, "{found:#?}");
        if state == RunState::Failed {
            assert_eq!(found.error.unwrap().kind, ErrorKind::HubLost);
            assert_eq!(found.warnings[0].kind, "side_effects_unknown");
            continue;
        }
        let runs = &home.store.runs;
        let new = runs.claim(second, 1, 1).await.unwrap().remove(0);
        let left = new.left.unwrap();
        assert_eq!((left.asks, left.touched), (asks, vec!["edit a".to_owned()]));
        // Whoever asks and is lost too leaves the question as it was.
        if asks {
            let again = Claimed { left: None, ..new };
            swept(&home, first, &again).await;
            let third = runs.claim(second, 1, LEASE_MS).await.unwrap().remove(0);
            assert!(third.left.unwrap().asks);
            assert_eq!(third.lease.attempt, 2, "it had not begun");
            home.finish(third.lease).await;
        } else {
            home.finish(new.lease).await;
        }
    }
}

#[tokio::test]
async fn a_cancelled_one_ends_and_one_without_attempts_left_fails() {
    let home = Home::new().await;
    let (first, second) = (hub(), hub());
    let old = held(&home, first, run()).await;
    let enough = "enough".to_owned();
    home.store.runs.cancel(old.lease.run, enough).await.unwrap();
    swept(&home, second, &old).await;
    assert_eq!(home.state(old.lease.run).await, RunState::Cancelled);
    let mut once = run();
    once.retry.max_attempts = 1;
    let old = held(&home, first, once).await;
    swept(&home, second, &old).await;
    let found = home.store.runs.get(old.lease.run).await.unwrap();
    assert_eq!(found.error.unwrap().kind, ErrorKind::HubLost);
}
