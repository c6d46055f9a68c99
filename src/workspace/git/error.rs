//! Why git could not tell.

use crate::domain::fault::{ErrorKind, Fault};
use std::{io, path::PathBuf};

/// Why git could not tell.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// No `git` in any folder that is looked in.
    #[error("there is no git program on the hub's PATH")]
    Absent,
    /// Not the root of a git work tree.
    #[error("{} is not the root of a git work tree", .0.display())]
    NoRepository(PathBuf),
    /// It was killed.
    #[error("git {what} took longer than {limit_ms} ms")]
    Late {
        /// Subcommand.
        what: String,
        /// What it was given.
        limit_ms: u128,
    },
    /// It was killed.
    #[error("git {what} wrote more than {limit} bytes")]
    TooMuch {
        /// Subcommand.
        what: String,
        /// Bytes.
        limit: u64,
    },
    /// It said no.
    #[error("git {what} failed: {detail}")]
    Failed {
        /// Subcommand.
        what: String,
        /// The end of what it wrote to stderr.
        detail: String,
    },
    /// The system did.
    #[error("git could not be asked: {0}")]
    Io(#[from] io::Error),
}

impl From<GitError> for Fault {
    fn from(error: GitError) -> Self {
        let detail = error.to_string();
        match error {
            GitError::Absent => {
                Self::new(ErrorKind::NotFound, detail).hint("install git, then `eyas hub restart`")
            }
            GitError::NoRepository(_) => Self::new(ErrorKind::InvalidParams, detail)
                .hint("name the root of a git work tree, or run `git init` there"),
            GitError::Late { .. } => Self::new(ErrorKind::TimedOut, detail).hint(
                "nothing is lost; the repository is very large, its disk is slow, or something in it holds git up: try again, or do it by hand with git",
            ),
            GitError::TooMuch { .. } => Self::new(ErrorKind::TooLarge, detail),
            GitError::Failed { .. } | GitError::Io(_) => Self::internal(detail),
        }
    }
}
