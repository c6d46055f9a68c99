//! The log: cursors rise, a run's numbers have no gap, nothing is passed over.

use super::kit::{Home, message, project_id, run, run_in, says, session, success};
use eyas::{
    domain::{event::EventKind, run::RunState},
    store::{EventFilter, Progress, SessionRow, StoreError},
};
use std::time::Duration;

#[tokio::test]
async fn a_run_is_told_from_its_acceptance_to_its_end() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    let lease = home.claim_one().await;
    let several = Progress {
        events: (0..5).map(|n| message(&n.to_string())).collect(),
        ..Progress::default()
    };
    home.store.runs.append(lease, several).await.unwrap();
    assert_eq!(home.store.runs.get(id).await.unwrap().step, None);
    home.store.runs.append(lease, says("six")).await.unwrap();
    assert_eq!(
        home.store.runs.get(id).await.unwrap().step.as_deref(),
        Some("six")
    );
    let mut end = success();
    end.progress = says("last");
    home.store.runs.finish(lease, end).await.unwrap();
    let told = home.events(id).await;
    let numbers: Vec<_> = told.iter().filter_map(|event| event.run_seq).collect();
    assert_eq!(numbers, (1..=11).collect::<Vec<_>>());
    assert!(told.is_sorted_by(|a, b| a.cursor < b.cursor));
    let texts: Vec<_> = told
        .iter()
        .filter_map(|event| event.data["text"].as_str())
        .collect();
    assert_eq!(texts, ["0", "1", "2", "3", "4", "six", "last"]);
    let kinds: Vec<_> = told.iter().map(|event| event.kind).collect();
    assert_eq!(kinds[..2], [EventKind::Accepted, EventKind::Started]);
    assert_eq!(kinds[9..], [EventKind::Concluded, EventKind::Finished]);
    let end = &told[10].data;
    assert_eq!(
        (end["state"].as_str(), end["fence"].as_i64()),
        (Some("succeeded"), Some(lease.fence))
    );
}

#[tokio::test]
async fn events_are_read_on_from_a_cursor_by_every_filter() {
    let home = Home::new().await;
    let project = project_id();
    assert_eq!(home.store.events.latest().await.unwrap(), None);
    let mine = home
        .accept(run_in(SessionRow {
            project: Some(project),
            ..session()
        }))
        .await;
    let from = home.store.events.latest().await.unwrap();
    home.accept(run()).await;
    home.store
        .events
        .record(Some(project), None, message("beside"))
        .await
        .unwrap();
    let read = async |filter| {
        let events = home
            .store
            .events
            .after(from.clone(), filter, 100)
            .await
            .unwrap();
        events
            .into_iter()
            .map(|event| event.run)
            .collect::<Vec<_>>()
    };
    assert_eq!(read(EventFilter::default()).await.len(), 2);
    let of_project = EventFilter {
        project: Some(project),
        ..EventFilter::default()
    };
    assert_eq!(read(of_project).await, [None]);
    let of_run = EventFilter {
        run: Some(mine),
        ..EventFilter::default()
    };
    assert!(read(of_run).await.is_empty());
    for bad in ["", "7", "e7", "nonsense"] {
        let outcome = home
            .store
            .events
            .after(Some(bad.to_owned()), of_run, 1)
            .await;
        assert!(matches!(outcome, Err(StoreError::BadCursor)), "{bad}");
    }
}

#[tokio::test]
async fn a_reader_that_follows_misses_nothing() {
    let home = Home::capped(50).await;
    let writers = (0..20).map(|_| {
        let runs = home.store.runs.clone();
        tokio::spawn(async move {
            for _ in 0..10 {
                runs.accept(run()).await.unwrap();
            }
        })
    });
    let writing = futures::future::join_all(writers);
    let reading = async {
        let (mut after, mut seen) = (None, Vec::new());
        while seen.len() < 200 {
            let page = home
                .store
                .events
                .after(after.clone(), EventFilter::default(), 7)
                .await
                .unwrap();
            after = page.last().map(|event| event.cursor.clone()).or(after);
            seen.extend(page.into_iter().filter_map(|event| event.run));
        }
        seen
    };
    let (written, seen) = tokio::join!(
        writing,
        tokio::time::timeout(Duration::from_secs(30), reading)
    );
    assert!(written.iter().all(Result::is_ok));
    let mut seen = seen.unwrap();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 200);
    assert!(
        futures::future::join_all(seen.iter().map(|id| home.state(*id)))
            .await
            .iter()
            .all(|state| *state == RunState::Queued)
    );
}

#[tokio::test]
async fn how_many_runs_of_a_project_are_open_is_told_when_it_changes() {
    let home = Home::new().await;
    let project = project_id();
    let new = || {
        run_in(SessionRow {
            project: Some(project),
            ..session()
        })
    };
    home.accept(new()).await;
    let second = home.accept(new()).await;
    home.accept(run()).await;
    home.store
        .runs
        .cancel(second, "enough".to_owned())
        .await
        .unwrap();
    let lease = home.claim(1).await[0].lease;
    home.finish(lease).await;
    let filter = EventFilter {
        project: Some(project),
        ..EventFilter::default()
    };
    let told = home.store.events.after(None, filter, 100).await.unwrap();
    let counts: Vec<_> = told
        .iter()
        .filter(|event| event.kind == EventKind::DelegationChanged)
        .map(|event| (event.run, event.data["count"].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [(None, 1), (None, 2), (None, 1), (None, 0)]);
}
