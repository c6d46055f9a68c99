use super::Bench;
use serde_json::Value;
use std::fs;

/// An escape, a one-character control sequence introducer, and one that turns the direction of writing.
const HOSTILE: &str = "verse \u{1b}[2J\u{1b}]0;mine\u{7} \u{9b}31m \u{202e}txt";

#[test]
fn an_agents_words_cannot_move_the_cursor() {
    let bench = Bench::new();
    fs::create_dir(bench.home().join("agents")).unwrap();
    let definition = format!(
        "[launch]\ncommand = {:?}\n",
        env!("CARGO_BIN_EXE_fake-agent")
    );
    fs::write(bench.home().join("agents/poet.toml"), definition).unwrap();
    let prompt = format!("!tool {} read\n!say {HOSTILE}", HOSTILE.replace(' ', "_"));
    let (run, code) = bench.json(&["delegate", "--agent", "poet", &prompt]);
    assert_eq!(code, Some(0), "{run}");
    let summary = &run["conclusion"]["summary"];
    assert!(
        summary.as_str().is_some_and(|said| said.ends_with("txt")),
        "{run}"
    );
    let id = run["id"].as_str().unwrap();
    for args in [
        &["run", "get", id][..],
        &["run", "get", id, "--json"],
        &["run", "wait", id],
        &["run", "list"],
        &["run", "events", id],
        &["delegate", "--agent", "poet", &prompt],
    ] {
        let output = bench.eyas(args, b"");
        assert!(output.status.success(), "{args:?}: {output:?}");
        let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(shown.contains("verse"), "{args:?}: {shown}");
        let obeyed = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
        assert!(!shown.contains(obeyed), "{args:?}: {shown:?}");
    }
    let (again, _): (Value, _) = bench.json(&["run", "get", id]);
    assert_eq!(
        &again["conclusion"]["summary"], summary,
        "JSON keeps its meaning"
    );
}
