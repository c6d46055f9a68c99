//! What is in a worktree, and what would be lost with it.

use super::{
    git::Git,
    left::Left,
    lens::{Lens, Snapshot},
    plan::Plan,
};
use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx::text,
};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Commits that are named; more are only counted up to here.
const COMMITS: &str = "--max-count=50";

/// What is in a worktree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The files are not those of the commit that it began from, or that commit is not checked out any more.
    pub changed: bool,
    /// Paths that no commit has as they are, ignored ones left out.
    pub uncommitted: Vec<String>,
    /// Files that git ignores. A run may have made nothing else: a report, a build for release. What the set-up commands left counts only if
    /// it was changed since, or else no worktree of a project with dependencies would ever go.
    pub ignored: Vec<String>,
    /// Commits that no other branch or tag has, newest first, each with its subject.
    pub commits: Vec<String>,
    /// What is checked out.
    pub head: Option<String>,
}

impl Standing {
    /// Something would be lost with it.
    #[must_use]
    pub fn is_dirty(&self) -> bool {
        !self.uncommitted.is_empty() || !self.ignored.is_empty() || !self.commits.is_empty()
    }

    /// What would be lost, for a person.
    #[must_use]
    pub fn losses(&self) -> String {
        const NAMED: usize = 5;
        let list = |what: &str, all: &[String]| {
            let more = match all.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let named: Vec<_> = all.iter().take(NAMED).map(String::as_str).collect();
            format!("{} {what} ({}{more})", all.len(), named.join(", "))
        };
        let mut lost = Vec::new();
        if !self.uncommitted.is_empty() {
            lost.push(list("uncommitted file(s)", &self.uncommitted));
        }
        if !self.ignored.is_empty() {
            lost.push(list("file(s) that git ignores", &self.ignored));
        }
        if !self.commits.is_empty() {
            lost.push(list("commit(s) that no other branch has", &self.commits));
        }
        lost.join(" and ")
    }
}

impl Plan {
    /// Looks at the worktree, and changes nothing.
    ///
    /// # Errors
    /// `not_found` when the worktree or its repository is gone; else git's words.
    pub async fn standing(&self) -> Result<Standing, Fault> {
        self.there()?;
        let lens = Lens::over(&self.repository, &self.base).await?;
        let head = self.head().await?;
        let left = self.left().await?;
        let now = self.now(&lens, "index", &left).await?;
        let seen_from = format!("{}^{{tree}}", head.as_ref().unwrap_or(&self.base));
        let mut uncommitted = lens.between(&seen_from, &now.tree).await?;
        let from_base = lens.between(&self.base, &now.tree).await?;
        let changed = !from_base.is_empty()
            || !now.foreign.is_empty()
            || head.as_ref().is_some_and(|head| *head != self.base);
        uncommitted.extend(now.foreign);
        Ok(Standing {
            changed,
            uncommitted,
            ignored: lens.ignored(&self.path, "index", &left).await?,
            commits: self.unreached(head.as_deref()).await?,
            head,
        })
    }

    /// What the run did, committed or not, as a patch of at most `cap` bytes; whether that is not all of it.
    ///
    /// # Errors
    /// As [`Plan::standing`].
    pub async fn diff(&self, cap: usize) -> Result<(String, bool), Fault> {
        self.there()?;
        let lens = Lens::over(&self.repository, &self.base).await?;
        let now = self.now(&lens, "index", &self.left().await?).await?;
        let asked = [
            "diff-tree",
            "-p",
            "-r",
            "--find-renames",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            &self.base,
            &now.tree,
        ];
        // No more of it than is wanted is made.
        let git = lens.git(&self.path, &lens.file("index")).head(cap);
        let bytes = git.run(&asked).await?.out;
        let mut diff = String::from_utf8_lossy(&bytes).into_owned();
        for folder in now.foreign {
            diff.push_str(&format!("# a repository of its own, not shown: {folder}\n"));
        }
        let whole = bytes.len() <= cap && diff.len() <= cap;
        Ok((text::head(&diff, cap).to_owned(), !whole))
    }

    /// Both the worktree and its repository are there.
    ///
    /// # Errors
    /// `not_found` saying which is gone.
    pub fn there(&self) -> Result<(), Fault> {
        for (what, folder) in [("worktree", &self.path), ("repository", &self.repository)] {
            if !folder.is_dir() {
                let detail = format!("the {what} {} is gone", folder.display());
                return Err(Fault::new(ErrorKind::NotFound, detail));
            }
        }
        Ok(())
    }

    /// What stands in it on disk. What a commit has counts, also where git would ignore it.
    pub(super) async fn now(
        &self,
        lens: &Lens,
        index: &str,
        left: &Arc<Left>,
    ) -> Result<Snapshot, Fault> {
        let head = self.head().await?;
        let from = head.as_ref().unwrap_or(&self.base);
        lens.snapshot(&self.path, from, index, Some(left)).await
    }

    /// What the set-up commands left in it.
    pub(super) async fn left(&self) -> Result<Arc<Left>, Fault> {
        let path = self.path.clone();
        let noted = spawn_blocking(move || Left::noted(&path));
        Ok(Arc::new(noted.await.map_err(Fault::internal)?))
    }

    /// What is checked out in it, as its repository knows; the worktree's own files are an agent's to change.
    async fn head(&self) -> Result<Option<String>, Fault> {
        let listed = Git::at(&self.repository)
            .run(&["worktree", "list", "--porcelain"])
            .await?
            .text();
        let wanted = format!("worktree {}", self.text()?);
        let mut lines = listed.lines().skip_while(|line| *line != wanted);
        let head = lines.find_map(|line| line.strip_prefix("HEAD "));
        // A branch without a commit has none but zeros.
        let head = head.filter(|head| head.bytes().any(|digit| digit != b'0'));
        Ok(head.map(str::to_owned))
    }

    async fn unreached(&self, head: Option<&str>) -> Result<Vec<String>, Fault> {
        let git = Git::at(&self.repository);
        let reference = self.reference();
        let exists = ["rev-parse", "--quiet", "--verify", &reference];
        let branch = git
            .say(&exists, Vec::new())
            .await?
            .ok
            .then_some(reference.as_str());
        let from: Vec<&str> = [head, branch].into_iter().flatten().collect();
        if from.is_empty() {
            return Ok(Vec::new());
        }
        let others = format!("--exclude={reference}");
        let mut asked = vec!["rev-list", "--oneline", "--single-worktree", COMMITS];
        asked.extend(from);
        asked.extend(["--not", &others, "--all"]);
        let found = git.run(&asked).await?.text();
        Ok(found.lines().map(str::to_owned).collect())
    }
}
