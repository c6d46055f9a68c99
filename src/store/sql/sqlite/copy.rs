//! Whole copies of a database, taken while others use it.

use super::file;
use crate::{stdx::atomic, store::StoreError};
use sqlx::SqliteConnection;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// Writes what `connection` sees to `partial`, anew and for its owner alone, and syncs it.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    partial: &Path,
) -> Result<(), StoreError> {
    forget(partial).map_err(|error| failed(partial, &error))?;
    // VACUUM INTO takes an empty file that is there, and with it its mode.
    file::private(partial).map_err(|error| failed(partial, &error))?;
    let name = partial
        .to_str()
        .ok_or_else(|| StoreError::Unavailable(format!("{} is not UTF-8", partial.display())))?;
    sqlx::query("VACUUM INTO ?1")
        .bind(name)
        .execute(connection)
        .await?;
    let synced = File::open(partial).and_then(|file| file.sync_all());
    synced.map_err(|error| failed(partial, &error))
}

/// Gives `partial` its name, for good, unless something has that name: `NameExists`.
pub(super) fn settle(partial: &Path, target: &Path) -> Result<(), StoreError> {
    // Unlike a rename, a link replaces nothing.
    let linked = fs::hard_link(partial, target);
    forget(partial).map_err(|error| failed(partial, &error))?;
    linked.map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            StoreError::NameExists(target.display().to_string())
        } else {
            failed(target, &error)
        }
    })?;
    atomic::sync_dir(folder(target)).map_err(|error| failed(target, &error))
}

pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

pub(super) fn failed(path: &Path, error: &io::Error) -> StoreError {
    StoreError::Unavailable(format!("copying to {}: {error}", path.display()))
}
