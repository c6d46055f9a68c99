//! Looking at the disk for what is asked, away from the desk: a disk may hang, and all turns of an agent pass through one loop.

use std::{sync::Arc, time::Duration};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// Looks at once. One that hangs keeps its place until the disk lets it go, so that no more threads than these hang.
const AT_ONCE: usize = 4;
/// Of one look, its waiting included; an agent waits for it.
const LONGEST: Duration = Duration::from_secs(5);

/// Looks for one agent.
#[derive(Clone, Debug)]
pub(super) struct Looks {
    places: Arc<Semaphore>,
    longest: Duration,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            places: Arc::new(Semaphore::new(AT_ONCE)),
            longest: LONGEST,
        }
    }
}

impl Looks {
    /// What a look finds; `None` when it takes too long.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let places = self.places.clone();
        let found = timeout(self.longest, async move {
            let place = places.acquire_owned().await.ok()?;
            let looking = spawn_blocking(move || {
                let found = look();
                drop(place);
                found
            });
            looking.await.ok()
        });
        found.await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{AT_ONCE, Looks};
    use std::{sync::mpsc, time::Duration};

    #[tokio::test]
    async fn a_disk_that_hangs_holds_up_a_few_looks_and_nothing_else() {
        let hurried = Looks {
            longest: Duration::from_millis(50),
            ..Looks::default()
        };
        let patient = Looks {
            longest: Duration::from_secs(30),
            ..hurried.clone()
        };
        let mut disk = Vec::new();
        for n in 0..AT_ONCE {
            assert_eq!(patient.take(|| 1).await, Some(1), "after {n} that hang");
            let (free, hangs) = mpsc::channel::<()>();
            let hung = hurried.take(move || hangs.recv().is_ok());
            assert_eq!(hung.await, None);
            disk.push(free);
        }
        assert_eq!(hurried.take(|| 1).await, None, "no further thread is spent");
        drop(disk);
        assert_eq!(patient.take(|| 1).await, Some(1));
    }
}
