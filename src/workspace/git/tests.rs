use super::{Git, GitError, Snapshot};
use crate::domain::conclusion::{
    Changes,
    FileStatus::{self, Added, Modified, Untracked},
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A repository, and beside it what a trap leaves when it springs.
struct Yard {
    _folder: TempDir,
    root: PathBuf,
    marker: PathBuf,
}

impl Yard {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        let yard = Self {
            root: at.join("tree"),
            marker: at.join("sprung"),
            _folder: folder,
        };
        fs::create_dir(&yard.root).unwrap();
        yard.git(&["init", "-q", "-b", "main"]);
        yard
    }

    fn with_commit() -> Self {
        let yard = Self::new();
        yard.write("a.txt", "one\ntwo\n");
        yard.write("b.txt", "b\n");
        yard.commit("first");
        yard
    }

    fn git(&self, args: &[&str]) -> String {
        Self::git_in(&self.root, args)
    }

    /// Sets every trap that a repository can hold; answers where its submodule is.
    #[allow(clippy::too_many_lines, reason = "it is a list")]
    fn bait(&self) -> PathBuf {
        let trap = self.trap();
        self.write(
            ".gitattributes",
            "*.txt filter=evil diff=evil merge=evil\n*.one filter=a=b diff=a=b\n*.two filter=long\n",
        );
        self.write("x.one", "1\n");
        self.write("x.two", "2\n");
        self.commit("bait");
        let sub = self.root.join("module");
        fs::create_dir(&sub).unwrap();
        Yard::git_in(&sub, &["init", "-q"]);
        Yard::git_in(&sub, &["commit", "-q", "--allow-empty", "-m", "m"]);
        Yard::git_in(&sub, &["config", "core.fsmonitor", &trap]);
        self.git(&["add", "module"]);
        self.commit("a submodule");
        let hooks = self.root.join(".git/hooks");
        fs::create_dir_all(&hooks).unwrap();
        for hook in [
            "post-index-change",
            "post-checkout",
            "pre-commit",
            "post-merge",
            "reference-transaction",
            "fsmonitor-watchman",
        ] {
            fs::copy(&trap, hooks.join(hook)).unwrap();
        }
        let evil = self.root.join(".git/evil");
        fs::write(
            &evil,
            format!("[filter \"long\"]\n\tprocess = {trap}\n\trequired\n[filter \"a=b\"]\n\tclean = {trap}\n\tsmudge = {trap}\n\trequired\n[diff \"a=b\"]\n\ttextconv = {trap}\n"),
        )
        .unwrap();
        for (key, value) in [
            ("include.path", evil.to_str().unwrap()),
            ("filter.evil.clean", &trap),
            ("filter.evil.smudge", &trap),
            ("filter.evil.required", "true"),
            ("diff.evil.textconv", &trap),
            ("diff.evil.command", &trap),
            ("diff.external", &trap),
            ("merge.evil.driver", &trap),
            ("core.hooksPath", hooks.to_str().unwrap()),
            ("core.pager", &trap),
            ("core.editor", &trap),
            ("core.sshCommand", &trap),
            ("core.alternateRefsCommand", &trap),
            ("gpg.program", &trap),
            ("log.showSignature", "true"),
            ("commit.gpgSign", "true"),
            ("alias.status", &format!("!{trap}")),
            ("alias.ls-files", &format!("!{trap}")),
            ("alias.rev-parse", &format!("!{trap}")),
            ("core.worktree", "/"),
            ("core.excludesFile", "~/none"),
            ("safe.directory", "*"),
            ("extensions.partialClone", "origin"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.url", &format!("ext::{trap}")),
            ("remote.origin.uploadpack", &trap),
            ("protocol.ext.allow", "always"),
            ("protocol.file.allow", "always"),
            ("credential.helper", &trap),
            ("core.fsmonitor", &trap),
        ] {
            Yard::git_in(
                &self.root,
                &["config", "set", "--file", ".git/config", key, value],
            );
        }
        sub
    }

    fn git_in(root: &Path, args: &[&str]) -> String {
        let done = Command::new("git")
            .args([
                "-c",
                "user.name=T",
                "-c",
                "user.email=t@t",
                "-c",
                "commit.gpgSign=false",
            ])
            .args(args)
            .current_dir(root)
            .output()
            .unwrap();
        assert!(done.status.success(), "{args:?} {done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn commit(&self, subject: &str) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", subject]);
    }

    fn write(&self, path: &str, text: &str) {
        let file = self.root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn at(&self) -> Git {
        Git::at(&self.root)
    }

    async fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.at()).await.unwrap()
    }

    async fn since(&self, before: &Snapshot) -> Changes {
        self.at().changes_since(before).await.unwrap()
    }

    /// A program that leaves the marker, and passes its input on as a filter does.
    fn trap(&self) -> String {
        let trap = self.marker.with_file_name("trap");
        let text = format!("#!/bin/sh\ntouch '{}'\ncat\n", self.marker.display());
        fs::write(&trap, text).unwrap();
        fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
        trap.to_str().unwrap().to_owned()
    }

    fn assert_quiet(&self, what: &str) {
        assert!(!self.marker.exists(), "{what} was run");
    }
}

fn files(changes: &Changes) -> Vec<(&str, FileStatus, Option<u64>, Option<u64>)> {
    changes
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.status, file.added, file.removed))
        .collect()
}

#[tokio::test]
async fn only_what_changed_since_is_told() {
    let yard = Yard::with_commit();
    yard.write("a.txt", "one\ntwo\ndirty\n");
    yard.write("loose.txt", "was there\n");
    yard.write("grown.txt", "1\n");
    let before = yard.snapshot().await;
    let nothing = yard.since(&before).await;
    assert_eq!(files(&nothing), []);
    assert_eq!(
        nothing.base.as_deref(),
        Some(yard.git(&["rev-parse", "HEAD"]).as_str())
    );

    yard.write("b.txt", "c\nd\n");
    yard.write("grown.txt", "1\n2\n");
    yard.write("new dir/é\n.txt", "n\n");
    yard.write("staged.txt", "s\n");
    yard.git(&["add", "staged.txt"]);
    fs::write(yard.root.join("binary"), [0, 159, 1]).unwrap();
    let changes = yard.since(&before).await;
    assert_eq!(
        files(&changes),
        [
            ("b.txt", Modified, Some(2), Some(1)),
            ("binary", Untracked, None, None),
            ("grown.txt", Modified, Some(1), Some(0)),
            ("new dir/é\n.txt", Untracked, Some(1), Some(0)),
            ("staged.txt", Added, Some(1), Some(0)),
        ]
    );
    assert_eq!(
        (changes.added, changes.removed, changes.truncated),
        (5, 1, false)
    );
    // What was there before is as it was: neither index nor tree was touched.
    assert!(
        yard.git(&["status", "--porcelain"])
            .contains("A  staged.txt")
    );
}

#[tokio::test]
async fn commits_deletions_and_renames_are_told() {
    let yard = Yard::with_commit();
    yard.write("long.txt", &"line\n".repeat(50));
    yard.commit("second");
    let before = yard.snapshot().await;
    yard.git(&["mv", "long.txt", "moved.txt"]);
    yard.commit("move it");
    fs::remove_file(yard.root.join("a.txt")).unwrap();
    yard.commit("and go");
    let changes = yard.since(&before).await;
    assert_eq!(
        files(&changes),
        [
            ("a.txt", FileStatus::Deleted, Some(0), Some(2)),
            ("moved.txt", FileStatus::Renamed, Some(0), Some(0)),
        ]
    );
    let subjects: Vec<_> = changes
        .commits
        .iter()
        .map(|one| one.subject.as_str())
        .collect();
    assert_eq!(subjects, ["move it", "and go"]);
    assert_eq!(
        changes.head.as_deref(),
        Some(changes.commits[1].id.as_str())
    );
    // Committing what was dirty changes no file.
    let dirty = Yard::with_commit();
    dirty.write("a.txt", "changed\n");
    let before = dirty.snapshot().await;
    dirty.commit("all");
    let changes = dirty.since(&before).await;
    assert_eq!((changes.files.len(), changes.commits.len()), (0, 1));
}

#[tokio::test]
async fn another_branch_is_nobodys_work() {
    let yard = Yard::with_commit();
    yard.git(&["checkout", "-q", "-b", "side"]);
    yard.write("side.txt", "x\n");
    yard.git(&["add", "-A"]);
    let old = "2001-01-01T00:00:00Z";
    let done = Command::new("git")
        .args([
            "-c",
            "user.name=T",
            "-c",
            "user.email=t@t",
            "commit",
            "-qm",
            "old",
        ])
        .env("GIT_COMMITTER_DATE", old)
        .current_dir(&yard.root)
        .status();
    assert!(done.unwrap().success());
    yard.git(&["checkout", "-q", "main"]);
    yard.write("c.txt", "c\n");
    yard.commit("main goes on");
    let before = yard.snapshot().await;
    yard.git(&["checkout", "-q", "side"]);
    let changes = yard.since(&before).await;
    assert_eq!(changes.commits, []);
    assert_eq!(files(&changes).len(), 2, "{changes:?}");
}

#[tokio::test]
async fn a_repository_without_a_commit_or_an_index_is_one() {
    let yard = Yard::new();
    let before = yard.snapshot().await;
    assert_eq!(before.head(), None);
    assert_eq!(yard.since(&before).await, Changes::default());
    yard.write("a", "1\n");
    yard.commit("first");
    let changes = yard.since(&before).await;
    assert_eq!(files(&changes), [("a", Added, Some(1), Some(0))]);
    assert_eq!((changes.base.as_deref(), changes.commits.len()), (None, 1));
}

#[tokio::test]
async fn what_is_no_work_tree_of_its_own_is_none() {
    let yard = Yard::with_commit();
    let none = |git: Git| async move {
        let came = Snapshot::take(&git).await;
        assert!(matches!(came, Err(GitError::NoRepository(_))), "{came:?}");
    };
    yard.write("sub/x", "");
    none(Git::at(yard.root.join("sub"))).await;
    none(Git::at("/nowhere/at/all")).await;
    let bare = yard.root.with_file_name("bare");
    yard.git(&["init", "-q", "--bare", bare.to_str().unwrap()]);
    none(Git::at(&bare)).await;
    let beside = yard.root.with_file_name("beside");
    fs::create_dir(&beside).unwrap();
    fs::write(beside.join(".git"), format!("gitdir: {}\n", bare.display())).unwrap();
    none(Git::at(&beside)).await;
    fs::write(beside.join(".git"), vec![b'x'; 100_000]).unwrap();
    none(Git::at(&beside)).await;
}

#[tokio::test]
async fn linked_worktrees_and_sha256_are_read() {
    let yard = Yard::with_commit();
    let linked = yard.root.with_file_name("linked");
    yard.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "other",
        linked.to_str().unwrap(),
    ]);
    let git = Git::at(&linked);
    assert_eq!(git.common_dir(), yard.at().common_dir());
    let before = Snapshot::take(&git).await.unwrap();
    fs::write(linked.join("a.txt"), "x\n").unwrap();
    Yard::git_in(&linked, &["commit", "-qam", "there"]);
    let changes = git.changes_since(&before).await.unwrap();
    assert_eq!(files(&changes), [("a.txt", Modified, Some(1), Some(2))]);
    assert_eq!(changes.commits.len(), 1);
    // Packed refs.
    yard.git(&["pack-refs", "--all"]);
    assert_eq!(
        yard.at().head().await.unwrap().unwrap(),
        yard.git(&["rev-parse", "HEAD"])
    );

    let long = yard.root.with_file_name("long");
    fs::create_dir(&long).unwrap();
    Yard::git_in(&long, &["init", "-q", "--object-format=sha256"]);
    let git = Git::at(&long);
    let before = Snapshot::take(&git).await.unwrap();
    fs::write(long.join("f"), "1\n").unwrap();
    Yard::git_in(&long, &["add", "-A"]);
    Yard::git_in(&long, &["commit", "-qm", "c"]);
    let changes = git.changes_since(&before).await.unwrap();
    assert_eq!(changes.head.unwrap().len(), 64);
    assert_eq!(changes.files.len(), 1);
}

#[tokio::test]
async fn odd_files_do_no_harm() {
    let yard = Yard::with_commit();
    yard.write("tracked/f", "1\n");
    yard.commit("more");
    let large = yard.root.join("large");
    fs::write(&large, vec![b'l'; 5_000_000]).unwrap();
    let pipe = yard.root.join("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    yard.write("inner/file", "x");
    Yard::git_in(&yard.root.join("inner"), &["init", "-q"]);
    let before = yard.snapshot().await;
    assert_eq!(files(&yard.since(&before).await), []);
    fs::write(&large, vec![b'l'; 5_000_001]).unwrap();
    // A folder that becomes a link leads nowhere.
    fs::remove_dir_all(yard.root.join("tracked")).unwrap();
    symlink("/etc", yard.root.join("tracked")).unwrap();
    // A file becomes a pipe, a folder a file.
    fs::remove_file(yard.root.join("b.txt")).unwrap();
    let pipe = yard.root.join("b.txt");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    let changes = yard.since(&before).await;
    let seen = files(&changes);
    assert!(seen.contains(&("large", Modified, None, None)), "{seen:?}");
    assert!(
        seen.contains(&("tracked", Untracked, Some(1), Some(0))),
        "{seen:?}"
    );
    assert!(
        seen.contains(&("tracked/f", FileStatus::Deleted, Some(0), Some(1))),
        "{seen:?}"
    );
}

#[tokio::test]
async fn many_files_are_counted_and_not_all_listed() {
    let yard = Yard::with_commit();
    let before = yard.snapshot().await;
    for n in 0..250 {
        yard.write(&format!("many/{n:03}"), "1\n2\n");
    }
    let changes = yard.since(&before).await;
    assert_eq!(
        (changes.files.len(), changes.added, changes.truncated),
        (200, 500, true)
    );
    assert_eq!(changes.files[0].status, Untracked);
}

/// All that a repository's own files can name to be run, at once and with a driver whose name is made to slip through `-c`.
#[tokio::test]
async fn a_hostile_repository_runs_nothing() {
    let yard = Yard::with_commit();
    let sub = yard.bait();
    // To set it springs it.
    fs::remove_file(&yard.marker).ok();
    let before = yard.snapshot().await;
    yard.assert_quiet("something at the snapshot");
    for file in ["a.txt", "x.one", "x.two"] {
        yard.write(file, "changed\n");
    }
    fs::write(sub.join("new"), "x").unwrap();
    let changes = yard.since(&before).await;
    yard.assert_quiet("something at the end");
    assert_eq!(changes.files.len(), 3, "{changes:?}");
    let git = yard.at();
    for args in [
        &["status", "--porcelain=v2", "-z"][..],
        &["diff", "HEAD"],
        &["diff", "--stat"],
        &["log", "-p", "-3"],
        &["show", "HEAD"],
        &["stash", "create"],
        &["add", "-A"],
        &["checkout", "-q", "HEAD", "--", "a.txt", "x.one", "x.two"],
        &["rev-parse", "HEAD"],
        &["worktree", "add", "-q", "-b", "w", "../wt"],
        &["fetch", "origin"],
        &["cat-file", "-p", "0123456789012345678901234567890123456789"],
        &["commit", "--allow-empty", "-qm", "x"],
    ] {
        let git = git
            .clone()
            .configured("user.name", "E")
            .configured("user.email", "e@e");
        git.ask(args).await.unwrap();
        yard.assert_quiet(&format!("{args:?}"));
    }
    assert!(yard.root.with_file_name("wt").join("a.txt").exists());
    // The trap does spring for those who ask plainly.
    let plain = Command::new("git")
        .arg("status")
        .current_dir(&yard.root)
        .output();
    assert!(plain.is_ok() && yard.marker.exists());
}

#[tokio::test]
async fn a_git_that_hangs_is_ended() {
    let yard = Yard::with_commit();
    fs::remove_file(yard.root.join(".git/info/exclude")).ok();
    let ignore = yard.root.join(".gitignore");
    assert!(
        Command::new("mkfifo")
            .arg(&ignore)
            .status()
            .unwrap()
            .success()
    );
    let git = yard.at().limit(std::time::Duration::from_millis(300));
    let begun = std::time::Instant::now();
    let came = Snapshot::take(&git).await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
    assert!(
        matches!(came, Err(GitError::Late { .. }) | Ok(_)),
        "{came:?}"
    );
}
