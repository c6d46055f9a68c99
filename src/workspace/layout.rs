//! The folders of instances: where they are, how they go to the trash and come back.

use crate::{
    domain::{fault::Fault, ids::InstanceId},
    stdx::{atomic, mint},
};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind as Io},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// The folders of all instances. Cheap to clone; writers take turns by a lock in the folder.
#[derive(Clone, Debug)]
pub struct Workspaces {
    data: PathBuf,
}

impl Workspaces {
    /// Those below `data`.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// The workspace of an instance, whether it is there or not.
    #[must_use]
    pub fn path(&self, id: InstanceId) -> PathBuf {
        self.home_of(id).join("workspace")
    }

    /// Moves an instance's folder to the trash; one that is gone already is no fault.
    ///
    /// # Errors
    /// `internal` with what the file system says.
    pub fn trash(&self, id: InstanceId) -> Result<(), Fault> {
        self.in_turn("move a workspace to the trash", || {
            let trash = self.trash_folder();
            atomic::private_dir(&trash)?;
            move_if_there(&self.home_of(id), &trash.join(id.to_string())).map(drop)
        })
    }

    /// Moves an instance's folder back from the trash. Answers whether the workspace is there now.
    ///
    /// # Errors
    /// `internal` with what the file system says.
    pub fn restore(&self, id: InstanceId) -> Result<bool, Fault> {
        self.in_turn("bring a workspace back from the trash", || {
            let home = self.home_of(id);
            if !home.exists() {
                move_if_there(&self.trash_folder().join(id.to_string()), &home)?;
            }
            Ok(self.path(id).is_dir())
        })
    }

    /// Removes an instance's folder for good, in the trash or not.
    ///
    /// # Errors
    /// `internal` with what the file system says.
    pub fn purge(&self, id: InstanceId) -> Result<(), Fault> {
        self.in_turn("remove a workspace", || {
            for folder in [self.home_of(id), self.trash_folder().join(id.to_string())] {
                self.remove(&folder)?;
            }
            Ok(())
        })
    }

    /// Clears what crashes left half-written, and answers the ids that have a folder outside the trash: those without a row belong to a
    /// placement that never finished. Called before anything is served.
    ///
    /// # Errors
    /// `internal` with what the file system says.
    pub fn sweep(&self) -> Result<Vec<InstanceId>, Fault> {
        self.in_turn("clear leftovers", || {
            let mut ids = Vec::new();
            for entry in fs::read_dir(self.folder())? {
                let entry = entry?;
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with(".new-") || name.starts_with(".gone-") {
                    fs::remove_dir_all(entry.path())?;
                } else if let Ok(id) = name.parse() {
                    ids.push(id);
                }
            }
            Ok(ids)
        })
    }

    pub(super) fn folder(&self) -> PathBuf {
        self.data.join("instances")
    }

    pub(super) fn home_of(&self, id: InstanceId) -> PathBuf {
        self.folder().join(id.to_string())
    }

    fn trash_folder(&self) -> PathBuf {
        self.data.join("trash")
    }

    /// Out of sight in one step, then removed at leisure: half a workspace is never seen.
    fn remove(&self, folder: &Path) -> io::Result<()> {
        let gone = self.folder().join(format!(".gone-{}", mint()));
        if move_if_there(folder, &gone)? {
            fs::remove_dir_all(&gone)?;
        }
        Ok(())
    }

    /// Runs `act` as the only writer, over processes.
    pub(super) fn in_turn<T>(
        &self,
        what: &str,
        act: impl FnOnce() -> io::Result<T>,
    ) -> Result<T, Fault> {
        let lock = || -> io::Result<File> {
            atomic::private_dir(&self.folder())?;
            let mut options = OpenOptions::new();
            let path = self.folder().join(".lock");
            let file = options.create(true).append(true).mode(0o600).open(path)?;
            file.lock()?;
            Ok(file)
        };
        let done = lock().and_then(|turn| {
            let done = act();
            drop(turn);
            done
        });
        done.map_err(|error| {
            Fault::internal(format!(
                "failed to {what} in {}: {error}",
                self.data.display()
            ))
            .hint("look at free space and permissions of the home")
        })
    }
}

fn move_if_there(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::rename(from, to) {
        Ok(()) => {}
        Err(error) if error.kind() == Io::NotFound => return Ok(false),
        Err(error) => return Err(error),
    }
    for folder in [from.parent(), to.parent()].into_iter().flatten() {
        atomic::sync_dir(folder)?;
    }
    Ok(true)
}
