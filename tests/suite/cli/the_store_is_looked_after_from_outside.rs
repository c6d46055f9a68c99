use super::{Bench, names};
use crate::hub::nest::Nest;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt as _};

/// A home that an agent has worked in.
fn worked_in() -> (Bench, Value) {
    let bench = Bench::new();
    let (run, _) = bench.json(&["delegate", "What is here?", "--agent", "embedded"]);
    assert_eq!(run["state"], "succeeded", "{run}");
    (bench, run)
}

fn listed(bench: &Bench) -> Value {
    let (runs, _) = bench.json(&["run", "list"]);
    runs["items"].clone()
}

#[test]
fn check_says_that_all_is_well_and_what_is_not() {
    let (bench, _) = worked_in();
    let (found, code) = bench.json(&["store", "check"]);
    assert_eq!(code, Some(0), "{found}");
    assert_eq!(found["runs"], 1, "{found}");
    assert_eq!(found["open_runs"], 0, "{found}");
    assert_eq!(found["faults"].as_array().unwrap().len(), 0, "{found}");

    by_hand(&bench, "DELETE FROM event WHERE run_seq=2");
    let (found, code) = bench.json(&["store", "check"]);
    assert_eq!(code, Some(1));
    assert_eq!(found["faults"][0], "1 runs whose log has a gap", "{found}");

    let file = bench.home().join("eyas.db");
    let mut bytes = fs::read(&file).unwrap();
    let half = bytes.len() / 2;
    bytes[half..].fill(0x55);
    fs::write(&file, bytes).unwrap();
    let output = bench.eyas(&["store", "check"], b"");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

fn by_hand(bench: &Bench, sql: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new();
        let options = options.filename(bench.home().join("eyas.db"));
        let mut connection = options.connect().await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

#[test]
fn a_backup_is_private_replaces_nothing_and_brings_everything_back() {
    let (bench, run) = worked_in();
    let target = bench.tmp().join("backup.db");
    let path = target.to_str().unwrap();
    assert!(bench.eyas(&["store", "backup", path], b"").status.success());
    let mode = fs::metadata(&target).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(
        names(&bench.tmp())
            .iter()
            .all(|name| !name.contains("partial"))
    );
    let bytes = fs::read(&target).unwrap();
    let (fault, code) = bench.json(&["store", "backup", path]);
    assert_eq!(
        (fault["kind"].as_str(), code),
        (Some("name_exists"), Some(1))
    );
    assert!(fs::read(&target).unwrap() == bytes, "it was replaced");

    let more = bench.json(&["delegate", "And now?", "--agent", "embedded"]);
    assert_eq!(more.0["state"], "succeeded");
    assert_eq!(listed(&bench).as_array().unwrap().len(), 2);
    let (said, code) = bench.json(&["store", "restore", path]);
    assert_eq!(code, Some(0), "{said}");
    let runs = listed(&bench);
    assert_eq!(runs.as_array().unwrap().len(), 1);
    assert_eq!(runs[0]["id"], run["id"]);
    assert_eq!(runs[0]["conclusion"], run["conclusion"]);

    // What was there is kept, whole.
    let aside = said["aside"].as_str().unwrap();
    assert_eq!(bench.json(&["store", "restore", aside]).1, Some(0));
    assert_eq!(listed(&bench).as_array().unwrap().len(), 2);
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let (bench, _) = worked_in();
    let other = bench.tmp().join("other.db");
    for bytes in [&b""[..], b"this is no database, however long it may be"] {
        fs::write(&other, bytes).unwrap();
        let (fault, code) = bench.json(&["store", "restore", other.to_str().unwrap()]);
        assert_eq!(code, Some(1), "{fault}");
    }
    let (fault, _) = bench.json(&["store", "restore", "/not/there"]);
    assert_eq!(fault["kind"], "not_found", "{fault}");
    assert_eq!(listed(&bench).as_array().unwrap().len(), 1);
}

#[test]
fn a_hub_that_runs_is_backed_up_and_checked_and_not_pulled_from_under() {
    let nest = Nest::new();
    nest.info();
    let target = nest.root().join("backup.db");
    let path = target.to_str().unwrap();
    assert!(nest.say(&["store", "backup", path], "").status.success());
    assert!(nest.say(&["store", "check"], "").status.success());
    for args in [
        &["store", "restore", path, "--json"][..],
        &["store", "prune", "--json"],
        &[
            "store",
            "move",
            "postgres://nobody@localhost/none",
            "--json",
        ],
    ] {
        let refused = nest.say(args, "");
        let fault: Value = serde_json::from_slice(&refused.stdout).unwrap();
        assert_eq!(fault["kind"], "busy", "{args:?}");
        assert!(!refused.status.success());
    }
    assert!(nest.say(&["hub", "stop"], "").status.success());
    assert!(nest.say(&["store", "restore", path], "").status.success());
}

#[test]
fn prune_removes_what_was_kept_long_enough() {
    let (bench, _) = worked_in();
    assert_eq!(bench.json(&["store", "prune"]).0["removed"], 0);
    let config = bench.home().join("config.toml");
    fs::write(&config, "[runs]\nretention_ms = 1\n").unwrap();
    assert_eq!(bench.json(&["store", "prune"]).0["removed"], 1);
    fs::write(&config, "[runs]\nretention_ms = 0\n").unwrap();
    assert!(bench.json(&["store", "prune"]).0["removed"].is_null());
    let (found, code) = bench.json(&["store", "check"]);
    assert_eq!(
        (found["runs"].as_i64(), code),
        (Some(0), Some(0)),
        "{found}"
    );
}
