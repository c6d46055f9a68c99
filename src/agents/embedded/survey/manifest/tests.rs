use super::{Manifests, candidates, read};
use crate::agents::embedded::survey::{
    budget::{Bounds, Budget},
    tree,
};
use std::{fs, sync::Arc};

fn of(files: &[(&str, &str)]) -> Manifests {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut budget = Budget::new(Bounds::default(), Arc::default());
    let tree = tree::walk(dir.path(), &mut budget).unwrap();
    read(&tree, &candidates(&tree), &mut budget).unwrap()
}

fn lines(manifests: &Manifests) -> Vec<&str> {
    manifests.commands.iter().map(|c| c.line.as_str()).collect()
}

fn paths(manifests: &Manifests) -> Vec<&str> {
    manifests.entries.iter().map(|e| e.path.as_str()).collect()
}

#[test]
fn cargo_and_make() {
    let seen = of(&[
        (
            "Cargo.toml",
            "[package]\nname = \"hawk\"\ndescription = \"hunts\"\n[[bin]]\nname = \"fly\"\npath = \"src/fly.rs\"\n[workspace]",
        ),
        ("src/main.rs", "fn main() {}"),
        (
            "Makefile",
            "CC := cc\nX = a:b\n.PHONY: all\nlint: x\n\tcc\nall: lint\n%.o: %.c\n# a: b\n",
        ),
        ("sub/Cargo.toml", "[package]\nname = \"sub\""),
    ]);
    assert_eq!(seen.name.as_deref(), Some("hawk"));
    assert_eq!(seen.description.as_deref(), Some("hunts"));
    assert_eq!(paths(&seen), ["src/fly.rs", "src/main.rs"]);
    assert_eq!(
        lines(&seen),
        [
            "cargo build --workspace",
            "cargo test --workspace",
            "make all",
            "make lint"
        ]
    );
}

#[test]
fn node_python_and_go() {
    let seen = of(&[
        (
            "package.json",
            r#"{"name":"web","main":"./dist/i.js","bin":{"web":"bin/web.js"},"scripts":{"zap":"z","test":"t"}}"#,
        ),
        ("pnpm-lock.yaml", ""),
        (
            "py/pyproject.toml",
            "[project]\nname = \"p\"\n[project.scripts]\np = \"pkg.cli:run\"\n[tool.pytest.ini_options]\n",
        ),
        ("py/pkg/cli.py", "def run(): pass"),
        ("go.mod", "module example.org/x\n"),
        ("cmd/x/main.go", "package main"),
    ]);
    assert_eq!(
        paths(&seen),
        ["dist/i.js", "bin/web.js", "py/pkg/cli.py", "cmd/x/main.go"]
    );
    assert_eq!(
        lines(&seen),
        [
            "go build ./...",
            "go test ./...",
            "pnpm run test",
            "pnpm run zap",
            "cd py && pytest"
        ]
    );
}

#[test]
fn broken_manifests_are_passed_over() {
    let seen = of(&[
        ("Cargo.toml", "[package"),
        ("package.json", "{"),
        ("pyproject.toml", "\u{0}"),
        ("composer.json", "[]"),
    ]);
    assert!(seen.name.is_none() && seen.commands.is_empty() && seen.entries.is_empty());
}
