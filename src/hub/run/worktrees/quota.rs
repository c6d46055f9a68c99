//! As many worktrees as may be: a look before each new one, which asks no repository unless there is no room.

use super::{Worktrees, collect::Shared};
use crate::domain::{
    fault::{ErrorKind, Fault},
    run::Run,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex as Turn, time::timeout};

/// How many are named when there are too many.
const NAMED: usize = 3;
/// For those that nobody needs to go. A repository that answers later than this has its worktrees counted.
const CLEARING: Duration = Duration::from_secs(15);

/// What counts before any run is on disk for it.
#[derive(Debug, Default)]
pub(super) struct Quota {
    /// Held from the count until the new one is among the planned: never while a repository is asked.
    count: Turn<()>,
    planned: Arc<Mutex<BTreeSet<PathBuf>>>,
}

/// Room for one worktree; given back when dropped, by when the run is on disk or will never be.
#[derive(Debug)]
pub(super) struct Room {
    path: PathBuf,
    planned: Arc<Mutex<BTreeSet<PathBuf>>>,
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut planned = self.planned.lock().unwrap_or_else(PoisonError::into_inner);
        planned.remove(&self.path);
    }
}

impl Worktrees {
    /// Room for one more at `path`. When there is none, those that nobody needs go first.
    ///
    /// # Errors
    /// `in_use` naming the oldest, with the commands that make room.
    pub(super) async fn admit(&self, path: &Path) -> Result<Room, Fault> {
        if let Ok(room) = self.room(path).await? {
            return Ok(room);
        }
        let worktrees = self.clone();
        // Of its own: it goes on when it takes longer than anybody waits.
        let clearing = tokio::spawn(async move {
            let _one = worktrees.0.collecting.lock().await;
            worktrees.collect(true).await
        });
        match timeout(CLEARING, clearing).await {
            Ok(cleared) => cleared.map_err(Fault::internal)??,
            Err(_late) => tracing::warn!("a repository is slow to tell of its worktrees"),
        }
        match self.room(path).await? {
            Ok(room) => Ok(room),
            Err((count, shared)) => Err(full(count, self.0.max, &shared)),
        }
    }

    /// Room, or how many there are and those of runs.
    async fn room(&self, path: &Path) -> Result<Result<Room, (usize, Shared)>, Fault> {
        let quota = &self.0.quota;
        let _count = quota.count.lock().await;
        // In this order: what is planned comes on disk, and not the other way.
        let mut all = quota.planned().clone();
        let shared = self.shared().await?;
        all.extend(self.folders().await?);
        all.extend(shared.keys().map(PathBuf::from));
        if all.len() >= self.0.max {
            return Ok(Err((all.len(), shared)));
        }
        quota.planned().insert(path.to_owned());
        Ok(Ok(Room {
            path: path.to_owned(),
            planned: quota.planned.clone(),
        }))
    }
}

impl Quota {
    fn planned(&self) -> std::sync::MutexGuard<'_, BTreeSet<PathBuf>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full(count: usize, max: usize, shared: &Shared) -> Fault {
    let ended = |runs: &&Vec<Run>| runs.iter().all(|run| run.state.is_terminal());
    let mut oldest: Vec<&Run> = shared
        .values()
        .filter(ended)
        .filter_map(|runs| runs.first())
        .collect();
    oldest.sort_by_key(|run| run.created_at.0);
    let detail = format!("{count} worktrees are there, and worktrees.max is {max}");
    let fault = |detail: String| Fault::new(ErrorKind::InUse, detail).field("isolation");
    let Some(first) = oldest.first() else {
        return fault(detail).hint(
            "all of them are at work or of no run that is known: wait for a run to end, or set worktrees.max higher",
        );
    };
    let named: Vec<String> = oldest
        .iter()
        .take(NAMED)
        .map(|run| format!("{} of {}", run.id, run.created_at))
        .collect();
    let detail = format!(
        "{detail}; the oldest whose runs have ended are those of {}",
        named.join(", ")
    );
    let id = first.id;
    fault(detail).hint(format!(
        "look with `eyas run diff {id}`, then take it over with `eyas run apply {id}` or let it go with `eyas run drop {id}`"
    ))
}
