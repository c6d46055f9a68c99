use crate::hub::nest::Nest;
use serde_json::Value;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

fn script(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A home that defines `hawk` as a package of npm, and machines' tools that are scripts.
fn install(node: Option<&str>, viewed: &str) -> (Value, Nest) {
    let nest = Nest::new();
    let bin = nest.root().join("bin");
    fs::create_dir_all(&bin).unwrap();
    if let Some(version) = node {
        script(&bin, "node", &format!("echo v{version}"));
    }
    script(
        &bin,
        "npm",
        &format!(
            "[ \"$1\" = view ] && {{ echo '{viewed}'; exit 0; }}\necho \"npm $1 must not be run\" >&2; exit 1"
        ),
    );
    fs::create_dir_all(nest.home.join("agents")).unwrap();
    let definition = "[launch]\ncommand = \"hawk\"\n[distribution.npm]\npackage = \"@nest/hawk\"\n";
    fs::write(nest.home.join("agents/hawk.toml"), definition).unwrap();
    let path = bin.to_str().unwrap().to_owned();
    let nest = nest.with("PATH", path);
    let output = nest.say(&["agent", "install", "hawk@2.0.0", "--json"], "");
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {output:?}"));
    (value, nest)
}

#[test]
fn a_node_that_is_too_old_is_refused_before_anything_is_installed() {
    let viewed = r#"{"version":"2.0.0","engines":{"node":">=22.13"},"dist.integrity":"sha512-x"}"#;
    let (fault, nest) = install(Some("20.20.2"), viewed);
    assert_eq!(fault["kind"], "store_unavailable", "{fault}");
    let detail = fault["detail"].as_str().unwrap();
    assert!(
        detail.contains("needs Node >=22.13") && detail.contains("20.20.2"),
        "{fault}"
    );
    assert!(
        fault["hint"].as_str().unwrap().contains("node@24"),
        "{fault}"
    );
    assert!(!nest.home.join("depot/nest").exists());

    let (fault, _) = install(None, viewed);
    assert!(
        fault["detail"]
            .as_str()
            .unwrap()
            .contains("there is none on PATH"),
        "{fault}"
    );
    // One that fits is taken: npm is asked to install, and here cannot.
    let (fault, _) = install(Some("22.13.0"), viewed);
    assert!(
        fault["detail"]
            .as_str()
            .unwrap()
            .contains("npm install must not be run"),
        "{fault}"
    );
}

#[test]
fn an_older_version_than_was_asked_for_is_no_answer() {
    let (fault, _) = install(Some("22.13.0"), r#"{"version":"0.49.0"}"#);
    assert_eq!(fault["kind"], "artifact_missing", "{fault}");
    let (fault, _) = install(Some("22.13.0"), "");
    assert_eq!(fault["kind"], "artifact_missing", "{fault}");
}
