//! An accepted run is there after a restart; the same key with the same request is the same run.

use super::kit::{Home, keyed, run, run_in, session};
use eyas::{
    domain::{
        event::EventKind,
        run::{Mode, RunState, Warning},
    },
    store::{Change, NewRun, StoreError},
};

#[tokio::test]
async fn an_accepted_run_is_read_back_whole_after_a_restart() {
    let home = Home::new().await;
    let earlier = home.accept(run()).await;
    let asked = NewRun {
        previous: Some(earlier),
        label: Some("nightly".to_owned()),
        mode: Mode::Cold,
        warnings: vec![Warning::new("untrusted", "ignored")],
        ..run_in(eyas::store::SessionRow {
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
