//! Who has lost the lease writes nothing more.

use super::kit::{Home, LEASE_MS, ends, hub, is_lost, run, says, success};
use eyas::{
    domain::run::{AttemptOutcome, RunState},
    store::{Lease, Release},
};

async fn refused(home: &Home, lease: Lease) {
    let events = home.events(lease.run).await;
    let before = home.store.runs.get(lease.run).await.unwrap();
    let runs = &home.store.runs;
    assert!(is_lost(&runs.append(lease, says("late")).await));
    assert!(is_lost(&runs.finish(lease, success()).await));
    let late = ends(RunState::Failed, AttemptOutcome::Failed);
    assert!(is_lost(&runs.finish(lease, late).await));
    let release = Release {
        waiting: None,
        delay_ms: 0,
        reason: "late".to_owned(),
    };
    assert!(is_lost(&runs.release(lease, release).await));
    let renewed = runs.renew(vec![lease], LEASE_MS).await.unwrap();
    assert!(!renewed[0].held);
    assert_eq!(home.events(lease.run).await, events);
    assert_eq!(home.store.runs.get(lease.run).await.unwrap(), before);
}

#[tokio::test]
async fn a_lease_taken_over_is_lost() {
    let home = Home::new().await;
    home.accept(run()).await;
    let old = home.claim_one().await;
    let release = Release {
        waiting: None,
        delay_ms: 0,
        reason: "stop".to_owned(),
    };
    home.store.runs.release(old, release).await.unwrap();
    refused(&home, old).await;
    let new = home.claim_one().await;
    assert_eq!(new.attempt, old.attempt);
    refused(&home, old).await;
    home.store.runs.append(new, says("mine")).await.unwrap();
    home.finish(new).await;
    refused(&home, new).await;
}

#[tokio::test]
async fn a_lease_that_was_recovered_is_lost() {
    let home = Home::new().await;
    home.accept(run()).await;
    let lease = home.claim_one().await;
    home.store.runs.recover(vec![hub()]).await.unwrap();
    refused(&home, lease).await;
}

#[tokio::test]
async fn a_lease_is_renewed_while_it_is_held() {
    let home = Home::new().await;
    home.accept(run()).await;
    home.accept(run()).await;
    let mut leases: Vec<_> = home
        .claim(2)
        .await
        .iter()
        .map(|claimed| claimed.lease)
        .collect();
    home.store
        .runs
        .cancel(leases[1].run, "enough".to_owned())
        .await
        .unwrap();
    leases.push(Lease {
        fence: leases[0].fence + 1,
        ..leases[0]
    });
    let renewed = home.store.runs.renew(leases, LEASE_MS).await.unwrap();
    let seen: Vec<_> = renewed
        .iter()
        .map(|one| (one.held, one.cancel_requested))
        .collect();
    assert_eq!(seen, [(true, false), (true, true), (false, false)]);
}
