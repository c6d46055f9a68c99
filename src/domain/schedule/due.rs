//! What is due, by the moment that was awaited and the moment it is.

use super::{Calendar, MOST_MISSED, Misfire};
use crate::domain::time::Timestamp;
use std::iter;

/// A tick that is seen so soon after it was not missed.
const IN_TIME_MS: i64 = 60_000;

/// One tick that is dealt with, and the step of the schedule that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tick {
    /// When it was.
    pub at: Timestamp,
    /// The next time of the schedule before it is dealt with: whoever finds another one comes too late.
    pub from: Timestamp,
    /// Its next time afterwards.
    pub next: Option<Timestamp>,
}

/// What is done about a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// A run is begun.
    Fire(Tick),
    /// None is: nobody was there in time.
    Skip(Tick),
}

/// What is due of a schedule whose next time is `pending`, oldest first. A clock that was set back makes nothing due; one that was set ahead
/// makes ticks missed.
#[must_use]
pub fn due(
    calendar: &Calendar,
    (misfire, most): (Misfire, u32),
    pending: Timestamp,
    now: Timestamp,
) -> Vec<Due> {
    if pending > now {
        return Vec::new();
    }
    let last = calendar
        .before(now)
        .map_or(pending, |last| last.max(pending));
    let next = calendar.after(now);
    let whole = Tick {
        at: last,
        from: pending,
        next,
    };
    match misfire {
        Misfire::Skip if now.since_ms(last) > IN_TIME_MS => vec![Due::Skip(whole)],
        Misfire::Once | Misfire::Skip => vec![Due::Fire(whole)],
        Misfire::All => each(calendar, whole, most.clamp(1, MOST_MISSED)),
    }
}

/// The last `most` ticks of the span, each a step of its own: what is not done when a hub dies is due again.
fn each(calendar: &Calendar, whole: Tick, most: u32) -> Vec<Due> {
    let earlier = |tick: &Timestamp| calendar.before(Timestamp(tick.0 - 1));
    let mut ticks: Vec<Timestamp> = iter::successors(Some(whole.at), earlier)
        .take_while(|tick| *tick >= whole.from)
        .take(usize::try_from(most).unwrap_or(1))
        .collect();
    ticks.reverse();
    let nexts: Vec<_> = ticks[1..]
        .iter()
        .copied()
        .map(Some)
        .chain([whole.next])
        .collect();
    let mut from = whole.from;
    ticks
        .into_iter()
        .zip(nexts)
        .map(|(at, next)| {
            let tick = Tick { at, from, next };
            from = next.unwrap_or(at);
            Due::Fire(tick)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Due, Tick, due};
    use crate::domain::{
        schedule::{Calendar, Misfire},
        time::Timestamp,
    };

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;
    const WEEK: i64 = 7 * 24 * HOUR;
    /// A whole hour.
    const PENDING: i64 = 1_699_999_200_000;

    fn hourly(misfire: Misfire, late_ms: i64) -> Vec<Due> {
        let calendar = Calendar::new("0 * * * *", "UTC").expect("right");
        let now = Timestamp(PENDING + late_ms);
        due(&calendar, (misfire, 3), Timestamp(PENDING), now)
    }

    /// Hours after the first.
    fn tick(at: i64, from: i64, next: i64) -> Tick {
        let hour = |n: i64| Timestamp(PENDING + n * HOUR);
        Tick {
            at: hour(at),
            from: hour(from),
            next: Some(hour(next)),
        }
    }

    #[test]
    fn in_time_every_policy_fires_once() {
        for misfire in [Misfire::Once, Misfire::Skip, Misfire::All] {
            for late in [0, 900, MINUTE] {
                let fired = hourly(misfire, late);
                assert_eq!(fired, [Due::Fire(tick(0, 0, 1))], "{misfire:?} {late}");
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_nothing_due() {
        for misfire in [Misfire::Once, Misfire::Skip, Misfire::All] {
            for late in [-1, -HOUR, -WEEK] {
                assert_eq!(hourly(misfire, late), []);
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_ahead_makes_ticks_missed() {
        let late = HOUR + 10 * MINUTE;
        assert_eq!(hourly(Misfire::Once, late), [Due::Fire(tick(1, 0, 2))]);
        assert_eq!(hourly(Misfire::Skip, late), [Due::Skip(tick(1, 0, 2))]);
        let both = [Due::Fire(tick(0, 0, 1)), Due::Fire(tick(1, 1, 2))];
        assert_eq!(hourly(Misfire::All, late), both);
    }

    #[test]
    fn after_a_week_the_last_few_are_made_up_for() {
        let late = WEEK + 10 * MINUTE;
        assert_eq!(hourly(Misfire::Once, late), [Due::Fire(tick(168, 0, 169))]);
        assert_eq!(hourly(Misfire::Skip, late), [Due::Skip(tick(168, 0, 169))]);
        let three = [
            Due::Fire(tick(166, 0, 167)),
            Due::Fire(tick(167, 167, 168)),
            Due::Fire(tick(168, 168, 169)),
        ];
        assert_eq!(hourly(Misfire::All, late), three);
    }

    #[test]
    fn one_that_was_seen_in_time_fires_though_others_before_it_were_missed() {
        let fired = hourly(Misfire::Skip, WEEK + MINUTE / 2);
        assert_eq!(fired, [Due::Fire(tick(168, 0, 169))]);
    }

    #[test]
    fn ticks_that_are_made_up_for_are_each_a_step() {
        let steps = hourly(Misfire::All, 2 * HOUR);
        let mut from = Timestamp(PENDING);
        for step in steps {
            let Due::Fire(tick) = step else {
                panic!("{step:?}")
            };
            assert_eq!(tick.from, from);
            from = tick.next.expect("there is one");
        }
        assert_eq!(from, Timestamp(PENDING + 3 * HOUR));
    }
}
