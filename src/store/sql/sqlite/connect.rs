//! How connections are made.

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// How long to wait for another process that holds the file (a backup, a person's shell).
const BUSY: Duration = Duration::from_secs(10);
const READERS: u32 = 4;

/// Without a journal mode, as naming one writes.
pub(in crate::store::sql) fn plain(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .statement_cache_capacity(200)
}

/// The one that writes; 8 MiB of cache.
pub(in crate::store::sql) fn writer(path: &Path, max_pages: Option<u32>) -> SqliteConnectOptions {
    let options = plain(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("cache_size", "-8192")
        .pragma("temp_store", "memory")
        // Else the WAL keeps the size of the largest burst for ever.
        .pragma("journal_size_limit", "8388608");
    match max_pages {
        Some(pages) => options.pragma("max_page_count", pages.to_string()),
        None => options,
    }
}

/// Those that read; 2 MiB of cache each, opened when first needed.
pub(in crate::store::sql) fn readers(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_mins(1))
        .connect_lazy_with(
            plain(path)
                .read_only(true)
                .pragma("cache_size", "-2048")
                .pragma("temp_store", "memory"),
        )
}
