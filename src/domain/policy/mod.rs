//! How far an agent may go: one pure function decides.
//!
//! `decide` answers one request, `command` reads command lines, `listed` names those that run unasked, `guarded` the files that no edit changes unasked, `effective` joins what person, project, call and parent say into the one
//! policy of a run.

mod command;
mod decide;
mod effective;
mod guarded;
#[rustfmt::skip] // Options by the line, not one a line.
mod listed;

pub use command::named;
pub use decide::{Decision, Ruling, decide, rule};
pub use effective::{Ceiling, Wishes, effective};
pub use guarded::{guarded, is_guarded};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

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

/// When a person is asked. Not in one order: `off` denies what `always` would ask, and does unasked what `always` asks; both are narrower than
/// `on_miss`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// What the input of a tool call shows of it. The kind is the agent's own word; this is what the tool was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Given {
    /// There is none.
    #[default]
    Nothing,
    /// What is to be looked at, or thought about; all of it is understood.
    Looks,
    /// Something else too.
    More,
    /// Something to run.
    Runs,
}

/// An agent's request for permission, freed from its wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub action: Action,
    /// Absolute or relative to cwd; empty when the agent does not say.
    pub paths: Vec<PathBuf>,
    /// Where it is to happen, when the agent says so; what is relative may lie there.
    pub directories: Vec<PathBuf>,
    /// It names more than can be looked at, so nothing is known of where it leads.
    pub is_cut: bool,
    /// The command line, if all of it is known.
    pub command: Option<String>,
    pub given: Given,
}

/// The places a run works in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grounds {
    /// Where the agent runs; absolute and canonical.
    pub cwd: PathBuf,
    /// The instance's workspace, where there is one.
    pub workspace: Option<PathBuf>,
}
