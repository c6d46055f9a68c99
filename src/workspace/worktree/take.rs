//! What was done in a worktree goes over into its repository's own tree, as changes that are not committed.
//!
//! The merge is done on objects, in a lens: the tree is not touched before it is known that all of it fits.

use super::{
    git::{Git, names, parts, unreadable},
    lens::{Lens, Snapshot},
    plan::Plan,
};
use crate::domain::fault::{ErrorKind, Fault};
use std::{collections::BTreeSet, fs, path::Path};

/// Conflicts that are named.
const NAMED: usize = 20;
/// Bytes of what goes over, as a patch.
const PATCH: u64 = if cfg!(test) { 256 } else { 256 * 1024 } * 1024;

impl Plan {
    /// Takes all of it over, committed and not, into the repository's tree; answers which files that changed there.
    ///
    /// # Errors
    /// `in_use` naming the files that do not fit: the tree is then as it was. `not_found` when worktree or repository is gone.
    pub async fn apply(&self) -> Result<Vec<String>, Fault> {
        self.there()?;
        let lens = Lens::over(&self.repository, &self.base).await?;
        let left = self.left().await?;
        let theirs = self.now(&lens, "theirs", &left).await;
        let theirs = theirs.map_err(|fault| self.by_hand(fault))?;
        if !theirs.foreign.is_empty() {
            let detail = format!(
                "repositories inside the worktree cannot be taken over: {}",
                theirs.foreign.join(", ")
            );
            return Err(Fault::new(ErrorKind::InUse, detail)
                .hint("move them out of the worktree by hand, then apply again"));
        }
        let changed = lens.between(&self.base, &theirs.tree).await?;
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let here = Git::at(&self.repository)
            .say(
                &["rev-parse", "--quiet", "--verify", "HEAD^{commit}"],
                Vec::new(),
            )
            .await?;
        let here = if here.ok {
            here.text()
        } else {
            self.base.clone()
        };
        let ours = lens.snapshot(&self.repository, &here, "ours", None).await?;
        let merged = self.merged(&lens, &ours, &theirs, &changed).await?;
        let to_write = lens.between(&ours.tree, &merged).await?;
        self.nothing_in_the_way(&lens, &ours, &to_write).await?;
        // Whoever changed one of these files since it was looked at has the last word: git compares before it writes the first.
        let git = lens.git(&self.repository, &lens.file("ours")).writing();
        git.run(&["read-tree", "-m", "-u", &ours.tree, &merged])
            .await
            .map_err(|fault| {
                Fault::new(ErrorKind::InUse, fault.detail)
                    .hint("the files changed meanwhile; try again")
            })?;
        Ok(to_write)
    }

    /// The tree in which both are.
    async fn merged(
        &self,
        lens: &Lens,
        ours: &Snapshot,
        theirs: &Snapshot,
        changed: &[String],
    ) -> Result<String, Fault> {
        let from = self.less_what_is_there(lens, ours, theirs).await?;
        let (patch, index) = (lens.file("patch"), lens.file("merged"));
        tokio::fs::copy(lens.file("ours"), &index)
            .await
            .map_err(|error| unreadable(&index, &error))?;
        let git = lens.git(&self.repository, &index);
        let asked = [
            "diff-tree",
            "-p",
            "-r",
            "--binary",
            "--full-index",
            "--no-renames",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            &from,
            &theirs.tree,
        ];
        git.clone()
            .into_file(&patch, PATCH)
            .run(&asked)
            .await
            .map_err(|fault| self.by_hand(fault))?;
        // Git takes an empty patch for a broken one.
        if patch.metadata().is_ok_and(|meta| meta.len() == 0) {
            return Ok(ours.tree.clone());
        }
        let patch = patch.to_string_lossy();
        let apply = ["apply", "--cached", "--3way", "--whitespace=nowarn", &patch];
        if git.say(&apply, Vec::new()).await?.ok {
            return Ok(git.run(&["write-tree"]).await?.text());
        }
        let unmerged = [
            "diff-files",
            "-z",
            "--name-only",
            "--diff-filter=U",
            "--ignore-submodules=all",
        ];
        let unmerged = names(&git.run(&unmerged).await?.out);
        if !unmerged.is_empty() {
            return Err(conflict(&unmerged.into_iter().collect()));
        }
        // What does not fit at all is not noted one by one; it is among what both have changed.
        let here: BTreeSet<_> = lens
            .between(&self.base, &ours.tree)
            .await?
            .into_iter()
            .collect();
        let both: BTreeSet<_> = changed
            .iter()
            .filter(|path| here.contains(*path))
            .cloned()
            .collect();
        Err(conflict(if both.is_empty() { &here } else { &both }))
    }

    /// What is too much for us is not for git itself.
    fn by_hand(&self, fault: Fault) -> Fault {
        if fault.kind != ErrorKind::TooLarge {
            return fault;
        }
        let branch = &self.branch;
        let detail = format!("{}; nothing was taken over", fault.detail);
        Fault::new(ErrorKind::TooLarge, detail).hint(format!(
            "commit it in {}, then `git merge {branch}` in the project, and drop the worktree",
            self.path.display()
        ))
    }

    /// The base, but with what both sides have made alike: a deletion for one, which no patch could make twice. So what was taken over, but
    /// not written down before a crash, is taken over again without harm.
    async fn less_what_is_there(
        &self,
        lens: &Lens,
        ours: &Snapshot,
        theirs: &Snapshot,
    ) -> Result<String, Fault> {
        let open: BTreeSet<_> = lens
            .between(&ours.tree, &theirs.tree)
            .await?
            .into_iter()
            .collect();
        let git = lens.git(&self.repository, &lens.file("from"));
        git.run(&["read-tree", &self.base]).await?;
        let raw = [
            "diff-tree",
            "-r",
            "-z",
            "--raw",
            "--no-renames",
            &self.base,
            &theirs.tree,
        ];
        let raw = git.run(&raw).await?.out;
        let (mut gone, mut there) = (Vec::new(), Vec::new());
        let mut fields = parts(&raw);
        while let (Some(about), Some(path)) = (fields.next(), fields.next()) {
            let about = String::from_utf8_lossy(about);
            let words: Vec<&str> = about.split(' ').collect();
            if let [_, mode, _, id, change] = words[..]
                && !open.contains(&*String::from_utf8_lossy(path))
            {
                let list = if change == "D" { &mut gone } else { &mut there };
                let mode = if change == "D" { "0" } else { mode };
                list.extend(format!("{mode} {id}\t").bytes());
                list.extend(path.iter().chain(&[0]));
            }
        }
        // A directory in the place of a file needs the file gone first.
        gone.append(&mut there);
        if !gone.is_empty() {
            git.run_on(&["update-index", "-z", "--index-info"], gone)
                .await?;
        }
        Ok(git.run(&["write-tree"]).await?.text())
    }

    /// A file that git ignores is in no snapshot; it would be overwritten without a word.
    async fn nothing_in_the_way(
        &self,
        lens: &Lens,
        ours: &Snapshot,
        to_write: &[String],
    ) -> Result<(), Fault> {
        let git = lens.git(&self.repository, &lens.file("ours"));
        let known = names(
            &git.run(&[
                "ls-tree",
                "-r",
                "-z",
                "--name-only",
                "--full-tree",
                &ours.tree,
            ])
            .await?
            .out,
        );
        let known: BTreeSet<&str> = known.iter().map(String::as_str).collect();
        let in_the_way: BTreeSet<String> = to_write
            .iter()
            .filter(|path| !known.contains(path.as_str()))
            .filter_map(|path| in_the_way(&self.repository, path, &known))
            .collect();
        if in_the_way.is_empty() {
            Ok(())
        } else {
            Err(conflict(&in_the_way))
        }
    }
}

/// What stands on disk where a file is to come and is not known: the file's own place, or what is no directory on the way to it.
fn in_the_way(root: &Path, path: &str, known: &BTreeSet<&str>) -> Option<String> {
    let ends = path.match_indices('/').map(|(at, _)| at);
    for above in ends.map(|end| &path[..end]) {
        match fs::symlink_metadata(root.join(above)) {
            Ok(found) if found.is_dir() => {}
            Ok(_) if known.contains(above) => return None,
            Ok(_) => return Some(above.to_owned()),
            Err(_) => return None,
        }
    }
    let there = fs::symlink_metadata(root.join(path)).ok()?;
    // A directory of known files gives way to a file; git looks whether it is empty then.
    let gives_way = there.is_dir() && known.iter().any(|one| one.starts_with(&format!("{path}/")));
    (!gives_way).then(|| path.to_owned())
}

fn conflict(paths: &BTreeSet<String>) -> Fault {
    let more = match paths.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named: Vec<_> = paths.iter().take(NAMED).map(String::as_str).collect();
    let detail = format!(
        "the project has changed in the same places; nothing was taken over. In conflict: {}{more}",
        named.join(", ")
    );
    Fault::new(ErrorKind::InUse, detail)
        .hint("commit or set aside the project's own changes to these files, or merge the run's branch by hand")
}
