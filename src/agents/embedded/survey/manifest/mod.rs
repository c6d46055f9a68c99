//! What manifests declare: names, entry points, commands.

mod cargo;
mod make;
mod node;
mod python;
mod simple;

use super::{
    budget::{Budget, Stopped},
    scan, text,
    tree::{Found, Tree},
};
use std::path::Path;

/// Manifests that are read; a monorepo has thousands.
const MAX_MANIFESTS: usize = 12;
/// Entry points and commands that are kept.
const MAX_KEPT: usize = 24;
/// A larger manifest is not read.
const MAX_BYTES: u64 = 256 * 1024;
/// Source files that a program starts in, by their names.
const MAINS: &[&str] = &[
    "main.rs",
    "main.go",
    "main.py",
    "__main__.py",
    "manage.py",
    "app.py",
    "main.c",
    "main.cc",
    "main.cpp",
    "main.ts",
    "main.js",
    "index.ts",
    "index.js",
    "server.ts",
    "server.js",
    "main.dart",
    "Main.java",
    "Main.kt",
    "main.swift",
    "main.zig",
    "Program.cs",
    "main.rb",
];

type Reader = fn(&mut Manifests, &Found, &str, &Tree);

const READERS: &[(&str, Reader)] = &[
    ("Cargo.toml", cargo::read),
    ("package.json", node::read),
    ("pyproject.toml", python::read),
    ("setup.py", python::setup),
    ("go.mod", simple::go),
    ("Makefile", make::makefile),
    ("makefile", make::makefile),
    ("GNUmakefile", make::makefile),
    ("justfile", make::justfile),
    ("Justfile", make::justfile),
    ("pom.xml", simple::maven),
    ("build.gradle", simple::gradle),
    ("build.gradle.kts", simple::gradle),
    ("CMakeLists.txt", simple::cmake),
    ("Gemfile", simple::ruby),
    ("composer.json", simple::php),
    ("mix.exs", simple::elixir),
    ("Package.swift", simple::swift),
    ("deno.json", simple::deno),
    ("Dockerfile", simple::docker),
];

/// Where something starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super::super) struct Entry {
    pub(in super::super::super) path: String,
    pub(in super::super::super) what: String,
}

/// A command that a manifest gives rise to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super::super) struct Command {
    /// `build`, `test`, `run`, or the name of a script or target.
    pub(in super::super::super) purpose: String,
    pub(in super::super::super) line: String,
    /// The manifest.
    pub(in super::super::super) from: String,
}

/// What all manifests declare together.
#[derive(Debug, Default)]
pub(in super::super::super) struct Manifests {
    pub(in super::super::super) name: Option<String>,
    pub(in super::super::super) description: Option<String>,
    pub(in super::super::super) entries: Vec<Entry>,
    pub(in super::super::super) commands: Vec<Command>,
    read: usize,
}

/// The manifests of a tree, those nearest to the root first.
pub(super) fn candidates(tree: &Tree) -> Vec<Found> {
    let mut found: Vec<&Found> = tree
        .files
        .iter()
        .filter(|file| file.depth() <= 2 && reader(file.name()).is_some())
        .collect();
    found.sort_by_key(|file| file.depth());
    found.truncate(MAX_MANIFESTS);
    found.into_iter().cloned().collect()
}

/// Reads the candidates, then looks for sources that a program starts in.
pub(super) fn read(
    tree: &Tree,
    candidates: &[Found],
    budget: &mut Budget,
) -> Result<Manifests, Stopped> {
    let mut manifests = Manifests::default();
    for file in candidates {
        if !budget.goes_on()? {
            break;
        }
        let Some(read) = reader(file.name()) else {
            continue;
        };
        if file.size <= MAX_BYTES
            && let Some(text) = scan::read_small(&file.full, MAX_BYTES)
        {
            manifests.read += 1;
            read(&mut manifests, file, &text, tree);
        }
    }
    for file in tree.files.iter().filter(|file| file.depth() <= 4) {
        let in_tests = file.path.split('/').any(|part| part.starts_with("test"));
        if MAINS.contains(&file.name()) && !in_tests {
            manifests.entry(&file.path, "source with a main's name");
        }
    }
    Ok(manifests)
}

fn reader(name: &str) -> Option<Reader> {
    READERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, read)| *read)
}

impl Manifests {
    /// One line about them.
    pub(super) fn told(&self) -> String {
        format!(
            "{} manifests, {} entry points, {} commands",
            self.read,
            self.entries.len(),
            self.commands.len()
        )
    }

    /// The root's manifest is read first, so its name stays.
    fn called(&mut self, name: Option<&str>, description: Option<&str>) {
        if let Some(name) = name.filter(|name| self.name.is_none() && !name.is_empty()) {
            self.name = Some(text::plain(name, 80));
        }
        if let Some(told) = description.filter(|d| self.description.is_none() && !d.is_empty()) {
            self.description = Some(text::plain(told, 300));
        }
    }

    fn entry(&mut self, path: &str, what: &str) {
        let path = path.trim_start_matches("./");
        if self.entries.len() < MAX_KEPT && self.entries.iter().all(|entry| entry.path != path) {
            self.entries.push(Entry {
                path: text::plain(path, 200),
                what: text::plain(what, 120),
            });
        }
    }

    /// A command of a manifest; below the root it is run in the manifest's directory.
    fn command(&mut self, purpose: &str, line: &str, from: &Found) {
        let line = match folder(&from.path) {
            "" => line.to_owned(),
            folder => format!("cd {folder} && {line}"),
        };
        if self.commands.len() < MAX_KEPT && self.commands.iter().all(|c| c.line != line) {
            self.commands.push(Command {
                purpose: text::plain(purpose, 40),
                line: text::plain(&line, 160),
                from: text::plain(&from.path, 200),
            });
        }
    }
}

/// The directory of a path, empty for the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// A path that a manifest names, relative to the root.
fn beside(manifest: &Found, path: &str) -> String {
    let path = path.trim_start_matches("./");
    Path::new(folder(&manifest.path))
        .join(path)
        .to_string_lossy()
        .into_owned()
}

/// Whether a file lies beside a manifest.
fn has(tree: &Tree, manifest: &Found, name: &str) -> bool {
    let path = beside(manifest, name);
    tree.files.iter().any(|file| file.path == path)
}

#[cfg(test)]
mod tests;
