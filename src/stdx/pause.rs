//! A clock that can be held: time that passes meanwhile does not count.

use std::time::Duration;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

/// A cheap handle; while any [`Held`] of it lives the clock stands still.
#[derive(Clone, Debug)]
pub struct Pause(watch::Sender<usize>);

/// Holds the clock until it is dropped.
#[derive(Debug)]
pub struct Held(watch::Sender<usize>);

impl Default for Pause {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Pause {
    /// Holds the clock.
    #[must_use]
    pub fn hold(&self) -> Held {
        self.0.send_modify(|held| *held += 1);
        Held(self.0.clone())
    }

    /// Returns once so much time has passed while nobody held the clock.
    pub async fn sleep(&self, time: Duration) {
        let mut held = self.0.subscribe();
        let mut left = time;
        loop {
            // It cannot be closed: we have a sender.
            drop(held.wait_for(|held| *held == 0).await);
            let begun = Instant::now();
            tokio::select! {
                () = sleep(left) => return,
                _ = held.wait_for(|held| *held > 0) => {
                    left = left.saturating_sub(begun.elapsed());
                }
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.send_modify(|held| *held -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::Pause;
    use std::time::Duration;
    use tokio::time::{Instant, timeout};

    #[tokio::test]
    async fn time_under_hold_does_not_count() {
        let pause = Pause::default();
        let (one, two) = (pause.hold(), pause.hold());
        let begun = Instant::now();
        let time = Duration::from_millis(20);
        let slept = pause.sleep(time);
        tokio::pin!(slept);
        drop(one);
        assert!(timeout(time * 3, slept.as_mut()).await.is_err());
        drop(two);
        slept.await;
        assert!(begun.elapsed() >= time * 4);
    }
}
