use super::Bench;

/// An escape, a one-character control sequence introducer, and one that turns the direction of writing.
const HOSTILE: &str = "verse \u{1b}[2J\u{1b}]0;mine\u{7} \u{9b}31m \u{202e}txt";

#[test]
fn an_agents_words_cannot_move_the_cursor() {
    let bench = Bench::new();
    let args = [
        "persona",
        "create",
        "poet",
        "--description",
        "Use for verse.",
        "--system-prompt",
        HOSTILE,
    ];
    let created = bench.eyas(&args, b"");
    assert!(created.status.success(), "{created:?}");
    for args in [
        &["persona", "get", "poet"][..],
        &["persona", "get", "poet", "--json"],
        &["persona", "preview", "poet"],
    ] {
        let output = bench.eyas(args, b"");
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("verse"), "{args:?}: {shown}");
        let obeyed = |c: char| (c.is_control() && c != '\n' && c != '\t') || c == '\u{202e}';
        assert!(!shown.contains(obeyed), "{args:?}: {shown:?}");
    }
    let (persona, _) = bench.json(&["persona", "get", "poet"]);
    assert_eq!(persona["system_prompt"], HOSTILE, "JSON keeps its meaning");
}
