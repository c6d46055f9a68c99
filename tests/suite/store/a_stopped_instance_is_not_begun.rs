//! A delegation begins an instance that is `created`; what a person stopped or deleted meanwhile stays so.

use super::kit::Home;
use eyas::{
    domain::{
        ids::InstanceId,
        instance::{Health, Instance, InstanceStatus},
        time::Timestamp,
    },
    stdx::mint,
};

fn instance(name: &str, status: InstanceStatus, deleted_at: Option<Timestamp>) -> Instance {
    Instance {
        id: InstanceId(mint()),
        name: name.to_owned(),
        display_name: name.to_owned(),
        persona: None,
        agent: None,
        role: None,
        parent: None,
        project: None,
        model: None,
        workspace: "/w".to_owned(),
        status,
        health: Health::Unknown,
        restart_count: 0,
        created_at: Timestamp(1),
        deleted_at,
        host: None,
    }
}

#[tokio::test]
async fn only_one_that_is_created_begins_and_once() {
    let home = Home::new().await;
    let gone = Some(Timestamp(2));
    for (name, status, deleted_at, expected) in [
        ("a", InstanceStatus::Created, None, true),
        ("b", InstanceStatus::Stopped, None, false),
        ("c", InstanceStatus::Error, None, false),
        ("d", InstanceStatus::Created, gone, false),
    ] {
        let row = instance(name, status, deleted_at);
        home.store.instances.insert(row.clone()).await.unwrap();
        assert_eq!(home.store.instances.begin(row.id).await.unwrap(), expected);
        assert!(!home.store.instances.begin(row.id).await.unwrap());
        let now = home.store.instances.get(row.id).await.unwrap().status;
        assert_eq!(now == InstanceStatus::Running, expected);
    }
}
