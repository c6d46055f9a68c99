use eyas::domain::project_file::ProjectFile;
use std::{fs, path::Path};

/// Editors complete and check `.eyas.toml` by it. With `EYAS_BLESS=1` it is written anew.
#[test]
fn and_says_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/eyas.toml.schema.json");
    let schema = serde_json::to_value(schemars::schema_for!(ProjectFile)).unwrap();
    let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("EYAS_BLESS").is_some() {
        fs::write(&path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "schemas/eyas.toml.schema.json is stale: EYAS_BLESS=1 cargo nextest run the_schema_of_a_projects_file"
    );
}

#[test]
fn and_names_every_key() {
    let schema = serde_json::to_value(schemars::schema_for!(ProjectFile)).unwrap();
    for key in [
        "persona",
        "agent",
        "mode",
        "policy",
        "environment",
        "setup",
        "max_concurrent",
    ] {
        let said = &schema["properties"][key];
        assert!(said["description"].is_string(), "{key}: {said}");
    }
    assert_eq!(schema["additionalProperties"], false);
}
