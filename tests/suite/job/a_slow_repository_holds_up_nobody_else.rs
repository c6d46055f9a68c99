//! A hub whose git waits for ever in one repository, once a test says so.

use super::{
    kit::{Job, alive},
    worktree_kit::{begin, done, ended, job, once, path, refused, repository, state},
};
use crate::hub::nest::until;
use serde_json::json;
use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// A folder with a `git` before all others on the hub's PATH, and a home of that hub.
struct Mire {
    folder: TempDir,
    job: Job,
    slow: PathBuf,
}

impl Mire {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().canonicalize().unwrap();
        let path = env::var("PATH").unwrap();
        let real = env::split_paths(&path).map(|dir| dir.join("git"));
        let real = real.into_iter().find(|git| git.is_file()).unwrap();
        let script = format!(
            "#!/bin/sh\ncase \"$(pwd -P)\" in *slow-repository*) [ -e {at}/broken ] && exit 1\nif [ -e {at}/slow ]; then\n\
             echo $$ >> {at}/pids; sleep 300 & echo $! >> {at}/pids; wait; fi;; esac\nexec {real} \"$@\"\n",
            at = at.display(),
            real = real.display(),
        );
        let bin = at.join("bin");
        fs::create_dir(&bin).unwrap();
        fs::write(bin.join("git"), script).unwrap();
        fs::set_permissions(bin.join("git"), fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{path}", bin.display());
        let job = job(&[("PATH", &path)]);
        let slow = job.folder("slow-repository");
        repository(&slow);
        Self { folder, job, slow }
    }

    fn waits(&self) {
        fs::write(self.folder.path().join("slow"), "").unwrap();
    }

    fn pids(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.folder.path().join("pids")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }
}

/// Children of a process that are guards.
fn guards(hub: u32) -> Vec<u32> {
    let mut pgrep = Command::new("pgrep");
    pgrep.args(["-P", &hub.to_string(), "-f", "__guard"]);
    let listed = pgrep.output().unwrap().stdout;
    let listed = String::from_utf8(listed).unwrap();
    listed.lines().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn others_get_their_worktrees_and_the_one_who_waits_an_answer() {
    let mire = Mire::new();
    let (mut stuck, mut face) = (mire.job.rpc(), mire.job.rpc());
    done(&mut face, "!write file x");
    mire.waits();
    let params = json!({"prompt": "!say x", "isolation": "worktree", "project": mire.slow});
    let asked = stuck.send("run.delegate", &params);
    until("a git that waits", || mire.pids().first().copied());
    let begun = Instant::now();
    let run = done(&mut face, "!say quick");
    once(&mut face, &run, |run| state(run) == "dropped");
    assert!(begun.elapsed() < Duration::from_secs(15), "it had to wait");
    let answer = stuck.answer(asked);
    let fault = &answer["error"]["data"];
    assert_eq!(fault["kind"], "timed_out", "{answer}");
    assert!(fault["hint"].is_string(), "{answer}");
    for pid in mire.pids() {
        until("the end of a late git", || (!alive(pid)).then_some(()));
    }
}

#[test]
fn its_own_worktree_stays_with_what_is_in_it_and_says_why() {
    let mire = Mire::new();
    let mut face = mire.job.rpc();
    let more = json!({"project": mire.slow});
    let run = begin(&mut face, "!write file precious\n!sleep 1000", &more);
    let precious = |run: &serde_json::Value| path(run).join("file");
    let is_written = |file: &Path| fs::read_to_string(file).is_ok_and(|text| text == "precious");
    once(&mut face, &run, |run| is_written(&precious(run)));
    mire.waits();
    ended(&mut face, &run);
    let told = once(&mut face, &run, |run| {
        run["worktree"]["problem"].is_string()
    });
    let problem = told["worktree"]["problem"].as_str().unwrap();
    assert!(problem.contains("took longer"), "{told}");
    assert_eq!(state(&told), "open");
    assert!(is_written(&precious(&told)));
    fs::write(mire.folder.path().join("broken"), "").unwrap();
    let lost = face.refusal("run.drop", &json!({"id": run["id"]}));
    assert_eq!(lost["kind"], "in_use", "{lost}");
    assert!(is_written(&precious(&told)));
    face.result("run.keep", &json!({"id": run["id"]}));
    let kept = once(&mut face, &run, |run| state(run) == "kept");
    assert!(kept["worktree"]["problem"].is_null(), "{kept}");
}

#[test]
fn and_a_killed_hub_leaves_no_git_behind() {
    let mire = Mire::new();
    let mut face = mire.job.rpc();
    refused(
        &mut face,
        &json!({"project": mire.job.folder("no-repository")}),
    );
    mire.waits();
    let params = json!({"prompt": "!say x", "isolation": "worktree", "project": mire.slow});
    face.send("run.delegate", &params);
    let pids = until("a git that waits", || {
        let pids = mire.pids();
        (pids.len() == 2).then_some(pids)
    });
    assert!(pids.iter().all(|pid| alive(*pid)));
    let hub = mire.job.hub();
    let guards = guards(hub);
    assert_eq!(guards.len(), 1);
    mire.job.kill_hub();
    for pid in pids.into_iter().chain(guards) {
        until("the end of what the hub started", || {
            (!alive(pid)).then_some(())
        });
    }
}
