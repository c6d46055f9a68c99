//! Whatever stands in a report, the run ends, what is kept of it is small, and the hub goes on.

use super::kit::{Job, LONG, summary};
use serde_json::{Value, json};
use std::{fs, time::Instant};

const LARGE: usize = 10_000_000;
/// What a summary is cut to.
const KEPT: usize = 24 * 1024;

/// What becomes of a run whose agent says what is in a file, and that the same hub works afterwards.
fn concluded(job: &Job, answer: &str) -> Value {
    let mut face = job.face();
    let file = job.nest.root().join("answer");
    fs::write(&file, answer).unwrap();
    face.said("!say hello", json!({}));
    let (hub, begun) = (job.hub(), Instant::now());
    let run = face.done(&format!("!run cat {}", file.display()), json!({}));
    assert_eq!(run["state"], "succeeded", "{run}");
    assert!(summary(&run).len() <= KEPT);
    assert!(begun.elapsed() < LONG, "{:?}", begun.elapsed());
    assert_eq!(face.said("!say on", json!({})), "on");
    assert_eq!(job.hub(), hub);
    run["conclusion"].clone()
}

fn block(body: &str) -> String {
    format!("<eyas:conclusion>\n{body}\n</eyas:conclusion>\n")
}

#[test]
fn ten_megabytes_in_a_block() {
    let job = Job::new();
    let body = format!("status: success\nsummary: {}", "x".repeat(LARGE));
    let got = concluded(&job, &block(&body));
    assert_eq!(got["source"], "synthesized");
    assert!(!got["warnings"].as_array().unwrap().is_empty());
    // Large talk before a report takes nothing from it.
    let talk = format!(
        "{}\n{}",
        "y".repeat(LARGE),
        block("status: failed\nsummary: no")
    );
    let got = concluded(&job, &talk);
    assert_eq!(
        (&got["status"], &got["summary"]),
        (&json!("failed"), &json!("no"))
    );
    assert_eq!(got["source"], "block");
}

#[test]
fn ten_megabytes_by_the_tool() {
    let job = Job::new();
    let mut face = job.face();
    let report = job.nest.root().join("report");
    let large = json!({"status": "success", "summary": "x".repeat(LARGE)});
    fs::write(&report, large.to_string()).unwrap();
    let said = r#"{"status":"partial","summary":"in short"}"#;
    let prompt = format!("!mcp conclude @{}\n!mcp conclude {said}", report.display());
    let run = face.done(&prompt, json!({}));
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(
        (summary(&run), &run["conclusion"]["source"]),
        ("in short", &json!("tool"))
    );
    let said = face.output(&run, |said| said.lines().count() >= 2);
    let refused: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
    assert_eq!(refused["failed"], true, "{refused}");
    assert!(refused["text"].as_str().unwrap().len() < 2_000);
}

#[test]
fn a_thousand_nested_aliases() {
    let job = Job::new();
    let aliases: String = (1..1_000)
        .map(|n| format!("a{n}: &a{n} [*a{},*a{}]\n", n - 1, n - 1))
        .collect();
    let body = format!("status: success\nsummary: boom\na0: &a0 [x]\n{aliases}");
    let got = concluded(&job, &block(&body));
    assert_eq!(
        (&got["status"], &got["summary"]),
        (&json!("success"), &json!("boom"))
    );
    assert!(!got["warnings"].as_array().unwrap().is_empty(), "{got}");
}
