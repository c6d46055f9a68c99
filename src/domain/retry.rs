//! Whether what went wrong is tried again: one pure decision from the kind of failure, what the attempt had done, and what the run allows.

use super::{
    agent::EMBEDDED,
    conclusion::Conclusion,
    fault::{ErrorKind, Fault},
    run::{AttemptOutcome, Warning},
    spent::Spent,
    time::Timestamp,
    worktree::Isolation,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// No delay between two attempts is longer, in milliseconds.
const LONGEST_MS: u64 = 24 * 3_600_000;
/// An agent's service that is overloaded is left alone for at least so long.
const OVERLOADED_MS: u64 = 5_000;
/// A limit that does not say when it ends is tried again after so long, doubled up to the second.
const PARK_MS: (u64, u64) = (30_000, 1_800_000);
/// Nor is one that says so believed to end sooner than so long from now, doubled each time that it had not.
const RESET_MS: u64 = 1_000;
/// A reset that is said to be further away is not believed.
const FAR_MS: u64 = 8 * 24 * 3_600_000;

/// How often and how soon a run is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retry {
    /// Attempts in all, 1 to 20; 2 by default.
    pub max_attempts: u32,
    /// Before the second attempt, in milliseconds, at most a day; 0 by default.
    pub delay_ms: u64,
    /// Each further delay is so many times the one before, 1 to 10; 2 by default.
    pub backoff: u32,
    /// Each delay is drawn between half of it and all of it, so that runs that failed together do not return together.
    pub jitter: bool,
    /// Tries again without asking also after an attempt that may have left half of its changes.
    #[serde(rename = "unsafe")]
    pub regardless: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_attempts: 2,
            delay_ms: 0,
            backoff: 2,
            jitter: true,
            regardless: false,
        }
    }
}

impl Retry {
    /// Whether its numbers are ones that can be taken.
    ///
    /// # Errors
    /// `invalid_params` naming the field.
    pub fn check(&self) -> Result<(), Fault> {
        if !(1..=20).contains(&self.max_attempts) {
            return Err(Fault::invalid("retry.max_attempts", "must be 1 to 20")
                .hint("1: it is not tried again"));
        }
        if self.delay_ms > LONGEST_MS {
            return Err(Fault::invalid("retry.delay_ms", "must be at most a day"));
        }
        if !(1..=10).contains(&self.backoff) {
            return Err(Fault::invalid("retry.backoff", "must be 1 to 10"));
        }
        Ok(())
    }

    /// After attempt `attempt`, which failed by `kind`. `roll` is any number.
    fn delay_ms(&self, attempt: u32, kind: ErrorKind, roll: u64) -> u64 {
        let least = if kind == ErrorKind::Overloaded {
            OVERLOADED_MS
        } else {
            0
        };
        let base = self.delay_ms.max(least);
        let factor = u64::from(self.backoff).saturating_pow(attempt.saturating_sub(1));
        let delay = base.saturating_mul(factor).min(LONGEST_MS);
        if self.jitter {
            delay - roll % (delay / 2 + 1)
        } else {
            delay
        }
    }
}

/// What the kind of a failure means for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The next attempt would fail alike.
    Never,
    /// It may go better.
    Again,
    /// It will go better once a limit is over; the wait uses no attempt.
    Park,
}

impl Class {
    /// The class of a kind. A person must log in before `agent_auth` can go better, and time is not made longer by another attempt, so neither
    /// is tried again.
    #[must_use]
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::RateLimited => Self::Park,
            ErrorKind::AgentSpawn
            | ErrorKind::HandshakeTimeout
            | ErrorKind::HandshakeMalformed
            | ErrorKind::DialTimeout
            | ErrorKind::StoreUnavailable
            | ErrorKind::AgentDied
            | ErrorKind::HubLost
            | ErrorKind::Overloaded
            | ErrorKind::Stalled
            | ErrorKind::DatabaseUnavailable
            | ErrorKind::Internal => Self::Again,
            ErrorKind::InvalidParams
            | ErrorKind::NotFound
            | ErrorKind::NameExists
            | ErrorKind::RequiredField
            | ErrorKind::UnsupportedFramework
            | ErrorKind::IdempotencyConflict
            | ErrorKind::ProjectNeedsInit
            | ErrorKind::ProjectNotRegistered
            | ErrorKind::ExternalInstance
            | ErrorKind::InstanceNotRunning
            | ErrorKind::WarmCapReached
            | ErrorKind::AgentNotFound
            | ErrorKind::VersionMismatch
            | ErrorKind::ArtifactMissing
            | ErrorKind::DigestMismatch
            | ErrorKind::SandboxUnavailable
            | ErrorKind::PolicyDenied
            | ErrorKind::LeaseLost
            | ErrorKind::RunTerminal
            | ErrorKind::DepthExceeded
            | ErrorKind::TooLarge
            | ErrorKind::Forbidden
            | ErrorKind::Busy
            | ErrorKind::Untrusted
            | ErrorKind::InUse
            | ErrorKind::EnvironmentMissing
            | ErrorKind::AgentAuth
            | ErrorKind::AgentBroken
            | ErrorKind::TimedOut
            | ErrorKind::Refused
            | ErrorKind::MaxTokens
            | ErrorKind::BudgetReached => Self::Never,
        }
    }
}

/// An attempt that ended without doing its work.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a question of its own, and the table asks them all"
)]
pub struct Case {
    pub retry: Retry,
    /// Its number, from 1.
    pub attempt: u32,
    pub kind: ErrorKind,
    /// When the limit is over, where that was said.
    pub retry_at: Option<Timestamp>,
    /// How often the run was parked in a row.
    pub parks: u32,
    /// It may have edited, deleted, moved or executed something.
    pub touched: bool,
    /// What it touched is nobody else's: a worktree of its own, or an agent that changes nothing.
    pub confined: bool,
    /// There is somebody to ask.
    pub may_ask: bool,
    /// It is one of `max_attempts`; one that was interrupted from outside is not.
    pub counts: bool,
    pub now: Timestamp,
    /// Any number, for the jitter.
    pub roll: u64,
}

/// What becomes of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is tried again after so many milliseconds.
    Again {
        delay_ms: u64,
    },
    /// The same, without an attempt being used up.
    Park {
        delay_ms: u64,
    },
    /// A person says whether.
    Ask,
    Fail {
        warning: Option<Warning>,
    },
}

/// The word of the warning on a run that might have been tried again, had it not begun to change things.
pub const SIDE_EFFECTS_UNKNOWN: &str = "side_effects_unknown";

/// What becomes of a run whose attempt ended so.
#[must_use]
pub fn decide(case: &Case) -> Verdict {
    let class = Class::of(case.kind);
    let used_up = case.counts && class == Class::Again && case.attempt >= case.retry.max_attempts;
    if class == Class::Never || used_up {
        return Verdict::Fail { warning: None };
    }
    let safe = !case.touched || case.confined || case.retry.regardless;
    match (safe, class) {
        (false, _) if case.may_ask => Verdict::Ask,
        (false, _) => Verdict::Fail {
            warning: Some(unknown()),
        },
        (true, Class::Park) => Verdict::Park {
            delay_ms: parked_ms(case),
        },
        (true, _) if !case.counts => Verdict::Again { delay_ms: 0 },
        (true, _) => Verdict::Again {
            delay_ms: case.retry.delay_ms(case.attempt, case.kind, case.roll),
        },
    }
}

/// It was not tried again, as nobody knows what half of its changes the attempt left.
#[must_use]
pub fn unknown() -> Warning {
    Warning::new(
        SIDE_EFFECTS_UNKNOWN,
        "it had begun to change things when its attempt ended, and was not tried again: look at what it left",
    )
}

fn parked_ms(case: &Case) -> u64 {
    let doubled = |base: u64| base.saturating_mul(1 << case.parks.min(20));
    let said = case.retry_at.map(|at| at.since_ms(case.now));
    let said = said.map(|ms| u64::try_from(ms).unwrap_or(0));
    match said.filter(|ms| *ms <= FAR_MS) {
        Some(ms) => ms.max(doubled(RESET_MS).min(PARK_MS.1)),
        None => doubled(PARK_MS.0).min(PARK_MS.1),
    }
}

/// Whether what a run's attempts do half is nobody else's: in a worktree of its own, or by the agent that changes nothing.
#[must_use]
pub fn is_confined(isolation: Isolation, agent: &str) -> bool {
    isolation == Isolation::Worktree || agent == EMBEDDED
}

/// What an attempt that did not do its work left to the next one. Kept with the run until it ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Left {
    /// Number of the attempt.
    pub attempt: u32,
    pub outcome: AttemptOutcome,
    /// Why it ended.
    pub error: Fault,
    pub at: Timestamp,
    /// Its prompt had been put.
    pub prompted: bool,
    /// The first calls that may have changed something, in the agent's words.
    #[serde(default)]
    pub touched: Vec<String>,
    /// A person must say whether it is tried again.
    #[serde(default)]
    pub asks: bool,
    /// How often the run was parked in a row.
    #[serde(default)]
    pub parks: u32,
    /// By all attempts so far.
    #[serde(default)]
    pub spent: Spent,
    /// What was said and done so far.
    #[serde(default)]
    pub conclusion: Option<Conclusion>,
}

#[cfg(test)]
mod tests;
