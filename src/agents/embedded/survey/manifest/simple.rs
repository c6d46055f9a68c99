//! Manifests of which little is read: that they are there says which commands build and test.

use super::{Found, Manifests, Tree, has};
use serde_json::Value;

pub(super) fn go(manifests: &mut Manifests, file: &Found, text: &str, _: &Tree) {
    let module = text.lines().find_map(|line| line.strip_prefix("module "));
    manifests.called(module.map(str::trim), None);
    manifests.command("build", "go build ./...", file);
    manifests.command("test", "go test ./...", file);
}

pub(super) fn maven(manifests: &mut Manifests, file: &Found, _: &str, tree: &Tree) {
    let program = if has(tree, file, "mvnw") {
        "./mvnw"
    } else {
        "mvn"
    };
    if file.depth() == 0 {
        manifests.command("build", &format!("{program} package"), file);
        manifests.command("test", &format!("{program} test"), file);
    }
}

pub(super) fn gradle(manifests: &mut Manifests, file: &Found, _: &str, tree: &Tree) {
    let wrapped = has(tree, file, "gradlew");
    let program = if wrapped { "./gradlew" } else { "gradle" };
    if file.depth() == 0 {
        manifests.command("build", &format!("{program} build"), file);
        manifests.command("test", &format!("{program} test"), file);
    }
}

pub(super) fn cmake(manifests: &mut Manifests, file: &Found, _: &str, _: &Tree) {
    if file.depth() == 0 {
        manifests.command("build", "cmake -B build && cmake --build build", file);
        manifests.command("test", "ctest --test-dir build", file);
    }
}

pub(super) fn ruby(manifests: &mut Manifests, file: &Found, _: &str, tree: &Tree) {
    manifests.command("install", "bundle install", file);
    if tree.files.iter().any(|f| f.name().ends_with("_spec.rb")) {
        manifests.command("test", "bundle exec rspec", file);
    } else if has(tree, file, "Rakefile") {
        manifests.command("test", "bundle exec rake test", file);
    }
}

pub(super) fn php(manifests: &mut Manifests, file: &Found, text: &str, _: &Tree) {
    scripts(manifests, file, text, "scripts", "composer run");
}

pub(super) fn deno(manifests: &mut Manifests, file: &Found, text: &str, _: &Tree) {
    scripts(manifests, file, text, "tasks", "deno task");
}

fn scripts(manifests: &mut Manifests, file: &Found, text: &str, key: &str, program: &str) {
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        return;
    };
    let string = |key: &str| json.get(key).and_then(Value::as_str);
    manifests.called(string("name"), string("description"));
    let scripts = json.get(key).and_then(Value::as_object);
    for name in scripts
        .into_iter()
        .flat_map(|scripts| scripts.keys())
        .take(10)
    {
        manifests.command(name, &format!("{program} {name}"), file);
    }
}

pub(super) fn elixir(manifests: &mut Manifests, file: &Found, _: &str, _: &Tree) {
    manifests.command("build", "mix compile", file);
    manifests.command("test", "mix test", file);
}

pub(super) fn swift(manifests: &mut Manifests, file: &Found, _: &str, _: &Tree) {
    manifests.command("build", "swift build", file);
    manifests.command("test", "swift test", file);
}

pub(super) fn docker(manifests: &mut Manifests, file: &Found, text: &str, _: &Tree) {
    let start = text
        .lines()
        .rev()
        .find(|line| line.starts_with("ENTRYPOINT") || line.starts_with("CMD"));
    if let Some(start) = start {
        manifests.entry(&file.path, &format!("container: {start}"));
    }
    if file.depth() == 0 {
        manifests.command("image", "docker build .", file);
    }
}
