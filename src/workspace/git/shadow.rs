//! A git folder of ours over somebody's tree: a copy of its index, its objects borrowed, nothing of its configuration.

use super::{
    Git,
    command::{Call, Output},
    error::GitError,
    quiet,
    repository::Repository,
    snapshot::blocking,
};
use crate::stdx::scratch::Scratch;
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// A larger index is not copied.
const INDEX: u64 = 512 * 1024 * 1024;
const EXCLUDE: u64 = 1024 * 1024;
/// Split indexes leave their bases behind.
const SHARED: usize = 8;

/// Gone with all it holds when it is dropped.
#[derive(Debug)]
pub(super) struct Shadow {
    scratch: Scratch,
    root: PathBuf,
    project: Option<PathBuf>,
    limit: Duration,
}

impl Shadow {
    /// Of `tree` as its index is now. `hex` is the length of an object's id there.
    pub(super) fn make(tree: &Git, repository: &Repository, hex: usize) -> io::Result<Self> {
        let shadow = Self {
            scratch: Scratch::new("eyas-git-")?,
            root: tree.root.clone(),
            project: repository.project().map(Path::to_owned),
            limit: tree.limit,
        };
        let at = shadow.scratch.path();
        for folder in ["refs", "objects/info", "info"] {
            fs::create_dir_all(at.join(folder))?;
        }
        fs::write(at.join("HEAD"), "ref: refs/heads/none\n")?;
        let format = if hex == 64 {
            "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n"
        } else {
            "[core]\nrepositoryformatversion = 0\n"
        };
        fs::write(at.join("config"), format)?;
        let objects = repository.common.join("objects").canonicalize()?;
        let mut lender = objects.into_os_string();
        lender.push("\n");
        fs::write(
            at.join("objects/info/alternates"),
            lender.as_encoded_bytes(),
        )?;
        let exclude = Path::new("info/exclude");
        copy_regular(&repository.common.join(exclude), &at.join(exclude), EXCLUDE)?;
        copy_index(&repository.folder, at, "index")?;
        Ok(shadow)
    }

    /// Copies the tree's index as it is now; an absent one is an empty one.
    pub(super) async fn copy_index(
        &self,
        repository: &Repository,
        name: &str,
    ) -> Result<(), GitError> {
        let (folder, at) = (repository.folder.clone(), self.scratch.path().to_owned());
        let name = name.to_owned();
        blocking(move || Ok(copy_index(&folder, &at, &name)?)).await
    }

    /// Begins the index `to` as what `from` is.
    pub(super) async fn branch_index(&self, from: &str, to: &str) -> Result<(), GitError> {
        let at = self.scratch.path();
        let (from, to) = (at.join(from), at.join(to));
        blocking(move || Ok(copy_regular(&from, &to, INDEX)?)).await
    }

    /// Runs git over the tree with one of our indexes.
    pub(super) async fn run(
        &self,
        index: &str,
        args: &[&str],
        input: Vec<u8>,
    ) -> Result<Output, GitError> {
        let at = self.scratch.path();
        let index = OsString::from(at.join(index));
        Call::new(&self.root, self.limit)
            .beside(self.project.as_deref())
            .environment(quiet::environment(at, &self.root))
            .environment([("GIT_INDEX_FILE", index)])
            .set(quiet::FIXED.iter().copied())
            .input(input)
            .run(&quiet::harmless(args))
            .await?
            .success(args.first().copied().unwrap_or_default())
    }
}

fn copy_index(folder: &Path, at: &Path, name: &str) -> io::Result<()> {
    copy_regular(&folder.join("index"), &at.join(name), INDEX)?;
    for entry in fs::read_dir(folder)?
        .filter_map(Result::ok)
        .filter(|entry| {
            entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(b"sharedindex.")
        })
        .take(SHARED)
    {
        copy_regular(&entry.path(), &at.join(entry.file_name()), INDEX)?;
    }
    Ok(())
}

/// Copies a regular file of at most `max` bytes with its time: what git believes of a file that is as new as the index hangs on it.
pub(in crate::workspace) fn copy_regular(from: &Path, to: &Path, max: u64) -> io::Result<()> {
    let opened = OpenOptions::new()
        .read(true)
        // The opening of a pipe would wait for its writer.
        .custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed())
        .open(from);
    let mut source = match opened {
        Ok(source) => source,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // Nor is there what an earlier copy left.
            fs::remove_file(to).ok();
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let about = source.metadata()?;
    if !about.is_file() || about.len() > max {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut target = File::create(to)?;
    io::copy(&mut source, &mut target)?;
    target.set_modified(about.modified()?)
}
