//! How a tree was at a moment, to tell later what has changed since.

use super::{
    Git,
    error::GitError,
    repository::Repository,
    shadow::Shadow,
    weigh::{Look, Weighed, weigh},
};
use crate::stdx::clock;
use std::collections::BTreeMap;

/// Files that are not as the index says: changed, deleted, not under version control. Ignored ones are nobody's business.
const LIST: &[&str] = &[
    "ls-files",
    "-z",
    "--modified",
    "--deleted",
    "--others",
    "--exclude-standard",
];

/// A tree as it was, what was dirty in it included.
#[derive(Debug)]
pub struct Snapshot {
    pub(super) head: Option<String>,
    pub(super) taken_ms: i64,
    pub(super) repository: Repository,
    pub(super) shadow: Shadow,
    /// Of files too large to read.
    pub(super) looks: BTreeMap<Vec<u8>, Look>,
}

/// The index of the moment itself.
pub(super) const BEFORE: &str = "index";

impl Snapshot {
    /// Of the tree at `git`'s root. Costs one call of git where nothing is dirty; writes nothing below the root.
    ///
    /// # Errors
    /// Those of [`Git::run`].
    pub async fn take(git: &Git) -> Result<Self, GitError> {
        let repository = git.repository()?;
        let taken_ms = clock::now_ms();
        let head = git.head().await?;
        let hex = match &head {
            Some(id) => id.len(),
            None => id_length(git).await?,
        };
        if is_bare(git, &repository).await? {
            return Err(GitError::NoRepository(git.root().to_owned()));
        }
        let (of, at) = (git.clone(), repository.clone());
        let shadow = blocking(move || Ok(Shadow::make(&of, &at, hex)?)).await?;
        let looks = settle(git, &shadow, BEFORE).await?;
        Ok(Self {
            head,
            taken_ms,
            repository,
            shadow,
            looks,
        })
    }

    /// The commit that was checked out.
    #[must_use]
    pub fn head(&self) -> Option<&str> {
        self.head.as_deref()
    }
}

/// Brings an index of ours up to what the tree shows now; answers what was only looked at.
pub(super) async fn settle(
    git: &Git,
    shadow: &Shadow,
    index: &str,
) -> Result<BTreeMap<Vec<u8>, Look>, GitError> {
    let listed = shadow.run(index, LIST, Vec::new()).await?.stdout;
    let root = git.root().to_owned();
    let Weighed { read, gone, looks } = blocking(move || Ok(weigh(&root, &listed))).await?;
    if !gone.is_empty() {
        let args = ["update-index", "-z", "--force-remove", "--stdin"];
        shadow.run(index, &args, joined(&gone)).await?;
    }
    if !read.is_empty() {
        let args = [
            "update-index",
            "-z",
            "--add",
            "--remove",
            "--replace",
            "--stdin",
        ];
        shadow.run(index, &args, joined(&read)).await?;
    }
    Ok(looks)
}

fn joined(paths: &[Vec<u8>]) -> Vec<u8> {
    let mut all = paths.join(&0);
    all.push(0);
    all
}

async fn id_length(git: &Git) -> Result<usize, GitError> {
    let format = git.run(&["rev-parse", "--show-object-format"]).await?;
    Ok(if format.text() == "sha256" { 64 } else { 40 })
}

/// A bare repository has no tree, whatever files lie beside it.
async fn is_bare(git: &Git, repository: &Repository) -> Result<bool, GitError> {
    if repository.folder.join("index").exists() {
        return Ok(false);
    }
    let asked = git
        .ask(&["config", "--type=bool", "--get", "core.bare"])
        .await?;
    Ok(asked.text() == "true")
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, GitError> + Send + 'static,
) -> Result<T, GitError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(GitError::Io(std::io::Error::other(error))),
    }
}
