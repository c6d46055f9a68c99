//! One owner per home: an exclusive lock of the operating system, held for life, gone with the process however it ends.

use crate::{
    config::Settings,
    domain::fault::{ErrorKind, Fault},
    stdx::atomic,
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::Path,
};

/// The home is ours until this is dropped.
#[derive(Debug)]
pub(super) struct Owned(File);

/// By a call, not by the last descriptor: a child that is just being started has a copy of it until it becomes another program.
impl Drop for Owned {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::debug!(%error, "the home was not given back by a call");
        }
    }
}

/// Takes the home, or says `None` when another process has it.
///
/// # Errors
/// `forbidden` when the directory belongs to another user; `database_unavailable` when it cannot be written or is on a network file system.
pub(super) fn take(settings: &Settings) -> Result<Option<Owned>, Fault> {
    prepare(settings)?;
    let path = settings.data.join("hub.lock");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(|error| unwritable(&settings.data, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Owned(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(unwritable(&settings.data, &error)),
    }
}

/// Makes the directories that a hub needs, private and ours.
///
/// # Errors
/// As [`take`].
pub(super) fn prepare(settings: &Settings) -> Result<(), Fault> {
    for folder in [&settings.data, &settings.logs_dir] {
        if folder.exists() {
            ours(folder)?;
        }
        atomic::private_dir(folder).map_err(|error| unwritable(&settings.data, &error))?;
    }
    local(&settings.data)
}

/// Refuses what belongs to somebody else: whoever owns the directory of a socket can put another in its place.
pub(super) fn ours(path: &Path) -> Result<(), Fault> {
    let owner = match std::fs::metadata(path) {
        Ok(found) => found.uid(),
        Err(error) => return Err(unwritable(path, &error)),
    };
    if owner == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    Err(Fault::new(
        ErrorKind::Forbidden,
        format!("{} belongs to another user (uid {owner})", path.display()),
    )
    .hint("set EYAS_HOME to a directory of your own"))
}

fn unwritable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(
        ErrorKind::DatabaseUnavailable,
        format!("failed to write to {}: {error}", path.display()),
    )
    .hint("set EYAS_HOME to a directory that can be written")
}

/// SQLite's locks and memory maps do not hold across a network.
#[cfg(target_os = "linux")]
pub(super) fn local(folder: &Path) -> Result<(), Fault> {
    const NETWORKS: [(u32, &str); 6] = [
        (0x6969, "nfs"),
        (0x517b, "smb"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        (0x5346_414f, "afs"),
        (0x7375_7245, "coda"),
    ];
    let Ok(found) = rustix::fs::statfs(folder) else {
        return Ok(());
    };
    // The kernel's type is as wide as a word and signed; the magic numbers are 32 bits.
    let magic = u32::try_from(found.f_type & 0xffff_ffff).unwrap_or_default();
    match NETWORKS.iter().find(|(known, _)| *known == magic) {
        None => Ok(()),
        Some((_, name)) => Err(Fault::new(
            ErrorKind::DatabaseUnavailable,
            format!(
                "{} is on a network file system ({name}), where SQLite cannot keep its promises",
                folder.display()
            ),
        )
        .hint("set EYAS_HOME to a local directory")),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn local(_: &Path) -> Result<(), Fault> {
    Ok(())
}
