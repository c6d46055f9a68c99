//! What stood in a worktree when its set-up commands had ended: theirs, and nobody's work as long as it is as they left it.
//!
//! Kept beside the worktree as one digest a file. Not by the clock: one that is set back would have an agent's files look older than these.

use crate::stdx::atomic;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashSet,
    fs, io,
    os::unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

/// Bytes of a digest that are kept.
const WIDTH: usize = 16;
/// Files that are noted; more are not known, and so count as work.
const MOST: usize = 1_000_000;

type Mark = [u8; WIDTH];

/// Marks of files and folders.
#[derive(Debug, Default)]
pub(super) struct Left(HashSet<Mark>);

impl Left {
    /// Notes what stands in `tree` now, unless that was done before: later somebody may have worked in it.
    pub(super) fn note(tree: &Path) -> io::Result<()> {
        let note = beside(tree);
        if note.exists() {
            return Ok(());
        }
        let mut marks: Vec<u8> = Vec::new();
        walk(tree, tree, &mut |path, about| {
            for mark in self::marks(path, about).into_iter().flatten() {
                marks.extend(mark);
            }
            marks.len() < MOST * WIDTH
        })?;
        atomic::write(&note, &marks, 0o600)
    }

    /// What was noted for `tree`. Nothing, where nothing was or it cannot be read: then all is work.
    pub(super) fn noted(tree: &Path) -> Self {
        let bytes = fs::read(beside(tree)).unwrap_or_default();
        let (marks, _torn) = bytes.as_chunks::<WIDTH>();
        Self(marks.iter().copied().collect())
    }

    pub(super) fn forget(tree: &Path) -> io::Result<()> {
        match fs::remove_file(beside(tree)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// The file or folder at `path` in `tree`, with all that is in it, is as it was left. What cannot be looked at is not.
    pub(super) fn holds(&self, tree: &Path, path: &Path) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let mut is_so = true;
        let walked = walk(tree, path, &mut |path, about| {
            let [whole, by_birth] = marks(path, about);
            let by_birth = by_birth.filter(|_| about.nlink() > 1);
            let mut known = [whole, by_birth].into_iter().flatten();
            is_so = known.any(|mark| self.0.contains(&mark));
            is_so
        });
        is_so && walked.is_ok()
    }
}

fn beside(tree: &Path) -> PathBuf {
    tree.with_extension("left")
}

/// Shows `place` and all below it, by their paths from `tree` on, until it has seen enough.
fn walk(
    tree: &Path,
    place: &Path,
    see: &mut impl FnMut(&Path, &fs::Metadata) -> bool,
) -> io::Result<()> {
    let mut left = vec![place.to_owned()];
    while let Some(place) = left.pop() {
        let about = place.symlink_metadata()?;
        let path = place.strip_prefix(tree).unwrap_or(&place);
        if !see(path, &about) {
            break;
        }
        if about.is_dir() {
            for entry in fs::read_dir(&place)? {
                left.push(entry?.path());
            }
        }
    }
    Ok(())
}

/// By all that a program cannot set without that time of change which no program sets. A file with other names changes in that way also
/// when one of those comes or goes, as package managers do that link all projects' files to one store: so it has a second mark, by its birth.
fn marks(path: &Path, about: &fs::Metadata) -> [Option<Mark>; 2] {
    let mark = |kind: u8, time: u128| {
        let mut digest = Sha256::new();
        digest.update([kind]);
        digest.update(time.to_be_bytes());
        for number in [about.dev(), about.ino(), about.size(), about.mode().into()] {
            digest.update(number.to_be_bytes());
        }
        for time in [about.mtime(), about.mtime_nsec()] {
            digest.update(time.to_be_bytes());
        }
        digest.update(path.as_os_str().as_bytes());
        digest.finalize().first_chunk().copied()
    };
    let changed = i128::from(about.ctime()) * 1_000_000_000 + i128::from(about.ctime_nsec());
    let born = about.created().ok().filter(|_| about.is_file());
    let born = born.and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    [
        mark(0, changed.cast_unsigned()),
        born.and_then(|born| mark(1, born.as_nanos())),
    ]
}
