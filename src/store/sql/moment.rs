//! When a transaction happens. A computer's clock may be set while we run; time in the store neither goes back nor stands still.

use std::time::{Duration, Instant};

/// What time it was last, and when that was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Moment(Option<(i64, Instant)>);

impl Moment {
    /// It is no earlier than that: what was last and what has passed since. A clock that was set back is ahead of nothing then, and what
    /// waits for its time does not wait for the clock to come there again.
    pub(super) fn at_least(self, at: Instant) -> i64 {
        let Some((was, since)) = self.0 else {
            return 0;
        };
        was.saturating_add(ms(at.saturating_duration_since(since)))
    }

    /// It was `now` at that instant, or a little earlier.
    pub(super) fn was(&mut self, now: i64, at: Instant) {
        self.0 = Some((now, at));
    }
}

fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::Moment;
    use std::time::{Duration, Instant};

    const HOUR: i64 = 3_600_000;

    /// What the store takes for the time when the clock shows these, a second apart.
    fn taken(clock: &[i64]) -> Vec<i64> {
        let mut moment = Moment::default();
        let mut at = Instant::now();
        clock
            .iter()
            .map(|clock| {
                let now = moment.at_least(at).max(*clock);
                moment.was(now, at);
                at += Duration::from_secs(1);
                now
            })
            .collect()
    }

    #[test]
    fn it_is_the_clocks_while_that_goes_on() {
        let clock = [5_000, 6_000, 7_000];
        assert_eq!(taken(&clock), clock);
    }

    #[test]
    fn it_goes_on_where_a_clock_is_set_back() {
        let back = [HOUR, HOUR + 1_000, 2_000, 3_000, 4_000];
        let on = [0, 1_000, 2_000, 3_000, 4_000].map(|ms| HOUR + ms);
        assert_eq!(taken(&back), on);
    }

    #[test]
    fn it_follows_a_clock_that_is_set_ahead_and_not_back_again() {
        let ahead = [1_000, HOUR, 3_000, 4_000];
        assert_eq!(taken(&ahead), [1_000, HOUR, HOUR + 1_000, HOUR + 2_000]);
    }
}
