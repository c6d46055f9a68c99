use super::Bench;
use crate::hub::nest::Nest;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn open_to(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The findings of one level, as one text each.
fn of_level(diagnosis: &Value, level: &str) -> Vec<String> {
    let findings = diagnosis["findings"].as_array().unwrap();
    let wanted = findings.iter().filter(|one| one["level"] == level);
    wanted
        .map(|one| {
            format!(
                "{} · {}",
                one["what"].as_str().unwrap(),
                one["hint"].as_str().unwrap_or("")
            )
        })
        .collect()
}

fn says(found: &[String], words: &str) -> bool {
    found.iter().any(|one| one.contains(words))
}

#[test]
fn a_home_that_works_is_sound_with_and_without_its_hub() {
    let nest = Nest::new();
    let doctor = |nest: &Nest| {
        let output = nest.say(&["doctor", "--json"], "");
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert_eq!(said["sound"], true);
        said
    };
    let before = doctor(&nest);
    assert_eq!(before["by_hub"], false);
    assert!(nest.endpoint().is_none(), "none was started");

    nest.info();
    let with = doctor(&nest);
    assert_eq!(with["by_hub"], true);
    let fine = of_level(&with, "fine");
    for words in [
        "is yours alone",
        "is sound",
        "agent embedded",
        "found nothing left by another",
        "answers",
    ] {
        assert!(says(&fine, words), "{words}: {with}");
    }
    // Agents that are not there come with the command that installs them.
    assert!(
        says(&of_level(&with, "notice"), "eyas agent install <agent>"),
        "{with}"
    );

    assert!(nest.say(&["hub", "stop"], "").status.success());
    let after = doctor(&nest);
    assert_eq!(after["by_hub"], false);
    assert!(says(&of_level(&after, "fine"), "no hub runs"), "{after}");
    let words = nest.say(&["doctor"], "");
    let words = String::from_utf8_lossy(&words.stdout).into_owned();
    assert!(words.ends_with("nothing is wrong\n"), "{words}");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do_and_fails() {
    let bench = Bench::new();
    let (run, _) = bench.json(&["delegate", "What is here?", "--agent", "embedded"]);
    assert_eq!(run["state"], "succeeded", "{run}");
    let home = bench.home();
    let secrets = home.join("secrets");
    fs::write(&secrets, "A=b\n").unwrap();
    open_to(&secrets, 0o644);
    fs::create_dir_all(home.join("agents")).unwrap();
    fs::write(home.join("agents/odd.toml"), "nonsense = 1\n").unwrap();
    fs::write(
        home.join("config.toml"),
        "agent.default = \"nobody\"\nagent.env_file = \"secrets\"\nruns.stall_ms = 5\n",
    )
    .unwrap();
    open_to(&home.join("eyas.db"), 0o640);
    open_to(&home, 0o755);
    let (said, code) = bench.json(&["doctor"]);
    assert_eq!((code, &said["sound"]), (Some(1), &json!(false)), "{said}");
    let wrong = of_level(&said, "wrong");
    for words in [
        "is open to other users (mode 0755) · chmod 700",
        "eyas.db is open to other users · chmod 600",
        "agent.env_file",
        "`agent.default`: no agent \"nobody\"",
        "odd.toml is no agent",
        "`runs.stall_ms` is 5 ms",
    ] {
        assert!(says(&wrong, words), "{words}: {said}");
    }
    assert_eq!(wrong.len(), 6, "{said}");
}

#[test]
fn a_damaged_database_and_settings_that_cannot_be_read_are_findings() {
    let bench = Bench::new();
    let (run, _) = bench.json(&["delegate", "What is here?", "--agent", "embedded"]);
    assert_eq!(run["state"], "succeeded", "{run}");
    let file = bench.home().join("eyas.db");
    let mut bytes = fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0x55);
    fs::write(&file, bytes).unwrap();
    let (said, code) = bench.json(&["doctor"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(!of_level(&said, "wrong").is_empty(), "{said}");

    fs::write(bench.home().join("config.toml"), "no_such = 1\n").unwrap();
    let (said, code) = bench.json(&["doctor"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(says(&of_level(&said, "wrong"), "no_such"), "{said}");
}
