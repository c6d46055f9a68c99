//! Makefiles and justfiles: their targets are commands.

use super::{Found, Manifests, Tree};

/// Targets that are told before others.
const FIRST: &[&str] = &["all", "build", "test", "check", "lint", "run"];
const MAX_TARGETS: usize = 10;

pub(super) fn makefile(manifests: &mut Manifests, file: &Found, text: &str, _: &Tree) {
    let names = text.lines().filter_map(|line| {
        let (names, rest) = line.split_once(':')?;
        // `NAME := value` is no target, and a recipe is indented.
        let assigns = rest.starts_with('=') || rest.starts_with(":=") || line.contains('=');
        let name = names.split_whitespace().next()?;
        (!assigns && !line.starts_with([' ', '\t', '.', '#']) && is_plain(name)).then_some(name)
    });
    take(manifests, file, "make", names.collect());
}

pub(super) fn justfile(manifests: &mut Manifests, file: &Found, text: &str, _: &Tree) {
    let names = text.lines().filter_map(|line| {
        let (head, rest) = line.split_once(':')?;
        let name = head.split_whitespace().next()?.trim_start_matches('@');
        let skipped = ["set", "alias", "export", "import", "mod"].contains(&name);
        (!rest.starts_with('=')
            && !skipped
            && !line.starts_with([' ', '\t', '#', '['])
            && is_plain(name))
        .then_some(name)
    });
    take(manifests, file, "just", names.collect());
}

fn take(manifests: &mut Manifests, file: &Found, program: &str, mut names: Vec<&str>) {
    names.dedup();
    names.sort_by_key(|name| {
        FIRST
            .iter()
            .position(|first| first == name)
            .unwrap_or(FIRST.len())
    });
    for name in names.into_iter().take(MAX_TARGETS) {
        manifests.command(name, &format!("{program} {name}"), file);
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
