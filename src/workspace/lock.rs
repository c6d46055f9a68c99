//! Who serves a project: an exclusive lock of the operating system on `<root>/.eyas/lock`, held while agents are warm there.
//!
//! What stands in the file says who, for people; the lock alone says whether. A crash leaves text and no lock, a process with the number of
//! the one that wrote holds no lock, and text that is no record of ours is nobody's: none of these is a server.
//! Beside the lock there is a `.gitignore` that ignores the folder and itself, so that a project never looks changed by us. Both go with the
//! claim.
//!
//! Where the tree has no room for it, because it cannot be written to, or its `.eyas` is a link, or belongs to the repository, the lock lies
//! [`spot`] elsewhere, named by the root's device and inode. Whoever takes one looks at the others afterwards, so that of two who found
//! different ones at most one serves.

mod spot;

use crate::domain::fault::{ErrorKind, Fault};
use serde::{Deserialize, Serialize};
use spot::Spot;
use std::{
    fs::{File, TryLockError},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

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
    /// Private folders of its user, the same for every home, for the locks of trees that have no room for one.
    #[serde(skip)]
    pub elsewhere: Vec<PathBuf>,
}

/// A root that this process serves until this is dropped.
#[derive(Debug)]
pub struct Claim {
    root: PathBuf,
    /// Device and inode of the root when it was claimed.
    place: Option<(u64, u64)>,
    /// Empty where no lock can be at all.
    held: Vec<(Spot, File)>,
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

/// Why a lock was not taken.
enum Refused {
    /// There cannot be one.
    NoRoom(io::Error),
    /// Another process has it.
    Taken(Option<Server>),
}

/// Claims `root` for `server`.
///
/// # Errors
/// `external_instance` when another process serves it.
pub fn claim(root: &Path, server: &Server) -> Result<Claim, Fault> {
    let place = place(root);
    let mut claim = Claim {
        root: root.to_owned(),
        place,
        held: Vec::new(),
    };
    let tree = Spot::in_tree(root);
    let elsewhere = spot::elsewhere(&server.elsewhere, place);
    match take(&tree, server) {
        Ok(file) => claim.held.push((tree, file)),
        Err(Refused::Taken(who)) => return Err(taken(root, who.as_ref())),
        Err(Refused::NoRoom(why)) => {
            tracing::debug!(root = %root.display(), %why, "the lock of a project lies elsewhere");
            for spot in elsewhere {
                match take(&spot, server) {
                    Ok(file) => claim.held.push((spot, file)),
                    Err(Refused::Taken(who)) => return Err(taken(root, who.as_ref())),
                    Err(Refused::NoRoom(why)) => {
                        tracing::debug!(?spot, %why, "no lock of a project can be here");
                    }
                }
            }
        }
    }
    if claim.held.is_empty() {
        tracing::warn!(root = %root.display(), "a project without a lock: another hub would not see that it is served");
    }
    // Only now: whoever looks before taking misses the one who takes meanwhile.
    let others = spots(root, server).filter(|spot| claim.held.iter().all(|(held, _)| held != spot));
    for spot in others {
        if let Some(who) = held_by_another(&spot, server) {
            return Err(taken(root, who.as_ref()));
        }
    }
    Ok(claim)
}

/// The lock at one spot.
fn take(spot: &Spot, server: &Server) -> Result<File, Refused> {
    let mut file = spot.make().map_err(Refused::NoRoom)?;
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) if spot.holds(&file) => {
                // What is no record of ours is somebody's file.
                if !is_ours(&mut file) {
                    give_back(&file);
                    return Err(Refused::NoRoom(io::ErrorKind::InvalidData.into()));
                }
                // Whoever gave the root back may have cleared it away after we looked.
                if let Err(error) = spot.prepare().and_then(|()| write(&mut file, server)) {
                    tracing::debug!(%error, "who serves a project could not be written");
                }
                return Ok(file);
            }
            // Removed between opening and locking.
            Ok(()) => file = spot.make().map_err(Refused::NoRoom)?,
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(Refused::NoRoom(error)),
        }
    }
    Err(Refused::Taken(read(&mut file)))
}

/// Who serves `root`, if a process other than `server` does; its record is `None` when there is none that can be read.
#[must_use]
pub fn external(root: &Path, server: &Server) -> Option<Option<Server>> {
    spots(root, server).find_map(|spot| held_by_another(&spot, server))
}

/// Wherever the lock of `root` may be.
fn spots(root: &Path, server: &Server) -> impl Iterator<Item = Spot> {
    let elsewhere = spot::elsewhere(&server.elsewhere, place(root));
    std::iter::once(Spot::in_tree(root)).chain(elsewhere)
}

fn held_by_another(spot: &Spot, server: &Server) -> Option<Option<Server>> {
    let mut file = spot.look().ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => {
            let said = read(&mut file);
            let is_us = said.as_ref().is_some_and(|said| server.is(said));
            (!is_us).then_some(said)
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

impl Server {
    /// It is the process of which this record speaks.
    fn is(&self, said: &Self) -> bool {
        let of = |one: &Self| (one.pid, one.start_time);
        of(self) == of(said) && self.boot_id == said.boot_id && self.hub == said.hub
    }
}

impl Claim {
    /// Whether it still is what it was taken for.
    #[must_use]
    pub fn standing(&self) -> Standing {
        if place(&self.root) != self.place {
            Standing::Replaced
        } else if self.held.iter().any(|(spot, file)| !spot.holds(file)) {
            Standing::Removed
        } else {
            Standing::Held
        }
    }
}

/// By a call, not by the last descriptor: a child that is just being started has a copy of it until it becomes another program.
impl Drop for Claim {
    fn drop(&mut self) {
        for (spot, file) in &self.held {
            if spot.holds(file)
                && let Err(error) = spot.clear()
            {
                tracing::debug!(%error, "the lock of a project stays where it is");
                // Nobody's name stands there while nobody serves, unless it is the repository's by now.
                if error.kind() != io::ErrorKind::ResourceBusy {
                    drop(file.set_len(0));
                }
            }
            give_back(file);
        }
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

/// Nothing stands in it, or what a server wrote that is no more.
fn is_ours(file: &mut File) -> bool {
    file.metadata().is_ok_and(|about| about.len() == 0) || read(file).is_some()
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
