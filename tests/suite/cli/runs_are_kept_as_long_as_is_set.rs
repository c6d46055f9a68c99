use super::Bench;
use std::{
    fs,
    time::{Duration, Instant},
};

#[test]
fn runs_are_kept_as_long_as_is_set() {
    let bench = Bench::new();
    let listed = || {
        let (runs, _) = bench.json(&["run", "list"]);
        runs["items"].as_array().unwrap().len()
    };
    let (run, _) = bench.json(&["delegate", "What is here?", "--agent", "embedded"]);
    assert_eq!(run["state"], "succeeded", "{run}");
    assert_eq!(listed(), 1, "for 90 days when nothing is set");
    fs::write(
        bench.home().join("config.toml"),
        "[runs]\nretention_ms = 1\n",
    )
    .unwrap();
    let begun = Instant::now();
    while listed() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it is still there"
        );
    }
}
