//! What has changed since a snapshot.

use super::{
    Git,
    error::GitError,
    snapshot::{BEFORE, Snapshot, settle},
    weigh::Look,
};
use crate::{
    domain::conclusion::{Changes, Commit, FileChange, FileStatus},
    stdx::text,
};
use std::{
    collections::{BTreeMap, HashSet},
    ffi::OsStr,
    os::unix::ffi::OsStrExt as _,
};

/// Files that are listed.
const FILES: usize = 200;
/// Commits that are listed.
const COMMITS: usize = 50;
const SUBJECT: usize = 200;
/// A commit's clock may be a little behind ours.
const SKEW_S: i64 = 2;
/// The index as the tree is now, and as its owner has it now.
const AFTER: &str = "after";
const OWN: &str = "own";

impl Git {
    /// What has changed in the tree since `before`: files, by content and not by what is staged, and commits. What was dirty then and is
    /// as it was is not in it.
    ///
    /// # Errors
    /// Those of [`Git::run`].
    pub async fn changes_since(&self, before: &Snapshot) -> Result<Changes, GitError> {
        let head = self.head().await?;
        let commits = self.commits_since(before, head.as_deref()).await?;
        let shadow = &before.shadow;
        shadow.branch_index(BEFORE, AFTER).await?;
        let looks = settle(self, shadow, AFTER).await?;
        let (then, now) = (tree(before, BEFORE).await?, tree(before, AFTER).await?);
        let mut files = BTreeMap::new();
        if then != now {
            let args = [
                "diff-tree",
                "-r",
                "-z",
                "-M",
                "-l400",
                "--raw",
                "--numstat",
                "--no-abbrev",
                &then,
                &now,
            ];
            files = parse(&shadow.run(AFTER, &args, Vec::new()).await?.stdout);
        }
        self.add_looks(before, &looks, &mut files).await?;
        self.mark_untracked(before, &mut files).await?;
        let sum = |of: fn(&FileChange) -> Option<u64>| files.values().filter_map(of).sum();
        Ok(Changes {
            base: before.head.clone(),
            head,
            added: sum(|file| file.added),
            removed: sum(|file| file.removed),
            truncated: files.len() > FILES || commits.len() > COMMITS,
            files: files.into_values().take(FILES).collect(),
            commits: commits.into_iter().take(COMMITS).rev().collect(),
            overlaps: Vec::new(),
        })
    }

    /// Files too large to read, by size and time.
    async fn add_looks(
        &self,
        before: &Snapshot,
        looks: &BTreeMap<Vec<u8>, Look>,
        files: &mut BTreeMap<String, FileChange>,
    ) -> Result<(), GitError> {
        let differs = |path: &&Vec<u8>| before.looks.get(*path) != looks.get(*path);
        let paths: Vec<_> = looks
            .keys()
            .chain(before.looks.keys())
            .filter(differs)
            .collect();
        if paths.is_empty() {
            return Ok(());
        }
        let listed = before.shadow.run(BEFORE, &["ls-files", "-z"], Vec::new());
        let listed = listed.await?.stdout;
        let known: HashSet<&[u8]> = listed.split(|byte| *byte == 0).collect();
        for path in paths {
            let was = before.looks.contains_key(path) || known.contains(path.as_slice());
            let file = self.root().join(OsStr::from_bytes(path));
            let status = match (was, file.symlink_metadata().is_ok()) {
                (true, true) => FileStatus::Modified,
                (true, false) => FileStatus::Deleted,
                (false, _) => FileStatus::Added,
            };
            let name = String::from_utf8_lossy(path).into_owned();
            files.entry(name.clone()).or_insert(FileChange {
                path: name,
                status,
                added: None,
                removed: None,
            });
        }
        Ok(())
    }

    /// New files are `added` only once their owner has told git of them.
    async fn mark_untracked(
        &self,
        before: &Snapshot,
        files: &mut BTreeMap<String, FileChange>,
    ) -> Result<(), GitError> {
        if !files.values().any(|file| file.status == FileStatus::Added) {
            return Ok(());
        }
        let (repository, shadow) = (&before.repository, &before.shadow);
        shadow.copy_index(repository, OWN).await?;
        let own = shadow.run(OWN, &["ls-files", "-z"], Vec::new()).await?;
        let known: HashSet<&[u8]> = own.stdout.split(|byte| *byte == 0).collect();
        for file in files.values_mut() {
            if file.status == FileStatus::Added && !known.contains(file.path.as_bytes()) {
                file.status = FileStatus::Untracked;
            }
        }
        Ok(())
    }

    /// Newest first, one more than are listed.
    async fn commits_since(
        &self,
        before: &Snapshot,
        head: Option<&str>,
    ) -> Result<Vec<Commit>, GitError> {
        let Some(head) = head.filter(|head| Some(*head) != before.head()) else {
            return Ok(Vec::new());
        };
        let most = format!("--max-count={}", COMMITS + 1);
        let mut args = vec!["log", "--format=%H %ct %s", most.as_str(), head, "--"];
        let not = before.head().map(|base| format!("^{base}"));
        if let Some(not) = &not {
            args.insert(4, not);
        }
        let shadow = &before.shadow;
        let listed = shadow.run(BEFORE, &args, Vec::new()).await?;
        let went_on = match before.head() {
            Some(base) => {
                let args = ["merge-base", "--is-ancestor", base, head];
                match shadow.run(BEFORE, &args, Vec::new()).await {
                    Ok(_) => true,
                    Err(GitError::Failed { .. }) => false,
                    Err(error) => return Err(error),
                }
            }
            None => true,
        };
        // Another branch has commits that nobody made just now.
        let since = before.taken_ms / 1000 - SKEW_S;
        let text = String::from_utf8_lossy(&listed.stdout);
        Ok(text
            .lines()
            .filter_map(commit)
            .filter(|(at, _)| went_on || *at >= since)
            .map(|(_, commit)| commit)
            .collect())
    }
}

async fn tree(before: &Snapshot, index: &str) -> Result<String, GitError> {
    let args = ["write-tree", "--missing-ok"];
    Ok(before.shadow.run(index, &args, Vec::new()).await?.text())
}

fn commit(line: &str) -> Option<(i64, Commit)> {
    let (id, rest) = line.split_once(' ')?;
    let (at, subject) = rest.split_once(' ')?;
    let commit = Commit {
        id: id.to_owned(),
        subject: text::head(subject, SUBJECT).to_owned(),
    };
    Some((at.parse().ok()?, commit))
}

/// Reads `--raw --numstat -z`: first what became of each file, then its lines.
fn parse(bytes: &[u8]) -> BTreeMap<String, FileChange> {
    let text = String::from_utf8_lossy(bytes);
    let mut words = text.split('\0');
    let mut files = BTreeMap::new();
    while let Some(word) = words.next() {
        if let Some(raw) = word.strip_prefix(':') {
            let letter = raw.rsplit(' ').next().unwrap_or_default().chars().next();
            let renamed = matches!(letter, Some('R' | 'C'));
            let old = words.next().unwrap_or_default();
            let path = if renamed {
                words.next().unwrap_or_default()
            } else {
                old
            };
            let status = match letter {
                Some('A' | 'C') => FileStatus::Added,
                Some('D') => FileStatus::Deleted,
                Some('R') => FileStatus::Renamed,
                _ => FileStatus::Modified,
            };
            let change = FileChange {
                path: path.to_owned(),
                status,
                added: None,
                removed: None,
            };
            files.insert(path.to_owned(), change);
        } else if let Some((added, rest)) = word.split_once('\t')
            && let Some((removed, path)) = rest.split_once('\t')
        {
            let path = if path.is_empty() {
                words.next();
                words.next().unwrap_or_default()
            } else {
                path
            };
            if let Some(file) = files.get_mut(path) {
                file.added = added.parse().ok();
                file.removed = removed.parse().ok();
            }
        }
    }
    files
}
