//! `pyproject.toml` and `setup.py`.

use super::{Found, Manifests, Tree, has};
use toml::{Table, Value};

pub(super) fn read(manifests: &mut Manifests, file: &Found, text: &str, tree: &Tree) {
    let Ok(table) = text.parse::<Table>() else {
        return;
    };
    let tool = table.get("tool").and_then(Value::as_table);
    let project = table
        .get("project")
        .or_else(|| tool.and_then(|tool| tool.get("poetry")))
        .and_then(Value::as_table);
    if let Some(project) = project {
        let string = |key: &str| project.get(key).and_then(Value::as_str);
        manifests.called(string("name"), string("description"));
        let scripts = project.get("scripts").and_then(Value::as_table);
        for (name, target) in scripts.into_iter().flatten() {
            if let Some(target) = target.as_str() {
                let (module, function) = target.split_once(':').unwrap_or((target, "main"));
                manifests.entry(
                    &source(tree, module),
                    &format!("script `{name}`, function `{function}`"),
                );
            }
        }
    }
    let runs = if has(tree, file, "uv.lock") {
        "uv run "
    } else if has(tree, file, "poetry.lock") {
        "poetry run "
    } else {
        ""
    };
    let configured = tool.is_some_and(|tool| tool.contains_key("pytest"));
    if configured || has_tests(tree) {
        manifests.command("test", &format!("{runs}pytest"), file);
    }
    if table.contains_key("build-system") {
        manifests.command("build", "python -m build", file);
    }
}

pub(super) fn setup(manifests: &mut Manifests, file: &Found, _: &str, tree: &Tree) {
    manifests.command("install", "pip install -e .", file);
    if has_tests(tree) {
        manifests.command("test", "pytest", file);
    }
}

/// The file of a module, where one is there; else the module's name.
fn source(tree: &Tree, module: &str) -> String {
    let path = module.replace('.', "/");
    let ends = [format!("{path}.py"), format!("{path}/__init__.py")];
    tree.files
        .iter()
        .find(|file| {
            ends.iter().any(|end| {
                file.path == *end
                    || file
                        .path
                        .strip_suffix(end.as_str())
                        .is_some_and(|p| p.ends_with('/'))
            })
        })
        .map_or_else(|| module.to_owned(), |file| file.path.clone())
}

fn has_tests(tree: &Tree) -> bool {
    tree.files.iter().any(|file| {
        let name = file.name();
        name == "conftest.py"
            || name
                .strip_prefix("test_")
                .is_some_and(|rest| rest.strip_suffix(".py").is_some())
    })
}
