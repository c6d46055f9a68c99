//! What one durable commit costs on this disk: SQLite, WAL, synchronous=FULL, one row.

use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

/// A database of the bench's own.
pub(crate) struct Disk {
    runtime: Runtime,
    db: SqliteConnection,
}

impl Disk {
    pub(crate) fn new(folder: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let db = runtime.block_on(async {
            let mut db = SqliteConnectOptions::new()
                .filename(folder.join("disk.db"))
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .connect()
                .await
                .expect("a database");
            sqlx::query("CREATE TABLE IF NOT EXISTS row(text TEXT)")
                .execute(&mut db)
                .await
                .expect("a table");
            db
        });
        Self { runtime, db }
    }

    pub(crate) fn commit(&mut self) -> Duration {
        let Self { runtime, db } = self;
        let begun = Instant::now();
        let row = sqlx::query("INSERT INTO row VALUES (hex(randomblob(100)))");
        runtime.block_on(row.execute(db)).expect("a row");
        begun.elapsed()
    }
}

pub(crate) fn single_commits(folder: &Path, count: usize) -> Vec<Duration> {
    let mut disk = Disk::new(folder);
    (0..count).map(|_| disk.commit()).collect()
}
