//! How much memory an agent and all it started take, looked at now and then.
//!
//! What several processes share is counted once over all of them (the kernel's proportional set size): resident sizes would count the pages of
//! a runtime again for each of its processes.

use super::lineage;
use std::{
    collections::{BTreeMap, HashMap},
    fs,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

/// How often it is looked at, where nothing else is said.
pub(super) const EVERY: Duration = Duration::from_secs(10);
/// After a start, so that something is known of an agent that does not live long.
const SOON: Duration = Duration::from_millis(300);

/// What is known of one agent; nothing until it was looked at.
#[derive(Debug, Default)]
pub(super) struct Weight {
    bytes: AtomicU64,
    peaks: Mutex<Vec<Weak<AtomicU64>>>,
}

/// The most that was seen of an agent since this was taken, over all its processes that tell of it.
#[derive(Clone, Debug, Default)]
pub struct Peak(Arc<AtomicU64>);

impl Peak {
    /// Bytes; `None` when nobody has looked.
    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        Some(self.0.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }
}

impl Weight {
    pub(super) fn bytes(&self) -> Option<u64> {
        Some(self.bytes.load(Ordering::Relaxed)).filter(|bytes| *bytes > 0)
    }

    /// From what is known now on.
    pub(super) fn peak(&self) -> Peak {
        let peak = Peak::default();
        self.count_in(&peak);
        peak
    }

    /// From now on it counts there too.
    pub(super) fn count_in(&self, Peak(peak): &Peak) {
        peak.fetch_max(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
        lock(&self.peaks).push(Arc::downgrade(peak));
    }

    fn set(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        lock(&self.peaks).retain(|peak| {
            let Some(peak) = peak.upgrade() else {
                return false;
            };
            peak.fetch_max(bytes, Ordering::Relaxed);
            true
        });
    }
}

/// Looks at all agents of a launcher, in one pass. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Scales {
    all: Arc<All>,
}

#[derive(Debug)]
struct All {
    every: Duration,
    newcomer: Notify,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    weights: BTreeMap<u32, Weak<Weight>>,
    /// Somebody looks.
    attended: bool,
}

impl Scales {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            all: Arc::new(All {
                every,
                newcomer: Notify::new(),
                state: Mutex::default(),
            }),
        }
    }

    /// From now on the process below the shim `pid` is looked at, as long as what this answers is held.
    pub(super) fn add(&self, pid: u32) -> Arc<Weight> {
        let weight = Arc::new(Weight::default());
        let mut state = lock(&self.all.state);
        state.weights.insert(pid, Arc::downgrade(&weight));
        if !state.attended {
            state.attended = true;
            tokio::spawn(attend(self.all.clone()));
        }
        drop(state);
        self.all.newcomer.notify_one();
        weight
    }
}

/// Until nobody is left.
async fn attend(all: Arc<All>) {
    loop {
        if timeout(all.every, all.newcomer.notified()).await.is_ok() {
            sleep(SOON.min(all.every)).await;
        }
        let pids: Vec<u32> = {
            let mut state = lock(&all.state);
            state.weights.retain(|_, weight| weight.strong_count() > 0);
            state.attended = !state.weights.is_empty();
            if !state.attended {
                return;
            }
            state.weights.keys().copied().collect()
        };
        // A runtime that ends has no agents to look at.
        let Ok(weighed) = tokio::task::spawn_blocking(move || weigh(&pids)).await else {
            return;
        };
        for (pid, bytes) in weighed {
            let weight = lock(&all.state).weights.get(&pid).and_then(Weak::upgrade);
            if let Some(weight) = weight {
                weight.set(bytes);
            }
        }
    }
}

/// Each with all below it. What ends meanwhile weighs nothing.
fn weigh(roots: &[u32]) -> Vec<(u32, u64)> {
    let children: HashMap<u32, Vec<u32>> = lineage::children();
    let of_tree = |root: &u32| {
        let below = lineage::below(*root, &children);
        let bytes = below.iter().chain([root]).filter_map(|pid| pss(*pid)).sum();
        (*root, bytes)
    };
    roots.iter().map(of_tree).collect()
}

fn pss(pid: u32) -> Option<u64> {
    parse(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?)
}

fn parse(rollup: &str) -> Option<u64> {
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// A panic elsewhere leaves the numbers as good as they were.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{Peak, Weight, parse, pss};

    #[test]
    fn the_kernels_sum_is_read() {
        let text = "00400000-7ffd [rollup]\nRss:     5000 kB\nPss:     1234 kB\nPss_Dirty:  5 kB\n";
        assert_eq!(parse(text), Some(1234 * 1024));
        assert_eq!(parse("Rss: 1 kB\n"), None);
        assert!(pss(std::process::id()).is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn a_peak_is_of_one_process_after_the_other() {
        let peak = Peak::default();
        for (most, expected) in [(7, 7), (5, 7), (9, 9)] {
            let weight = Weight::default();
            weight.count_in(&peak);
            weight.set(most);
            weight.set(1);
            assert_eq!(peak.bytes(), Some(expected));
        }
    }

    #[test]
    fn a_peak_is_the_most_since_it_was_taken() {
        let weight = Weight::default();
        let first = weight.peak();
        assert_eq!((weight.bytes(), first.bytes()), (None, None));
        weight.set(7);
        let second = weight.peak();
        weight.set(5);
        let third = weight.peak();
        assert_eq!(
            (first.bytes(), second.bytes(), third.bytes()),
            (Some(7), Some(7), Some(5))
        );
        weight.set(6);
        assert_eq!((weight.bytes(), third.bytes()), (Some(6), Some(6)));
    }
}
