//! Each host has its own queue, paths and trees in a store that several share; what waits for one that is gone may be handed to another.

use super::{
    kit::{Home, LEASE_MS, hub, is_lost, run, run_in, session, success},
    place::Place,
};
use eyas::{
    domain::{
        event::EventKind,
        fault::{ErrorKind, Fault},
        host::{Host, HostState},
        ids::{HostId, HubId, ProjectId},
        project::ProjectRow,
        run::RunState,
        time::Timestamp,
    },
    stdx::mint,
    store::{Extras, Instead, NewHost, NewRun, SessionRow, Store, StoreError, sql::Settings},
};

fn shared() -> Settings {
    Settings {
        shared: true,
        ..Settings::default()
    }
}

/// A host of this name, whose hub has just begun.
struct At {
    store: Store,
    host: Host,
    hub: HubId,
}

fn new_host(id: HostId, name: &str, lease_ms: i64) -> NewHost {
    NewHost {
        id,
        name: name.to_owned(),
        home: format!("/home/{name}"),
        machine: name.to_owned(),
        hub: hub(),
        version: "1".to_owned(),
        slots: 64,
        lease_ms,
        agents: vec!["embedded".to_owned()],
        default_agent: None,
    }
}

impl At {
    async fn new(place: &Place, name: &str, lease_ms: i64) -> Self {
        let store = place.open(shared()).await;
        let new = new_host(HostId(mint()), name, lease_ms);
        let hub = new.hub;
        let host = store.hosts.enter(new).await.unwrap();
        Self { store, host, hub }
    }

    async fn project(&self, path: &str) -> ProjectRow {
        let row = ProjectRow {
            id: ProjectId(mint()),
            name: path.to_owned(),
            path: path.to_owned(),
            unregistered: false,
            trust: None,
            status: None,
            host: None,
            last_opened_at: None,
            created_at: Timestamp(1),
        };
        self.store.projects.register(row, false).await.unwrap()
    }

    async fn accept(&self, run: NewRun) -> NewRun {
        self.store.runs.accept(run.clone()).await.unwrap();
        run
    }

    /// What it may begin now.
    async fn claim(&self) -> Vec<eyas::store::Claimed> {
        self.store.runs.claim(self.hub, 10, LEASE_MS).await.unwrap()
    }

    async fn refusal(&self, host: &Host, to: &Host) -> Fault {
        let refused = self.store.hosts.forget(host.id, to.id, Vec::new()).await;
        refused.unwrap_err().into()
    }
}

/// In a project, and with a tree of its path.
fn at(project: &ProjectRow, host: Option<HostId>) -> NewRun {
    let session = SessionRow {
        project: Some(project.id),
        cwd: project.path.clone(),
        ..session()
    };
    NewRun {
        tree: Some(project.path.clone()),
        extras: Extras {
            host,
            ..Extras::default()
        },
        ..run_in(session)
    }
}

#[tokio::test]
async fn each_claims_its_own_and_recovers_its_own() {
    let place = Place::new().await;
    let a = At::new(&place, "a", LEASE_MS).await;
    let b = At::new(&place, "b", LEASE_MS).await;
    let own = a.accept(run()).await;
    let other = NewRun {
        extras: Extras {
            host: Some(b.host.id),
            ..Extras::default()
        },
        ..run()
    };
    let other = a.accept(other).await;
    let [ours] = &a.claim().await[..] else {
        panic!("one is its own");
    };
    let [theirs] = &b.claim().await[..] else {
        panic!("one is the other's");
    };
    assert_eq!((ours.lease.run, theirs.lease.run), (own.id, other.id));
    assert!(!a.store.runs.ready().await.unwrap());
    // Its hub begins anew: what the other holds is none of its business.
    let taken = a.store.runs.recover(vec![hub()]).await.unwrap();
    assert_eq!(taken, [own.id]);
    b.store.runs.finish(theirs.lease, success()).await.unwrap();
    // A conversation stays where it is, whoever goes on with it.
    let next = a.accept(run_in(other.session.clone())).await;
    assert_eq!(b.claim().await[0].lease.run, next.id);
    assert_eq!(a.store.runs.open(None).await.unwrap(), 1);
    assert_eq!(b.store.runs.open(None).await.unwrap(), 1);
}

#[tokio::test]
async fn a_path_is_one_project_and_one_tree_on_each_host() {
    let place = Place::new().await;
    let a = At::new(&place, "a", LEASE_MS).await;
    let b = At::new(&place, "b", LEASE_MS).await;
    let (here, there) = (a.project("/p").await, b.project("/p").await);
    assert_ne!(here.id, there.id);
    assert_eq!(a.store.projects.by_path("/p").await.unwrap().id, here.id);
    assert_eq!(b.store.projects.by_path("/p").await.unwrap().id, there.id);
    let seen = a.store.projects.get(there.id).await.unwrap();
    assert_eq!(seen.host.as_deref(), Some("b"));
    assert_eq!(b.store.projects.get(there.id).await.unwrap().host, None);
    a.accept(at(&here, None)).await;
    a.accept(at(&there, Some(b.host.id))).await;
    a.accept(at(&there, Some(b.host.id))).await;
    assert_eq!((a.claim().await.len(), b.claim().await.len()), (1, 1));
    let waits = b.store.hosts.list().await.unwrap();
    let counts: Vec<_> = waits
        .iter()
        .map(|host| (host.running, host.queued))
        .collect();
    assert_eq!(counts, [(1, 0), (1, 1)]);
}

#[tokio::test]
async fn one_that_drains_claims_nothing() {
    let place = Place::new().await;
    let a = At::new(&place, "a", LEASE_MS).await;
    a.accept(run()).await;
    let drained = a.store.hosts.drain(a.host.id, true).await.unwrap();
    assert!(drained.draining);
    assert!(!a.store.runs.ready().await.unwrap());
    assert!(a.claim().await.is_empty());
    a.store.hosts.drain(a.host.id, false).await.unwrap();
    assert_eq!(a.claim().await.len(), 1);
}

#[tokio::test]
async fn one_that_is_gone_hands_on_what_another_has_the_project_of() {
    let place = Place::new().await;
    let b = At::new(&place, "b", LEASE_MS).await;
    // Its leases and its heart-beats are over as soon as they are there.
    let a = At::new(&place, "a", 1).await;
    let (here, there) = (a.project("/p").await, b.project("/p").await);
    let (named, stands_in) = (a.project("/q").await, b.project("/r").await);
    let held = a.accept(at(&here, None)).await;
    let lease = a.store.runs.claim(a.hub, 1, 1).await.unwrap()[0].lease;
    let waits = a.accept(at(&here, None)).await;
    let mapped = a.accept(at(&named, None)).await;
    let bare = a.accept(run()).await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    let instead = vec![Instead {
        from: named.id,
        to: stands_in.id,
    }];
    let done = b
        .store
        .hosts
        .forget(a.host.id, b.host.id, instead)
        .await
        .unwrap();
    assert_eq!(done.host.state, HostState::Forgotten);
    let mut moved = done.moved.clone();
    moved.sort();
    let mut expected = [held.id, waits.id, mapped.id];
    expected.sort();
    assert_eq!(moved, expected);
    let [left] = &done.left[..] else {
        panic!("{done:?}");
    };
    assert_eq!(left.run, bare.id);
    // They are the other's in every way: its project, its tree, its turns.
    let run = b.store.runs.get(waits.id).await.unwrap();
    assert_eq!(run.project, Some(there.id));
    let session = b.store.runs.session(mapped.session.id).await.unwrap();
    assert_eq!(
        (session.project, session.cwd.as_str()),
        (Some(stands_in.id), "/r")
    );
    assert_eq!(
        b.claim().await.len(),
        2,
        "one of two in one tree, and the other one"
    );
    assert!(is_lost(&a.store.runs.finish(lease, success()).await));
    let told = b
        .store
        .events
        .of_kinds(waits.id, &[EventKind::HandedOver])
        .await
        .unwrap();
    assert_eq!(told[0].data["to"], "b");
    // What it could not hand on is there when it comes back.
    assert_eq!(a.claim().await[0].lease.run, bare.id);
    assert!(a.store.hosts.beat(a.hub, Vec::new()).await.unwrap());
    let back = a.store.hosts.named("a").await.unwrap();
    assert_eq!(back.state, HostState::Alive);
}

#[tokio::test]
async fn one_that_is_there_is_not_forgotten_nor_while_its_leases_last() {
    let place = Place::new().await;
    let b = At::new(&place, "b", LEASE_MS).await;
    let a = At::new(&place, "a", LEASE_MS).await;
    assert_eq!(b.refusal(&a.host, &b.host).await.kind, ErrorKind::Busy);
    assert_eq!(
        b.refusal(&b.host, &b.host).await.kind,
        ErrorKind::InvalidParams
    );
    let project = a.project("/p").await;
    b.project("/p").await;
    let run = a.accept(at(&project, None)).await;
    a.claim().await;
    // It ended in order, and yet a lease of it lasts.
    a.store.hosts.leave(a.hub).await.unwrap();
    let away = b.store.hosts.named("a").await.unwrap();
    assert_eq!(away.state, HostState::Away);
    let refusal = b.refusal(&a.host, &b.host).await;
    assert!(refusal.detail.contains("leases"), "{refusal:?}");
    let held = b.store.runs.get(run.id).await.unwrap();
    assert_eq!(held.state, RunState::Running);
    let gone = b
        .store
        .hosts
        .forget(HostId(mint()), b.host.id, Vec::new())
        .await;
    assert!(matches!(
        gone,
        Err(StoreError::NotFound { noun: "host", .. })
    ));
}

#[tokio::test]
async fn a_home_is_one_host_and_a_copy_of_it_is_refused() {
    let home = Home::with(shared()).await;
    let id = HostId(mint());
    let first = home
        .store
        .hosts
        .enter(new_host(id, "a", LEASE_MS))
        .await
        .unwrap();
    assert_eq!((first.name.as_str(), first.own), ("a", true));
    let other = home.place.open(shared()).await;
    // The next life in the same home, before anybody could see that the last one had died.
    let second = new_host(id, "a", LEASE_MS);
    let hub = second.hub;
    assert_eq!(other.hosts.enter(second).await.unwrap().id, id);
    let copy = NewHost {
        home: "/elsewhere".to_owned(),
        ..new_host(id, "a", LEASE_MS)
    };
    let refused: Fault = other.hosts.enter(copy).await.unwrap_err().into();
    assert_eq!(refused.kind, ErrorKind::Busy);
    let namesake = home.place.open(shared()).await;
    let named = namesake
        .hosts
        .enter(new_host(HostId(mint()), "a", LEASE_MS))
        .await;
    let named = named.unwrap().name;
    assert!(named.starts_with("a-"), "{named}");
    assert!(other.hosts.beat(hub, Vec::new()).await.unwrap());
    assert!(
        !other
            .hosts
            .beat(super::kit::hub(), Vec::new())
            .await
            .unwrap()
    );
}
