//! Who serves a project: an exclusive lock of the operating system on `<root>/.eyas/lock`, held while agents are warm there.
//!
//! What stands in the file says who, for people; the lock alone says whether. A crash leaves text and no lock, a process with the number of
//! the one that wrote holds no lock, and text that is no record of ours is nobody's: none of these is a server.
//! Beside the lock there is a `.gitignore` that ignores the folder and itself, so that a project never looks changed by us. Both go with the
//! claim.

use crate::domain::fault::{ErrorKind, Fault};
use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, mkdirat, openat, statat},
    io::Errno,
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::{fd::AsFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

const FOLDER: &str = ".eyas";
const LOCK: &str = "lock";
const IGNORE: &str = ".gitignore";
const IGNORE_ALL: &[u8] = b"*\n";
/// Of a record of ours; a file that is larger is none.
const MAX_RECORD: u64 = 16 * 1024;
/// Who only looks holds a shared lock for a moment, which must not pass for a server.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// A process that serves projects, as it says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    pub pid: u32,
    /// Clock ticks from boot to its start.
    pub start_time: u64,
    /// Of the machine.
    pub boot_id: String,
    /// Id of the hub.
    pub hub: String,
    /// Its home.
    pub home: PathBuf,
}

/// A root that this process serves until this is dropped.
#[derive(Debug)]
pub struct Claim {
    root: PathBuf,
    /// Device and inode of the root when it was claimed.
    place: Option<(u64, u64)>,
    /// `None` where no lock can be: a directory that cannot be written to.
    lock: Option<File>,
}

/// What has become of a claimed root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As it was.
    Held,
    /// Somebody removed the lock's file, as `git clean` does: the next one would be another's to take.
    Removed,
    /// Another directory is there, or none: what works in the old one works in nothing.
    Replaced,
}

/// Claims `root` for `server`.
///
/// # Errors
/// `external_instance` when another process serves it.
pub fn claim(root: &Path, server: &Server) -> Result<Claim, Fault> {
    let place = place(root);
    let bare = |why: &io::Error| {
        tracing::info!(root = %root.display(), %why, "a project without a lock: another hub would not see that it is served");
        Claim {
            root: root.to_owned(),
            place,
            lock: None,
        }
    };
    let mut file = match lock_file(root) {
        Ok(file) => file,
        Err(error) => return Ok(bare(&error)),
    };
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) if is_there(root, &file) => {
                // Whoever gave the root back may have cleared it away after we looked.
                if let Err(error) = ignored(root).and_then(|()| write(&mut file, server)) {
                    tracing::debug!(%error, "who serves a project could not be written");
                }
                return Ok(Claim {
                    root: root.to_owned(),
                    place,
                    lock: Some(file),
                });
            }
            // Removed between opening and locking.
            Ok(()) => match lock_file(root) {
                Ok(fresh) => file = fresh,
                Err(error) => return Ok(bare(&error)),
            },
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Ok(bare(&error)),
        }
    }
    Err(taken(root, read(&mut file).as_ref()))
}

/// Who serves `root`, if a process other than `server` does; its record is `None` when there is none that can be read.
#[must_use]
pub fn external(root: &Path, server: &Server) -> Option<Option<Server>> {
    let mut file = open(root, OFlags::RDONLY).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            let said = read(&mut file);
            (said.as_ref() != Some(server)).then_some(said)
        }
        Ok(()) => {
            give_back(&file);
            None
        }
        Err(TryLockError::Error(_)) => None,
    }
}

/// Another process serves a project.
#[must_use]
pub fn taken(root: &Path, who: Option<&Server>) -> Fault {
    let who = who.map_or_else(
        || "another process".to_owned(),
        |server| {
            format!(
                "process {} of the home {}",
                server.pid,
                server.home.display()
            )
        },
    );
    Fault::new(
        ErrorKind::ExternalInstance,
        format!("{who} serves {}", root.display()),
    )
    .hint("delegate cold, or end the other one: it is not ours to stop")
}

impl Claim {
    /// Whether it still is what it was taken for.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match &self.lock {
            _ if place(&self.root) != self.place => Standing::Replaced,
            Some(file) if !is_there(&self.root, file) => Standing::Removed,
            Some(_) | None => Standing::Held,
        }
    }
}

/// By a call, not by the last descriptor: a child that is just being started has a copy of it until it becomes another program.
impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(file) = &self.lock {
            if is_there(&self.root, file)
                && let Err(error) = clear(&self.root)
            {
                tracing::debug!(%error, "the lock of a project stays where it is");
                // Nobody's name stands there while nobody serves.
                drop(file.set_len(0));
            }
            give_back(file);
        }
    }
}

/// Leaves the project as it was found. While we hold the lock nobody else clears, and the lock's file goes last but for the folder: who
/// makes the next one puts back what it finds missing. What others keep in the folder stays, and what hides it.
fn clear(root: &Path) -> io::Result<()> {
    let folder = root.join(FOLDER);
    if folder.symlink_metadata()?.is_symlink() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    for entry in std::fs::read_dir(&folder)? {
        let name = entry?.file_name();
        if name != LOCK && name != IGNORE {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
    }
    if std::fs::read(folder.join(IGNORE))? != IGNORE_ALL {
        return Err(io::ErrorKind::InvalidData.into());
    }
    std::fs::remove_file(folder.join(IGNORE))?;
    std::fs::remove_file(folder.join(LOCK))?;
    match std::fs::remove_dir(&folder) {
        // The next one is there already.
        Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(error),
        _ => Ok(()),
    }
}

fn give_back(file: &File) {
    if let Err(error) = file.unlock() {
        tracing::debug!(%error, "the lock of a project was not given back by a call");
    }
}

/// Device and inode of a directory, however it is spelled; `None` when it is not there.
fn place(root: &Path) -> Option<(u64, u64)> {
    let found = root.metadata().ok()?;
    Some((found.dev(), found.ino()))
}

/// The lock's file, made if need be. Whatever is a link on the way is somebody's trap, not ours.
fn lock_file(root: &Path) -> io::Result<File> {
    let mut tries = 0;
    loop {
        // The ignoring first, so that nothing of ours is ever seen by git.
        match ignored(root).and_then(|()| open(root, OFlags::RDWR | OFlags::CREATE)) {
            // Cleared away under us by the one who gave it back.
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

/// The folder, and in it what hides it from git.
fn ignored(root: &Path) -> io::Result<()> {
    match mkdirat(CWD, root.join(FOLDER), Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ignore = regular(root, IGNORE, OFlags::RDWR | OFlags::CREATE)?;
    if ignore.metadata()?.len() == 0 {
        ignore.write_all(IGNORE_ALL)?;
    }
    Ok(())
}

fn open(root: &Path, flags: OFlags) -> io::Result<File> {
    regular(root, LOCK, flags)
}

/// A file of the folder that is ours alone: no link, nothing that has another name elsewhere.
fn regular(root: &Path, name: &str, flags: OFlags) -> io::Result<File> {
    let safe = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let at = openat(
        CWD,
        root.join(FOLDER),
        OFlags::RDONLY | OFlags::DIRECTORY | safe,
        Mode::empty(),
    )?;
    let mode = Mode::RUSR | Mode::WUSR;
    // Without NONBLOCK the opening of a pipe would wait.
    let file = File::from(openat(&at, name, flags | safe | OFlags::NONBLOCK, mode)?);
    let found = file.metadata()?;
    if found.is_file() && found.nlink() <= 1 {
        Ok(file)
    } else {
        Err(io::ErrorKind::InvalidInput.into())
    }
}

/// The file is still the one that the next comer would open.
fn is_there(root: &Path, file: &File) -> bool {
    let path = root.join(FOLDER).join(LOCK);
    let (Ok(named), Ok(held)) = (
        statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW),
        rustix::fs::fstat(file.as_fd()),
    ) else {
        return false;
    };
    (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)
}

fn write(file: &mut File, server: &Server) -> io::Result<()> {
    file.set_len(0)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&serde_json::to_vec(server)?)
}

fn read(file: &mut File) -> Option<Server> {
    let mut text = Vec::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.take(MAX_RECORD).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests;
