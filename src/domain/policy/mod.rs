//! How far an agent may go: one pure function decides.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Component, Path, PathBuf};

/// What may be done unasked. Ordered: a lesser one allows less.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Nothing but reading inside.
    Deny,
    /// Reads and searches in cwd and workspace, edits inside cwd, listed simple commands.
    #[default]
    Allowlist,
    Full,
}

/// When a person is asked. Ordered: a lesser one lets less happen.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Asking {
    /// Never: what would be asked is denied.
    Off,
    /// Whatever the agent asks for that leaves traces, also what would be allowed.
    Always,
    /// What is neither allowed nor denied by itself.
    #[default]
    OnMiss,
}

/// How far a run may go; every field has its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Policy {
    pub security: Security,
    pub ask: Asking,
    /// How long a request waits for a person before it is denied.
    #[serde(default = "ask_timeout_ms")]
    pub ask_timeout_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            security: Security::default(),
            ask: Asking::default(),
            ask_timeout_ms: ask_timeout_ms(),
        }
    }
}

/// Ten minutes.
fn ask_timeout_ms() -> u64 {
    600_000
}

/// What somebody says about a policy; a field that is absent stays as it was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicyWish {
    /// deny: nothing but reading; allowlist: reads, edits inside the directory, listed commands; full: everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub security: Option<Security>,
    /// off: what would be asked is denied; on_miss: a person is asked about what is not listed; always: about everything that leaves traces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<Asking>,
    /// How long a request waits for a person before it is denied, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask_timeout_ms: Option<u64>,
}

/// What an agent wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Read,
    Search,
    Think,
    Edit,
    Delete,
    Move,
    Execute,
    Fetch,
    Other,
}

/// An agent's request for permission, freed from its wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub action: Action,
    /// Absolute or relative to cwd; empty when the agent does not say.
    pub paths: Vec<PathBuf>,
    /// The command line, for `Execute`.
    pub command: Option<String>,
}

/// The places a run works in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// Where the agent runs; absolute and canonical.
    pub cwd: PathBuf,
    /// The instance's workspace, where there is one.
    pub workspace: Option<PathBuf>,
}

/// What is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allow,
    /// A person should say.
    Ask,
    Deny,
}

/// Programs and subcommands that read, build or test; anything else asks.
const LISTED: &[(&str, &[&str])] = &[
    ("ls", &[]),
    ("cat", &[]),
    ("head", &[]),
    ("tail", &[]),
    ("wc", &[]),
    ("grep", &[]),
    ("rg", &[]),
    ("pwd", &[]),
    (
        "git",
        &[
            "status",
            "diff",
            "log",
            "show",
            "blame",
            "rev-parse",
            "ls-files",
        ],
    ),
    (
        "cargo",
        &[
            "check", "build", "test", "clippy", "fmt", "metadata", "tree",
        ],
    ),
    ("go", &["build", "test", "vet", "list"]),
    ("npm", &["test", "ls"]),
    ("pytest", &[]),
];

/// Decides a request under a policy (product contract, section 11).
#[must_use]
pub fn decide(security: Security, grounds: &Grounds, ask: &Ask) -> Decision {
    match security {
        Security::Full => Decision::Allow,
        Security::Deny => match ask.action {
            Action::Read | Action::Search if within(grounds, &ask.paths, true) => Decision::Allow,
            Action::Think => Decision::Allow,
            Action::Read
            | Action::Search
            | Action::Edit
            | Action::Delete
            | Action::Move
            | Action::Execute
            | Action::Fetch
            | Action::Other => Decision::Deny,
        },
        Security::Allowlist => allowlist(grounds, ask),
    }
}

fn allowlist(grounds: &Grounds, ask: &Ask) -> Decision {
    let allowed = match ask.action {
        Action::Think => true,
        Action::Read | Action::Search => within(grounds, &ask.paths, true),
        Action::Edit => !ask.paths.is_empty() && within(grounds, &ask.paths, false),
        Action::Execute => ask.command.as_deref().is_some_and(is_listed),
        Action::Delete | Action::Move | Action::Fetch | Action::Other => false,
    };
    if allowed {
        Decision::Allow
    } else {
        Decision::Ask
    }
}

/// Every path stays below cwd (or the workspace, when reading) once `.` and `..` are taken out.
fn within(grounds: &Grounds, paths: &[PathBuf], reading: bool) -> bool {
    paths.iter().all(|path| {
        let full = normal(&grounds.cwd.join(path));
        full.starts_with(&grounds.cwd)
            || (reading
                && grounds
                    .workspace
                    .as_ref()
                    .is_some_and(|w| full.starts_with(w)))
    })
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// One simple command (no `; | & $ ( ) < >`, back-quote or newline) whose program and subcommand are listed.
fn is_listed(command: &str) -> bool {
    if command.contains([';', '|', '&', '$', '(', ')', '<', '>', '`', '\n', '\r']) {
        return false;
    }
    let mut words = command.split_whitespace();
    let Some(program) = words.next() else {
        return false;
    };
    let first = words.next().unwrap_or_default();
    LISTED
        .iter()
        .any(|(name, subs)| *name == program && (subs.is_empty() || subs.contains(&first)))
}

#[cfg(test)]
mod tests {
    use super::{Action, Ask, Decision, Grounds, Security, decide};
    use std::path::PathBuf;

    fn grounds() -> Grounds {
        Grounds {
            cwd: PathBuf::from("/p"),
            workspace: Some(PathBuf::from("/w")),
        }
    }

    fn ask(action: Action, paths: &[&str], command: Option<&str>) -> Ask {
        Ask {
            action,
            paths: paths.iter().map(PathBuf::from).collect(),
            command: command.map(str::to_owned),
        }
    }

    #[test]
    fn the_allowlist_reads_and_edits_inside_and_runs_listed_simple_commands() {
        let cases = [
            (
                ask(Action::Read, &["/p/a", "/w/MEMORY.md"], None),
                Decision::Allow,
            ),
            (ask(Action::Read, &["/etc/passwd"], None), Decision::Ask),
            (ask(Action::Read, &["../secret"], None), Decision::Ask),
            (ask(Action::Edit, &["src/x"], None), Decision::Allow),
            (ask(Action::Edit, &["/w/SOUL.md"], None), Decision::Ask),
            (ask(Action::Edit, &["/p/../etc/x"], None), Decision::Ask),
            (ask(Action::Edit, &[], None), Decision::Ask),
            (
                ask(Action::Execute, &[], Some("git status")),
                Decision::Allow,
            ),
            (ask(Action::Execute, &[], Some("git push")), Decision::Ask),
            (
                ask(Action::Execute, &[], Some("git status; rm -rf /")),
                Decision::Ask,
            ),
            (
                ask(Action::Execute, &[], Some("ls $(whoami)")),
                Decision::Ask,
            ),
            (ask(Action::Execute, &[], Some("cat a > b")), Decision::Ask),
            (ask(Action::Execute, &[], Some("/tmp/ls")), Decision::Ask),
            (ask(Action::Execute, &[], None), Decision::Ask),
            (ask(Action::Delete, &["a"], None), Decision::Ask),
            (ask(Action::Other, &[], None), Decision::Ask),
        ];
        for (request, expected) in cases {
            assert_eq!(
                decide(Security::Allowlist, &grounds(), &request),
                expected,
                "{request:?}"
            );
        }
    }

    #[test]
    fn full_allows_and_deny_denies_all_but_reading() {
        let edit = ask(Action::Edit, &["a"], None);
        assert_eq!(decide(Security::Full, &grounds(), &edit), Decision::Allow);
        assert_eq!(decide(Security::Deny, &grounds(), &edit), Decision::Deny);
        assert_eq!(
            decide(Security::Deny, &grounds(), &ask(Action::Read, &["a"], None)),
            Decision::Allow
        );
    }
}
