//! What tests of worktrees share: a project that is a repository, and runs by the API, which says more than the tools do.

use super::kit::{Face, Job, LONG};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

pub(super) fn git(dir: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=n", "-c", "user.email=n@example.org"];
    let out = Command::new("git")
        .current_dir(dir)
        .args(identity)
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{args:?}: {said}");
    String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
}

/// A job whose project is a repository with one commit.
pub(super) fn job(vars: &[(&str, &str)]) -> Job {
    let job = Job::with(vars);
    repository(&job.project);
    job
}

pub(super) fn repository(dir: &Path) {
    git(dir, &["init", "-q", "-b", "main"]);
    fs::write(dir.join("file"), "first\n").unwrap();
    git(dir, &["add", "-A"]);
    git(dir, &["commit", "-q", "-m", "first"]);
}

pub(super) fn begin(face: &mut Face, prompt: &str, more: &Value) -> Value {
    let mut params = json!({"prompt": prompt, "isolation": "worktree"});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    face.result("run.delegate", &params)
}

pub(super) fn refused(face: &mut Face, more: &Value) -> Value {
    let mut params = json!({"prompt": "!say x", "isolation": "worktree"});
    for (name, value) in more.as_object().unwrap() {
        params[name] = value.clone();
    }
    face.refusal("run.delegate", &params)
}

pub(super) fn now(face: &mut Face, run: &Value) -> Value {
    face.result("run.get", &json!({"id": run["id"]}))
}

pub(super) fn once(face: &mut Face, run: &Value, is: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let now = now(face, run);
        if is(&now) {
            return now;
        }
        assert!(begun.elapsed() < LONG, "{now}");
        thread::sleep(Duration::from_millis(10));
    }
}

pub(super) fn ended(face: &mut Face, run: &Value) -> Value {
    once(face, run, |run| run["ended_at"].is_string())
}

pub(super) fn done(face: &mut Face, prompt: &str) -> Value {
    let run = begin(face, prompt, &json!({}));
    let run = ended(face, &run);
    assert_eq!(run["state"], "succeeded", "{run}");
    run
}

pub(super) fn state(run: &Value) -> &str {
    run["worktree"]["state"].as_str().unwrap_or_default()
}

pub(super) fn path(run: &Value) -> PathBuf {
    PathBuf::from(run["worktree"]["path"].as_str().unwrap())
}

pub(super) fn branches(job: &Job) -> String {
    git(&job.project, &["branch", "--list", "eyas/*"])
}
