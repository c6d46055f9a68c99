use super::Bench;

#[test]
fn delegate_prints_the_conclusion_and_takes_its_prompt_from_a_pipe() {
    let bench = Bench::new();
    let output = bench.eyas(
        &["delegate", "-", "--agent", "embedded"],
        b"Which TODOs are left?",
    );
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{said}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("main.py") && said.contains("succeeded"),
        "{said}"
    );

    let (runs, _) = bench.json(&["run", "list"]);
    assert_eq!(runs["items"][0]["prompt"], "Which TODOs are left?");
    let id = runs["items"][0]["id"].as_str().unwrap();
    let (run, code) = bench.json(&["run", "wait", id]);
    assert_eq!(
        (run["state"].as_str(), code),
        (Some("succeeded"), Some(0)),
        "{run}"
    );
    let (events, _) = bench.json(&["run", "events", id]);
    assert!(!events["items"].as_array().unwrap().is_empty(), "{events}");
}
