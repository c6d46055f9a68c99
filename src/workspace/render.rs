//! Rendering anew without losing what a person wrote.

use super::{layout::Workspaces, manifest::Manifest};
use crate::{
    domain::{fault::Fault, ids::InstanceId},
    stdx::{atomic, beneath},
    templates::IdentityFile,
};
use std::{
    fs,
    io::{self, ErrorKind as Io},
    path::Path,
};

/// Files that are a person's or an agent's once they were edited: they stay where they are.
const KEPT_IN_PLACE: [&str; 2] = ["MEMORY.md", "USER.md"];
/// A workspace file larger than this was not written by us, and counts as edited.
const MAX_BYTES: u64 = 1024 * 1024;

/// What a render did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Files with a new text.
    pub written: Vec<String>,
    /// Where a person's edits are now: `SOUL.md.yours` (`.yours-2`, …) aside, or `MEMORY.md` and `USER.md` in place.
    pub kept: Vec<String>,
}

impl Workspaces {
    /// Brings the files of an instance up to date. An edited file is kept aside before its place is taken; `MEMORY.md` and `USER.md`
    /// stay as edited; a file that is rendered no more is removed unless it was edited.
    ///
    /// # Errors
    /// `internal` with what the file system says. Every file is then old or new, and no edit is lost.
    pub fn render(&self, id: InstanceId, files: &[IdentityFile]) -> Result<Rendered, Fault> {
        self.in_turn("render a workspace", || {
            let home = self.home_of(id);
            let workspace = self.path(id);
            if workspace.is_symlink() {
                return Err(io::Error::other("the workspace has become a link"));
            }
            atomic::private_dir(&workspace)?;
            let before = Manifest::read(&home);
            let mut after = Manifest::default();
            let mut done = Rendered::default();
            for file in files {
                renew(&workspace, file, &before, &mut after, &mut done)?;
            }
            for name in before
                .files
                .keys()
                .filter(|name| !after.files.contains_key(*name))
            {
                let path = workspace.join(name);
                if matches!(state(&workspace, name, &before)?, State::AsRendered(_)) {
                    fs::remove_file(path)?;
                }
            }
            after.write(&home)?;
            Ok(done)
        })
    }
}

enum State {
    Absent,
    AsRendered(Vec<u8>),
    Edited(Option<Vec<u8>>),
}

fn state(workspace: &Path, name: &str, manifest: &Manifest) -> io::Result<State> {
    match beneath::read(workspace, Path::new(name), MAX_BYTES) {
        Ok(bytes) if manifest.is_as_rendered(name, &bytes) => Ok(State::AsRendered(bytes)),
        Ok(bytes) => Ok(State::Edited(Some(bytes))),
        Err(error) if error.kind() == Io::NotFound => Ok(State::Absent),
        // A link, a folder, something too large: not ours, so it is kept as it is.
        Err(_) if fs::symlink_metadata(workspace.join(name)).is_ok() => Ok(State::Edited(None)),
        Err(error) => Err(error),
    }
}

fn renew(
    workspace: &Path,
    file: &IdentityFile,
    before: &Manifest,
    after: &mut Manifest,
    done: &mut Rendered,
) -> io::Result<()> {
    let (name, new) = (file.name.as_str(), file.content.as_bytes());
    match state(workspace, name, before)? {
        State::AsRendered(old) | State::Edited(Some(old)) if old == new => {}
        State::Edited(_) if KEPT_IN_PLACE.contains(&name) => {
            // Its old digest stays, so that it counts as edited next time too.
            let known = before.files.get(name).cloned().unwrap_or_default();
            after.files.insert(name.to_owned(), known);
            done.kept.push(name.to_owned());
            return Ok(());
        }
        State::Edited(_) => {
            done.kept.push(keep_aside(workspace, name)?);
            atomic::write(&workspace.join(name), new, 0o600)?;
            done.written.push(name.to_owned());
        }
        State::Absent | State::AsRendered(_) => {
            atomic::write(&workspace.join(name), new, 0o600)?;
            done.written.push(name.to_owned());
        }
    }
    after.note(name, new);
    Ok(())
}

/// Gives the edited file a second name that is free. A link cannot replace what is there; a folder is moved instead.
fn keep_aside(workspace: &Path, name: &str) -> io::Result<String> {
    let from = workspace.join(name);
    for n in 1..=1_000 {
        let aside = match n {
            1 => format!("{name}.yours"),
            n => format!("{name}.yours-{n}"),
        };
        let to = workspace.join(&aside);
        if from.is_dir() && !from.is_symlink() {
            if fs::symlink_metadata(&to).is_ok() {
                continue;
            }
            fs::rename(&from, &to)?;
            return Ok(aside);
        }
        match fs::hard_link(&from, &to) {
            Ok(()) => return Ok(aside),
            Err(error) if error.kind() == Io::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("a thousand files are kept aside already"))
}
