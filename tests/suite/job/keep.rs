//! Where the hub under test keeps what it remembers: the file in its home.

use super::{
    kit::Job,
    oracle::{Seen, all, seen},
};
use sqlx::{ConnectOptions as _, Connection as _, sqlite::SqliteConnectOptions};
use std::{
    fs,
    path::{Path, PathBuf},
};

pub(super) struct Keep;

impl Keep {
    pub(super) fn new() -> Self {
        Self
    }

    /// A home that keeps it there.
    #[expect(clippy::unused_self, reason = "a server's is asked for its address")]
    pub(super) fn job(&self) -> Job {
        Job::new()
    }

    /// What is there, of a hub that is dead; `None` where there is no schema yet.
    #[expect(clippy::unused_self, reason = "a server's is asked for its address")]
    pub(super) fn look(&self, job: &Job) -> Option<Seen> {
        let database = job.nest.settings().database;
        if !database.exists() {
            return None;
        }
        // At a copy, so that the next hub finds the file as the last one left it.
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        fs::copy(&database, &copy).unwrap();
        let beside = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
        if beside(&database).exists() {
            fs::copy(beside(&database), beside(&copy)).unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(read(&copy))
    }
}

async fn read(copy: &Path) -> Option<Seen> {
    let options = SqliteConnectOptions::new().filename(copy);
    let mut one = options.connect().await.unwrap();
    let db = &mut one;
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut *db)
        .await
        .unwrap();
    assert_eq!(whole, "ok");
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name IN ('run','_sqlx_migrations')";
    let tables: i64 = sqlx::query_scalar(tables)
        .fetch_one(&mut *db)
        .await
        .unwrap();
    if tables < 2 {
        return None;
    }
    let dangling = sqlx::query("PRAGMA foreign_key_check")
        .fetch_all(&mut *db)
        .await
        .unwrap();
    assert!(dangling.is_empty(), "rows refer to nothing");
    let seen = seen!(db);
    one.close().await.unwrap();
    Some(seen)
}
