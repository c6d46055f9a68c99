//! Where the `git` program is.

use rustix::fs::{Access, access};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Where programs lie when nobody said.
const USUAL: &str = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin:/run/current-system/sw/bin";

/// One per process, as the process has one PATH: set once by whoever has read it.
static PATH: OnceLock<OsString> = OnceLock::new();

/// Looks for `git` in the folders of `path` from now on; the first word holds.
pub fn look_in(path: &OsStr) {
    PATH.get_or_init(|| path.to_owned());
}

/// The program, and the folders it may look in itself. A folder that is not absolute, or lies in the tree that is looked at, is the tree's
/// to fill.
pub(in crate::workspace) fn find(root: &Path) -> Option<(PathBuf, OsString)> {
    let path = PATH.get().map_or(OsStr::new(USUAL), OsString::as_os_str);
    let folders: Vec<PathBuf> = std::env::split_paths(path)
        .filter(|folder| folder.is_absolute() && !folder.starts_with(root))
        .collect();
    let program = folders
        .iter()
        .map(|folder| folder.join("git"))
        .find(|file| file.is_file() && access(file, Access::EXEC_OK).is_ok())?;
    Some((program, std::env::join_paths(folders).ok()?))
}
