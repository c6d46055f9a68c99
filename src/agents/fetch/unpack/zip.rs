//! Zips.

use super::{Spoilt, tree::Tree};
use std::{
    ffi::OsStr,
    fs::File,
    io::{self, BufReader, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::Path,
};
use zip::{ZipArchive, result::ZipError};

/// The kinds of a file in the upper bits of its mode.
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o120_000;
const REGULAR: u32 = 0o100_000;
/// Where a link leads is no longer than this.
const LONGEST: u64 = 4096;

pub(super) fn fill(from: File, tree: &mut Tree) -> Result<(), Spoilt> {
    let mut archive = ZipArchive::new(BufReader::new(from)).map_err(unread)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(unread)?;
        let name = entry.name_raw().to_owned();
        let name = Path::new(OsStr::from_bytes(&name));
        let mode = entry.unix_mode().unwrap_or_default();
        match mode & KIND {
            _ if name.as_os_str().as_bytes().ends_with(b"/") => tree.folder(name)?,
            LINK => {
                let mut target = Vec::new();
                io::Read::by_ref(&mut entry)
                    .take(LONGEST)
                    .read_to_end(&mut target)?;
                tree.link(name, Path::new(OsStr::from_bytes(&target)))?;
            }
            0 | REGULAR => tree.file(name, mode & 0o111 != 0, &mut entry)?,
            _ => {
                let why = format!("{} is a device, or something as strange", name.display());
                return Err(Spoilt::Refused(why));
            }
        }
    }
    Ok(())
}

fn unread(error: ZipError) -> Spoilt {
    if let ZipError::Io(error) = error {
        return Spoilt::Broken(error);
    }
    Spoilt::Broken(io::Error::other(error))
}
