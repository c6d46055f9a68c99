use super::kit::{Job, files, summary};
use serde_json::json;
use std::io::ErrorKind;

const SECRET: &str = "sk-canary-9f8e7d6c5b4a39281706f5e4d3c2b1a0";

#[test]
fn a_key_reaches_its_agent_and_is_written_nowhere() {
    let job = Job::new();
    job.agent("fake", &[], "[env]\npass = [\"FAKE_API_KEY\"]");
    let mut face = job.face_with(&[("FAKE_API_KEY", SECRET), ("OTHER_KEY", "not-for-agents")]);
    let told = face.done(
        "!run test \"$FAKE_API_KEY\" = ",
        json!({"label": "warm-up"}),
    );
    assert_eq!(told["state"], "succeeded");
    // The agent has it: it tells the value's length, which nobody hides.
    assert_eq!(
        face.said(
            "!run printf %s \"$FAKE_API_KEY\" | wc -c | tr -d ' \\n'",
            json!({})
        ),
        SECRET.len().to_string()
    );
    assert_eq!(face.said("!env OTHER_KEY", json!({})), "(unset)");
    // It says it aloud, in its answer, in pieces, in a tool call, on stderr, in a conclusion, and dies of it.
    let (head, tail) = SECRET.split_at(12);
    let aloud = face.done(
        "!env FAKE_API_KEY\n!think it is\n!run printf %s \"$FAKE_API_KEY\"",
        json!({}),
    );
    assert!(!summary(&aloud).contains(SECRET), "{aloud}");
    // Longer apart than events are gathered.
    for pause in [0, 250] {
        let pieces = format!("!say it is {head}\n!sleep {pause}\n!say {tail}");
        let run = face.done(&pieces, json!({"mode": "cold"}));
        let output = face.output(&run, |said| said.contains("it is"));
        assert!(!output.contains(SECRET), "{output}");
        let events = job.rpc().result("run.events", &json!({"id": run["id"]}));
        let events = events["items"].as_array().unwrap().iter();
        let said: String = events
            .filter_map(|event| event["data"]["text"].as_str())
            .collect();
        assert!(!said.contains(SECRET), "{said}");
    }
    face.done(
        "!run echo \"$FAKE_API_KEY\" >&2; echo $FAKE_API_KEY > /proc/$PPID/fd/2",
        json!({}),
    );
    let died = face.done(
        "!run echo \"the key is $FAKE_API_KEY\" > /proc/$PPID/fd/2\n!die 3",
        json!({}),
    );
    assert_eq!(died["state"], "failed");
    let named = face.done(
        &format!("!tool {SECRET} execute /{SECRET}\n!conclude success it is {SECRET}"),
        json!({"label": "l"}),
    );
    assert!(!named.to_string().contains(SECRET), "{named}");

    assert_unwritten(&job);
    face.close();
    job.kill_hub();
    job.nothing_is_left();
    assert_unwritten(&job);
}

/// No file under the home holds the secret. A file that goes away while we look holds nothing: a living hub removes its temporary ones.
fn assert_unwritten(job: &Job) {
    for file in files(&job.nest.home) {
        let bytes = match std::fs::read(&file) {
            Err(gone) if gone.kind() == ErrorKind::NotFound => continue,
            read => read.unwrap(),
        };
        let found = bytes
            .windows(SECRET.len())
            .any(|part| part == SECRET.as_bytes());
        assert!(!found, "{}", file.display());
    }
}
