//! Reading files that a person keeps or names.

use super::front_matter::MAX_BYTES;
use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx::beneath,
};
use std::{
    io::{self, ErrorKind as Io},
    path::{Path, PathBuf},
};

/// Reads a file in the home. The home is the person's and so are its links: the path is followed before the file is opened. `None`: no
/// such file.
pub(super) fn read_own(path: &Path, max: usize) -> io::Result<Option<String>> {
    let read = || {
        let real = path.canonicalize()?;
        let (Some(folder), Some(leaf)) = (real.parent(), real.file_name()) else {
            return Err(Io::InvalidInput.into());
        };
        beneath::read(folder, Path::new(leaf), max as u64)
    };
    match read() {
        Ok(bytes) => String::from_utf8(bytes)
            .map(Some)
            .map_err(|error| io::Error::new(Io::InvalidData, error)),
        Err(error) if error.kind() == Io::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a sub-agent file below one of `roots`, without following links.
///
/// # Errors
/// `invalid_params` when the path is not absolute, not `.md` or not below a root; `not_found`; `too_large`. None quotes the file.
pub fn read_below(path: &Path, roots: &[PathBuf]) -> Result<String, Fault> {
    const FIELD: &str = "from";
    if !path.is_absolute() || path.extension().is_none_or(|end| end != "md") {
        let detail = "must be a catalogue id or the absolute path of a .md file";
        return Err(Fault::invalid(FIELD, detail));
    }
    let below = roots.iter().find_map(|root| {
        let real = root.canonicalize().ok()?;
        let rest = path
            .strip_prefix(root)
            .or_else(|_| path.strip_prefix(&real))
            .ok()?;
        Some((real, rest.to_owned()))
    });
    let Some((root, rest)) = below else {
        let detail = "is not below a registered project or ~/.claude/agents";
        return Err(Fault::invalid(FIELD, detail).hint("persona.import takes the text itself"));
    };
    let bytes = beneath::read(&root, &rest, MAX_BYTES as u64).map_err(|error| {
        if error.kind() == Io::NotFound {
            Fault::not_found("file", path.display()).field(FIELD)
        } else if error.kind() == Io::FileTooLarge {
            Fault::new(ErrorKind::TooLarge, "`from` has more than 256 KiB").field(FIELD)
        } else {
            let detail = "is not a plain file that can be read without following links";
            Fault::invalid(FIELD, detail)
        }
    })?;
    String::from_utf8(bytes).map_err(|_content| Fault::invalid(FIELD, "is not UTF-8 text"))
}
