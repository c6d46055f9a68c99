//! How connections are made.

use super::connection::Local;
use crate::store::sql::error::Error;
use rusqlite::{Connection, OpenFlags};
use sqlx::sqlite::SqliteConnectOptions;
use std::{path::Path, time::Duration};

/// How long to wait for another process that holds the file (a backup, a person's shell).
const BUSY: Duration = Duration::from_secs(10);
/// The same for one that reads, which nobody holds up for longer than it takes to recover the log after a crash.
const READING: Duration = Duration::from_secs(1);
/// 8 MiB of cache; and the WAL does not keep the size of the largest burst for ever.
const WRITER: &str = "PRAGMA foreign_keys=ON; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8192; \
 PRAGMA temp_store=memory; PRAGMA journal_size_limit=8388608";
/// 2 MiB of cache each.
const READER: &str = "PRAGMA cache_size=-2048; PRAGMA temp_store=memory";

/// For what is done from outside, and before the store is open. Without a journal mode, as naming one writes.
pub(in crate::store::sql) fn plain(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY)
}

/// The one that writes; the file may not grow above so many pages.
pub(in crate::store::sql) fn writer(path: &Path, max_pages: Option<u32>) -> Result<Local, Error> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE, BUSY)?;
    connection.execute_batch(WRITER)?;
    if let Some(pages) = max_pages {
        connection.pragma_update(None, "max_page_count", pages)?;
    }
    Ok(Local::new(connection))
}

/// One that reads.
pub(in crate::store::sql) fn reader(path: &Path) -> Result<Local, Error> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY, READING)?;
    connection.execute_batch(READER)?;
    Ok(Local::new(connection))
}

fn open(path: &Path, mode: OpenFlags, patience: Duration) -> Result<Connection, Error> {
    // Only one thread at a time has it.
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(patience)?;
    Ok(connection)
}
