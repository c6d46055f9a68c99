//! An accepted run is there after a restart; the same key with the same request is the same run.

use super::kit::{Home, keyed, run, run_in, session};
use eyas::{
    domain::{
        event::EventKind,
        ids::RunId,
        run::{Mode, RunState, Warning},
    },
    store::{Change, EventFilter, NewRun, SessionRow, StoreError},
};
use std::collections::HashSet;

#[tokio::test]
async fn an_accepted_run_is_read_back_whole_after_a_restart() {
    let home = Home::new().await;
    let earlier = home.accept(run()).await;
    let asked = NewRun {
        previous: Some(earlier),
        label: Some("nightly".to_owned()),
        mode: Mode::Cold,
        warnings: vec![Warning::new("untrusted", "ignored")],
        ..run_in(SessionRow {
            instance: Some(eyas::domain::ids::InstanceId(eyas::stdx::mint())),
            persona: Some("reviewer".to_owned()),
            project: Some(super::kit::project_id()),
            agent_session: Some("abc".to_owned()),
            ..session()
        })
    };
    let accepted = home.store.runs.accept(asked.clone()).await.unwrap();
    assert_eq!((accepted.run.id, accepted.duplicate), (asked.id, false));
    let home = home.reopen().await;
    let found = home.store.runs.get(asked.id).await.unwrap();
    assert_eq!(found.state, RunState::Queued);
    assert_eq!(found.prompt, asked.prompt);
    assert_eq!(found.previous, asked.previous);
    assert_eq!(found.label, asked.label);
    assert_eq!(found.mode, Mode::Cold);
    assert_eq!(found.warnings, asked.warnings);
    assert_eq!(found.persona, asked.session.persona);
    assert_eq!(found.instance, asked.session.instance);
    assert_eq!(found.project, asked.session.project);
    assert_eq!(
        (found.attempt, found.warm, found.started_at),
        (0, false, None)
    );
    assert_eq!(
        home.store.runs.session(asked.session.id).await.unwrap(),
        asked.session
    );
    assert_eq!(home.kinds(asked.id).await, [EventKind::Accepted]);
}

#[tokio::test]
async fn the_same_key_and_request_is_the_same_run() {
    let home = Home::new().await;
    let first = home.accept(keyed("k", "f")).await;
    let again = home.store.runs.accept(keyed("k", "f")).await.unwrap();
    assert_eq!((again.run.id, again.duplicate), (first, true));
    let other = home.store.runs.accept(keyed("k", "g")).await;
    assert!(matches!(other, Err(StoreError::IdempotencyConflict(key)) if key == "k"));
    assert_eq!(home.store.runs.open(None).await.unwrap(), 1);
    let home = home.reopen().await;
    assert!(
        home.store
            .runs
            .accept(keyed("k", "f"))
            .await
            .unwrap()
            .duplicate
    );
}

#[tokio::test]
async fn many_with_one_key_at_once_are_one_run_and_one_refusal_harms_no_other() {
    let home = Home::new().await;
    let tries = (0..40).map(|n| {
        let runs = home.store.runs.clone();
        let asked = match n % 4 {
            0 => keyed("k", "f"),
            1 => keyed("k", "other"),
            _ => run(),
        };
        tokio::spawn(async move { (n % 4, runs.accept(asked).await) })
    });
    let mut fresh = 0;
    for outcome in futures::future::join_all(tries).await {
        match outcome.unwrap() {
            (0 | 1, Ok(accepted)) => fresh += u32::from(!accepted.duplicate),
            (0 | 1, Err(error)) => assert!(
                matches!(error, StoreError::IdempotencyConflict(_)),
                "{error}"
            ),
            (_, outcome) => assert!(!outcome.unwrap().duplicate),
        }
    }
    assert_eq!(fresh, 1);
    assert_eq!(home.store.runs.open(None).await.unwrap(), 21);
}

/// Accepts all of them at once.
async fn at_once(home: &Home, asked: Vec<NewRun>) -> Vec<Result<RunId, StoreError>> {
    let accept = |run: NewRun| {
        let runs = home.store.runs.clone();
        tokio::spawn(async move { Ok(runs.accept(run).await?.run.id) })
    };
    let all = futures::future::join_all(asked.into_iter().map(accept)).await;
    all.into_iter().map(Result::unwrap).collect()
}

#[tokio::test]
async fn what_cannot_be_written_harms_nothing_that_came_with_it() {
    let home = Home::new().await;
    let there = home.accept(run()).await;
    let lease = home.claim_one().await;
    home.finish(lease).await;
    let asked = (0..40).map(|n| match n {
        // An id that is taken, and a parent that has ended.
        7 => NewRun { id: there, ..run() },
        9 => NewRun {
            parent: Some(lease),
            depth: 1,
            ..run()
        },
        _ => run(),
    });
    let outcomes = at_once(&home, asked.collect()).await;
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match (n, outcome) {
            (7, outcome) => assert!(matches!(outcome, Err(StoreError::Internal(_)))),
            (9, outcome) => assert!(matches!(outcome, Err(StoreError::LeaseLost(_)))),
            (_, outcome) => assert_eq!(home.state(outcome.unwrap()).await, RunState::Queued),
        }
    }
    assert_eq!(home.store.runs.open(None).await.unwrap(), 38);
}

#[tokio::test]
async fn what_comes_at_once_is_as_if_it_came_one_by_one() {
    let home = Home::capped(1000).await;
    let project = super::kit::project_id();
    let shared = SessionRow {
        project: Some(project),
        ..session()
    };
    // Every other one in the same conversation, each of which is in the same project.
    let asked = (0..40).map(|n| {
        let own = SessionRow {
            id: session().id,
            ..shared.clone()
        };
        run_in(if n % 2 == 0 { shared.clone() } else { own })
    });
    let accepted = at_once(&home, asked.collect()).await;
    let accepted: HashSet<_> = accepted.into_iter().map(Result::unwrap).collect();
    assert_eq!(accepted.len(), 40);
    for id in &accepted {
        assert_eq!(home.kinds(*id).await, [EventKind::Accepted]);
    }
    let filter = EventFilter {
        project: Some(project),
        ..EventFilter::default()
    };
    let told = home.store.events.after(None, filter, 1000).await.unwrap();
    let counts = told.iter().filter_map(|event| event.data["count"].as_u64());
    let mut counts: Vec<_> = counts.collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=40).collect::<Vec<_>>());
    // One of the conversation at a time, and all in the end.
    let mut worked = HashSet::new();
    loop {
        let claimed = home.claim(100).await;
        let of_it = claimed.iter().filter(|one| one.session.id == shared.id);
        assert!(of_it.count() <= 1);
        if claimed.is_empty() {
            break;
        }
        for one in claimed {
            assert_eq!(one.session.project, Some(project));
            home.finish(one.lease).await;
            worked.insert(one.lease.run);
        }
    }
    assert_eq!(worked, accepted);
}

#[tokio::test]
async fn changes_are_told() {
    let home = Home::new().await;
    let mut changes = home.store.changes.subscribe();
    let id = home.accept(run()).await;
    let told = changes.recv().await.unwrap();
    assert_eq!(
        told,
        Change {
            run: Some(id),
            state: Some(RunState::Queued)
        }
    );
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let home = Home::new().await;
    home.store.closer.close().await;
    let refused = home.store.runs.accept(run()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    let refused = home.store.runs.open(None).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
}
