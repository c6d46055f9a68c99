//! Which of the files that differ from an index are worth reading.

use rustix::fs::{Access, access};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ffi::OsStr,
    fs::Metadata,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::{Path, PathBuf},
};

/// A larger file is known by its size and time alone.
const FILE: u64 = 4 * 1024 * 1024;
const FILES: usize = 2_000;
const BYTES: u64 = 64 * 1024 * 1024;

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    len: u64,
    modified: (i64, i64),
}

impl From<&Metadata> for Look {
    fn from(about: &Metadata) -> Self {
        Self {
            len: about.len(),
            modified: (about.mtime(), about.mtime_nsec()),
        }
    }
}

/// Files that differ from an index, by what is to be done with them.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// To be read into the index.
    pub(super) read: Vec<Vec<u8>>,
    /// To be taken out of it.
    pub(super) gone: Vec<Vec<u8>>,
    /// Only looked at.
    pub(super) looks: BTreeMap<Vec<u8>, Look>,
}

/// Weighs `paths` below `root`, as `ls-files -z` lists them.
pub(super) fn weigh(root: &Path, listed: &[u8]) -> Weighed {
    let paths: BTreeSet<&[u8]> = listed
        .split(|byte| *byte == 0)
        // A repository within the tree is its own business.
        .filter(|path| !path.is_empty() && !path.ends_with(b"/"))
        .collect();
    let mut weighed = Weighed::default();
    let mut within = Within::default();
    let mut bytes = 0;
    for path in paths {
        let relative = Path::new(OsStr::from_bytes(path));
        let full = root.join(relative);
        let about = match full.symlink_metadata() {
            Ok(about) if within.holds(root, relative) => about,
            _ => {
                weighed.gone.push(path.to_owned());
                continue;
            }
        };
        let kind = about.file_type();
        let odd =
            kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device();
        let unreadable = kind.is_file() && access(&full, Access::READ_OK).is_err();
        let heavy =
            about.len() > FILE || bytes + about.len() > BYTES || weighed.read.len() >= FILES;
        if odd || unreadable || (heavy && kind.is_file()) {
            weighed.looks.insert(path.to_owned(), Look::from(&about));
        } else {
            bytes += about.len();
            weighed.read.push(path.to_owned());
        }
    }
    weighed
}

/// Folders that have been seen to be no links.
#[derive(Default)]
struct Within(HashMap<PathBuf, bool>);

impl Within {
    /// No folder on the way to `relative` is a link: git refuses what lies beyond one.
    fn holds(&mut self, root: &Path, relative: &Path) -> bool {
        let Some(parent) = relative
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        else {
            return true;
        };
        if let Some(known) = self.0.get(parent) {
            return *known;
        }
        let real = root
            .join(parent)
            .symlink_metadata()
            .is_ok_and(|about| about.is_dir());
        let holds = real && self.holds(root, parent);
        self.0.insert(parent.to_owned(), holds);
        holds
    }
}
