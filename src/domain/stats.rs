//! What many runs add up to.

use super::{run::RunState, usage::Usage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many runs are in each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StateCounts {
    pub queued: u64,
    pub running: u64,
    pub input_required: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub cancelled: u64,
    pub timed_out: u64,
}

/// Half of them were at most so long, and 95 of 100; in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    pub p50_ms: i64,
    pub p95_ms: i64,
}

/// Runs in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunStats {
    pub runs: u64,
    pub states: StateCounts,
    /// From the first attempt's begin to the end, of those that have ended after one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Spread>,
    /// From acceptance to the first attempt's begin, of those that have begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<Spread>,
    /// As far as their agents said.
    pub usage: Usage,
}

/// One run, as far as it counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    pub state: RunState,
    pub created_ms: i64,
    pub started_ms: Option<i64>,
    pub ended_ms: Option<i64>,
    pub usage: Option<Usage>,
}

/// Adds runs up one by one.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    stats: RunStats,
    durations: Vec<i64>,
    waits: Vec<i64>,
}

impl Counter {
    /// Adds one.
    pub fn add(&mut self, run: &Counted) {
        self.stats.runs += 1;
        let states = &mut self.stats.states;
        let count = match run.state {
            RunState::Queued => &mut states.queued,
            RunState::Running => &mut states.running,
            RunState::InputRequired => &mut states.input_required,
            RunState::Succeeded => &mut states.succeeded,
            RunState::Failed => &mut states.failed,
            RunState::Cancelled => &mut states.cancelled,
            RunState::TimedOut => &mut states.timed_out,
        };
        *count += 1;
        if let Some(started) = run.started_ms {
            self.waits.push(started - run.created_ms);
            self.durations.extend(run.ended_ms.map(|end| end - started));
        }
        if let Some(usage) = &run.usage {
            self.stats.usage = self.stats.usage.plus(*usage);
        }
    }

    /// All of it.
    #[must_use]
    pub fn sum(mut self) -> RunStats {
        self.stats.duration = spread(&mut self.durations);
        self.stats.wait = spread(&mut self.waits);
        self.stats
    }
}

/// By nearest rank.
fn spread(times: &mut [i64]) -> Option<Spread> {
    times.sort_unstable();
    let last = times.len().checked_sub(1)?;
    let at = |percent: usize| {
        times[(times.len() * percent)
            .div_ceil(100)
            .saturating_sub(1)
            .min(last)]
    };
    Some(Spread {
        p50_ms: at(50).max(0),
        p95_ms: at(95).max(0),
    })
}

#[cfg(test)]
mod tests {
    use super::{Counted, Counter, Spread, spread};
    use crate::domain::{run::RunState, usage::Usage};

    #[test]
    fn ranks_are_of_values_that_were_there() {
        assert_eq!(spread(&mut []), None);
        let one = Spread {
            p50_ms: 7,
            p95_ms: 7,
        };
        assert_eq!(spread(&mut [7]), Some(one));
        let mut hundred: Vec<i64> = (1..=100).rev().collect();
        let of_hundred = Spread {
            p50_ms: 50,
            p95_ms: 95,
        };
        assert_eq!(spread(&mut hundred), Some(of_hundred));
    }

    #[test]
    fn runs_add_up() {
        let run = |state, started_ms, ended_ms, tokens| Counted {
            state,
            created_ms: 0,
            started_ms,
            ended_ms,
            usage: Some(Usage {
                total_tokens: tokens,
                ..Usage::default()
            }),
        };
        let mut counter = Counter::default();
        counter.add(&run(RunState::Queued, None, None, None));
        counter.add(&run(RunState::Succeeded, Some(5), Some(25), Some(3)));
        counter.add(&run(RunState::Succeeded, Some(1), Some(101), Some(4)));
        let stats = counter.sum();
        assert_eq!(
            (stats.runs, stats.states.queued, stats.states.succeeded),
            (3, 1, 2)
        );
        assert_eq!(stats.usage.total_tokens, Some(7));
        let duration = stats.duration.unwrap();
        assert_eq!((duration.p50_ms, duration.p95_ms), (20, 100));
        assert_eq!(stats.wait.unwrap().p95_ms, 5);
    }
}
