use serde_json::Value;
use std::{fs, path::Path};

#[test]
fn every_editor_entry_starts_eyas_mcp() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("editor-configs");
    let readme = fs::read_to_string(folder.with_file_name("README.md")).unwrap();
    let names = super::names(&folder);
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        let text = fs::read_to_string(folder.join(&name)).unwrap();
        let entry: Value = if Path::new(&name)
            .extension()
            .is_some_and(|ending| ending == "toml")
        {
            toml::from_str(&text).unwrap()
        } else {
            serde_json::from_str(&text).unwrap()
        };
        assert_eq!(command(&entry), ["eyas", "mcp"], "{name}");
        assert!(
            readme.contains(&format!("`editor-configs/{name}`")),
            "the README does not name {name}"
        );
    }
}

/// Program and arguments, in one list or in two, as the editor wants them.
fn command(entry: &Value) -> Vec<&str> {
    let server = &entry.as_object().unwrap().values().next().unwrap()["eyas"];
    let listed = ["command", "args"]
        .into_iter()
        .filter_map(|key| server[key].as_array());
    let program = server["command"].as_str().into_iter();
    program
        .chain(listed.flatten().filter_map(Value::as_str))
        .collect()
}
