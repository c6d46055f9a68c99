//! `.eyas.toml`: what a project says about how it wants to be worked on. Data until a person trusts it (product contract, section 2).

use super::{
    policy::PolicyWish,
    run::{Mode, Warning},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The file, as written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProjectFile {
    /// Persona for delegations that name none; holds untrusted too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// Agent that is preferred here. Trusted only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// auto, warm or cold. Trusted only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// Narrows the person's own policy; loosens it only when trusted, and never above the person's `policy.max`.
    pub policy: PolicyWish,
    /// Names of environment values that agents may see here, beside their own. Trusted only.
    pub environment: Vec<String>,
    /// Prepares a fresh worktree. Trusted only.
    pub setup: Setup,
    /// Turns in this project at the same time, of all agents together; runs that agents delegate have as many again on each level below.
    /// Trusted only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_concurrent: Option<u32>,
}

/// How a fresh worktree is prepared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Commands by program and arguments, run in order in the worktree, without a shell.
    pub commands: Vec<Vec<String>>,
}

/// What of a project's file holds, trust considered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectTerms {
    /// The file, freed from what an untrusted one may not say. Its policy may still have to be capped by the person's own.
    pub file: ProjectFile,
    pub trusted: bool,
    /// What was ignored, and a file that cannot be read.
    pub warnings: Vec<Warning>,
}
