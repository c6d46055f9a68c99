//! The one text by which a persona reaches an agent, and reading the files it is made of.

use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx::{beneath, text},
    templates::{IdentityFile, identity::NAMES, validate},
};
use std::{fs, io::ErrorKind as Io, path::Path};

/// The longest text, in bytes.
pub const MAX_TEXT: usize = 24 * 1024;
/// The parts in their order. `USER.md` is read on demand.
const PARTS: [&str; 5] = [
    "SOUL.md",
    "IDENTITY.md",
    "AGENTS.md",
    "TOOLS.md",
    "MEMORY.md",
];
/// Cut last: it tells how a run ends.
const FIRST_SERVED: &str = "AGENTS.md";
const FIRST_SHARE: usize = MAX_TEXT / 2;
/// Room for "\n\n" between parts.
const JOIN: &str = "\n\n";
const MAX_FILE: u64 = 256 * 1024;
const MAX_FILES: usize = 64;

/// The text of an instance's workspace as it is now, edits included. `None` when there is no part of it.
#[must_use]
pub fn persona_text(workspace: &Path) -> Option<String> {
    let parts = PARTS.iter().filter_map(|name| {
        let content = read(workspace, name, MAX_FILE).ok()?;
        Some(IdentityFile {
            name: (*name).to_owned(),
            content,
        })
    });
    text_of(&parts.collect::<Vec<_>>(), Some(workspace))
}

/// The text of files that may exist in memory alone; `workspace` is where the reader finds what had to be cut.
#[must_use]
pub fn text_of(files: &[IdentityFile], workspace: Option<&Path>) -> Option<String> {
    let parts: Vec<(&str, &str)> = PARTS
        .iter()
        .filter_map(|name| files.iter().find(|file| file.name == *name))
        .map(|file| (file.name.as_str(), file.content.trim()))
        .filter(|(_, content)| !content.is_empty())
        .collect();
    if parts.is_empty() {
        return None;
    }
    let shares = shares(&parts);
    let shown = parts.iter().zip(shares).map(|((name, content), share)| {
        if content.len() <= share {
            return (*content).to_owned();
        }
        let note = match workspace {
            Some(folder) => format!(
                "\n[cut here: read the rest in `{}`]",
                folder.join(name).display()
            ),
            None => "\n[cut here]".to_owned(),
        };
        format!(
            "{}{note}",
            text::head(content, share.saturating_sub(note.len()))
        )
    });
    let whole = shown.collect::<Vec<_>>().join(JOIN);
    // Only a workspace path of thousands of bytes makes the notes outgrow their shares.
    Some(text::head(&whole, MAX_TEXT).to_owned())
}

/// Bytes for each part: the first served gets up to half, the smallest of the others what they need, the larger ones an equal share.
fn shares(parts: &[(&str, &str)]) -> Vec<usize> {
    let mut left = MAX_TEXT - JOIN.len() * (parts.len() - 1);
    let mut shares = vec![0; parts.len()];
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|i| (parts[*i].0 != FIRST_SERVED, parts[*i].1.len()));
    for (done, i) in order.into_iter().enumerate() {
        let (name, content) = parts[i];
        let fair = if name == FIRST_SERVED {
            FIRST_SHARE
        } else {
            left / (parts.len() - done)
        };
        shares[i] = content.len().min(fair);
        left -= shares[i];
    }
    shares
}

/// One file of a workspace by its plain name.
///
/// # Errors
/// `invalid_params` for what is not a plain `.md` name; `not_found`; `too_large` above 256 KiB.
pub fn read_identity(workspace: &Path, name: &str) -> Result<String, Fault> {
    validate::file_name("file", name)?;
    read(workspace, name, MAX_FILE).map_err(|error| {
        if error == Io::NotFound {
            Fault::not_found_among("file", name, NAMES, "instance.get")
        } else if error == Io::FileTooLarge {
            Fault::new(ErrorKind::TooLarge, format!("{name} has more than 256 KiB"))
        } else {
            Fault::invalid("file", "is not a plain file")
        }
    })
}

/// The `.md` files of a workspace: the standard ones in their order, then others by name. What cannot be read is left out.
#[must_use]
pub fn files(workspace: &Path) -> Vec<IdentityFile> {
    let entries = fs::read_dir(workspace).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| validate::file_name("file", name).is_ok())
        .take(MAX_FILES)
        .collect();
    names.sort_by_key(|name| {
        let standard = NAMES.iter().position(|known| known == name);
        (standard.unwrap_or(NAMES.len()), name.clone())
    });
    let read = |name: String| {
        let content = read(workspace, &name, MAX_FILE).ok()?;
        Some(IdentityFile { name, content })
    };
    names.into_iter().filter_map(read).collect()
}

fn read(workspace: &Path, name: &str, max: u64) -> Result<String, Io> {
    let bytes = beneath::read(workspace, Path::new(name), max).map_err(|error| error.kind())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
