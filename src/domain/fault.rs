//! What can go wrong, in the words programs match on. One enum for the API's error kinds and the retry classes of runs.

use super::time::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Stable, snake_case on every wire; text is for people, the kind is for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    InvalidParams,
    NotFound,
    NameExists,
    RequiredField,
    UnsupportedFramework,
    IdempotencyConflict,
    ProjectNeedsInit,
    ProjectNotRegistered,
    ExternalInstance,
    InstanceNotRunning,
    WarmCapReached,
    AgentNotFound,
    AgentSpawn,
    HandshakeTimeout,
    HandshakeMalformed,
    VersionMismatch,
    DialTimeout,
    StoreUnavailable,
    ArtifactMissing,
    DigestMismatch,
    SandboxUnavailable,
    PolicyDenied,
    LeaseLost,
    RunTerminal,
    DepthExceeded,
    TooLarge,
    Forbidden,
    Busy,
    Untrusted,
    InUse,
    EnvironmentMissing,
    AgentDied,
    AgentAuth,
    AgentBroken,
    HubLost,
    RateLimited,
    Overloaded,
    Stalled,
    TimedOut,
    Refused,
    MaxTokens,
    BudgetReached,
    DatabaseUnavailable,
    Internal,
}

impl ErrorKind {
    /// The word on the wire, as serde writes it.
    #[must_use]
    pub fn as_str(self) -> String {
        serde_json::to_value(self)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str())
    }
}

/// The one error shape of every face: `{kind, detail, hint?, field?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{kind}: {detail}")]
pub struct Fault {
    /// What programs match on.
    pub kind: ErrorKind,
    /// What happened, for a person or a model.
    pub detail: String,
    /// What to do about it, where something can be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The parameter at fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When it may go better, where that was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

impl Fault {
    /// A fault with a kind and a detail alone.
    #[must_use]
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            hint: None,
            field: None,
            retry_at: None,
        }
    }

    /// The same fault with the moment from which on it may go better.
    #[must_use]
    pub fn retry_at(mut self, at: Option<Timestamp>) -> Self {
        self.retry_at = at;
        self
    }

    /// The same fault with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same fault naming the parameter at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// A required parameter is absent or empty.
    #[must_use]
    pub fn required(field: &str) -> Self {
        Self::new(ErrorKind::RequiredField, format!("`{field}` is required")).field(field)
    }

    /// A parameter has a value that cannot be taken.
    #[must_use]
    pub fn invalid(field: &str, detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::InvalidParams, format!("`{field}` {detail}")).field(field)
    }

    /// No such thing; `noun` is a word of the API, `name` what was asked for.
    #[must_use]
    pub fn not_found(noun: &str, name: impl fmt::Display) -> Self {
        Self::new(ErrorKind::NotFound, format!("no {noun} \"{name}\""))
    }

    /// A fault of ours.
    #[must_use]
    pub fn internal(detail: impl fmt::Display) -> Self {
        Self::new(ErrorKind::Internal, detail.to_string())
    }

    /// `not_found` with the nearest of `known` offered, as models misspell names by a letter.
    #[must_use]
    pub fn not_found_among<'a>(
        noun: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
        list: &str,
    ) -> Self {
        let fault = Self::not_found(noun, name);
        match crate::stdx::nearest(name, known) {
            Some(near) => fault.hint(format!("did you mean \"{near}\"? list them with {list}")),
            None => fault.hint(format!("list them with {list}")),
        }
    }
}
