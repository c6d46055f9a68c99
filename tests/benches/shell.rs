//! A delegation as a shell makes it: a process started for each.

use serde_json::Value;
use std::process::{Command, Stdio};

/// Goes on in a conversation, to its conclusion.
pub(crate) fn delegate(eyas: &mut Command, session: &str, prompt: &str) {
    eyas.args(["delegate", "--json", "--session", session, prompt]);
    let told = eyas.stderr(Stdio::null()).output().expect("it starts");
    let run: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(run["warm"], true, "{run}");
}
