//! What git knows of a tree, asked of the `git` program in such a way that nothing in the repository can make it run anything else.
//!
//! A repository is an agent's to write, its `.git/config` and attributes too, and the hub runs outside every sandbox. So:
//!
//! - A [`Snapshot`] and what changed since are taken in a shadow: a git folder of ours that holds a copy of the index and borrows the
//!   repository's objects. The repository's own configuration is not read at all: no filter, hook, monitor, driver or remote of it exists.
//! - What must be asked of the repository itself ([`Git::run`]) is asked with its drivers, hooks, helpers and transports overridden.
//! - The environment is ours, every call has a time limit and a limit to what it may write, and only `<root>/.git` is taken for the
//!   repository: neither a folder above the root nor one that a configuration names.
//! - What hangs is ended with its group when its time is over, and by a [`guard`] when the hub itself is killed.

mod changes;
mod command;
mod error;
pub mod guard;
mod program;
pub(in crate::workspace) mod quiet;
mod repository;
mod shadow;
mod sink;
mod snapshot;
mod tracked;
mod weigh;

pub use command::Output;
pub use error::GitError;
pub use program::look_in;
pub(in crate::workspace) use shadow::copy_regular;
pub use snapshot::Snapshot;
pub use tracked::tracks;

pub(in crate::workspace) use command::Call;
use repository::Repository;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

/// Of one call, unless said otherwise.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes of one call's output.
const OUTPUT: usize = 32 * 1024 * 1024;

/// The git work tree at a directory, which may turn out not to be one.
#[derive(Clone, Debug)]
pub struct Git {
    root: PathBuf,
    limit: Duration,
    configured: Vec<(OsString, OsString)>,
}

impl Git {
    /// The tree whose root is `root`, an absolute path.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            limit: LIMIT,
            configured: Vec::new(),
        }
    }

    /// Gives each call so long instead of 5 seconds.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Sets a configuration value for every [`Git::run`], as `-c` does.
    #[must_use]
    pub fn configured(mut self, key: &str, value: &str) -> Self {
        self.configured.push((key.into(), value.into()));
        self
    }

    /// The root it was made with.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whether the root is a work tree's: it has a `.git` that looks like one. Starts nothing.
    #[must_use]
    pub fn is_repository(&self) -> bool {
        Repository::at(&self.root).is_some()
    }

    /// The folder that all worktrees of one repository share, canonical. Starts nothing.
    #[must_use]
    pub fn common_dir(&self) -> Option<PathBuf> {
        Repository::at(&self.root)?.common.canonicalize().ok()
    }

    /// Runs `git` with `args` in the repository, whose own drivers, hooks, helpers and transports are off. The subcommand comes first:
    /// configuration is given by [`Git::configured`].
    ///
    /// # Errors
    /// No git, no repository, too late, too much output, or an exit code other than 0.
    pub async fn run(&self, args: &[&str]) -> Result<Output, GitError> {
        let output = self.ask(args).await?;
        output.success(args.first().copied().unwrap_or_default())
    }

    /// As [`Git::run`], whatever the exit code.
    ///
    /// # Errors
    /// No git, no repository, too late, or too much output.
    pub async fn ask(&self, args: &[&str]) -> Result<Output, GitError> {
        let repository = self.repository()?;
        let base = || {
            Call::new(&self.root, self.limit)
                .beside(repository.project())
                .environment(quiet::repository(&repository, &self.root))
                .set(quiet::FIXED.iter().copied())
        };
        let drivers = base().run(quiet::LIST_DRIVERS).await?;
        let off = quiet::drivers_off(&drivers.stdout)?;
        let configured = self.configured.iter().cloned();
        base()
            .set(configured)
            .set(off)
            .run(&quiet::harmless(args))
            .await
    }

    /// The commit that is checked out; `None` before the first one.
    ///
    /// # Errors
    /// Those of [`Git::run`].
    pub async fn head(&self) -> Result<Option<String>, GitError> {
        let repository = self.repository()?;
        let known = tokio::task::spawn_blocking(move || repository.head());
        if let Ok(Some(id)) = known.await {
            return Ok(Some(id));
        }
        let asked = self
            .ask(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])
            .await?;
        Ok(Some(asked.text()).filter(|id| !id.is_empty()))
    }

    fn repository(&self) -> Result<Repository, GitError> {
        Repository::at(&self.root).ok_or_else(|| GitError::NoRepository(self.root.clone()))
    }
}

#[cfg(test)]
mod tests;
