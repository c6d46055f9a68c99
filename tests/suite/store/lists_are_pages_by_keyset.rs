//! Every list is read page by page: each item once, newest first, also when many have the same moment.

use super::kit::{Home, project_id, run, run_in, session};
use eyas::{
    domain::{
        ids::{InstanceId, RunId},
        run::RunState,
    },
    stdx::mint,
    store::{NewRun, PageAt, RunFilter, SessionRow, StoreError},
};

async fn read_all(home: &Home, filter: &RunFilter, limit: u32) -> Vec<RunId> {
    let mut ids = Vec::new();
    let mut cursor = None;
    loop {
        let at = PageAt { cursor, limit };
        let page = home.store.runs.list(filter.clone(), at).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        let order = page
            .items
            .is_sorted_by(|a, b| (a.created_at, a.id) > (b.created_at, b.id));
        assert!(order, "newest first");
        ids.extend(page.items.iter().map(|run| run.id));
        match page.next_cursor {
            Some(next) => cursor = Some(next),
            None => return ids,
        }
    }
}

#[tokio::test]
async fn runs_of_one_moment_are_each_read_once() {
    let home = Home::new().await;
    // Sent at once, they share a transaction and so a moment.
    let accepted = futures::future::join_all((0..60).map(|_| home.accept(run()))).await;
    for limit in [1, 7, 60, 200] {
        let mut read = read_all(&home, &RunFilter::default(), limit).await;
        read.dedup();
        assert_eq!(read.len(), 60);
        assert!(accepted.iter().all(|id| read.contains(id)));
    }
    let first = home
        .store
        .runs
        .list(RunFilter::default(), PageAt::default())
        .await
        .unwrap();
    assert_eq!(first.items.len(), 50, "the default");
}

#[tokio::test]
async fn filters_narrow_together() {
    let home = Home::new().await;
    let (project, instance) = (project_id(), InstanceId(mint()));
    let of = |project, instance, label: Option<&str>| NewRun {
        label: label.map(str::to_owned),
        ..run_in(SessionRow {
            project,
            instance,
            ..session()
        })
    };
    home.accept(run()).await;
    let a = home.accept(of(Some(project), None, None)).await;
    let b = home
        .accept(of(Some(project), Some(instance), Some("x")))
        .await;
    let c = home.accept(of(None, None, Some("x"))).await;
    home.store.runs.cancel(a, String::new()).await.unwrap();
    let filter = RunFilter::default;
    let cases = [
        (
            RunFilter {
                project: Some(project),
                ..filter()
            },
            vec![b, a],
        ),
        (
            RunFilter {
                instance: Some(instance),
                ..filter()
            },
            vec![b],
        ),
        (
            RunFilter {
                label: Some("x".to_owned()),
                ..filter()
            },
            vec![c, b],
        ),
        (
            RunFilter {
                state: Some(RunState::Cancelled),
                ..filter()
            },
            vec![a],
        ),
        (
            RunFilter {
                state: Some(RunState::Queued),
                project: Some(project),
                ..filter()
            },
            vec![b],
        ),
        (
            RunFilter {
                state: Some(RunState::Cancelled),
                label: Some("x".to_owned()),
                ..filter()
            },
            vec![],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(read_all(&home, &filter, 1).await, expected, "{filter:?}");
    }
    assert_eq!(home.store.runs.open(Some(project)).await.unwrap(), 1);
    assert_eq!(home.store.runs.open(None).await.unwrap(), 3);
}

#[tokio::test]
async fn a_cursor_of_another_make_is_refused() {
    let home = Home::new().await;
    for bad in ["", "r", "rzz", "e0000000000000001", "r00é0"] {
        let at = PageAt {
            cursor: Some(bad.to_owned()),
            limit: 1,
        };
        let runs = home.store.runs.list(RunFilter::default(), at.clone()).await;
        assert!(matches!(runs, Err(StoreError::BadCursor)), "{bad}");
        let projects = home.store.projects.list(at.clone()).await;
        assert!(matches!(projects, Err(StoreError::BadCursor)), "{bad}");
        let instances = home.store.instances.list(None, None, at).await;
        assert!(matches!(instances, Err(StoreError::BadCursor)), "{bad}");
    }
}
