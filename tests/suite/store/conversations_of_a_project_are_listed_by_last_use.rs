use super::kit::{Home, project_id, run_in, session};
use eyas::store::{PageAt, SessionRow};

#[tokio::test]
async fn each_once_page_by_page() {
    let home = Home::capped(9).await;
    let (project, other) = (project_id(), project_id());
    let at = |project| SessionRow {
        project: Some(project),
        ..session()
    };
    let (old, middle, new, elsewhere) = (at(project), at(project), at(project), at(other));
    for talk in [&old, &middle, &elsewhere, &new, &middle, &old] {
        home.accept(run_in(talk.clone())).await;
        // So that no two are of the same millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let mut cursor = None;
    let mut found = Vec::new();
    loop {
        let page = PageAt { cursor, limit: 2 };
        let page = home.store.runs.sessions(project, page).await.unwrap();
        found.extend(page.items.iter().map(|talk| talk.id));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(found, [old.id, middle.id, new.id]);
    assert!(
        home.store
            .runs
            .sessions(project_id(), PageAt::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}
