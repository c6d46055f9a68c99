//! A run: one durable delegation, its states, and its attempts.

use super::{
    conclusion::Conclusion,
    fault::Fault,
    ids::{InstanceId, ProjectId, RunId, SessionId},
    policy::Policy,
    request::Request,
    time::Timestamp,
    usage::{TreeUsage, Usage},
    worktree::{Isolation, Worktree},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a run is. Terminal is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    Queued,
    Running,
    /// Held by an attempt that waits for a person.
    InputRequired,
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
}

impl RunState {
    /// Every state, in the order of a run's life.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Running,
        Self::InputRequired,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::TimedOut,
    ];

    /// No change may follow.
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::TimedOut
        )
    }

    /// An attempt holds it, under a fence.
    #[must_use]
    pub fn is_held(self) -> bool {
        matches!(self, Self::Running | Self::InputRequired)
    }

    /// Whether a run may go from this state to `next` (product contract, section 9). A held run may be released to the queue.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => matches!(
                next,
                Self::Running | Self::Cancelled | Self::Failed | Self::TimedOut
            ),
            Self::Running => next != Self::Running,
            Self::InputRequired => next != Self::InputRequired,
            Self::Succeeded | Self::Failed | Self::Cancelled | Self::TimedOut => false,
        }
    }

    /// The word in the store and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::InputRequired => "input_required",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
        }
    }

    /// Reads [`RunState::as_str`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Why a queued run does not run yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// No turn slot is free.
    Slot,
    /// Another run that may write works in the same tree.
    Tree,
    /// An earlier run of its session is unfinished.
    Session,
    /// A required environment value is missing.
    Environment,
    /// A delay before the next attempt.
    Retry,
    /// Too many attempts of its class (place, agent, lane) failed: one at a time tries how it stands.
    Degraded,
}

/// What was asked about warmth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Reuse a warm agent, else start one and keep it warm.
    #[default]
    Auto,
    /// As `auto`; fails where no warm agent may serve.
    Warm,
    /// A process of its own for this attempt.
    Cold,
}

/// How the conversation goes on from an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Continuity {
    /// A new conversation.
    New,
    /// The agent still had it open.
    Live,
    /// The agent resumed it without replay.
    Resumed,
    /// The agent loaded it from its own history.
    Loaded,
    /// A new conversation that was told the last conclusion.
    Recalled,
}

/// Something a reader of the run should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// Stable word.
    pub kind: String,
    pub detail: String,
}

impl Warning {
    /// A warning of `kind`.
    #[must_use]
    pub fn new(kind: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            detail: detail.into(),
        }
    }
}

/// A run as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Run {
    pub id: RunId,
    pub state: RunState,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Waiting>,
    /// The host that it is worked on, where several share the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    pub prompt: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<InstanceId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona: Option<String>,
    /// The agent that does the work.
    pub agent: String,
    pub session: SessionId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<RunId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continuity: Option<Continuity>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Opaque text of whoever delegated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hook: Option<String>,
    pub mode: Mode,
    /// Whether the last attempt used an agent that was already running.
    pub warm: bool,
    /// Number of the last attempt; 0 before the first.
    pub attempt: u32,
    /// What the agent is doing now, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The tool it uses now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// The end of what it last said, at most 500 bytes; while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// The run whose agent delegated this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RunId>,
    /// How many runs stand above it.
    #[serde(default)]
    pub depth: u32,
    pub policy: Policy,
    #[serde(default)]
    pub isolation: Isolation,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worktree: Option<Worktree>,
    pub warnings: Vec<Warning>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Hidden from lists since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conclusion: Option<Conclusion>,
    /// The idempotency key was seen before with this very request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// With the runs below it, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree_usage: Option<TreeUsage>,
    /// Open ones, oldest first.
    pub requests: Vec<Request>,
    /// Runs below it that wait for a person, where one run is read: each is answered by its own id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asks_below: Vec<AskingRun>,
}

/// A run that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AskingRun {
    pub run: RunId,
    /// The agent that does its work.
    pub agent: String,
    /// The first line of its prompt.
    pub task: String,
    /// Open ones, oldest first.
    pub requests: Vec<Request>,
}

impl Run {
    /// Waiting for it any longer is in vain: it has ended, or a person must answer first.
    #[must_use]
    pub fn is_over(&self) -> bool {
        // One without requests has just been answered, and goes on in a moment.
        let asks = self.state == RunState::InputRequired && !self.requests.is_empty();
        self.state.is_terminal() || asks
    }

    /// It is over, or a run below it waits for a person: whoever speaks for a person can do something now.
    #[must_use]
    pub fn wants_a_look(&self) -> bool {
        self.is_over() || !self.asks_below.is_empty()
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AttemptOutcome {
    Succeeded,
    Failed,
    Cancelled,
    TimedOut,
    /// Given back to the queue: it could not start for a reason that is not the run's.
    Released,
    /// Given back to the queue by a hub that stopped in order.
    Interrupted,
    /// Its hub died, or its lease ran out.
    Lost,
}

/// By which way the persona reached the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PersonaRoute {
    /// ACP's `systemPrompt` on `session/new`.
    SystemPrompt,
    /// An adapter's own `_meta` key on `session/new`.
    Meta,
    /// A file named in the process's environment.
    EnvironmentFile,
    /// A marked block before the first prompt.
    PromptBlock,
    /// An argument of the process that is run for the turn, or a file that one names.
    Argument,
}

/// One attempt of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// From 1.
    pub n: u32,
    /// The session's fence it wrote under.
    pub fence: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<AttemptOutcome>,
    /// Why it ended so, or why it was not warm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    pub warm: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub persona_route: Option<PersonaRoute>,
    /// The agent's process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// The first calls that may have changed something: an edit, a deletion, a move, a command. Empty: none was begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub touched: Vec<String>,
    /// The last words of the agent's stderr, kept when the attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stderr_tail: Option<String>,
    pub started_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::RunState::{self, *};

    #[test]
    fn every_pair_of_states_follows_the_one_table() {
        let allowed = [
            (Queued, vec![Running, Cancelled, Failed, TimedOut]),
            (
                Running,
                vec![
                    Queued,
                    InputRequired,
                    Succeeded,
                    Failed,
                    Cancelled,
                    TimedOut,
                ],
            ),
            (
                InputRequired,
                vec![Queued, Running, Succeeded, Failed, Cancelled, TimedOut],
            ),
            (Succeeded, vec![]),
            (Failed, vec![]),
            (Cancelled, vec![]),
            (TimedOut, vec![]),
        ];
        for (from, nexts) in allowed {
            for next in RunState::ALL {
                assert_eq!(
                    from.may_become(next),
                    nexts.contains(&next),
                    "{from:?} → {next:?}"
                );
            }
        }
    }

    #[test]
    fn the_words_read_back() {
        for state in RunState::ALL {
            assert_eq!(RunState::parse(state.as_str()), Some(state));
            assert_eq!(serde_json::to_value(state).expect("plain"), state.as_str());
        }
    }
}
