//! A session goes by its caller's own name, an ended run may be put away, and all of them add up.

use super::kit::{Home, ends, project_id, run, run_in, session, success};
use eyas::{
    domain::{
        event::EventKind,
        run::{AttemptOutcome, RunState},
        snapshot::{TURNING_POINTS, snapshots},
        usage::Usage,
    },
    store::{
        Extras, Finish, KeyedSession, NewRun, PageAt, RunFilter, SessionKey, StatsFilter,
        StoreError,
    },
};

fn named(key: &str) -> NewRun {
    NewRun {
        extras: Extras {
            session_key: Some(SessionKey {
                scope: "project/x".to_owned(),
                key: key.to_owned(),
            }),
            extra_system_prompt: Some("be brief".to_owned()),
            hook: Some("{\"ticket\":7}".to_owned()),
            host: None,
        },
        ..run()
    }
}

#[tokio::test]
async fn a_session_has_one_name_and_a_name_one_session() {
    let home = Home::new().await;
    let first = named("nightly");
    let key = first.extras.session_key.clone().unwrap();
    assert_eq!(home.store.runs.keyed_session(&key).await.unwrap(), None);
    let session = first.session.id;
    let id = home.accept(first).await;
    let known = home.store.runs.keyed_session(&key).await.unwrap();
    let expected = KeyedSession {
        session,
        extra_system_prompt: Some("be brief".to_owned()),
    };
    assert_eq!(known, Some(expected));
    let rival = home.store.runs.accept(named("nightly")).await;
    assert!(matches!(rival, Err(StoreError::SessionKeyTaken(taken)) if taken == session));
    home.accept(named("weekly")).await;
    let run = home.store.runs.get(id).await.unwrap();
    assert_eq!(run.hook.as_deref(), Some("{\"ticket\":7}"));
    let claimed = home.claim(1).await;
    assert_eq!(claimed[0].extra_system_prompt.as_deref(), Some("be brief"));
}

#[tokio::test]
async fn only_an_ended_run_is_put_away() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let runs = &home.store.runs;
    assert_eq!(runs.archive(id, true).await.unwrap(), RunState::Queued);
    assert_eq!(runs.get(id).await.unwrap().archived_at, None);
    let lease = home.claim_one().await;
    home.finish(lease).await;
    assert_eq!(runs.archive(id, true).await.unwrap(), RunState::Succeeded);
    let put_away = runs.get(id).await.unwrap().archived_at;
    assert!(put_away.is_some());
    runs.archive(id, true).await.unwrap();
    assert_eq!(
        runs.get(id).await.unwrap().archived_at,
        put_away,
        "since the first time"
    );
    let listed = async |archived| {
        let filter = RunFilter {
            archived,
            ..RunFilter::default()
        };
        runs.list(filter, PageAt::default())
            .await
            .unwrap()
            .items
            .len()
    };
    assert_eq!((listed(false).await, listed(true).await), (0, 1));
    runs.archive(id, false).await.unwrap();
    assert_eq!((listed(false).await, listed(true).await), (1, 1));
    let unknown = runs
        .archive(eyas::domain::ids::RunId(eyas::stdx::mint()), true)
        .await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn runs_add_up() {
    let home = Home::new().await;
    let project = project_id();
    let mut there = session();
    there.project = Some(project);
    home.accept(run_in(there)).await;
    let lease = home.claim_one().await;
    let usage = Some(Usage {
        total_tokens: Some(7),
        ..Usage::default()
    });
    home.store
        .runs
        .finish(lease, Finish { usage, ..success() })
        .await
        .unwrap();
    home.accept(run()).await;
    let lease = home.claim_one().await;
    let failed = ends(RunState::Failed, AttemptOutcome::Failed);
    home.store.runs.finish(lease, failed).await.unwrap();
    home.accept(run()).await;

    let stats = async |filter| home.store.runs.stats(filter).await.unwrap();
    let all = stats(StatsFilter::default()).await;
    assert_eq!((all.runs, all.usage.total_tokens), (3, Some(7)));
    let states = all.states;
    assert_eq!((states.queued, states.succeeded, states.failed), (1, 1, 1));
    assert!(all.duration.is_some() && all.wait.is_some());
    let of_project = StatsFilter {
        project: Some(project),
        ..StatsFilter::default()
    };
    assert_eq!(stats(of_project).await.runs, 1);
    let of_agent = |agent: &str| StatsFilter {
        agent: Some(agent.to_owned()),
        ..StatsFilter::default()
    };
    assert_eq!(stats(of_agent("embedded")).await.runs, 3);
    let nobody = stats(of_agent("nobody")).await;
    assert_eq!((nobody.runs, nobody.duration), (0, None));
    let later = StatsFilter {
        since: Some(eyas::domain::time::Timestamp(i64::MAX)),
        ..StatsFilter::default()
    };
    assert_eq!(stats(later).await.runs, 0);
}

#[tokio::test]
async fn a_runs_past_is_in_its_log() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    home.finish(lease).await;
    let told = home
        .store
        .events
        .of_kinds(id, &TURNING_POINTS)
        .await
        .unwrap();
    let kinds: Vec<_> = told.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [EventKind::Accepted, EventKind::Started, EventKind::Finished]
    );
    let states: Vec<_> = snapshots(&told).iter().map(|one| one.state).collect();
    assert_eq!(
        states,
        [RunState::Queued, RunState::Running, RunState::Succeeded]
    );
}
