//! A directory is registered once; what a person unregistered comes back only when a person says so.

use super::kit::{Home, project_id};
use eyas::{
    domain::{
        project::{ProjectRow, ProjectStatus},
        time::Timestamp,
    },
    store::{PageAt, StoreError},
};

fn project(path: &str) -> ProjectRow {
    ProjectRow {
        id: project_id(),
        name: path.trim_start_matches('/').to_owned(),
        path: path.to_owned(),
        unregistered: false,
        trust: None,
        status: None,
        host: None,
        last_opened_at: None,
        created_at: Timestamp(1),
    }
}

#[tokio::test]
async fn a_path_has_one_row() {
    let home = Home::new().await;
    let all = &home.store.projects;
    let first = all.register(project("/a"), false).await.unwrap();
    assert_eq!(all.register(project("/a"), false).await.unwrap(), first);
    assert_eq!(all.register(project("/a"), true).await.unwrap(), first);
    assert_eq!(all.by_path("/a").await.unwrap(), first);
    assert_eq!(all.get(first.id).await.unwrap(), first);
    assert_eq!(all.by_name("a").await.unwrap(), [first]);
    let many = (0..10).map(|_| all.register(project("/b"), true));
    let mut ids: Vec<_> = futures::future::join_all(many)
        .await
        .into_iter()
        .map(|row| row.unwrap().id)
        .collect();
    ids.dedup();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn an_unregistered_one_comes_back_only_when_asked_for() {
    let home = Home::new().await;
    let all = &home.store.projects;
    let mut row = all.register(project("/a"), false).await.unwrap();
    row.unregistered = true;
    all.update(row.clone()).await.unwrap();
    assert!(all.list(PageAt::default()).await.unwrap().items.is_empty());
    assert!(all.by_name("a").await.unwrap().is_empty());
    assert_eq!(all.by_path("/a").await.unwrap(), row);
    assert!(
        all.register(project("/a"), false)
            .await
            .unwrap()
            .unregistered
    );
    let back = all.register(project("/a"), true).await.unwrap();
    assert_eq!((back.id, back.unregistered), (row.id, false));
    let unknown = all.update(project("/c")).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}

#[tokio::test]
async fn projects_of_one_name_are_each_listed_once() {
    let home = Home::new().await;
    let all = &home.store.projects;
    for n in 0..7 {
        let row = ProjectRow {
            name: "same".to_owned(),
            ..project(&format!("/{n}"))
        };
        all.register(row, false).await.unwrap();
    }
    let (mut cursor, mut paths) = (None, Vec::new());
    loop {
        let page = all.list(PageAt { cursor, limit: 3 }).await.unwrap();
        paths.extend(page.items.into_iter().map(|row| row.path));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), 7);
}

#[tokio::test]
async fn trust_and_what_is_wrong_with_it_are_kept() {
    let home = Home::new().await;
    let all = &home.store.projects;
    let mut row = all.register(project("/a"), false).await.unwrap();
    assert_eq!((&row.trust, row.status), (&None, None));
    for (status, kept) in [
        (ProjectStatus::Error, Some(ProjectStatus::Error)),
        (
            ProjectStatus::Initializing,
            Some(ProjectStatus::Initializing),
        ),
        (ProjectStatus::Running, None),
    ] {
        row.trust = Some(format!("digest {kept:?}"));
        row.status = Some(status);
        all.update(row.clone()).await.unwrap();
        let found = all.get(row.id).await.unwrap();
        assert_eq!((&found.trust, found.status), (&row.trust, kept));
    }
}
