//! What `.git` tells without starting git.

use super::{scan, text};
use std::path::{Path, PathBuf};

/// Where the work tree stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Git {
    /// Nothing when HEAD is detached.
    pub(in super::super) branch: Option<String>,
    /// The first letters of the commit, when HEAD is detached.
    pub(in super::super) detached: Option<String>,
    /// What moved HEAD, newest first: the reflog's messages.
    pub(in super::super) recent: Vec<String>,
}

/// Reads HEAD and the end of its log.
pub(super) fn read(root: &Path) -> Option<Git> {
    let folder = folder(root)?;
    let head = scan::read_small(&folder.join("HEAD"), 4096)?;
    let head = head.trim();
    let mut git = Git {
        recent: recent(&folder),
        ..Git::default()
    };
    if let Some(branch) = head.strip_prefix("ref: refs/heads/") {
        git.branch = Some(text::plain(branch, 120));
    } else if head.len() >= 40 && head.bytes().all(|b| b.is_ascii_hexdigit()) {
        git.detached = Some(head[..10].to_owned());
    } else {
        return None;
    }
    Some(git)
}

/// `.git`, or where its one line leads in a work tree of another repository.
fn folder(root: &Path) -> Option<PathBuf> {
    let git = root.join(".git");
    let about = git.symlink_metadata().ok()?;
    if about.is_dir() {
        return Some(git);
    }
    if !about.is_file() {
        return None;
    }
    let line = scan::read_small(&git, 4096)?;
    Some(root.join(line.trim().strip_prefix("gitdir: ")?))
}

fn recent(folder: &Path) -> Vec<String> {
    let log = scan::read_tail(&folder.join("logs").join("HEAD"), 4096).unwrap_or_default();
    log.lines()
        .rev()
        .filter_map(|line| line.split_once('\t'))
        .map(|(_, message)| text::plain(message, 100))
        .take(3)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::read;
    use std::fs;

    #[test]
    fn the_branch_is_read_from_files() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read(dir.path()), None);
        let git = dir.path().join(".git");
        fs::create_dir_all(git.join("logs")).unwrap();
        fs::write(git.join("HEAD"), "ref: refs/heads/feat/x\n").unwrap();
        fs::write(
            git.join("logs/HEAD"),
            "0 1 A <a@b> 1 +0\tcommit: one\n1 2 A <a@b> 2 +0\tcommit: two\n",
        )
        .unwrap();
        let seen = read(dir.path()).unwrap();
        assert_eq!(seen.branch.as_deref(), Some("feat/x"));
        assert_eq!(seen.recent, ["commit: two", "commit: one"]);

        let tree = dir.path().join("tree");
        fs::create_dir(&tree).unwrap();
        fs::write(tree.join(".git"), "gitdir: ../.git\n").unwrap();
        assert!(read(&tree).unwrap().branch.is_some());

        fs::write(git.join("HEAD"), "0123456789abcdef0123456789abcdef01234567").unwrap();
        assert_eq!(
            read(dir.path()).unwrap().detached.as_deref(),
            Some("0123456789")
        );
        fs::write(git.join("HEAD"), "garbage").unwrap();
        assert_eq!(read(dir.path()), None);
    }
}
