mod set_up;

use super::Plan;
use crate::{
    domain::{fault::ErrorKind, ids::RunId},
    stdx::mint,
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// A repository with one commit, and a folder for worktrees.
struct Yard {
    _root: TempDir,
    repository: PathBuf,
    folder: PathBuf,
    marker: PathBuf,
}

impl Yard {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let top = root.path().canonicalize().unwrap();
        let yard = Self {
            repository: top.join("project"),
            folder: top.join("worktrees"),
            marker: top.join("ran"),
            _root: root,
        };
        fs::create_dir_all(&yard.repository).unwrap();
        fs::create_dir_all(&yard.folder).unwrap();
        yard.git(&["init", "-q", "-b", "main"]);
        yard.write("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
        yard.write("sub/b.txt", "b\n");
        yard.write(".gitignore", "*.log\n");
        yard.commit("first");
        yard
    }

    fn git(&self, args: &[&str]) -> String {
        git(&self.repository, args)
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.repository, path, text);
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.repository.join(path)).unwrap()
    }

    fn commit(&self, subject: &str) {
        commit(&self.repository, subject);
    }

    fn status(&self) -> String {
        self.git(&["status", "--porcelain"])
    }

    async fn planned(&self) -> Plan {
        Plan::draw(&self.folder, &self.repository, RunId(mint()), Some("work"))
            .await
            .unwrap()
    }

    async fn made(&self) -> Plan {
        let mut plan = self.planned().await;
        assert!(plan.make().await.unwrap().fresh);
        plan
    }

    /// A program that leaves a mark when it runs.
    fn trap(&self) -> String {
        let trap = self.folder.with_file_name("trap.sh");
        fs::write(
            &trap,
            format!("#!/bin/sh\necho x >> {}\ncat\n", self.marker.display()),
        )
        .unwrap();
        fs::set_permissions(&trap, fs::Permissions::from_mode(0o755)).unwrap();
        trap.display().to_string()
    }
}

fn git(dir: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=n", "-c", "user.email=n@example.org"];
    let out = Command::new("git")
        .current_dir(dir)
        .args(identity)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(
        out.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
}

fn write(dir: &Path, path: &str, text: &str) {
    let file = dir.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

fn commit(dir: &Path, subject: &str) {
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", subject]);
}

#[tokio::test]
async fn a_worktree_is_made_once_is_clean_and_goes_with_its_branch() {
    let yard = Yard::new();
    let mut plan = yard.made().await;
    assert_eq!(
        fs::read_to_string(plan.path.join("sub/b.txt")).unwrap(),
        "b\n"
    );
    assert_eq!(git(&plan.path, &["status", "--porcelain"]), "");
    assert_eq!(git(&plan.path, &["branch", "--show-current"]), plan.branch);
    assert_eq!(yard.status(), "");
    let standing = plan.standing().await.unwrap();
    assert!(!standing.changed && !standing.is_dirty(), "{standing:?}");
    assert!(!plan.make().await.unwrap().fresh);
    assert_eq!(Plan::noted(&plan.path).unwrap(), plan);
    plan.remove().await.unwrap();
    assert!(!plan.path.exists());
    assert_eq!(yard.git(&["branch", "--list", "eyas/*"]), "");
    assert_eq!(yard.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(fs::read_dir(&yard.folder).unwrap().count(), 0);
}

#[tokio::test]
async fn one_that_was_half_made_is_made_anew() {
    let yard = Yard::new();
    let mut plan = yard.planned().await;
    plan.note().unwrap();
    let path = plan.path.display().to_string();
    yard.git(&[
        "worktree",
        "add",
        "-q",
        "--no-checkout",
        "-b",
        &plan.branch,
        &path,
    ]);
    assert!(plan.make().await.unwrap().fresh);
    assert!(plan.path.join("a.txt").exists());
    let mut again = yard.planned().await;
    fs::create_dir_all(again.path.join("rest")).unwrap();
    assert!(again.make().await.unwrap().fresh);
    assert!(!again.path.join("rest").exists());
}

#[tokio::test]
async fn what_is_in_it_is_seen_and_shown() {
    let yard = Yard::new();
    let plan = yard.made().await;
    write(&plan.path, "a.txt", "committed\n");
    commit(&plan.path, "in the worktree");
    write(&plan.path, "new.txt", "new\n");
    write(&plan.path, "noise.log", "ignored\n");
    fs::remove_file(plan.path.join("sub/b.txt")).unwrap();
    let standing = plan.standing().await.unwrap();
    assert!(standing.changed && standing.is_dirty());
    assert_eq!(standing.uncommitted, ["new.txt", "sub/b.txt"]);
    assert_eq!(standing.commits.len(), 1);
    assert!(
        standing.losses().contains("in the worktree"),
        "{}",
        standing.losses()
    );
    let (diff, truncated) = plan.diff(100_000).await.unwrap();
    assert!(!truncated);
    for part in ["+committed", "+new", "-b", "sub/b.txt"] {
        assert!(diff.contains(part), "{part}: {diff}");
    }
    assert!(!diff.contains("noise"));
    let (short, truncated) = plan.diff(10).await.unwrap();
    assert!(truncated && short.len() <= 10);
    // Another branch has the commit: dropping the worktree would not lose it.
    yard.git(&["branch", "kept", &plan.branch]);
    assert!(plan.standing().await.unwrap().commits.is_empty());
}

#[tokio::test]
async fn all_of_it_goes_over_into_a_tree_with_changes_of_its_own() {
    let yard = Yard::new();
    let plan = yard.made().await;
    write(&plan.path, "a.txt", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    commit(&plan.path, "in the worktree");
    write(&plan.path, "new/deep.txt", "new\n");
    fs::remove_file(plan.path.join("sub/b.txt")).unwrap();
    write(&plan.path, "sub/b.txt/now_a_folder", "x\n");
    symlink("a.txt", plan.path.join("link")).unwrap();
    fs::write(plan.path.join("blob.bin"), [0, 1, 2, 255]).unwrap();
    yard.write("a.txt", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
    yard.write("own.txt", "mine\n");
    yard.git(&["add", "own.txt"]);
    let index = fs::read(yard.repository.join(".git/index")).unwrap();
    let changed = plan.apply().await.unwrap();
    assert_eq!(changed.len(), 6, "{changed:?}");
    assert_eq!(yard.read("a.txt"), "one\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    assert_eq!(yard.read("new/deep.txt"), "new\n");
    assert_eq!(yard.read("sub/b.txt/now_a_folder"), "x\n");
    assert_eq!(yard.read("own.txt"), "mine\n");
    assert_eq!(
        fs::read(yard.repository.join("blob.bin")).unwrap(),
        [0, 1, 2, 255]
    );
    assert!(yard.repository.join("link").is_symlink());
    assert_eq!(fs::read(yard.repository.join(".git/index")).unwrap(), index);
    assert_eq!(yard.git(&["log", "--oneline"]).lines().count(), 1);
    // Once more changes nothing: it is there already.
    assert_eq!(plan.apply().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_leaves_the_tree_as_it_was() {
    let yard = Yard::new();
    let plan = yard.made().await;
    write(
        &plan.path,
        "a.txt",
        "1\n2\n3\n4\nfive of the run\n6\n7\n8\n9\n",
    );
    write(&plan.path, "free.txt", "free\n");
    yard.write("a.txt", "1\n2\n3\n4\nfive of a person\n6\n7\n8\n9\n");
    let before = yard.status();
    let fault = plan.apply().await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::InUse);
    assert!(
        fault.detail.contains("a.txt") && !fault.detail.contains("free.txt"),
        "{fault}"
    );
    assert_eq!(yard.status(), before);
    assert!(yard.read("a.txt").contains("five of a person"));
    assert!(!yard.repository.join("free.txt").exists());
    // A file that the project has deleted meanwhile does not fit at all.
    fs::remove_file(yard.repository.join("a.txt")).unwrap();
    let fault = plan.apply().await.unwrap_err();
    assert!(fault.detail.contains("a.txt"), "{fault}");
    assert!(!yard.repository.join("free.txt").exists());
}

#[tokio::test]
async fn an_ignored_file_in_the_way_is_not_overwritten() {
    let yard = Yard::new();
    let plan = yard.made().await;
    write(&plan.path, "secret.log", "of the run\n");
    git(&plan.path, &["add", "-f", "secret.log"]);
    git(&plan.path, &["commit", "-q", "-m", "forced"]);
    yard.write("secret.log", "of a person\n");
    // What only a commit holds and git ignores on disk counts too.
    let fault = plan.apply().await.unwrap_err();
    assert!(fault.detail.contains("secret.log"), "{fault}");
    assert_eq!(yard.read("secret.log"), "of a person\n");
}

#[tokio::test]
async fn nothing_that_the_repository_configures_runs() {
    let yard = Yard::new();
    let trap = yard.trap();
    let hooks = yard.repository.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in [
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "pre-commit",
        "post-commit",
    ] {
        fs::copy(&trap, hooks.join(hook)).unwrap();
    }
    for key in [
        "core.fsmonitor",
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.evil.process",
        "merge.evil.driver",
        "diff.evil.textconv",
        "diff.external",
        "core.pager",
        "core.sshCommand",
        "core.alternateRefsCommand",
        "hook.evil.command",
    ] {
        yard.git(&["config", key, &trap]);
    }
    yard.git(&["config", "hook.evil.event", "reference-transaction"]);
    yard.git(&["config", "core.hooksPath", &hooks.display().to_string()]);
    let attributes = "* filter=evil merge=evil diff=evil\n";
    write(&yard.repository, ".git/info/attributes", attributes);
    let mut plan = yard.planned().await;
    let made = plan.make().await.unwrap();
    write(&plan.path, ".gitattributes", attributes);
    write(&plan.path, "a.txt", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    write(&yard.repository, "a.txt", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
    // A repository inside, which has a monitor of its own.
    let inner = plan.path.join("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q"]);
    write(&inner, "x", "x\n");
    commit(&inner, "inner");
    git(&inner, &["config", "core.fsmonitor", &trap]);
    fs::remove_file(&yard.marker).ok();
    let standing = plan.standing().await.unwrap();
    assert!(
        standing.uncommitted.contains(&"inner/".to_owned()),
        "{standing:?}"
    );
    plan.diff(1_000).await.unwrap();
    plan.apply().await.unwrap_err();
    fs::rename(&inner, yard.folder.join("inner")).unwrap();
    plan.apply().await.unwrap();
    plan.remove().await.unwrap();
    assert!(
        !yard.marker.exists(),
        "{}",
        fs::read_to_string(&yard.marker).unwrap()
    );
    assert!(made.unfiltered.is_empty());
}

#[tokio::test]
async fn files_that_a_filter_would_change_are_told_of() {
    let yard = Yard::new();
    yard.write(".gitattributes", "*.bin filter=lfs -text\n");
    yard.write("large.bin", "version 1\n");
    yard.commit("large");
    let mut plan = yard.planned().await;
    assert_eq!(plan.make().await.unwrap().unfiltered, ["large.bin"]);
}

#[tokio::test]
async fn only_the_root_of_a_work_tree_with_a_commit_will_do() {
    let yard = Yard::new();
    let top = yard.folder.parent().unwrap();
    let refused = async |name: &str, init: &[&str]| {
        let dir = top.join(name);
        fs::create_dir_all(&dir).unwrap();
        if !init.is_empty() {
            git(&dir, init);
        }
        let fault = Plan::draw(&yard.folder, &dir, RunId(mint()), None)
            .await
            .unwrap_err();
        assert_eq!(fault.kind, ErrorKind::InvalidParams);
        assert_eq!(fault.field.as_deref(), Some("isolation"));
        assert!(fault.hint.is_some());
        fault.detail
    };
    assert!(refused("plain", &[]).await.contains("is none"));
    assert!(
        refused("bare", &["init", "-q", "--bare"])
            .await
            .contains("bare")
    );
    assert!(
        refused("unborn", &["init", "-q"])
            .await
            .contains("has none")
    );
    assert!(refused("project/sub", &[]).await.contains("is none"));
    // A project inside another has its own.
    let inner = yard.repository.join("inner");
    fs::create_dir(&inner).unwrap();
    git(&inner, &["init", "-q", "-b", "main"]);
    write(&inner, "x", "x\n");
    commit(&inner, "inner");
    let mut plan = Plan::draw(&yard.folder, &inner, RunId(mint()), None)
        .await
        .unwrap();
    plan.make().await.unwrap();
    assert!(plan.path.join("x").exists() && !plan.path.join("a.txt").exists());
    write(&plan.path, "y", "y\n");
    plan.apply().await.unwrap();
    assert!(inner.join("y").exists());
    assert_eq!(yard.status(), "?? inner/");
}

#[tokio::test]
async fn one_that_an_agent_turned_into_something_else_is_not_worked_in() {
    let yard = Yard::new();
    let mut plan = yard.made().await;
    fs::remove_file(plan.path.join(".git")).unwrap();
    git(&plan.path, &["init", "-q"]);
    let fault = plan.make().await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::InUse, "{fault}");
    // It can be looked at and removed all the same.
    write(&plan.path, "new.txt", "new\n");
    assert_eq!(plan.standing().await.unwrap().uncommitted, ["new.txt"]);
    plan.remove().await.unwrap();
    assert_eq!(yard.git(&["worktree", "list"]).lines().count(), 1);
}

#[tokio::test]
async fn what_is_gone_is_said_to_be_gone_and_can_still_be_removed() {
    let yard = Yard::new();
    let plan = yard.made().await;
    fs::remove_dir_all(&yard.repository).unwrap();
    let fault = plan.standing().await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::NotFound);
    assert!(fault.detail.contains("repository"));
    plan.remove().await.unwrap();
    assert!(!plan.path.exists());
    assert_eq!(
        Plan::noted(&plan.path).unwrap_err().kind,
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn what_is_too_large_to_be_taken_over_is_refused_and_stays() {
    let yard = Yard::new();
    let plan = yard.made().await;
    // Noise, which no compression makes small; more than a patch may be in a test.
    let mut noise = Vec::new();
    let mut last: u32 = 1;
    for _ in 0..400 * 1024 {
        last = last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        noise.push(last.to_be_bytes()[0]);
    }
    fs::write(plan.path.join("large.bin"), &noise).unwrap();
    let before = yard.status();
    let fault = plan.apply().await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::TooLarge, "{fault}");
    assert!(fault.hint.unwrap().contains(&plan.branch));
    assert_eq!(yard.status(), before);
    assert!(plan.standing().await.unwrap().is_dirty());
    // A file without content on disk, larger than what is read.
    let sparse = fs::File::create(plan.path.join("sparse.bin")).unwrap();
    sparse.set_len(3 * 1024 * 1024 * 1024).unwrap();
    for fault in [
        plan.standing().await.unwrap_err(),
        plan.diff(100).await.unwrap_err(),
        plan.apply().await.unwrap_err(),
    ] {
        assert_eq!(fault.kind, ErrorKind::TooLarge, "{fault}");
        assert!(fault.hint.is_some());
    }
    assert_eq!(fs::read(plan.path.join("large.bin")).unwrap(), noise);
}

#[tokio::test]
async fn a_pipe_in_the_place_of_the_list_of_patterns_is_not_waited_for() {
    let yard = Yard::new();
    let plan = yard.made().await;
    let exclude = yard.repository.join(".git/info/exclude");
    fs::remove_file(&exclude).ok();
    fifo(&exclude);
    let fault = plan.standing().await.unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Internal, "{fault}");
}

#[tokio::test]
async fn a_pipe_that_git_reads_holds_a_look_up_for_a_moment_only() {
    let yard = Yard::new();
    let plan = yard.made().await;
    fifo(&plan.path.join(".gitattributes"));
    let look = tokio::time::timeout(std::time::Duration::from_secs(30), plan.standing());
    let fault = look.await.unwrap().unwrap_err();
    assert_eq!(fault.kind, ErrorKind::TimedOut, "{fault}");
    plan.remove().await.unwrap();
}

#[tokio::test]
async fn no_program_of_the_project_is_run_in_its_worktree() {
    let yard = Yard::new();
    let plan = yard.made().await;
    let folder = yard.repository.join("bin");
    fs::create_dir(&folder).unwrap();
    fs::copy(yard.trap(), folder.join("git")).unwrap();
    let path = std::env::join_paths([folder, "/usr/bin".into(), "/bin".into()]).unwrap();
    // Of this process, which is this test's own.
    crate::workspace::git::look_in(&path);
    plan.standing().await.unwrap();
    plan.diff(1_000).await.unwrap();
    assert!(!yard.marker.exists());
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}
