//! `Cargo.toml`.

use super::{Found, Manifests, Tree, beside, has};
use toml::{Table, Value};

pub(super) fn read(manifests: &mut Manifests, file: &Found, text: &str, tree: &Tree) {
    let Ok(table) = text.parse::<Table>() else {
        return;
    };
    let package = table.get("package").and_then(Value::as_table);
    let name = package.and_then(|package| string(package, "name"));
    manifests.called(
        name,
        package.and_then(|package| string(package, "description")),
    );
    let bins = table.get("bin").and_then(Value::as_array);
    for bin in bins.into_iter().flatten().filter_map(Value::as_table) {
        let name = string(bin, "name").unwrap_or_default();
        let path = string(bin, "path").map_or_else(|| format!("src/bin/{name}.rs"), str::to_owned);
        manifests.entry(&beside(file, &path), &format!("binary `{name}` (Cargo)"));
    }
    if has(tree, file, "src/main.rs") {
        let name = name.unwrap_or("main");
        manifests.entry(
            &beside(file, "src/main.rs"),
            &format!("binary `{name}` (Cargo)"),
        );
    }
    if has(tree, file, "src/lib.rs") {
        manifests.entry(&beside(file, "src/lib.rs"), "library (Cargo)");
    }
    let is_workspace = table.contains_key("workspace");
    // A member is built and tested with its workspace.
    if file.depth() == 0 || is_workspace {
        let all = if is_workspace { " --workspace" } else { "" };
        manifests.command("build", &format!("cargo build{all}"), file);
        manifests.command("test", &format!("cargo test{all}"), file);
    }
}

fn string<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Value::as_str)
}
