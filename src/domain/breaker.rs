//! When a class of work (place, agent, lane) is degraded: one pure decision from the failures that stand against it.
//!
//! Each failure weighs one, and half as much every five minutes. Above four the class is degraded: one attempt at a time tries how it stands, and
//! after one that failed too the next waits, twice as long each time. Time heals it, and so does work that succeeds, which takes away half of
//! what stands against it. The failures are rows; nothing is counted up or down.

use super::{fault::ErrorKind, time::Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// In which a failure loses half of its weight, in milliseconds.
const HALF_LIFE_MS: f64 = 300_000.0;
/// What a class bears: the fifth of failures that come together is too much.
const BORNE: f64 = 4.0;
/// Failures that are looked at, the newest; more would only make the way back longer.
pub const REMEMBERED: u32 = 16;
/// A class rests so long after a failure that was too much, doubled with each that follows, up to the second.
const REST_MS: (i64, i64) = (1_000, 30_000);
/// After so long a failure weighs nothing that could tell.
pub const FORGOTTEN_MS: i64 = 3_600_000;

/// How a class stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// As many attempts as its cap says.
    Healthy,
    /// One at a time, until so much has been forgotten.
    Probing { until: Timestamp },
    /// None until then, as the last one failed.
    Resting { until: Timestamp },
}

/// The word of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthWord {
    /// As many attempts as its cap says.
    Healthy,
    /// Too many of its attempts failed: one at a time tries how it stands.
    Degraded,
    /// Too many failed, the last one just now: none for some seconds.
    Resting,
}

impl Health {
    /// How many attempts it allows at once; `None`: its cap alone says.
    #[must_use]
    pub fn allowed(self) -> Option<u32> {
        match self {
            Self::Healthy => None,
            Self::Probing { .. } => Some(1),
            Self::Resting { .. } => Some(0),
        }
    }

    /// When it is to be judged again, whatever happens before.
    #[must_use]
    pub fn until(self) -> Option<Timestamp> {
        match self {
            Self::Healthy => None,
            Self::Probing { until } | Self::Resting { until } => Some(until),
        }
    }
}

/// How a class stands at `now` against which these failures stand.
#[must_use]
pub fn judge(failures: &[Timestamp], now: Timestamp) -> Health {
    let weight: f64 = failures.iter().map(|at| weight_of(now.since_ms(*at))).sum();
    let Some(last) = failures.iter().max().filter(|_| weight > BORNE) else {
        return Health::Healthy;
    };
    let rested = Timestamp(last.0.saturating_add(rest_ms(weight)));
    // A clock that was set back keeps nobody out for longer than a rest.
    if rested > now && rested.since_ms(now) <= REST_MS.1 {
        return Health::Resting { until: rested };
    }
    Health::Probing {
        until: Timestamp(now.0.saturating_add(forgotten_in_ms(weight))),
    }
}

fn weight_of(age_ms: i64) -> f64 {
    // Milliseconds of at most an hour: exact.
    let age = i32::try_from(age_ms.clamp(0, FORGOTTEN_MS)).unwrap_or(i32::MAX);
    (-f64::from(age) / HALF_LIFE_MS).exp2()
}

fn rest_ms(weight: f64) -> i64 {
    // How many failures more than it bears, the first of them not counted.
    let beyond = (1..REMEMBERED)
        .take_while(|more| weight - BORNE > f64::from(*more))
        .count();
    let factor = 1_i64 << beyond.min(16);
    (REST_MS.0 * factor).min(REST_MS.1)
}

/// Until a weight is one that is borne.
fn forgotten_in_ms(weight: f64) -> i64 {
    let ms = HALF_LIFE_MS * (weight / BORNE).log2();
    // Rounded up, so that it is borne then; not sooner than in a second, lest a weight just above is judged again and again.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "sixteen failures are forgotten within ten minutes"
    )]
    let whole = ms.ceil().clamp(1_000.0, 3_600_000.0) as i64;
    whole + 1
}

/// Whether a failure of this kind tells of the agent and its class, not of the run, its caller or this hub.
#[must_use]
pub fn tells_of_its_class(kind: ErrorKind) -> bool {
    match kind {
        ErrorKind::AgentNotFound
        | ErrorKind::AgentSpawn
        | ErrorKind::HandshakeTimeout
        | ErrorKind::HandshakeMalformed
        | ErrorKind::VersionMismatch
        | ErrorKind::DialTimeout
        | ErrorKind::ArtifactMissing
        | ErrorKind::DigestMismatch
        | ErrorKind::AgentDied
        | ErrorKind::AgentAuth
        | ErrorKind::Overloaded
        | ErrorKind::Stalled => true,
        // A limit parks its run until it is over.
        ErrorKind::RateLimited
        | ErrorKind::InvalidParams
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
        | ErrorKind::StoreUnavailable
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
        | ErrorKind::AgentBroken
        | ErrorKind::HubLost
        | ErrorKind::TimedOut
        | ErrorKind::Refused
        | ErrorKind::MaxTokens
        | ErrorKind::BudgetReached
        | ErrorKind::DatabaseUnavailable
        | ErrorKind::Internal => false,
    }
}

/// A class that has something to do, or that something stands against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassView {
    /// Where its processes run.
    pub place: String,
    pub agent: String,
    pub lane: String,
    /// Attempts at once, if nothing stands against it; absent where all cold attempts are bounded together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<u32>,
    /// Attempts under way.
    pub working: u32,
    /// Conversations whose next run could be taken now but for a bound.
    pub ready: u32,
    pub state: HealthWord,
    /// When it is judged again, unless it is healthy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Failures that stand against it.
    pub failures: u32,
    /// The newest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<ClassFailure>,
}

/// What stands against a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassFailure {
    pub kind: ErrorKind,
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const NOW: i64 = 1_700_000_000_000;

    fn at(ago_ms: &[i64]) -> Vec<Timestamp> {
        ago_ms.iter().map(|ago| Timestamp(NOW - ago)).collect()
    }

    fn now(failures: &[i64]) -> Health {
        judge(&at(failures), Timestamp(NOW))
    }

    fn rests(ms: i64) -> Health {
        Health::Resting {
            until: Timestamp(NOW + ms),
        }
    }

    #[test]
    fn the_fifth_failure_in_a_row_is_too_much() {
        assert_eq!(now(&[]), Health::Healthy);
        assert_eq!(now(&[0; 4]), Health::Healthy);
        assert_eq!(now(&[0; 5]), rests(1_000));
        assert_eq!(now(&[0, 10_000, 20_000, 30_000, 40_000]), rests(1_000));
        assert_eq!(
            now(&[0, 300_000, 600_000, 900_000, 1_200_000]),
            Health::Healthy
        );
    }

    #[test]
    fn each_further_one_makes_the_rest_longer_up_to_half_a_minute() {
        for (many, ms) in [
            (6, 2_000),
            (7, 4_000),
            (8, 8_000),
            (9, 16_000),
            (10, 30_000),
            (16, 30_000),
        ] {
            assert_eq!(now(&vec![0; many]), rests(ms), "{many}");
        }
    }

    #[test]
    fn after_its_rest_one_at_a_time_is_let_in_and_later_all() {
        let failures = at(&[0; 5]);
        let Health::Probing { until } = judge(&failures, Timestamp(NOW + 1_000)) else {
            panic!("it has rested");
        };
        // Five weigh four after 97 seconds.
        assert!(
            (96_000..98_000).contains(&until.since_ms(Timestamp(NOW))),
            "{until}"
        );
        assert_eq!(judge(&failures, until), Health::Healthy);
    }

    #[test]
    fn a_clock_that_was_set_back_keeps_nobody_out() {
        let failures = at(&[-3_600_000; 5]);
        let Health::Probing { .. } = judge(&failures, Timestamp(NOW)) else {
            panic!("a probe may begin");
        };
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_class_is_left_alone_for_ever(ages in vec(-600_000_i64..7_200_000, 0..16)) {
            let failures = at(&ages);
            let (mut moment, mut steps) = (Timestamp(NOW), 0);
            while let Some(until) = judge(&failures, moment).until() {
                prop_assert!(until > moment, "each step is one ahead");
                moment = until;
                steps += 1;
                // One that is ahead of us weighs all of its weight until then.
                prop_assert!(steps < 1_000);
            }
            prop_assert!(moment.since_ms(Timestamp(NOW)) < 3 * FORGOTTEN_MS);
        }

        #[test]
        fn what_is_taken_away_never_makes_it_worse(ages in vec(0_i64..1_200_000, 1..16)) {
            let rank = |health: Health| health.allowed().map_or(2, |many| many);
            let all = at(&ages);
            prop_assert!(rank(judge(&all[1..], Timestamp(NOW))) >= rank(judge(&all, Timestamp(NOW))));
        }
    }
}
