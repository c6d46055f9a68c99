//! What a run may cost, and what it has.

use super::{
    fault::{ErrorKind, Fault},
    usage::Usage,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a run may use up over all its attempts; what is absent is not limited. Reaching one ends it as `failed` with `budget_reached`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Budget {
    /// Tokens; agents say at the end of a turn how many it took, if at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// US dollars.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Prompts that may be put; the one after them is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turns: Option<u32>,
    /// Milliseconds in which its agent works, without those in which a person is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
}

/// What a run has used up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Spent {
    pub usage: Usage,
    pub turns: u32,
    pub wall_ms: u64,
}

impl Spent {
    /// With what was used up since.
    #[must_use]
    pub fn plus(self, since: Self) -> Self {
        Self {
            usage: self.usage.plus(since.usage),
            turns: self.turns.saturating_add(since.turns),
            wall_ms: self.wall_ms.saturating_add(since.wall_ms),
        }
    }
}

impl Budget {
    /// Whether its numbers are ones that can be taken.
    ///
    /// # Errors
    /// `invalid_params` naming the field.
    pub fn check(&self) -> Result<(), Fault> {
        let above = |field: &str| Err(Fault::invalid(field, "must be above 0"));
        if self.tokens == Some(0) {
            return above("budget.tokens");
        }
        if self
            .cost_usd
            .is_some_and(|usd| !usd.is_finite() || usd <= 0.0)
        {
            return above("budget.cost_usd");
        }
        if self.turns == Some(0) {
            return above("budget.turns");
        }
        if self.wall_ms == Some(0) {
            return above("budget.wall_ms");
        }
        Ok(())
    }

    /// What ends a run that has used up so much, if anything does. Not its turns: those end it where one more would begin.
    #[must_use]
    pub fn reached(&self, spent: &Spent) -> Option<Fault> {
        let tokens = spent.usage.tokens();
        if let (Some(most), Some(tokens)) = (self.tokens, tokens)
            && tokens >= most
        {
            return Some(over(format_args!("{tokens} of {most} tokens")));
        }
        if let (Some(most), Some(usd)) = (self.cost_usd, spent.usage.cost_usd)
            && usd >= most
        {
            return Some(over(format_args!("{usd:.4} of {most:.4} US dollars")));
        }
        self.wall_ms
            .filter(|most| spent.wall_ms >= *most)
            .map(|most| over(format_args!("{most} ms of work")))
    }

    /// What keeps another turn from beginning, if anything does.
    #[must_use]
    pub fn bars(&self, spent: &Spent) -> Option<Fault> {
        let turns = self.turns.filter(|most| spent.turns >= *most);
        let turns = turns.map(|most| over(format_args!("{} of {most} turns", spent.turns)));
        turns.or_else(|| self.reached(spent))
    }
}

fn over(what: std::fmt::Arguments<'_>) -> Fault {
    Fault::new(
        ErrorKind::BudgetReached,
        format!("the run has used up its budget: {what}"),
    )
    .hint("look at its conclusion so far, then delegate again with this run as `previous` and a larger `budget`")
}

#[cfg(test)]
mod tests {
    use super::{Budget, Spent};
    use crate::domain::usage::Usage;

    fn spent(tokens: u64, cost_usd: Option<f64>, turns: u32, wall_ms: u64) -> Spent {
        Spent {
            usage: Usage {
                total_tokens: Some(tokens),
                cost_usd,
                ..Usage::default()
            },
            turns,
            wall_ms,
        }
    }

    #[test]
    fn what_is_not_limited_ends_nothing() {
        let much = spent(u64::MAX, Some(1e9), u32::MAX, u64::MAX);
        assert_eq!(Budget::default().bars(&much), None);
    }

    #[test]
    fn each_limit_ends_a_run_once_it_is_reached() {
        let budget = Budget {
            tokens: Some(10),
            cost_usd: Some(0.5),
            turns: Some(2),
            wall_ms: Some(100),
        };
        for (spent, ends, bars) in [
            (spent(9, Some(0.4), 1, 99), false, false),
            (spent(10, None, 0, 0), true, true),
            (spent(0, Some(0.5), 0, 0), true, true),
            (spent(0, None, 2, 0), false, true),
            (spent(0, None, 0, 100), true, true),
        ] {
            assert_eq!(budget.reached(&spent).is_some(), ends, "{spent:?}");
            assert_eq!(budget.bars(&spent).is_some(), bars, "{spent:?}");
        }
    }

    #[test]
    fn what_attempts_used_up_adds_up() {
        let one = spent(3, None, 1, 5).plus(spent(4, Some(0.25), 1, 6));
        assert_eq!(one, spent(7, Some(0.25), 2, 11));
    }
}
