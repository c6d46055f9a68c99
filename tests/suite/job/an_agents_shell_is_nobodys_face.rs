//! An agent that has a shell has our binary too. By whatever door it comes, it is that agent.

use super::kit::{Face, Job, is_over};
use crate::hub::nest::until;
use serde_json::{Value, json};
use std::{fmt::Write as _, fs};

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// A script that waits until it is told its own run and request in a file, and then tries every door.
fn script(job: &Job, told: &str, doors: &[&str]) -> String {
    let eyas = format!(
        "EYAS_HOME={} {}",
        job.nest.home.display(),
        env!("CARGO_BIN_EXE_eyas")
    );
    let mut text =
        format!("while [ ! -e {told} ]; do sleep 0.02; done\nread RUN REQUEST < {told}\n");
    for door in doors {
        writeln!(text, "{}", door.replace("EYAS", &eyas)).unwrap();
        writeln!(text, "echo").unwrap();
    }
    let path = job.nest.root().join("doors.sh");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn rpc(method: &str, params: &str, how: &str) -> String {
    let call =
        format!(r#"{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{method}\",\"params\":{params}}}"#);
    format!("echo \"{call}\" | EYAS rpc {how}")
}

fn mcp(tool: &str, arguments: &str) -> String {
    let meta = META.replace('"', "\\\"");
    let call = format!(
        r#"{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{{{meta},\"name\":\"{tool}\",\"arguments\":{arguments}}}}}"#
    );
    format!("echo \"{call}\" | EYAS mcp")
}

fn instances(rpc: &mut Face) -> Value {
    rpc.result("instance.list", &json!({}))["items"].take()
}

#[test]
fn it_answers_nothing_of_its_own_and_creates_and_delegates_nothing() {
    let job = Job::new();
    let (mut face, mut person) = (job.face(), job.rpc());
    let told = job.nest.root().join("told");
    let answer = r#"{\"id\":\"$RUN\",\"request\":\"$REQUEST\",\"option\":\"yes\"}"#;
    let by_tool = r#"{\"id\":\"$RUN\",\"answer\":{\"request\":\"$REQUEST\",\"option\":\"yes\"}}"#;
    let made = r#"{\"name\":\"mole\",\"role\":\"commander\"}"#;
    let work = r#"{\"prompt\":\"!say x\",\"concurrent\":true}"#;
    let forbidden = [
        "EYAS run answer $RUN --option yes 2>&1".to_owned(),
        rpc("run.answer", answer, ""),
        mcp("run_input", by_tool),
        "EYAS instance create mole 2>&1".to_owned(),
        rpc("instance.create", made, ""),
        mcp("instance_create", made),
        "EYAS delegate 'x' 2>&1".to_owned(),
        rpc("run.delegate", work, ""),
        mcp("delegate", work),
    ];
    let busy = [
        "EYAS run answer $RUN --option yes --in-process 2>&1".to_owned(),
        rpc("run.answer", answer, "--in-process"),
        rpc("instance.create", made, "--in-process"),
        "EYAS hub --in-process 2>&1; EYAS hub 2>&1".to_owned(),
    ];
    let doors: Vec<&str> = forbidden.iter().chain(&busy).map(String::as_str).collect();
    let path = script(&job, &told.display().to_string(), &doors);
    let prompt = format!("!forget execute git push\n!run sh {path}\n!sleep 60000");
    let run = face.delegate(&prompt, json!({}));
    let asked = face.once(&run, |run| run["state"] == "input_required");
    let aside = told.with_extension("new");
    let known = |value: &Value| value.as_str().unwrap().to_owned();
    let line = format!(
        "{} {}\n",
        known(&run["id"]),
        known(&asked["requests"][0]["id"])
    );
    fs::write(&aside, line).unwrap();
    fs::rename(&aside, &told).unwrap();

    let said = until("every door was tried", || {
        let more = json!({"id": run["id"], "wait_ms": 0, "include": ["output"]});
        let said = face.tool("run_get", &more)["output"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (said.matches("busy").count() >= 3).then_some(said)
    });
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let refusals = lines
        .iter()
        .filter(|line| line.contains("forbidden"))
        .count();
    assert!(refusals >= forbidden.len(), "{refusals}: {said}");
    let still = person.result("run.get", &json!({"id": run["id"]}));
    assert_eq!(still["state"], "input_required", "{still}");
    assert_eq!(still["requests"][0]["id"], asked["requests"][0]["id"]);
    assert_eq!(instances(&mut person), json!([]));
    let all = person.result("run.list", &json!({}));
    assert_eq!(all["items"].as_array().unwrap().len(), 1, "{all}");
    person.result("run.cancel", &json!({"id": run["id"]}));
    until("its end", || is_over(&face.now(&run)).then_some(()));
}
