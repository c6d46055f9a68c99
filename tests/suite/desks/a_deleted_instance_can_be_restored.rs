use super::{Ground, called, named, person};
use eyas::{
    api::instance::InstanceApiServer as _,
    domain::{fault::ErrorKind, instance::InstanceStatus, time::Timestamp},
};
use std::{fs, path::Path};

#[tokio::test]
async fn unless_its_name_is_taken() {
    let ground = Ground::new();
    let desk = &ground.instances;
    let made = desk.create(&person(), named("one")).await.unwrap().instance;
    fs::write(Path::new(&made.workspace).join("MEMORY.md"), "learnt").unwrap();
    let gone = desk
        .delete(&person(), called("one"))
        .await
        .unwrap()
        .instance;
    assert!(gone.deleted_at.is_some() && !Path::new(&made.workspace).exists());
    assert_eq!(
        *ground.around.asked.lock().unwrap(),
        ["cancel one", "unpin one"]
    );
    assert_eq!(
        desk.get(called("one")).await.unwrap_err().kind,
        ErrorKind::NotFound
    );
    assert_eq!(
        desk.delete(&person(), called("one"))
            .await
            .unwrap_err()
            .kind,
        ErrorKind::NotFound
    );

    desk.create(&person(), named("one")).await.unwrap();
    assert_eq!(
        desk.restore(&person(), called("one"))
            .await
            .unwrap_err()
            .kind,
        ErrorKind::NameExists
    );
    let second = desk
        .delete(&person(), called("one"))
        .await
        .unwrap()
        .instance;
    assert_ne!(second.id, made.id);

    let back = desk
        .restore(&person(), called(&made.id.to_string()))
        .await
        .unwrap()
        .instance;
    assert_eq!((back.id, back.status), (made.id, InstanceStatus::Created));
    assert_eq!(
        fs::read_to_string(Path::new(&back.workspace).join("MEMORY.md")).unwrap(),
        "learnt"
    );
    assert_eq!(
        desk.restore(&person(), called("nobody"))
            .await
            .unwrap_err()
            .kind,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn for_thirty_days() {
    let ground = Ground::new();
    let desk = &ground.instances;
    desk.create(&person(), named("one")).await.unwrap();
    let gone = desk
        .delete(&person(), called("one"))
        .await
        .unwrap()
        .instance;
    assert_eq!(desk.purge().await.unwrap(), 0);
    ground.store.rows.lock().unwrap()[0].deleted_at = Some(Timestamp(1));
    assert_eq!(desk.purge().await.unwrap(), 1);
    assert!(
        !ground
            .home
            .path()
            .join("trash")
            .join(gone.id.to_string())
            .exists()
    );
}
