//! `schemas/` is what the code says. With `EYAS_BLESS=1` it is written anew.

use serde_json::Value;
use std::{fs, path::Path};

fn fresh(file: &str, value: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(file);
    let text = serde_json::to_string_pretty(value).unwrap() + "\n";
    if std::env::var_os("EYAS_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "schemas/{file} is stale: EYAS_BLESS=1 cargo nextest run schemas_are_fresh"
    );
}

#[test]
fn the_tools() {
    fresh("mcp-tools.json", &eyas::faces::mcp::schemas());
}

#[test]
fn the_api() {
    // The revision and not the version, or every release would change the file.
    let revision = eyas::api::REVISION.to_string();
    fresh("openrpc.json", &eyas::api::openrpc::document(&revision));
}
