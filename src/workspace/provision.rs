//! Placing an instance: all files or none.

use super::{layout::Workspaces, manifest::Manifest};
use crate::{
    domain::{fault::Fault, ids::InstanceId},
    stdx::{atomic, mint},
    templates::IdentityFile,
};
use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

impl Workspaces {
    /// Writes the files aside, syncs them, and brings them into place by one rename.
    ///
    /// # Errors
    /// `internal` with what the file system says; nothing is left then.
    pub fn provision(&self, id: InstanceId, files: &[IdentityFile]) -> Result<(), Fault> {
        self.in_turn("write a workspace", || {
            let aside = self.folder().join(format!(".new-{}", mint()));
            let done = build(&aside, files)
                .and_then(|()| fs::rename(&aside, self.home_of(id)))
                .and_then(|()| atomic::sync_dir(&self.folder()));
            if done.is_err() {
                // The first error is the one to tell; `sweep` clears what cannot be removed now.
                drop(fs::remove_dir_all(&aside));
            }
            done
        })
    }
}

fn build(aside: &Path, files: &[IdentityFile]) -> io::Result<()> {
    let workspace = aside.join("workspace");
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&workspace)?;
    let mut manifest = Manifest::default();
    for file in files {
        let mut options = OpenOptions::new();
        let mut out = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(workspace.join(&file.name))?;
        out.write_all(file.content.as_bytes())?;
        out.sync_all()?;
        manifest.note(&file.name, file.content.as_bytes());
    }
    manifest.write(aside)?;
    atomic::sync_dir(&workspace)
}
