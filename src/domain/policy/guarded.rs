//! Files that are no part of the work: they run programs, or loosen rules, for whoever merely opens, enters or commits the project.
//!
//! A build's own files are not among them: what they say runs with a command of the project's, as its tests do. Nor is what runs elsewhere once
//! somebody has sent it there, such as `.github`.

use std::path::Path;

const GUARDED: &[&str] = &[
    // A hook, or a line of its configuration.
    ".git",
    ".githooks",
    ".husky",
    ".pre-commit-config.yaml",
    // Ours: a lock; agents, policy and set-up commands.
    ".eyas",
    ".eyas.toml",
    // Tasks and settings of editors.
    ".vscode",
    ".idea",
    ".zed",
    ".fleet",
    ".exrc",
    ".nvim.lua",
    ".devcontainer",
    ".devcontainer.json",
    // Hooks, servers and permissions of agents.
    ".claude",
    ".codex",
    ".cursor",
    ".gemini",
    ".qwen",
    ".opencode",
    "opencode.json",
    "opencode.jsonc",
    ".mcp.json",
    // A shell that enters.
    ".envrc",
];

/// Their names, for an agent that keeps to them by rules of its own.
#[must_use]
pub fn guarded() -> &'static [&'static str] {
    GUARDED
}

/// Whether a path below the directory of a run is guarded.
#[must_use]
pub fn is_guarded(below: &Path) -> bool {
    below.components().any(|part| {
        let part = part.as_os_str();
        GUARDED.iter().any(|name| part.eq_ignore_ascii_case(name))
    })
}
