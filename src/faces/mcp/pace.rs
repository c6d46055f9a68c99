//! How often somebody is told of one thing: at once, but not again and again.

use std::time::Duration;
use tokio::time::Instant;

/// Between two notices of the same thing.
pub(super) const GAP: Duration = Duration::from_secs(1);
/// The same, where it has ended or asks: what comes in one commit is told once.
const SHORT: Duration = Duration::from_millis(100);

/// When one thing is to be told of next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pace {
    due: Option<Instant>,
    last: Option<Instant>,
}

impl Pace {
    /// It changed.
    pub(super) fn nudge(&mut self, now: Instant) {
        self.by(now, GAP);
    }

    /// It changed in a way that somebody waits for.
    pub(super) fn urge(&mut self, now: Instant) {
        self.by(now, SHORT);
    }

    fn by(&mut self, now: Instant, gap: Duration) {
        let at = self.last.map_or(now, |last| now.max(last + gap));
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// When it is to be told; none while nothing has changed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// It is told now: what changes from here on is told later.
    pub(super) fn told(&mut self, now: Instant) {
        *self = Self {
            due: None,
            last: Some(now),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{GAP, Pace, SHORT};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn the_first_change_is_told_at_once_and_a_thousand_more_once() {
        let now = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.due(), None);
        pace.nudge(now);
        assert_eq!(pace.due(), Some(now));
        pace.told(now);
        for n in 0..1000 {
            pace.nudge(now + Duration::from_micros(n));
        }
        assert_eq!(pace.due(), Some(now + GAP));
    }

    #[test]
    fn what_somebody_waits_for_comes_sooner_and_is_not_put_off() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.told(now);
        pace.nudge(now);
        pace.urge(now);
        assert_eq!(pace.due(), Some(now + SHORT));
        pace.nudge(now + SHORT);
        assert_eq!(pace.due(), Some(now + SHORT));
    }

    #[test]
    fn after_a_silence_it_is_told_at_once_again() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.told(now);
        let later = now + 3 * GAP;
        pace.nudge(later);
        assert_eq!(pace.due(), Some(later));
    }
}
