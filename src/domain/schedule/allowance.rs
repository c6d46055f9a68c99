//! What a schedule's runs may use up together in a day, a week or a month.

use super::Calendar;
use crate::domain::{
    fault::{ErrorKind, Fault},
    time::Timestamp,
    usage::Usage,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A span of the calendar, in the zone of the schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// From midnight.
    #[default]
    Day,
    /// From Monday.
    Week,
    /// From the first.
    Month,
}

impl Period {
    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// How much the runs of a schedule, and all that their agents delegate, may use up in a period. Once one of these is reached no run is begun any
/// more until the next period; runs under way go on, within their own budgets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Allowance {
    /// Day, week or month.
    pub per: Period,
    /// Runs begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
    /// Tokens, as far as agents say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars, as far as agents say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Prompts put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u32>,
    /// Milliseconds of work, without those in which a person was waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
}

/// What the runs of a schedule have used up since the period began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsedUp {
    /// When the period began.
    pub since: Timestamp,
    /// Runs begun.
    pub runs: u32,
    #[serde(flatten)]
    pub usage: Usage,
    /// Prompts put.
    #[serde(default)]
    pub turns: u32,
    pub wall_ms: u64,
}

impl Allowance {
    /// It bounds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let bare = Self {
            per: self.per,
            ..Self::default()
        };
        *self == bare
    }

    /// Whether its numbers are ones that can be taken.
    ///
    /// # Errors
    /// `invalid_params` naming the field.
    pub fn check(&self) -> Result<(), Fault> {
        let nothing = [
            ("runs", self.runs == Some(0)),
            ("tokens", self.tokens == Some(0)),
            (
                "cost_usd",
                self.cost_usd
                    .is_some_and(|usd| !usd.is_finite() || usd <= 0.0),
            ),
            ("turns", self.turns == Some(0)),
            ("wall_ms", self.wall_ms == Some(0)),
        ];
        match nothing.iter().find(|(_, wrong)| *wrong) {
            None => Ok(()),
            Some((field, _)) => {
                let fault = Fault::invalid(&format!("allowance.{field}"), "must be above 0");
                Err(fault.hint("leave it out where it is not bounded"))
            }
        }
    }

    /// What keeps a run from beginning, if anything does.
    #[must_use]
    pub fn bars(&self, used: &UsedUp) -> Option<Fault> {
        let runs = self.runs.filter(|most| used.runs >= *most);
        let tokens = used.usage.tokens().zip(self.tokens);
        let tokens = tokens.filter(|(tokens, most)| tokens >= most);
        let cost = used.usage.cost_usd.zip(self.cost_usd);
        let cost = cost.filter(|(usd, most)| usd >= most);
        let turns = self.turns.filter(|most| used.turns >= *most);
        let wall = self.wall_ms.filter(|most| used.wall_ms >= *most);
        let what = if let Some(most) = runs {
            format!("{} of {most} runs", used.runs)
        } else if let Some((tokens, most)) = tokens {
            format!("{tokens} of {most} tokens")
        } else if let Some((usd, most)) = cost {
            format!("{usd:.4} of {most:.4} US dollars")
        } else if let Some(most) = turns {
            format!("{} of {most} turns", used.turns)
        } else {
            format!("{} of {} ms of work", used.wall_ms, wall?)
        };
        let per = self.per.word();
        let detail = format!("the schedule has used up its allowance for the {per}: {what}");
        let hint =
            format!("it goes on with the next {per}; `schedule.update` takes a larger `allowance`");
        Some(Fault::new(ErrorKind::BudgetReached, detail).hint(hint))
    }
}

impl Calendar {
    /// When the period began in which a moment lies.
    #[must_use]
    pub fn begin_of(&self, period: Period, moment: Timestamp) -> Timestamp {
        let begin = self.at(moment).and_then(|at| {
            let back = match period {
                Period::Day => 0,
                Period::Week => i64::from(at.weekday().to_monday_zero_offset()),
                Period::Month => i64::from(at.day()) - 1,
            };
            let day = at.date().checked_sub(jiff::Span::new().days(back)).ok()?;
            day.to_zoned(at.time_zone().clone()).ok()
        });
        // Outside of what a calendar knows.
        begin.map_or(moment, |begin| super::calendar::ours(&begin))
    }
}

#[cfg(test)]
mod tests {
    use super::{Allowance, Period, UsedUp};
    use crate::domain::{fault::ErrorKind, schedule::Calendar, time::Timestamp, usage::Usage};

    fn at(text: &str) -> Timestamp {
        serde_json::from_value(text.into()).expect("a moment")
    }

    #[test]
    fn a_period_begins_at_midnight_of_its_zone() {
        let berlin = Calendar::new("@daily", "Europe/Berlin").expect("right");
        for (period, moment, begin) in [
            (Period::Day, "2026-03-04T22:59:59Z", "2026-03-03T23:00:00Z"),
            (Period::Day, "2026-03-04T23:00:00Z", "2026-03-04T23:00:00Z"),
            // A Wednesday; the day on which clocks are set ahead lies between.
            (Period::Week, "2026-04-01T10:00:00Z", "2026-03-29T22:00:00Z"),
            (
                Period::Month,
                "2026-03-31T21:00:00Z",
                "2026-02-28T23:00:00Z",
            ),
            (
                Period::Month,
                "2026-03-31T22:00:00Z",
                "2026-03-31T22:00:00Z",
            ),
        ] {
            assert_eq!(
                berlin.begin_of(period, at(moment)),
                at(begin),
                "{period:?} {moment}"
            );
        }
    }

    #[test]
    fn each_bound_is_one_of_its_own() {
        let used = UsedUp {
            since: Timestamp(0),
            runs: 3,
            usage: Usage {
                total_tokens: Some(10),
                cost_usd: Some(0.5),
                ..Usage::default()
            },
            turns: 7,
            wall_ms: 100,
        };
        let bare = Allowance::default();
        assert!(bare.is_empty());
        assert_eq!(bare.bars(&used), None);
        let runs = |most| Allowance {
            runs: Some(most),
            ..bare
        };
        let tokens = |most| Allowance {
            tokens: Some(most),
            ..bare
        };
        let cost = |most| Allowance {
            cost_usd: Some(most),
            ..bare
        };
        let turns = |most| Allowance {
            turns: Some(most),
            ..bare
        };
        let wall = |most| Allowance {
            wall_ms: Some(most),
            ..bare
        };
        let cases = [
            (runs(3), runs(4)),
            (tokens(10), tokens(11)),
            (cost(0.5), cost(0.51)),
            (turns(7), turns(8)),
            (wall(100), wall(101)),
        ];
        for (reached, left) in cases {
            let kind = reached.bars(&used).map(|fault| fault.kind);
            assert_eq!(kind, Some(ErrorKind::BudgetReached), "{reached:?}");
            assert_eq!(left.bars(&used), None, "{left:?}");
            assert!(!left.is_empty());
        }
        assert_eq!(
            cases[1].0.bars(&UsedUp::default()),
            None,
            "nobody said how many"
        );
    }

    #[test]
    fn nothing_is_not_a_bound() {
        for wrong in [
            Allowance {
                runs: Some(0),
                ..Allowance::default()
            },
            Allowance {
                tokens: Some(0),
                ..Allowance::default()
            },
            Allowance {
                cost_usd: Some(0.0),
                ..Allowance::default()
            },
            Allowance {
                cost_usd: Some(f64::NAN),
                ..Allowance::default()
            },
            Allowance {
                wall_ms: Some(0),
                ..Allowance::default()
            },
        ] {
            wrong.check().expect_err("refused");
        }
        Allowance {
            runs: Some(1),
            ..Allowance::default()
        }
        .check()
        .expect("taken");
    }
}
