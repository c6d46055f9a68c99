//! What one durable commit costs on this disk: SQLite, WAL, synchronous=FULL, one row.

use sqlx::{
    ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    time::{Duration, Instant},
};

pub(crate) fn single_commits(folder: &Path, count: usize) -> Vec<Duration> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut db = SqliteConnectOptions::new()
            .filename(folder.join("disk.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await
            .expect("a database");
        sqlx::query("CREATE TABLE row(text TEXT)")
            .execute(&mut db)
            .await
            .expect("a table");
        let mut taken = Vec::with_capacity(count);
        for _ in 0..count {
            let begun = Instant::now();
            sqlx::query("INSERT INTO row VALUES (hex(randomblob(100)))")
                .execute(&mut db)
                .await
                .expect("a row");
            taken.push(begun.elapsed());
        }
        db.close().await.expect("closed");
        taken
    })
}
