//! Which program lies at a path: whoever replaces it has upgraded the agent.

use std::{os::unix::fs::MetadataExt as _, path::Path};

/// One file as it is, links followed. Any way to install another version changes it: a new file has another number, one that is written over
/// another time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    /// Of the file at `program`; `None` where it cannot be looked at, which the launch will say.
    pub(super) fn of(program: &Path) -> Option<Self> {
        // Less than to hand it to another thread.
        let seen = std::fs::metadata(program).ok()?;
        Some(Self {
            device: seen.dev(),
            inode: seen.ino(),
            bytes: seen.size(),
            modified: (seen.mtime(), seen.mtime_nsec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Stamp;
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn another_program_has_another_stamp() {
        let folder = tempfile::tempdir().expect("a directory");
        let (program, link) = (folder.path().join("a"), folder.path().join("link"));
        fs::write(&program, "one").expect("a file");
        symlink(&program, &link).expect("a link");
        let first = Stamp::of(&link);
        assert!(first.is_some());
        assert_eq!(Stamp::of(&link), first);
        fs::write(folder.path().join("b"), "two").expect("a file");
        fs::rename(folder.path().join("b"), &program).expect("in its place");
        assert_ne!(Stamp::of(&link), first);
        assert_eq!(Stamp::of(&folder.path().join("none")), None);
    }
}
