//! A worktree comes into being, and goes.

use super::{
    git::{Git, names, unreadable},
    left::Left,
    lens::Lens,
    plan::Plan,
};
use crate::domain::fault::{ErrorKind, Fault};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// A worktree that can be worked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// It was not there before.
    pub fresh: bool,
    /// Some of the files that a filter would have changed on their way out of the repository, as large files are fetched.
    pub unfiltered: Vec<String>,
}

impl Plan {
    /// Makes the worktree, or takes the one that is there; verified in both cases.
    ///
    /// # Errors
    /// `internal` with git's words; `in_use` for one that is not any more what was made.
    pub async fn make(&mut self) -> Result<Made, Fault> {
        if self.made && self.path.is_dir() {
            self.verify().await?;
            return Ok(Made {
                fresh: false,
                unfiltered: Vec::new(),
            });
        }
        // Whoever made it did not come to the end: nobody has worked in it.
        self.clear().await?;
        let path = self.text()?;
        let git = Git::at(&self.repository);
        let there = ["rev-parse", "--quiet", "--verify", &self.reference()];
        let there = git.say(&there, Vec::new()).await?.ok;
        // Nothing is checked out by the repository's own configuration, whose filters would run.
        let mut add = vec!["worktree", "add", "--quiet", "--no-checkout"];
        if there {
            add.extend([path, self.branch.as_str()]);
        } else {
            add.extend([
                "--no-track",
                "-b",
                self.branch.as_str(),
                path,
                self.base.as_str(),
            ]);
        }
        git.run(&add).await?;
        let unfiltered = self.check_out().await?;
        self.verify().await?;
        self.made = true;
        Left::forget(&self.path).map_err(|error| unreadable(&self.path, &error))?;
        self.note()?;
        Ok(Made {
            fresh: true,
            unfiltered,
        })
    }

    async fn check_out(&self) -> Result<Vec<String>, Fault> {
        let inside = Git::inside(&self.path, &self.repository);
        let admin = inside
            .run(&["rev-parse", "--absolute-git-dir"])
            .await?
            .text();
        let head = inside.run(&["rev-parse", "HEAD"]).await?.text();
        let lens = Lens::over(&self.repository, &head).await?;
        let git = lens
            .git(&self.path, &PathBuf::from(admin).join("index"))
            .writing();
        git.run(&["read-tree", "--reset", "-u", &head]).await?;
        let filtered = ["ls-files", "-z", "--", ":(exclude,attr:!filter)"];
        let mut unfiltered = names(&git.run(&filtered).await?.out);
        unfiltered.truncate(5);
        Ok(unfiltered)
    }

    /// It is a work tree of this repository and of no other, whatever an agent may have made of it.
    async fn verify(&self) -> Result<(), Fault> {
        let asked = [
            "rev-parse",
            "--path-format=absolute",
            "--show-toplevel",
            "--is-bare-repository",
            "--git-common-dir",
        ];
        let found = Git::inside(&self.path, &self.repository)
            .say(&asked, Vec::new())
            .await?;
        let own = Git::at(&self.repository)
            .run(&["rev-parse", "--path-format=absolute", "--git-common-dir"])
            .await?;
        let expected = format!("{}\nfalse\n{}", self.path.display(), own.text());
        if found.ok && found.text() == expected {
            return Ok(());
        }
        let detail = format!(
            "{} is not the worktree that was made there: {}",
            self.path.display(),
            if found.ok { found.text() } else { found.err }
        );
        Err(Fault::new(ErrorKind::InUse, detail)
            .hint("look at it by hand, then drop it with force"))
    }

    /// Removes the worktree with all that is in it, and its branch unless somebody else has it checked out.
    ///
    /// # Errors
    /// `internal` with what the file system or git says.
    pub async fn remove(&self) -> Result<(), Fault> {
        self.clear().await?;
        if self.repository.is_dir() {
            let git = Git::at(&self.repository);
            let gone = git
                .say(&["branch", "-D", "--quiet", &self.branch], Vec::new())
                .await?;
            if !gone.ok {
                tracing::info!(
                    branch = self.branch,
                    why = gone.err,
                    "a worktree's branch stays"
                );
            }
        }
        self.forget();
        Ok(())
    }

    /// Removes what is there of it, its registration too: the directory first, so that git looks at nothing inside.
    async fn clear(&self) -> Result<(), Fault> {
        let path = self.path.clone();
        tokio::task::spawn_blocking(move || remove_all(&path))
            .await
            .map_err(Fault::internal)?
            .map_err(|error| unreadable(&self.path, &error))?;
        if self.repository.is_dir() {
            // Fails when it is not registered, which is what is wanted. Others' stale registrations stay: their disk may only be unplugged.
            let remove = ["worktree", "remove", "--force", "--force", self.text()?];
            Git::at(&self.repository).say(&remove, Vec::new()).await?;
        }
        Ok(())
    }

    pub(super) fn text(&self) -> Result<&str, Fault> {
        let text = self.path.to_str();
        text.ok_or_else(|| Fault::internal("the home's path is not UTF-8"))
    }
}

/// Read-only directories, as some package managers leave them, are made writable first.
fn remove_all(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(path)?;
            fs::remove_dir_all(path)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

fn open_up(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            open_up(&entry.path())?;
        }
    }
    Ok(())
}
