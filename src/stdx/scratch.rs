//! A folder that is gone when its owner is.

use std::{io, path::Path};

/// A new folder of our own, mode 0700, below the system's temporary folder; removed with all it holds when dropped.
#[derive(Debug)]
pub struct Scratch(tempfile::TempDir);

impl Scratch {
    /// Makes one whose name begins with `prefix`.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn new(prefix: &str) -> io::Result<Self> {
        tempfile::Builder::new().prefix(prefix).tempdir().map(Self)
    }

    /// One in the folder `parent`, which must be there.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn below(parent: &Path, prefix: &str) -> io::Result<Self> {
        let made = tempfile::Builder::new().prefix(prefix).tempdir_in(parent);
        made.map(Self)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Removes it now, and says whether that worked.
    ///
    /// # Errors
    /// Any error of the file system.
    pub fn remove(self) -> io::Result<()> {
        self.0.close()
    }
}
