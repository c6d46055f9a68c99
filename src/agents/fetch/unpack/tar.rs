//! Tapes. Of an image's layers the marks of what is taken away are obeyed.

use super::{Spoilt, tree::Tree};
use std::{
    ffi::OsStr,
    io::{self, Read},
    os::unix::ffi::OsStrExt as _,
    path::PathBuf,
};
use tar::{Archive, Entry, EntryType, PaxExtensions};

/// Before the name of a file that a layer takes away, and before a mark of everything in a folder.
const GONE: &[u8] = b".wh.";
const ALL_GONE: &[u8] = b".wh..wh.";
/// Of a name that does not fit into a head. The crate would read it whole, however long it says it is.
const LONGEST: u64 = 64 * 1024;

/// What is said of the next entry before it.
#[derive(Debug, Default)]
struct Ahead {
    name: Option<PathBuf>,
    target: Option<PathBuf>,
}

pub(super) fn fill(from: impl Read, tree: &mut Tree) -> Result<(), Spoilt> {
    let mut archive = Archive::new(from);
    let mut ahead = Ahead::default();
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let kind = entry.header().entry_type();
        if kind.is_gnu_longname() {
            ahead.name = Some(path(&long(&mut entry)?));
        } else if kind.is_gnu_longlink() {
            ahead.target = Some(path(&long(&mut entry)?));
        } else if kind.is_pax_local_extensions() {
            ahead.read(&long(&mut entry)?)?;
        } else if !kind.is_pax_global_extensions() {
            put(entry, kind, std::mem::take(&mut ahead), tree)?;
        }
    }
    // To its end, for there stands what tells that nothing was lost.
    io::copy(&mut archive.into_inner(), &mut io::sink())?;
    Ok(())
}

fn put(
    entry: Entry<'_, impl Read>,
    kind: EntryType,
    ahead: Ahead,
    tree: &mut Tree,
) -> Result<(), Spoilt> {
    let name = ahead.name.unwrap_or_else(|| path(&entry.path_bytes()));
    let short = || path(&entry.link_name_bytes().unwrap_or_default());
    // The oldest tapes say by the name alone that it is a folder.
    if kind.is_dir() || (kind.is_file() && name.as_os_str().as_bytes().ends_with(b"/")) {
        tree.folder(&name)
    } else if kind.is_symlink() {
        tree.link(&name, &ahead.target.unwrap_or_else(short))
    } else if kind.is_hard_link() {
        tree.twin(&name, &ahead.target.unwrap_or_else(short))
    } else if kind.is_file() || kind.is_contiguous() {
        let is_program = entry.header().mode()? & 0o111 != 0;
        let last = name.file_name().map(OsStr::as_bytes).unwrap_or_default();
        if last.starts_with(ALL_GONE) {
            return Ok(());
        }
        match last.strip_prefix(GONE) {
            Some(gone) => tree.without(&name.with_file_name(OsStr::from_bytes(gone))),
            None => tree.file(&name, is_program, entry),
        }
    } else {
        let why = format!("{} is a device, or something as strange", name.display());
        Err(Spoilt::Refused(why))
    }
}

impl Ahead {
    fn read(&mut self, records: &[u8]) -> Result<(), Spoilt> {
        for record in PaxExtensions::new(records) {
            let record = record?;
            match record.key_bytes() {
                b"path" => self.name = Some(path(record.value_bytes())),
                b"linkpath" => self.target = Some(path(record.value_bytes())),
                // The head's own size is another then, and so is where the next entry begins.
                b"size" => {
                    return Err(Spoilt::Refused(
                        "a file of it is too large for a head".to_owned(),
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn long(entry: &mut Entry<'_, impl Read>) -> Result<Vec<u8>, Spoilt> {
    let mut text = Vec::new();
    entry.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(Spoilt::Refused(format!(
            "a name of it is longer than {LONGEST} bytes"
        )));
    }
    while text.last() == Some(&0) {
        text.pop();
    }
    Ok(text)
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
