//! Backing up a database that is in use, and putting a backup in the place of one that is not.

use super::{
    check, connect,
    copy::{self, beside, failed},
    file, schema,
};
use crate::{
    stdx::{clock, mint},
    store::StoreError,
};
use sqlx::{ConnectOptions as _, Connection as _, Error, sqlite::SqliteConnectOptions};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Writes all that is committed in the database at `path` to `target`, mode 0600, whole or not at all. Whoever uses it goes on.
///
/// # Errors
/// `NameExists` when something has that name; `NotFound` without a database; `Unavailable` when either cannot be reached.
pub async fn back_up(path: &Path, target: &Path) -> Result<(), StoreError> {
    there(path)?;
    if target.symlink_metadata().is_ok() {
        return Err(StoreError::NameExists(target.display().to_string()));
    }
    // Of a name that nothing has: what lies beside the target is a person's.
    let partial = beside(target, &format!(".{}.partial", mint()));
    copy_to(connect::plain(path), &partial).await?;
    copy::settle(&partial, target)
}

/// Puts a copy of the backup at `source` in the place of the database at `path`, whole or not at all, and answers where the one that was there
/// is now. Nobody may have the database open.
///
/// # Errors
/// Before anything is changed: `NotFound` without a backup; `TooNew` when a newer binary made it; `Unavailable` when it is damaged, none of
/// ours, or cannot be read.
pub async fn restore(path: &Path, source: &Path) -> Result<Option<PathBuf>, StoreError> {
    there(source)?;
    let found = check::look(source).await?;
    if !found.faults.is_empty() {
        let why = format!("{}: {}", source.display(), found.faults.join("; "));
        return Err(StoreError::Unavailable(why));
    }
    let known = schema::known();
    if found.schema > known {
        let found = found.schema;
        return Err(StoreError::TooNew { found, known });
    }
    file::prepare_folder(path)?;
    let partial = beside(path, ".restoring");
    // Not read-only: what a backup's own log may hold is to come along.
    copy_to(connect::plain(source), &partial).await?;
    let aside = set_aside(path).await?;
    fs::rename(&partial, path).map_err(|error| failed(path, &error))?;
    synced(path)?;
    Ok(aside)
}

/// Gives what is there a second name. Its log must not be there when another file takes its place: it would be played into that one.
async fn set_aside(path: &Path) -> Result<Option<PathBuf>, StoreError> {
    if !path.exists() {
        return Ok(None);
    }
    if let Err(error) = fold(path).await {
        tracing::warn!(%error, "the database that is replaced did not close in order");
    }
    let aside = beside(path, &format!(".before-restore-{}", clock::now_ms()));
    fs::hard_link(path, &aside).map_err(|error| failed(&aside, &error))?;
    for suffix in ["-wal", "-shm"] {
        match fs::rename(beside(path, suffix), beside(&aside, suffix)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(&aside, &error));
            }
            Err(_) | Ok(()) => {}
        }
    }
    synced(path)?;
    Ok(Some(aside))
}

/// The last connection to close folds the log into the file.
async fn fold(path: &Path) -> Result<(), Error> {
    let mut connection = connect::plain(path).connect().await?;
    let folded = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
        .execute(&mut connection)
        .await;
    connection.close().await?;
    folded.map(drop)
}

async fn copy_to(options: SqliteConnectOptions, partial: &Path) -> Result<(), StoreError> {
    let mut connection = options.connect().await?;
    let written = copy::write(&mut connection, partial).await;
    let closed = connection.close().await;
    if written.is_err() {
        copy::forget(partial).map_err(|error| failed(partial, &error))?;
    }
    written?;
    Ok(closed?)
}

fn synced(path: &Path) -> Result<(), StoreError> {
    let folder = copy::folder(path);
    crate::stdx::atomic::sync_dir(folder).map_err(|error| failed(path, &error))
}

fn there(path: &Path) -> Result<(), StoreError> {
    if path.is_file() {
        return Ok(());
    }
    Err(StoreError::NotFound {
        noun: "database",
        name: path.display().to_string(),
    })
}
