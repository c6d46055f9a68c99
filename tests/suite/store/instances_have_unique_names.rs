//! Names are unique among the instances that are not in the trash.

use super::kit::{Home, project_id};
use eyas::{
    domain::{
        ids::InstanceId,
        instance::{Health, Instance, InstanceStatus, Role},
        time::Timestamp,
    },
    stdx::mint,
    store::{PageAt, StoreError},
};

fn instance(name: &str) -> Instance {
    Instance {
        id: InstanceId(mint()),
        name: name.to_owned(),
        display_name: name.to_uppercase(),
        persona: Some("reviewer".to_owned()),
        agent: None,
        role: Some(Role::Talon),
        parent: None,
        project: None,
        model: None,
        workspace: "/w".to_owned(),
        status: InstanceStatus::Created,
        health: Health::Unknown,
        restart_count: 2,
        created_at: Timestamp(1),
        deleted_at: None,
        host: None,
    }
}

#[tokio::test]
async fn a_name_is_free_again_when_its_instance_is_in_the_trash() {
    let home = Home::new().await;
    let all = &home.store.instances;
    let mut first = instance("ann");
    all.insert(first.clone()).await.unwrap();
    assert_eq!(all.by_name("ann").await.unwrap(), first);
    let taken = all.insert(instance("ann")).await;
    assert!(matches!(taken, Err(StoreError::NameExists(name)) if name == "ann"));
    first.deleted_at = Some(Timestamp(50));
    all.update(first.clone()).await.unwrap();
    assert!(matches!(
        all.by_name("ann").await,
        Err(StoreError::NotFound { .. })
    ));
    let mut second = instance("ann");
    all.insert(second.clone()).await.unwrap();
    assert_eq!(all.in_trash("ann").await.unwrap(), first);
    let restored = Instance {
        deleted_at: None,
        host: None,
        ..first.clone()
    };
    assert!(matches!(
        all.update(restored).await,
        Err(StoreError::NameExists(_))
    ));
    second.deleted_at = Some(Timestamp(60));
    all.update(second.clone()).await.unwrap();
    assert_eq!(
        all.in_trash("ann").await.unwrap(),
        second,
        "the last one deleted"
    );
    assert_eq!(all.purge(Timestamp(55)).await.unwrap(), [first.id]);
    assert!(matches!(
        all.get(first.id).await,
        Err(StoreError::NotFound { .. })
    ));
    assert_eq!(all.get(second.id).await.unwrap(), second);
}

#[tokio::test]
async fn instances_are_listed_by_name() {
    let home = Home::new().await;
    let all = &home.store.instances;
    let project = project_id();
    for (name, status) in [
        ("c", InstanceStatus::Running),
        ("a", InstanceStatus::Created),
        ("b", InstanceStatus::Running),
    ] {
        all.insert(Instance {
            status,
            project: (name != "b").then_some(project),
            ..instance(name)
        })
        .await
        .unwrap();
    }
    let mut gone = instance("d");
    gone.deleted_at = Some(Timestamp(1));
    all.insert(gone).await.unwrap();
    let names = async |project, status, cursor: Option<String>, limit| {
        let page = all
            .list(project, status, PageAt { cursor, limit })
            .await
            .unwrap();
        let names: String = page.items.iter().map(|one| one.name.as_str()).collect();
        (names, page.next_cursor)
    };
    assert_eq!(names(None, None, None, 0).await, ("abc".to_owned(), None));
    assert_eq!(names(Some(project), None, None, 0).await.0, "ac");
    assert_eq!(
        names(None, Some(InstanceStatus::Running), None, 0).await.0,
        "bc"
    );
    let (first, next) = names(None, None, None, 2).await;
    assert_eq!(first, "ab");
    assert_eq!(names(None, None, next, 2).await, ("c".to_owned(), None));
    assert_eq!(all.using_persona("reviewer").await.unwrap(), 3);
    let unknown = all.update(instance("e")).await;
    assert!(matches!(unknown, Err(StoreError::NotFound { .. })));
}
