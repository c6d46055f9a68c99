//! Two spellings of one directory are one project.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Component, Path, PathBuf},
};

/// Device and inode of a directory; `None` when it is not there.
pub(super) fn place(path: &Path) -> Option<(u64, u64)> {
    let found = path.metadata().ok()?;
    Some((found.dev(), found.ino()))
}

/// A canonical path in the letters of the disk. Where a file system takes no account of case, canonical is what was typed.
pub(super) fn as_on_disk(real: &Path) -> PathBuf {
    let mut at = PathBuf::new();
    for step in real.components() {
        let Component::Normal(name) = step else {
            at.push(step);
            continue;
        };
        let named = at.join(name);
        let swapped = name.to_str().map(swap);
        let is_same = |other: &String| {
            let there = |path: &Path| path.symlink_metadata().ok().map(|m| (m.dev(), m.ino()));
            Some(other.as_str()) != name.to_str()
                && there(&at.join(other)).is_some_and(|other| Some(other) == there(&named))
        };
        at = match swapped.filter(is_same) {
            Some(_) => spelled(&at, &named).unwrap_or(named),
            None => named,
        };
    }
    at
}

/// The entry of `folder` that `named` is; the very name if it is there.
fn spelled(folder: &Path, named: &Path) -> Option<PathBuf> {
    let inode = named.symlink_metadata().ok()?.ino();
    let mut other = None;
    for entry in fs::read_dir(folder).ok()?.flatten() {
        if entry.path() == named {
            return Some(entry.path());
        }
        if entry.metadata().is_ok_and(|found| found.ino() == inode) {
            other = Some(entry.path());
        }
    }
    other
}

fn swap(name: &str) -> String {
    let other = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    name.chars().map(other).collect()
}

#[cfg(test)]
mod tests {
    use super::{as_on_disk, place, spelled};
    use std::{fs, os::unix::fs::symlink};

    #[test]
    fn what_differs_in_case_stays_apart_where_the_disk_keeps_it_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("it is there");
        let (small, large, link) = (root.join("p"), root.join("P"), root.join("Q"));
        fs::create_dir_all(&small).expect("a folder");
        fs::create_dir_all(root.join("q")).expect("a folder");
        symlink(root.join("q"), &link).expect("a link");
        assert_eq!(as_on_disk(&small), small);
        assert_eq!(as_on_disk(&root.join("q")), root.join("q"));
        if fs::create_dir(&large).is_ok() {
            assert_eq!(as_on_disk(&large), large);
            assert_ne!(place(&large), place(&small));
        } else {
            assert_eq!(as_on_disk(&large), small);
        }
    }

    #[test]
    fn an_entry_is_known_by_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        fs::write(&one, "x").expect("a file");
        fs::hard_link(&one, &other).expect("a second name");
        assert_eq!(spelled(folder.path(), &other), Some(other.clone()));
        assert_eq!(spelled(folder.path(), &folder.path().join("absent")), None);
    }
}
