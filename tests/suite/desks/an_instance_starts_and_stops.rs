use super::{Ground, called, named, person};
use eyas::{
    api::instance::{InstanceApiServer as _, InstanceCreate},
    domain::instance::{Health, InstanceStatus},
};
use std::sync::atomic::Ordering;

#[tokio::test]
async fn and_says_how_it_is() {
    let ground = Ground::new();
    let desk = &ground.instances;
    let made = desk
        .create(
            &person(),
            InstanceCreate {
                auto_start: true,
                ..named("one")
            },
        )
        .await
        .unwrap();
    assert_eq!(
        (made.instance.status, made.instance.health),
        (InstanceStatus::Running, Health::Healthy)
    );
    let stopped = desk.stop(&person(), called("one")).await.unwrap().instance;
    assert_eq!(stopped.status, InstanceStatus::Stopped);
    let again = desk
        .restart(&person(), called(&stopped.id.to_string()))
        .await
        .unwrap()
        .instance;
    assert_eq!(
        (again.status, again.restart_count),
        (InstanceStatus::Running, 1)
    );
    assert_eq!(
        *ground.around.asked.lock().unwrap(),
        [
            "pin one",
            "cancel one",
            "unpin one",
            "cancel one",
            "unpin one",
            "pin one"
        ]
    );

    ground.around.broken.store(true, Ordering::Relaxed);
    assert!(desk.restart(&person(), called("one")).await.is_err());
    let seen = desk.get(called("one")).await.unwrap().instance;
    assert_eq!(
        (seen.status, seen.health),
        (InstanceStatus::Error, Health::Unhealthy)
    );
    let two = desk
        .create(
            &person(),
            InstanceCreate {
                auto_start: true,
                ..named("two")
            },
        )
        .await
        .unwrap();
    assert_eq!(
        two.instance.status,
        InstanceStatus::Error,
        "it is placed all the same"
    );
}

#[tokio::test]
async fn what_a_former_hub_started_is_not_running_any_more() {
    let ground = Ground::new();
    let desk = &ground.instances;
    desk.create(
        &person(),
        InstanceCreate {
            auto_start: true,
            ..named("one")
        },
    )
    .await
    .unwrap();
    let orphan = ground
        .home
        .path()
        .join(format!("instances/{}", eyas::stdx::mint()));
    std::fs::create_dir_all(&orphan).unwrap();
    desk.recover().await.unwrap();
    assert_eq!(
        desk.get(called("one")).await.unwrap().instance.status,
        InstanceStatus::Created
    );
    assert!(
        !orphan.exists()
            && ground
                .home
                .path()
                .join("trash")
                .join(orphan.file_name().unwrap())
                .exists()
    );
}
