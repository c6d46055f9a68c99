//! What a worktree is to be, before it is there: its names, and the note beside it.

use super::{
    git::{Git, unreadable},
    left::Left,
};
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
    },
    stdx::atomic,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Letters of a label that go into a branch's name.
const SLUG: usize = 32;

/// A worktree: whose it is, where, on which branch, and from which commit. Written beside it, since neither the run's row nor what an agent
/// may have made of the worktree's own files says for ever where it came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Root of the repository's own work tree.
    pub repository: PathBuf,
    /// `<data>/worktrees/<run id>`.
    pub path: PathBuf,
    pub branch: String,
    /// The commit it begins from.
    pub base: String,
    /// It was made whole once: before that nobody has worked in it.
    #[serde(default)]
    pub made: bool,
}

impl Plan {
    /// A worktree in `folder`, for a run, from what the work tree at `repository` has checked out now.
    ///
    /// # Errors
    /// `invalid_params` on `isolation` where there is no git, no work tree or no commit.
    pub async fn draw(
        folder: &Path,
        repository: &Path,
        run: RunId,
        label: Option<&str>,
    ) -> Result<Self, Fault> {
        let base = head(repository).await?;
        let blocked = ["rev-parse", "--quiet", "--verify", "refs/heads/eyas"];
        let blocked = Git::at(repository).say(&blocked, Vec::new()).await?.ok;
        Ok(Self {
            repository: repository.to_owned(),
            path: folder.join(run.to_string()),
            branch: branch(label, run, blocked),
            base,
            made: false,
        })
    }

    /// The one that was noted for the worktree at `path`.
    ///
    /// # Errors
    /// `not_found` without a note, `internal` for one that cannot be read.
    pub fn noted(path: &Path) -> Result<Self, Fault> {
        let note = note(path);
        let text = fs::read(&note).map_err(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return unreadable(&note, &error);
            }
            let detail = format!("nothing is known of the worktree {}", path.display());
            Fault::new(ErrorKind::NotFound, detail)
        })?;
        serde_json::from_slice(&text)
            .map_err(|error| Fault::internal(format!("{}: {error}", note.display())))
    }

    /// Writes the note.
    ///
    /// # Errors
    /// `internal` with what the file system says.
    pub fn note(&self) -> Result<(), Fault> {
        let note = note(&self.path);
        let text = serde_json::to_vec(self).map_err(Fault::internal)?;
        atomic::write(&note, &text, 0o600).map_err(|error| unreadable(&note, &error))
    }

    /// The set-up commands have ended: what stands there now is theirs. Only the first time, since later somebody may have worked in it.
    ///
    /// # Errors
    /// As [`Plan::note`]; without the note all of it counts as work.
    pub fn set_up(&self) -> Result<(), Fault> {
        Left::note(&self.path).map_err(|error| unreadable(&self.path, &error))
    }

    /// Removes the note; that of a worktree which is gone.
    pub fn forget(&self) {
        let note = note(&self.path);
        // First: a rest of that kind alone would stand for a worktree that nobody knows.
        if let Err(error) = Left::forget(&self.path) {
            tracing::warn!(note = %note.display(), %error, "what a set-up left stays noted");
        }
        if let Err(error) = fs::remove_file(&note)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(note = %note.display(), %error, "the note of a worktree was not removed");
        }
    }

    pub(super) fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }
}

fn note(path: &Path) -> PathBuf {
    path.with_extension("json")
}

/// The commit that is checked out at `repository`, which must be the root of a work tree.
async fn head(repository: &Path) -> Result<String, Fault> {
    let git = Git::at(repository);
    let about = git
        .say(
            &["rev-parse", "--is-bare-repository", "--is-inside-work-tree"],
            Vec::new(),
        )
        .await?;
    let root = repository.display();
    if !about.ok {
        let why = about.err.lines().next().unwrap_or_default().to_owned();
        return Err(
            refused(&format!("needs a git work tree, and {root} is none: {why}"))
                .hint("`git init` and commit there, or leave isolation out"),
        );
    }
    if about.text() != "false\ntrue" {
        return Err(refused(&format!(
            "needs a git work tree, and {root} is a bare repository"
        ))
        .hint("name a clone of it as the project"));
    }
    let top = git.run(&["rev-parse", "--show-toplevel"]).await?.text();
    if Path::new(&top) != repository {
        return Err(refused(&format!(
            "needs the root of a git work tree; that of {root} is {top}"
        ))
        .hint("name that directory as the project"));
    }
    let asked = ["rev-parse", "--quiet", "--verify", "HEAD^{commit}"];
    let head = git.say(&asked, Vec::new()).await?;
    if !head.ok {
        return Err(refused(&format!(
            "needs a commit to begin from, and {root} has none"
        ))
        .hint("commit something first, or leave isolation out"));
    }
    Ok(head.text())
}

fn refused(detail: &str) -> Fault {
    Fault::invalid("isolation", format_args!("worktree {detail}"))
}

/// `eyas/<label>-<the run's last letters>`; where a branch `eyas` stands in the way, `eyas-…`.
fn branch(label: Option<&str>, run: RunId, blocked: bool) -> String {
    let plain: String = label
        .unwrap_or_default()
        .chars()
        .take(4 * SLUG)
        .map(|letter| match letter.to_ascii_lowercase() {
            letter @ ('a'..='z' | '0'..='9') => letter,
            _ => '-',
        })
        .collect();
    let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
    let mut slug = words.join("-");
    slug.truncate(SLUG);
    let slug = slug.trim_matches('-');
    // The first letters of an id are the time: those of two runs in one minute are the same.
    let id = run.to_string();
    let short = &id[id.len() - 8..];
    let dash = if slug.is_empty() { "" } else { "-" };
    let joint = if blocked { '-' } else { '/' };
    format!("eyas{joint}{slug}{dash}{short}")
}

#[cfg(test)]
mod tests {
    use super::branch;
    use crate::{domain::ids::RunId, stdx::mint};

    #[test]
    fn a_branch_is_named_by_label_and_run_in_letters_that_git_takes() {
        let run = RunId(mint());
        let id = run.to_string();
        let short = &id[id.len() - 8..];
        for (label, expected) in [
            (None, format!("eyas/{short}")),
            (
                Some("Fix the Parser!"),
                format!("eyas/fix-the-parser-{short}"),
            ),
            (Some("../..~^:?*[\\@{.lock"), format!("eyas/lock-{short}")),
            (Some("ß→"), format!("eyas/{short}")),
            (
                Some(&"x".repeat(300)),
                format!("eyas/{}-{short}", "x".repeat(32)),
            ),
        ] {
            assert_eq!(branch(label, run, false), expected);
        }
        assert_eq!(branch(None, run, true), format!("eyas-{short}"));
    }
}
