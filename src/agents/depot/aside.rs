//! A folder in the making. Whatever happens to its maker, it leaves nothing.

use super::{Depot, broken};
use crate::{
    domain::fault::Fault,
    stdx::{self, atomic},
};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// Below the depot, so that a rename stays on one file system. No publisher begins with a dot.
const FOLDER: &str = ".making";

/// Two new folders of ours, removed with all they hold when dropped: one becomes the version, one is for what is needed on the way. A file beside it is locked as long as its maker lives, so that whoever comes
/// next can tell what a dead one left.
#[derive(Debug)]
pub struct Aside {
    path: PathBuf,
    lock: PathBuf,
    held: File,
}

impl Aside {
    /// What is made goes in here.
    #[must_use]
    pub fn tree(&self) -> PathBuf {
        self.path.join("tree")
    }

    /// What is only needed to make it goes in here.
    #[must_use]
    pub fn work(&self) -> PathBuf {
        self.path.join("work")
    }

    /// Gives what was made its place.
    pub(super) fn give(self, place: &Path) -> io::Result<()> {
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(self.tree(), place)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.path));
        drop(fs::remove_file(&self.lock));
        drop(self.held.unlock());
    }
}

impl Depot {
    /// A new folder to make something in.
    ///
    /// # Errors
    /// `store_unavailable` when the depot cannot be written.
    pub fn aside(&self) -> Result<Aside, Fault> {
        let made = || {
            let folder = self.root.join(FOLDER);
            atomic::private_dir(&self.root)?;
            fs::create_dir_all(&folder)?;
            let (path, lock, held) = loop {
                let name = stdx::mint().to_string();
                let lock = folder.join(format!("{name}.lock"));
                let held = lock_of(&lock)?;
                held.lock()?;
                // Whoever tidies may have taken it for a dead one's before it was locked.
                if lock.exists() {
                    break (folder.join(name), lock, held);
                }
            };
            let aside = Aside { path, lock, held };
            fs::create_dir(&aside.path)?;
            fs::create_dir(aside.tree())?;
            fs::create_dir(aside.work())?;
            Ok(aside)
        };
        made().map_err(|error| broken(&self.root, &error))
    }

    /// Moves a folder out of the way and removes it.
    pub(super) fn discard(&self, folder: &Path) -> io::Result<()> {
        let aside = self.aside().map_err(io::Error::other)?;
        fs::rename(folder, aside.work().join("gone"))
    }

    /// Removes what makers that died have left. Answers how many.
    pub fn tidy(&self) -> usize {
        let Ok(entries) = fs::read_dir(self.root.join(FOLDER)) else {
            return 0;
        };
        let left = entries.flatten().map(|entry| entry.path());
        left.filter(|lock| lock.extension().is_some_and(|end| end == "lock"))
            .filter_map(|lock| {
                let held = lock_of(&lock).ok()?;
                held.try_lock().ok()?;
                drop(Aside {
                    path: lock.with_extension(""),
                    lock,
                    held,
                });
                Some(())
            })
            .count()
    }
}

pub(super) fn lock_of(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}
