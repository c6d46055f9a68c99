//! `package.json`.

use super::{Found, Manifests, Tree, beside, has};
use serde_json::Value;

/// Scripts that are told before others.
const FIRST: &[&str] = &["build", "test", "start", "dev", "lint", "typecheck"];

pub(super) fn read(manifests: &mut Manifests, file: &Found, text: &str, tree: &Tree) {
    let Ok(package) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let string = |key: &str| package.get(key).and_then(Value::as_str);
    manifests.called(string("name"), string("description"));
    for key in ["main", "module"] {
        if let Some(path) = string(key) {
            manifests.entry(&beside(file, path), &format!("`{key}` of package.json"));
        }
    }
    match package.get("bin") {
        Some(Value::String(path)) => manifests.entry(&beside(file, path), "`bin` of package.json"),
        Some(Value::Object(bins)) => {
            for (name, path) in bins {
                if let Some(path) = path.as_str() {
                    manifests.entry(
                        &beside(file, path),
                        &format!("bin `{name}` of package.json"),
                    );
                }
            }
        }
        Some(_) | None => {}
    }
    let scripts = package.get("scripts").and_then(Value::as_object);
    let Some(scripts) = scripts else { return };
    let runner = runner(file, tree);
    let first = FIRST
        .iter()
        .copied()
        .filter(|name| scripts.contains_key(*name));
    let others = scripts
        .keys()
        .map(String::as_str)
        .filter(|name| !FIRST.contains(name));
    for name in first.chain(others).take(12) {
        manifests.command(name, &format!("{runner} run {name}"), file);
    }
}

/// Whose lock file lies beside the manifest, or at the root.
fn runner(file: &Found, tree: &Tree) -> &'static str {
    let locked = |name: &str| has(tree, file, name) || tree.files.iter().any(|f| f.path == name);
    if locked("pnpm-lock.yaml") {
        "pnpm"
    } else if locked("yarn.lock") {
        "yarn"
    } else if locked("bun.lock") || locked("bun.lockb") {
        "bun"
    } else {
        "npm"
    }
}
