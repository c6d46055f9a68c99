//! What is said to a run after it was delegated: each input is a further turn of it.

use super::{request::Request, run::RunState, time::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When an input is put to the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputMode {
    /// Before the inputs that wait already.
    Followup,
    /// Into the turn that is under way where the agent takes it there, else as a followup.
    // ACP has no word for it, and agents do six different things with a second prompt in one turn, never answering it among them: for now
    // it always is a followup, and its outcome says so.
    Steer,
    /// At once: the turn under way is cancelled.
    Interrupt,
    /// After the inputs that wait already.
    #[default]
    Queue,
}

impl InputMode {
    /// Whether it goes before those that wait.
    #[must_use]
    pub fn goes_first(self) -> bool {
        match self {
            Self::Followup | Self::Steer | Self::Interrupt => true,
            Self::Queue => false,
        }
    }
}

/// What became of an input when it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryOutcome {
    /// No turn was under way: the agent gets it at once.
    Direct,
    /// It waits for the end of a turn, or for the run's begin.
    Queued,
    /// The turn under way is being cancelled for it.
    Interrupted,
    /// The run had ended: it is the prompt of a new run in the same session.
    Restarted,
}

/// How an input was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    pub outcome: DeliveryOutcome,
    /// Number of the input within its run, from 1; 0 when it is the prompt of a new run.
    pub seq: i64,
}

/// Where an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputState {
    Pending,
    /// An attempt has taken it as a turn of its own.
    Delivered,
    /// Its run ended otherwise than by a turn's end before it was put.
    Dropped,
}

/// An input, as the API shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Input {
    /// Number within its run, from 1, in the order of acceptance.
    pub seq: i64,
    pub mode: InputMode,
    pub state: InputState,
    pub message: String,
    pub accepted_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// Number of the attempt that took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
}

/// Whether a run can be spoken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InteractionState {
    /// It waits for its turn, or works: an input waits.
    Working,
    /// Its agent waits for a person's answer.
    WaitingForInput,
    /// It has ended: an input opens a new run.
    Closed,
}

/// What may be said to a run, and what was said and waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Interaction {
    pub state: InteractionState,
    /// In the order in which they will be put.
    pub pending_inputs: Vec<Input>,
    /// Open ones, oldest first.
    pub requests: Vec<Request>,
}

impl InteractionState {
    /// That of a run in this state.
    #[must_use]
    pub fn of(state: RunState) -> Self {
        match state {
            RunState::Queued | RunState::Running => Self::Working,
            RunState::InputRequired => Self::WaitingForInput,
            RunState::Succeeded | RunState::Failed | RunState::Cancelled | RunState::TimedOut => {
                Self::Closed
            }
        }
    }
}

/// What becomes of an input to a run in `state`. `between`: its attempt has ended a turn and has begun no other.
#[must_use]
pub fn outcome(mode: InputMode, state: RunState, between: bool) -> DeliveryOutcome {
    match state {
        RunState::Queued => DeliveryOutcome::Queued,
        RunState::Running if between => DeliveryOutcome::Direct,
        RunState::Running | RunState::InputRequired => match mode {
            InputMode::Interrupt => DeliveryOutcome::Interrupted,
            InputMode::Followup | InputMode::Steer | InputMode::Queue => DeliveryOutcome::Queued,
        },
        RunState::Succeeded | RunState::Failed | RunState::Cancelled | RunState::TimedOut => {
            DeliveryOutcome::Restarted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DeliveryOutcome::*, InputMode::*, InteractionState, outcome};
    use crate::domain::run::RunState;

    #[test]
    fn every_mode_has_its_outcome_in_every_state() {
        for state in RunState::ALL {
            for mode in [Followup, Steer, Interrupt, Queue] {
                for between in [false, true] {
                    let expected = match (state, mode, between) {
                        (state, _, _) if state.is_terminal() => Restarted,
                        (RunState::Running, _, true) => Direct,
                        (RunState::Running | RunState::InputRequired, Interrupt, _) => Interrupted,
                        _ => Queued,
                    };
                    assert_eq!(
                        outcome(mode, state, between),
                        expected,
                        "{mode:?} {state:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn an_ended_run_is_closed_and_no_other() {
        for state in RunState::ALL {
            let closed = InteractionState::of(state) == InteractionState::Closed;
            assert_eq!(closed, state.is_terminal(), "{state:?}");
        }
    }

    #[test]
    fn only_queue_waits_for_those_before_it() {
        assert!(!Queue.goes_first());
        assert!(Followup.goes_first() && Steer.goes_first() && Interrupt.goes_first());
    }
}
