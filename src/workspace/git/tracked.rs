//! What a repository tracks, read from its index without git: where an answer is wanted at once.

use super::repository::Repository;
use rustix::fs::{CWD, Mode, OFlags, openat};
use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// Of an index. Its entries are sorted, and a name that begins with a dot is among the first.
const MOST: u64 = 16 * 1024 * 1024;
/// Times, modes, sizes of an entry; its id follows, then two bytes of flags.
const STAT: usize = 40;
/// Of the flags: two more bytes follow.
const EXTENDED: u16 = 0x4000;

/// Whether the work tree at `root` tracks `folder`, one name at its top, or anything in it. Starts nothing.
///
/// # Errors
/// An index that cannot be read or understood.
pub fn tracks(root: &Path, folder: &str) -> io::Result<bool> {
    let Some(repository) = Repository::at(root) else {
        return Ok(false);
    };
    if is_split(&repository.folder)? {
        return Err(io::Error::other("its index is split over several files"));
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let index = match openat(CWD, repository.folder.join("index"), flags, Mode::empty()) {
        Ok(index) => File::from(index),
        Err(rustix::io::Errno::NOENT) => return Ok(false),
        Err(errno) => return Err(errno.into()),
    };
    if !index.metadata()?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut bytes = Vec::new();
    index.take(MOST).read_to_end(&mut bytes)?;
    let id = if repository.is_sha256() { 32 } else { 20 };
    listed(&bytes, id, folder.as_bytes()).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Most entries of such an index stand in another file, of which it says which only at its end.
fn is_split(folder: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        if name.as_encoded_bytes().starts_with(b"sharedindex.") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether `folder` or what is in it is among the entries; `None` when the bytes are no index.
fn listed(bytes: &[u8], id: usize, folder: &[u8]) -> Option<bool> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if bytes.get(..4)? != b"DIRC" {
        return None;
    }
    let (version, count) = (word(4)?, word(8)?);
    let mut at = 12;
    let mut path: Vec<u8> = Vec::new();
    for _ in 0..count {
        let begun = at;
        at += STAT + id;
        let flags = u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?);
        at += if flags & EXTENDED == 0 { 2 } else { 4 };
        if version >= 4 {
            let cut = varint(bytes, &mut at)?;
            path.truncate(path.len().checked_sub(cut)?);
        } else {
            path.clear();
        }
        let rest = bytes.get(at..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        path.extend_from_slice(&rest[..end]);
        at += end + 1;
        if version < 4 {
            // Filled up with zeros, at least one, to a multiple of eight.
            at = begun + (at - begun).next_multiple_of(8);
        }
        let top = path.split(|byte| *byte == b'/').next().unwrap_or_default();
        if top.eq_ignore_ascii_case(folder) {
            return Some(true);
        }
        // They are sorted, and what is written large comes before what is written small.
        if path.as_slice() > folder && !path.starts_with(folder) {
            return Some(false);
        }
    }
    Some(false)
}

/// As git writes offsets: seven bits a byte, each but the first with one added.
fn varint(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut byte = *bytes.get(*at)?;
    *at += 1;
    let mut value = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        byte = *bytes.get(*at)?;
        *at += 1;
        value = value.checked_add(1)?.checked_mul(128)? | usize::from(byte & 0x7f);
    }
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::tracks;
    use std::{fs, path::Path, process::Command};

    fn git(root: &Path, args: &[&str]) {
        let mut command = Command::new("git");
        let done = command.arg("-C").arg(root).args(args).output();
        assert!(done.expect("git is there").status.success(), "{args:?}");
    }

    #[test]
    fn an_index_of_every_kind_tells() {
        for (format, version) in [("sha1", "2"), ("sha1", "3"), ("sha1", "4"), ("sha256", "2")] {
            let folder = tempfile::tempdir().expect("a folder");
            let root = folder.path();
            git(root, &["init", "-q", "--object-format", format]);
            assert!(!tracks(root, ".eyas").expect("no index yet"));
            let names = [".eyar", ".eyas.toml", "a/.eyas/x", "zebra", "a/b", ".e/a"];
            for name in names {
                let file = root.join(name);
                fs::create_dir_all(file.parent().expect("one")).expect("a folder");
                fs::write(file, "x").expect("a file");
            }
            git(root, &["add", "-A"]);
            if version == "3" {
                git(root, &["add", "-N", ".eyar"]);
            }
            git(root, &["update-index", "--index-version", version]);
            assert!(!tracks(root, ".eyas").expect("an index"), "{version}");
            fs::create_dir(root.join(".eyas")).expect("a folder");
            fs::write(root.join(".eyas/lock"), "x").expect("a file");
            git(root, &["add", "-f", ".eyas/lock"]);
            if version == "3" {
                fs::write(root.join(".a"), "x").expect("a file");
                git(root, &["add", "-N", ".a"]);
            }
            git(root, &["update-index", "--index-version", version]);
            assert!(tracks(root, ".eyas").expect("an index"), "{version}");
            git(root, &["update-index", "--split-index"]);
            assert!(tracks(root, ".eyas").is_err(), "who knows");
            git(root, &["update-index", "--no-split-index"]);
            for entry in fs::read_dir(root.join(".git")).expect("a folder").flatten() {
                if entry.file_name().to_string_lossy().starts_with("shared") {
                    fs::remove_file(entry.path()).expect("ours");
                }
            }
            assert!(tracks(root, ".eyas").expect("an index"));
            fs::write(root.join(".git/index"), "DIRC garbage").expect("ours");
            assert!(tracks(root, ".eyas").is_err());
        }
    }
}
