//! Where the lock of a root may be: in its tree, or in a private folder of the user.

use crate::workspace::git;
use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags, fstat, mkdirat, openat, statat},
    io::Errno,
};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::{fd::AsFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
};

const FOLDER: &str = ".eyas";
const LOCK: &str = "lock";
const IGNORE: &str = ".gitignore";
const IGNORE_ALL: &[u8] = b"*\n";
/// In the folders elsewhere.
const LOCKS: &str = "locks";
/// A folder that is cleared away under us by the one who gave it back.
const TRIES: u32 = 20;

/// One place of a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// `<root>/.eyas/lock`, by the root.
    Tree(PathBuf),
    /// A file in `locks/` of a private folder.
    Elsewhere { private: PathBuf, name: String },
}

/// Of a root with this device and inode: by them and not by its path, since one directory has several.
pub(super) fn elsewhere(
    private: &[PathBuf],
    place: Option<(u64, u64)>,
) -> impl Iterator<Item = Spot> {
    let name = place.map(|(device, inode)| format!("{device:x}-{inode:x}"));
    private.iter().filter_map(move |private| {
        Some(Spot::Elsewhere {
            private: private.clone(),
            name: name.clone()?,
        })
    })
}

impl Spot {
    pub(super) fn in_tree(root: &Path) -> Self {
        Self::Tree(root.to_owned())
    }

    fn folder(&self) -> PathBuf {
        match self {
            Self::Tree(root) => root.join(FOLDER),
            Self::Elsewhere { private, .. } => private.join(LOCKS),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Tree(_) => LOCK,
            Self::Elsewhere { name, .. } => name,
        }
    }

    /// The file, as it is there.
    pub(super) fn look(&self) -> io::Result<File> {
        self.open(self.name(), OFlags::RDONLY)
    }

    /// The file, made if need be. Whatever is a link on the way is somebody's trap, and what the repository tracks is the repository's.
    pub(super) fn make(&self) -> io::Result<File> {
        if let Self::Tree(root) = self
            && git::tracks(root, FOLDER)?
        {
            return Err(io::Error::other("the repository tracks it"));
        }
        let mut tries = 0;
        loop {
            let flags = OFlags::RDWR | OFlags::CREATE;
            // The ignoring first, so that nothing of ours is ever seen by git.
            match self.prepare().and_then(|()| self.open(self.name(), flags)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => {
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    /// The folder, and in a tree what hides it from git.
    pub(super) fn prepare(&self) -> io::Result<()> {
        match self {
            Self::Tree(_) => {
                made(&self.folder())?;
                let mut ignore = self.open(IGNORE, OFlags::RDWR | OFlags::CREATE)?;
                if ignore.metadata()?.len() == 0 {
                    ignore.write_all(IGNORE_ALL)?;
                }
                Ok(())
            }
            Self::Elsewhere { private, .. } => {
                for folder in [private, &self.folder()] {
                    made(folder)?;
                    ours_alone(folder)?;
                }
                Ok(())
            }
        }
    }

    /// A file of the folder that is ours alone: no link, nothing that has another name elsewhere.
    fn open(&self, name: &str, flags: OFlags) -> io::Result<File> {
        let folder = self.folder();
        if matches!(self, Self::Elsewhere { .. }) {
            ours_alone(&folder)?;
        }
        let safe = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let at = openat(
            CWD,
            folder,
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
    pub(super) fn holds(&self, file: &File) -> bool {
        let path = self.folder().join(self.name());
        let (Ok(named), Ok(held)) = (
            statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW),
            fstat(file.as_fd()),
        ) else {
            return false;
        };
        (named.st_dev, named.st_ino) == (held.st_dev, held.st_ino)
    }

    /// Leaves all as it was found. While we hold the lock nobody else clears, and the lock's file goes last but for the folder: who makes
    /// the next one puts back what it finds missing. What others keep in the folder stays, and what hides it.
    pub(super) fn clear(&self) -> io::Result<()> {
        let folder = self.folder();
        let Self::Tree(root) = self else {
            return fs::remove_file(folder.join(self.name()));
        };
        if folder.symlink_metadata()?.is_symlink() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // Somebody may have added it by force.
        if git::tracks(root, FOLDER)? {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        for entry in fs::read_dir(&folder)? {
            let name = entry?.file_name();
            if name != LOCK && name != IGNORE {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
        }
        if fs::read(folder.join(IGNORE))? != IGNORE_ALL {
            return Err(io::ErrorKind::InvalidData.into());
        }
        fs::remove_file(folder.join(IGNORE))?;
        fs::remove_file(folder.join(LOCK))?;
        match fs::remove_dir(&folder) {
            // The next one is there already.
            Err(error) if error.kind() != io::ErrorKind::DirectoryNotEmpty => Err(error),
            _ => Ok(()),
        }
    }
}

fn made(folder: &Path) -> io::Result<()> {
    match mkdirat(CWD, folder, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A real directory of this user in which nobody else can put anything: its parent may be everybody's.
fn ours_alone(folder: &Path) -> io::Result<()> {
    let found = folder.symlink_metadata()?;
    let ours = found.uid() == rustix::process::geteuid().as_raw();
    if found.is_dir() && ours && found.mode() & 0o022 == 0 {
        Ok(())
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}
