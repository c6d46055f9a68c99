//! A newer schema is refused before any write; an older one is backed up, then migrated.

use super::kit::Home;
use eyas::{
    domain::{policy::Policy, worktree::Isolation},
    store::{
        PageAt, RunFilter, StoreError,
        sql::{self, Settings},
    },
};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection, migrate::Migrator,
    sqlite::SqliteConnectOptions,
};
use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

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
        &home.place.path(),
        &["INSERT INTO _sqlx_migrations(version,description,success,checksum,execution_time) VALUES(9999,'later',1,x'00',1)"],
    )
    .await;
    let before = std::fs::read(home.place.path()).unwrap();
    let refused = sql::open_sqlite(&home.place.path(), Settings::default()).await;
    match refused {
        Err(StoreError::TooNew { found, known }) => assert!(found == 9999 && known < found),
        other => panic!("{other:?}"),
    }
    assert!(
        std::fs::read(home.place.path()).unwrap() == before,
        "not a byte was written"
    );
}

/// A file as it was made by a binary that knew migrations up to `version`.
async fn older(folder: &Path, version: i64) -> PathBuf {
    let path = folder.join("eyas.db");
    let mut connection = SqliteConnectOptions::new()
        .filename(&path)
        .create_if_missing(true)
        .connect()
        .await
        .unwrap();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sql/sqlite/migrations");
    let migrator = Migrator::new(ours).await.unwrap();
    migrator.run_to(version, &mut connection).await.unwrap();
    connection.close().await.unwrap();
    path
}

/// A run that ended and a run that was held, as the first schema had them.
const RUNS: [&str; 4] = [
    "INSERT INTO class(class_key,place,agent,lane,max_concurrent) VALUES('local/a/l','local','a','l',4)",
    "INSERT INTO session(id,agent,class_key,next_seq,head_run,fence,lease_holder,lease_until,cwd) \
     VALUES(x'00000000000000000000000000000009','a','local/a/l',3,x'00000000000000000000000000000002',2,x'07',5,'/')",
    "INSERT INTO run(id,session,seq,class_key,state,attempt,created_at,started_at,ended_at,lane,mode,prompt,step) VALUES \
     (x'00000000000000000000000000000001',x'00000000000000000000000000000009',1,'local/a/l','succeeded',1,1,2,3,'l','auto','old',NULL)",
    "INSERT INTO run(id,session,seq,class_key,state,attempt,fence,created_at,started_at,lane,mode,prompt,step) VALUES \
     (x'00000000000000000000000000000002',x'00000000000000000000000000000009',2,'local/a/l','running',1,2,4,5,'l','auto','held','at it')",
];

#[tokio::test]
async fn an_older_schema_is_backed_up_and_migrated() {
    for version in [1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let path = older(folder.path(), version).await;
        by_hand(&path, &RUNS).await;
        let store = sql::open_sqlite(&path, Settings::default()).await.unwrap();
        let runs = store
            .runs
            .list(RunFilter::default(), PageAt::default())
            .await
            .unwrap()
            .items;
        let prompts: Vec<_> = runs.iter().map(|run| run.prompt.as_str()).collect();
        assert_eq!(prompts, ["held", "old"]);
        for run in &runs {
            assert_eq!(
                (run.policy, run.isolation),
                (Policy::default(), Isolation::Shared)
            );
            assert_eq!((run.depth, run.parent, &run.worktree), (0, None, &None));
            assert!(run.requests.is_empty());
        }
        assert_eq!(store.instances.using_persona("any").await.unwrap(), 0);
        assert!(
            store
                .projects
                .list(PageAt::default())
                .await
                .unwrap()
                .items
                .is_empty()
        );
        store.closer.close().await;

        let backup = path.with_file_name(format!("eyas.db.backup-{version}"));
        let mode = std::fs::metadata(&backup).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut backup = connect(&backup).await;
        let (runs, tables): (i64, i64) = sqlx::query_as(
            "SELECT (SELECT count(*) FROM run), (SELECT count(*) FROM sqlite_schema WHERE name IN ('project','request'))",
        )
        .fetch_one(&mut backup)
        .await
        .unwrap();
        assert_eq!(
            (runs, tables),
            (2, (version - 1).min(2)),
            "as it was before"
        );
    }
}

#[tokio::test]
async fn a_schema_of_ours_is_not_backed_up() {
    let home = Home::new().await.reopen().await;
    assert!(
        !home
            .place
            .path()
            .with_file_name("eyas.db.backup-7")
            .exists()
    );
}
