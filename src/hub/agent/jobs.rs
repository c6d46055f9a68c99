//! Installations under way: one for each version, however many ask for it, whoever goes away meanwhile.

use crate::{
    agents::fetch::Progress,
    domain::{distribution::Installing, fault::Fault},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{sync::watch, time::timeout};

/// How long it is kept how one ended that nobody was told of.
const KEPT: Duration = Duration::from_mins(1);

/// An agent, and the version as it was asked for.
type Key = (String, String);
type Ended = (Instant, Result<(), Fault>);

/// All of them. A cheap handle; the lock is held for a look-up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs(Arc<Mutex<BTreeMap<Key, Job>>>);

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Job {
    progress: Progress,
    ended: watch::Receiver<Option<Ended>>,
}

impl Jobs {
    /// Joins the one under way, or begins one.
    pub(super) fn begin<F>(&self, key: &Key, work: impl FnOnce(Progress) -> F) -> Job
    where
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let mut jobs = self.jobs();
        if let Some(job) = jobs.get(key)
            && job.is_fresh()
        {
            return job.clone();
        }
        let progress = Progress::default();
        let (end, ended) = watch::channel(None);
        let work = work(progress.clone());
        tokio::spawn(async move {
            let result = work.await;
            end.send_replace(Some((Instant::now(), result)));
        });
        let job = Job { progress, ended };
        jobs.insert(key.clone(), job.clone());
        job
    }

    /// Waits for the end of one, and forgets it then.
    pub(super) async fn wait(
        &self,
        key: &Key,
        mut job: Job,
        limit: Duration,
    ) -> Option<Result<(), Fault>> {
        let ended = match timeout(limit, job.ended.wait_for(Option::is_some)).await {
            Ok(Ok(ended)) => ended.clone().map(|(_, result)| result),
            Ok(Err(_gone)) => Some(Err(Fault::internal("the installation broke off"))),
            Err(_elapsed) => return None,
        };
        let mut jobs = self.jobs();
        if jobs
            .get(key)
            .is_some_and(|kept| kept.ended.same_channel(&job.ended))
        {
            jobs.remove(key);
        }
        ended
    }

    /// What is being installed of an agent now.
    pub(super) fn of(&self, agent: &str) -> Option<Installing> {
        let jobs = self.jobs();
        let mut own = jobs
            .iter()
            .filter(|((of, _), job)| of == agent && job.ended.borrow().is_none());
        own.next().map(|(_, job)| job.progress.now())
    }

    fn jobs(&self) -> MutexGuard<'_, BTreeMap<Key, Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Job {
    fn is_fresh(&self) -> bool {
        match &*self.ended.borrow() {
            None => self.ended.has_changed().is_ok(),
            // What is there already is found at once; and it may have been removed, or another pinned, since.
            Some((_, Ok(()))) => false,
            Some((at, Err(_))) => at.elapsed() < KEPT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Jobs;
    use crate::domain::fault::Fault;
    use std::{
        sync::{
            Arc,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };
    use tokio::sync::Notify;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn whoever_asks_joins_and_everybody_hears_the_end() {
        let (jobs, key) = (Jobs::default(), ("hawk".to_owned(), "1.0.0".to_owned()));
        let (begun, go) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let begin = || {
            let (begun, go) = (begun.clone(), go.clone());
            jobs.begin(&key, |progress| async move {
                begun.fetch_add(1, Ordering::SeqCst);
                progress.version("1.0.0");
                go.notified().await;
                Err(Fault::internal("as told"))
            })
        };
        let (one, two) = (begin(), begin());
        assert!(jobs.wait(&key, one.clone(), Duration::ZERO).await.is_none());
        tokio::task::yield_now().await;
        assert_eq!(jobs.of("hawk").unwrap().version, "1.0.0");
        assert_eq!(jobs.of("other"), None);
        go.notify_one();
        for job in [one, two] {
            assert!(jobs.wait(&key, job, LONG).await.unwrap().is_err());
        }
        assert_eq!(begun.load(Ordering::SeqCst), 1);
        assert_eq!(jobs.of("hawk"), None);
        // It was heard: the next is a new one.
        let next = begin();
        go.notify_one();
        assert!(jobs.wait(&key, next, LONG).await.is_some());
        assert_eq!(begun.load(Ordering::SeqCst), 2);
    }
}
