use super::{
    kit::{Face, Job, alive},
    worktree_kit::{begin, done, ended, job, once, path, state},
};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::{fs, time::Duration};

/// A project whose file has these commands, trusted or not.
fn set_up(commands: &Value, trusted: bool) -> (Job, Face) {
    let job = job(&[]);
    fs::write(
        job.project.join(".eyas.toml"),
        format!("[setup]\ncommands = {commands}\n"),
    )
    .unwrap();
    let mut face = job.rpc();
    face.result("project.register", &json!({"path": job.project}));
    if trusted {
        face.result("project.trust", &json!({"project": job.project}));
    }
    (job, face)
}

fn warning(run: &Value, kind: &str) -> Option<String> {
    let all = run["warnings"].as_array().unwrap();
    let found = all.iter().find(|warning| warning["kind"] == kind);
    found.map(|warning| warning["detail"].as_str().unwrap().to_owned())
}

fn looked(face: &mut Face) -> Value {
    done(face, "!run ls -A; echo; cat ready\n!write x x")
}

fn said(run: &Value) -> &str {
    run["conclusion"]["summary"].as_str().unwrap()
}

#[test]
fn those_of_a_trusted_file_run_in_the_worktree_before_the_agent() {
    let script = "pwd > ready";
    let (job, mut face) = set_up(&json!([["sh", "-c", script], ["true"]]), true);
    let run = looked(&mut face);
    assert!(said(&run).contains(path(&run).to_str().unwrap()), "{run}");
    assert_eq!(warning(&run, "setup_failed"), None);
    assert!(!job.project.join("ready").exists());
    // A conversation that goes on finds it prepared.
    fs::remove_file(path(&run).join("ready")).unwrap();
    let more = json!({"prompt": "!run ls -A", "previous": run["id"]});
    let again = face.result("run.delegate", &more);
    assert!(!said(&ended(&mut face, &again)).contains("ready"));
}

#[test]
fn those_of_an_untrusted_file_do_not_run() {
    let (_job, mut face) = set_up(&json!([["sh", "-c", "echo x > ready"]]), false);
    let run = looked(&mut face);
    assert!(!path(&run).join("ready").exists());
    assert!(!run["warnings"].as_array().unwrap().is_empty(), "{run}");
}

#[test]
fn those_of_a_run_that_may_only_read_do_not_run() {
    let (_job, mut face) = set_up(&json!([["sh", "-c", "echo x > ready"]]), true);
    let more = json!({"policy": {"security": "deny"}});
    let run = begin(&mut face, "!write x x", &more);
    let run = ended(&mut face, &run);
    assert!(!path(&run).join("ready").exists());
    assert!(warning(&run, "setup_skipped").is_some(), "{run}");
}

#[test]
fn those_of_a_trusted_file_are_allowed_by_that_trust_alone() {
    let (_job, mut face) = set_up(&json!([["sh", "-c", "echo x > ready; echo y | cat"]]), true);
    let more = json!({"policy": {"security": "allowlist", "ask": "always"}});
    let run = begin(&mut face, "!say x", &more);
    let run = once(&mut face, &run, |run| {
        assert_ne!(run["state"], "input_required", "{run}");
        run["ended_at"].is_string()
    });
    assert_eq!(warning(&run, "setup_skipped"), None, "{run}");
    assert_eq!(warning(&run, "setup_failed"), None, "{run}");
}

#[test]
fn what_they_leave_does_not_keep_a_worktree_and_what_an_agent_adds_does() {
    let script = "echo '*.o' > .git-ignore-me; mkdir deps && echo x > deps/x.o && git init -q deps/inner && echo x > deps/inner/x";
    let (job, mut face) = set_up(&json!([["sh", "-c", script]]), true);
    fs::write(
        job.project.join(".git/info/exclude"),
        "*.o\n.git-ignore-me\n",
    )
    .unwrap();
    let run = done(&mut face, "!say x");
    once(&mut face, &run, |run| state(run) == "dropped");
    let run = done(&mut face, "!write deps/mine.o x");
    assert_eq!(warning(&run, "setup_failed"), None, "{run}");
    let lost = face.refusal("run.drop", &json!({"id": run["id"]}));
    let detail = lost["detail"].as_str().unwrap();
    assert!(detail.contains("deps/mine.o"), "{lost}");
    assert!(
        !detail.contains("x.o") && !detail.contains("inner"),
        "{lost}"
    );
}

#[test]
fn one_that_fails_is_told_with_its_last_words_and_ends_the_others() {
    let commands = json!([
        ["sh", "-c", "echo out; echo oh dear >&2; exit 3"],
        ["touch", "after"]
    ]);
    let (_job, mut face) = set_up(&commands, true);
    let run = looked(&mut face);
    let detail = warning(&run, "setup_failed").unwrap_or_else(|| panic!("{run}"));
    assert!(detail.contains("exit status 3"), "{detail}");
    assert!(
        detail.contains("oh dear") && detail.contains("out"),
        "{detail}"
    );
    assert!(!path(&run).join("after").exists());
    let (_job, mut face) = set_up(&json!([["no-such-program"]]), true);
    let run = looked(&mut face);
    assert!(warning(&run, "setup_failed").is_some(), "{run}");
}

#[test]
fn what_they_started_ends_with_a_cancelled_run() {
    let script = "sleep 300 & echo $! > pid.tmp; mv pid.tmp pid; wait";
    let (_job, mut face) = set_up(&json!([["sh", "-c", script]]), true);
    let run = begin(&mut face, "!say x", &json!({}));
    let pid = until("a set-up command", || {
        fs::read_to_string(path(&run).join("pid"))
            .ok()?
            .trim()
            .parse::<u32>()
            .ok()
    });
    let step = once(&mut face, &run, |run| run["step"].is_string());
    assert_eq!(step["step"], "preparing its worktree");
    face.result("run.cancel", &json!({"id": run["id"]}));
    assert_eq!(ended(&mut face, &run)["state"], "cancelled");
    until("the end of it", || {
        std::thread::sleep(Duration::from_millis(5));
        (!alive(pid)).then_some(())
    });
}
