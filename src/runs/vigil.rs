//! The watch over a turn: that its agent begins to say something, that it goes on to, and that it stays within the run's time.

use crate::{
    domain::fault::{ErrorKind, Fault},
    stdx::Pause,
};
use futures::{FutureExt as _, future::BoxFuture};
use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

/// How long leases are and how long silence may last.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Of a lease.
    pub lease: Duration,
    /// Between two renewals; a lease outlives three that are missed.
    pub renew: Duration,
    /// From the prompt to the first word; `None`: for ever.
    pub first_output: Option<Duration>,
    /// Between two signs of life; `None`: for ever.
    pub stall: Option<Duration>,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(45),
            renew: Duration::from_secs(10),
            first_output: Some(Duration::from_mins(10)),
            stall: Some(Duration::from_mins(30)),
        }
    }
}

impl Pace {
    /// Leases of another length, renewed as often in each as ever.
    #[must_use]
    pub fn of_lease(lease: Duration) -> Self {
        Self {
            lease,
            renew: lease * 2 / 9,
            ..Self::default()
        }
    }

    /// Of a lease, for the store.
    pub(crate) fn lease_ms(&self) -> i64 {
        i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)
    }

    /// A lease that was not renewed for so long is about to be over.
    fn unrenewed(&self) -> Duration {
        self.lease.saturating_sub(2 * self.renew)
    }
}

/// Returns when a lease, last renewed at `renewed`, may be over before its work has ended. By a clock that nobody sets; and as a process that
/// was stopped finds its leases where it left them, there is first time to renew them.
pub(super) async fn unrenewed(mut renewed: watch::Receiver<Instant>, pace: Pace) {
    loop {
        let last = *renewed.borrow_and_update();
        sleep_until(last + pace.unrenewed()).await;
        match timeout(pace.renew / 2, renewed.changed()).await {
            Ok(Ok(())) => {}
            // Whoever renews it has ended, and has said so.
            Ok(Err(_)) => return std::future::pending().await,
            Err(_elapsed) => return,
        }
    }
}

/// Watches one turn. Time in which a person is waited for does not count.
pub(super) struct Vigil {
    pause: Pause,
    pace: Pace,
    /// The agent has given a sign of life in this turn.
    heard: bool,
    last: Instant,
    silence: BoxFuture<'static, ()>,
    /// The end of the time that the run may take.
    wall: BoxFuture<'static, ()>,
    /// It has told what it watches for: whoever ends the turn need not hear it again.
    told: bool,
}

/// What it tells.
pub(super) enum Alarm {
    Silent(Fault),
    OutOfTime,
}

impl Vigil {
    pub(super) fn new(pace: Pace, pause: Pause, wall: Option<Duration>) -> Self {
        let wall = slept(&pause, wall);
        let silence = slept(&pause, pace.first_output.or(pace.stall));
        Self {
            pause,
            pace,
            heard: false,
            last: Instant::now(),
            silence,
            wall,
            told: false,
        }
    }

    /// The agent has said or done something, or a person has.
    pub(super) fn sign(&mut self) {
        self.last = Instant::now();
        if !self.heard {
            self.heard = true;
            self.silence = slept(&self.pause, self.pace.stall);
        }
    }

    fn limit(&self) -> Option<Duration> {
        if self.heard {
            self.pace.stall
        } else {
            self.pace.first_output.or(self.pace.stall)
        }
    }

    /// Returns once, when something is wrong. May be dropped and called again.
    pub(super) async fn alarm(&mut self) -> Alarm {
        if self.told {
            return std::future::pending().await;
        }
        loop {
            tokio::select! {
                () = &mut self.wall => {
                    self.told = true;
                    return Alarm::OutOfTime;
                }
                () = &mut self.silence => {}
            }
            let limit = self.limit().unwrap_or(Duration::MAX);
            // A sign of life does not wind the clock; it is looked at when that has run down.
            let left = limit.saturating_sub(self.last.elapsed());
            if left.is_zero() {
                self.told = true;
                return Alarm::Silent(silent(limit, self.heard));
            }
            self.silence = slept(&self.pause, Some(left));
        }
    }
}

fn slept(pause: &Pause, time: Option<Duration>) -> BoxFuture<'static, ()> {
    let pause = pause.clone();
    match time {
        Some(time) => async move { pause.sleep(time).await }.boxed(),
        None => std::future::pending().boxed(),
    }
}

fn silent(limit: Duration, heard: bool) -> Fault {
    let what = if heard { "nothing more" } else { "nothing" };
    let detail = format!("its agent said and did {what} for {} ms", limit.as_millis());
    let key = if heard {
        "runs.stall_ms"
    } else {
        "runs.first_output_ms"
    };
    Fault::new(ErrorKind::Stalled, detail)
        .hint(format!("an agent that needs longer is given it by {key}"))
}

#[cfg(test)]
mod tests {
    use super::{Alarm, Pace, Vigil, unrenewed};
    use crate::stdx::Pause;
    use std::time::Duration;
    use tokio::{
        sync::watch,
        time::{Instant, sleep, timeout},
    };

    const MS: Duration = Duration::from_millis(1);

    fn vigil(pause: &Pause, wall: Option<Duration>) -> Vigil {
        let pace = Pace {
            first_output: Some(40 * MS),
            stall: Some(200 * MS),
            ..Pace::default()
        };
        Vigil::new(pace, pause.clone(), wall)
    }

    async fn silent_after(vigil: &mut Vigil) -> Option<Duration> {
        let begun = Instant::now();
        match timeout(1_000 * MS, vigil.alarm()).await {
            Ok(Alarm::Silent(_)) => Some(begun.elapsed()),
            Ok(Alarm::OutOfTime) => panic!("there was time"),
            Err(_) => None,
        }
    }

    #[tokio::test]
    async fn the_first_word_and_each_next_one_have_their_time() {
        let pause = Pause::default();
        let mut one = vigil(&pause, None);
        assert!(silent_after(&mut one).await.expect("an alarm") >= 40 * MS);
        assert_eq!(silent_after(&mut one).await, None, "it is told once");
        let mut one = vigil(&pause, None);
        one.sign();
        sleep(60 * MS).await;
        one.sign();
        assert!(silent_after(&mut one).await.expect("an alarm") >= 199 * MS);
    }

    #[tokio::test]
    async fn who_waits_for_a_person_is_not_silent() {
        let pause = Pause::default();
        let mut one = vigil(&pause, Some(20_000 * MS));
        let held = pause.hold();
        assert_eq!(silent_after(&mut one).await, None);
        drop(held);
        one.sign();
        assert!(silent_after(&mut one).await.expect("an alarm") >= 199 * MS);
    }

    #[tokio::test]
    async fn a_lease_is_let_go_in_time_unless_it_is_renewed() {
        let pace = Pace {
            lease: 400 * MS,
            renew: 100 * MS,
            ..Pace::default()
        };
        let begun = Instant::now();
        let (renewed, since) = watch::channel(begun);
        let over = unrenewed(since, pace);
        tokio::pin!(over);
        for _ in 0..4 {
            let early = timeout(150 * MS, over.as_mut()).await;
            assert!(early.is_err());
            renewed.send_replace(Instant::now());
        }
        let last = *renewed.borrow();
        over.await;
        assert!(last.elapsed() >= 200 * MS, "{:?}", last.elapsed());
        // A process that was stopped has time to renew what it holds.
        let (renewed, since) = watch::channel(begun);
        let over = unrenewed(since, pace);
        tokio::pin!(over);
        assert!(timeout(10 * MS, over.as_mut()).await.is_err());
        renewed.send_replace(Instant::now());
        assert!(timeout(150 * MS, over).await.is_err());
    }

    #[tokio::test]
    async fn the_runs_time_ends_whatever_is_said() {
        let mut one = vigil(&Pause::default(), Some(MS));
        one.sign();
        assert!(matches!(one.alarm().await, Alarm::OutOfTime));
    }
}
