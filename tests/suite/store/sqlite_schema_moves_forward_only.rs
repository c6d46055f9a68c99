//! A newer schema is refused before any write; an older one is backed up, then migrated.

use super::kit::{Home, run};
use eyas::store::{
    StoreError,
    sqlite::{self, Settings},
};
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{os::unix::fs::PermissionsExt as _, path::Path};

async fn by_hand(path: &Path, statements: &[&'static str]) {
    let mut connection = connect(path).await;
    for statement in statements {
        sqlx::query(*statement)
            .execute(&mut connection)
            .await
            .unwrap();
    }
    connection.close().await.unwrap();
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(path)
        .connect()
        .await
        .unwrap()
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_as_it_is() {
    let home = Home::new().await;
    home.store.closer.close().await;
    by_hand(
        &home.path(),
        &["INSERT INTO _sqlx_migrations(version,description,success,checksum,execution_time) VALUES(9999,'later',1,x'00',1)"],
    )
    .await;
    let before = std::fs::read(home.path()).unwrap();
    let refused = sqlite::open(&home.path(), Settings::default()).await;
    match refused {
        Err(StoreError::TooNew { found, known }) => assert!(found == 9999 && known < found),
        other => panic!("{other:?}"),
    }
    assert!(
        std::fs::read(home.path()).unwrap() == before,
        "not a byte was written"
    );
}

#[tokio::test]
async fn an_older_schema_is_backed_up_and_migrated() {
    let home = Home::new().await;
    let id = home.accept(run()).await;
    home.store.closer.close().await;
    // As the first schema was: without the places.
    by_hand(
        &home.path(),
        &[
            "DROP TABLE instance",
            "DROP TABLE project",
            "DELETE FROM _sqlx_migrations WHERE version>1",
        ],
    )
    .await;
    let home = home.reopen().await;
    home.state(id).await;
    assert_eq!(home.store.instances.using_persona("any").await.unwrap(), 0);
    let backup = home.path().with_file_name("eyas.db.backup-1");
    let mode = std::fs::metadata(&backup).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut backup = connect(&backup).await;
    let (runs, tables): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM sqlite_schema WHERE name IN ('instance','project'))",
    )
    .fetch_one(&mut backup)
    .await
    .unwrap();
    assert_eq!((runs, tables), (1, 0), "as it was before");
}

#[tokio::test]
async fn a_schema_of_ours_is_not_backed_up() {
    let home = Home::new().await.reopen().await;
    assert!(!home.path().with_file_name("eyas.db.backup-2").exists());
}
