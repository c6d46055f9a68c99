//! Reading files below a folder without leaving it by a link.

use rustix::fs::{CWD, Mode, OFlags, openat};
use std::{
    fs::File,
    io::{self, ErrorKind, Read as _},
    path::{Component, Path},
};

/// Opens a regular file below `root`; no component, `root` included, may be a link.
///
/// # Errors
/// `InvalidInput` when `relative` is empty, absolute, holds `..`, or names something that is not a regular file; else what the file system
/// says.
pub fn open(root: &Path, relative: &Path) -> io::Result<File> {
    let folder = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Without NONBLOCK the opening of a pipe would wait for its writer.
    let leaf = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut at = openat(CWD, root, folder, Mode::empty())?;
    let mut steps = relative.components().peekable();
    while let Some(step) = steps.next() {
        let Component::Normal(name) = step else {
            return Err(ErrorKind::InvalidInput.into());
        };
        if steps.peek().is_some() {
            at = openat(&at, name, folder, Mode::empty())?;
            continue;
        }
        let file = File::from(openat(&at, name, leaf, Mode::empty())?);
        return if file.metadata()?.is_file() {
            Ok(file)
        } else {
            Err(ErrorKind::InvalidInput.into())
        };
    }
    Err(ErrorKind::InvalidInput.into())
}

/// Reads such a file, of at most `max` bytes.
///
/// # Errors
/// Those of [`open`]; `FileTooLarge` above `max`.
pub fn read(root: &Path, relative: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(root, relative)?
        .take(max.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::read;
    use std::{fs, os::unix::fs::symlink, path::Path};

    #[test]
    fn a_link_never_leads_out() {
        let home = tempfile::tempdir().expect("a folder");
        let (root, secret) = (home.path().join("root"), home.path().join("secret"));
        fs::create_dir_all(root.join("in")).expect("a folder");
        fs::write(&secret, "no").expect("a file");
        fs::write(root.join("in/file"), "yes").expect("a file");
        symlink(&secret, root.join("leaf")).expect("a link");
        symlink(home.path(), root.join("way")).expect("a link");
        let get = |path: &str| read(&root, Path::new(path), 3);
        assert_eq!(get("in/file").expect("a plain file"), b"yes");
        for bad in ["leaf", "way/secret", "../secret", "in", "", "/etc/hostname"] {
            assert!(get(bad).is_err(), "{bad} was read");
        }
        assert!(read(&root, Path::new("in/file"), 2).is_err(), "the bound");
    }
}
