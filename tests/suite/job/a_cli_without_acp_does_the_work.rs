//! A program that does not speak ACP, from a definition of the home: found, run once a turn, heard by our own tools.

use super::kit::{FAKE, Job, summary};
use serde_json::json;
use std::{fs, os::unix::fs::symlink, path::Path};

const TURN: &str = r#"
[turn]
args = ["cli", "claude", "{form}", "{policy}", ["--persona", "{persona_file}"], ["--tools", "{tools_file}"]]
start = ["--session-id", "{session}"]
resume = ["--resume", "{session}"]
output = "claude"
named_by = "eyas"
tools = "file"
[turn.policy.allowlist]
args = ["--mode", "edits"]
"#;

fn define(job: &Job, id: &str, text: &str) {
    fs::write(job.nest.home.join(format!("agents/{id}.toml")), text).unwrap();
}

#[test]
fn it_reports_by_our_own_tools_and_its_token_is_nowhere_to_be_seen() {
    let job = Job::new();
    define(
        &job,
        "hawk",
        &format!("[launch]\ncommand = {FAKE:?}\n{TURN}"),
    );
    let mut face = job.face();
    let prompt = concat!(
        "!seen _tsye\n!mode\n",
        r#"!mcp conclude {"status":"success","summary":"told by tool"}"#
    );
    let run = face.done(prompt, json!({"agent": "hawk"}));
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(summary(&run), "told by tool", "{run}");
    let said = face.output(&run, |said| said.contains("false"));
    assert!(said.contains("hidden") && said.contains("edits"), "{said}");
    let left = fs::read_dir(job.nest.home.join("data/turns"))
        .or_else(|_| fs::read_dir(job.nest.home.join("turns")));
    assert!(left.unwrap().next().is_none(), "no file of a turn is left");
}

#[test]
fn a_hub_that_is_killed_leaves_no_process_and_the_conversation_goes_on() {
    let job = Job::new();
    define(
        &job,
        "hawk",
        &format!("[launch]\ncommand = {FAKE:?}\n{TURN}"),
    );
    let mut face = job.face();
    let first = face.done("!history", json!({"agent": "hawk"}));
    assert_eq!(summary(&first), "1");
    let id = first["id"].clone();
    job.kill_hub();
    let mut face = job.face();
    let second = face.done("!history", json!({"agent": "hawk", "previous": id}));
    assert_eq!(summary(&second), "2", "{second}");
    assert_eq!(second["continuity"], "resumed");
}

#[test]
fn killed_in_its_turn_the_hub_leaves_no_process_and_the_turn_is_done_again() {
    let job = Job::new();
    define(
        &job,
        "hawk",
        &format!("[launch]\ncommand = {FAKE:?}\n{TURN}"),
    );
    let mut face = job.face();
    let mark = job.nest.root().join("slept");
    let prompt = format!(
        "!grandchild\n!say /begun\n!first {} sleep 60000\n!say /end",
        mark.display()
    );
    let run = face.delegate(&prompt, json!({"agent": "hawk"}));
    face.output(&run, |said| said.contains("/begun"));
    job.kill_hub();
    face.kill();
    job.nothing_is_left();
    let mut face = job.face();
    let run = face.finished(&run);
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(run["attempts"][0]["outcome"], "lost", "{run}");
    assert!(summary(&run).ends_with("/end"), "{run}");
}

#[test]
fn what_it_takes_is_looked_at_while_it_runs() {
    let job = Job::with(&[("EYAS_MEMORY_SAMPLE_MS", "100")]);
    define(
        &job,
        "hawk",
        &format!("[launch]\ncommand = {FAKE:?}\n{TURN}"),
    );
    let mut face = job.face();
    let run = face.done("!sleep 2000\n!say done", json!({"agent": "hawk"}));
    let peak = run["conclusion"]["peak_memory_bytes"].as_u64();
    assert!(peak.is_some_and(|bytes| bytes > 1 << 20), "{run}");
}

#[test]
fn the_cli_of_an_agent_stands_in_for_its_program_that_speaks_acp() {
    let job = Job::new();
    let folder = job.folder("bin");
    symlink(FAKE, folder.join("stand-in")).unwrap();
    let stand_in = TURN.replace("[turn]", "[turn]\ncommand = \"stand-in\"");
    define(
        &job,
        "hawk",
        &format!("[launch]\ncommand = \"hawk-acp\"\n{stand_in}"),
    );
    let path = with_path(&folder);
    let mut face = job.face_with(&[("PATH", &path)]);
    let run = face.done("!say by its CLI", json!({"agent": "hawk"}));
    assert_eq!(summary(&run), "by its CLI", "{run}");
    let attempts = &run["attempts"];
    let reason = attempts[0]["reason"].as_str().unwrap_or_default();
    assert!(
        reason.contains("`stand-in`, which is run once a turn"),
        "{attempts}"
    );
}

fn with_path(folder: &Path) -> String {
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
}

#[test]
fn it_is_never_warm_and_says_why() {
    let job = Job::new();
    define(
        &job,
        "hawk",
        &format!("[launch]\ncommand = {FAKE:?}\n{TURN}"),
    );
    let mut face = job.face();
    let run = face.done("x", json!({"agent": "hawk", "mode": "warm"}));
    assert_eq!(run["state"], "failed", "{run}");
    assert_eq!(run["error"]["kind"], "warm_cap_reached", "{run}");
}

#[test]
fn what_it_cannot_be_told_and_what_others_see_is_said_with_the_run() {
    let job = Job::new();
    let text = format!(
        "[launch]\ncommand = {FAKE:?}\nargs = [\"cli\", \"text\"]\n[turn]\nargs = [\"--prompt\", \"{{prompt}}\"]\nprompt = \"argument\"\n"
    );
    define(&job, "crow", &text);
    let mut face = job.face();
    let run = face.done("!say hello", json!({"agent": "crow"}));
    assert_eq!(summary(&run), "hello", "{run}");
    let warnings = run["warnings"].to_string();
    assert!(warnings.contains("policy_not_enforced"), "{warnings}");
    assert!(warnings.contains("prompt_visible"), "{warnings}");
}
