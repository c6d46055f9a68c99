//! A file that comes from another home, as a backup does, is worked on by the one that it came to.

use super::kit::{Home, LEASE_MS, hub, run};
use eyas::{domain::ids::HostId, stdx::mint, store::NewHost};

fn host(name: &str) -> NewHost {
    NewHost {
        id: HostId(mint()),
        name: name.to_owned(),
        home: format!("/home/{name}"),
        machine: name.to_owned(),
        hub: hub(),
        version: "1".to_owned(),
        slots: 64,
        lease_ms: LEASE_MS,
        agents: Vec::new(),
        default_agent: None,
    }
}

#[tokio::test]
async fn what_waits_in_it_is_claimed_and_what_was_held_is_taken_back() {
    let home = Home::new().await;
    home.store.hosts.enter(host("old")).await.unwrap();
    let held = home.accept(run()).await;
    home.claim_one().await;
    let waits = home.accept(run()).await;
    let home = home.reopen().await;
    let entered = home.store.hosts.enter(host("new")).await.unwrap();
    assert!(entered.own);
    let taken = home.store.runs.recover(vec![hub()]).await.unwrap();
    assert_eq!(taken, [held]);
    let claimed = home.claim(10).await;
    assert!(claimed.iter().any(|one| one.lease.run == waits));
    assert_eq!(claimed.len(), 2);
    let hosts = home.store.hosts.list().await.unwrap();
    assert_eq!(hosts.len(), 1, "{hosts:?}");
    // Nobody else is there, so nothing says whose a run is.
    assert_eq!(home.store.runs.get(waits).await.unwrap().host, None);
}
