//! What becomes of worktrees by themselves: one without changes goes with its run, an old one goes when nothing would be lost.

use super::Worktrees;
use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        run::Run,
        worktree::{Worktree, WorktreeState},
    },
    hub::rights::on_disk,
    stdx::clock,
    store::StoreError,
    workspace::worktree::Plan,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// How many are named when there are too many.
const NAMED: usize = 3;

/// A worktree with the runs that work or worked in it, oldest first.
type Shared = BTreeMap<String, Vec<Run>>;

impl Worktrees {
    /// What a former hub left.
    pub(crate) async fn tidy(&self) {
        let _entry = self.0.entry.lock().await;
        if let Err(fault) = self.collect(true).await {
            tracing::warn!(%fault, "old worktrees were not collected");
        }
    }

    /// The end of a run in a worktree: without changes it goes. And what is old by now.
    pub(super) async fn settle(&self, run: RunId) {
        let _entry = self.0.entry.lock().await;
        let settled = async {
            if let Some(worktree) = self.0.store.runs.get(run).await?.worktree {
                self.look_after(&worktree.path).await?;
            }
            self.collect(false).await
        };
        let settled: Result<(), Fault> = settled.await;
        if let Err(fault) = settled {
            tracing::warn!(run.id = %run, %fault, "a worktree was not looked at after its run");
        }
    }

    /// As many as may be are too many for one more, once those that nobody needs are gone.
    pub(super) async fn admit(&self) -> Result<(), Fault> {
        if self.count().await?.0 < self.0.max {
            return Ok(());
        }
        self.collect(true).await?;
        let (count, shared) = self.count().await?;
        if count < self.0.max {
            return Ok(());
        }
        let mut oldest: Vec<&Run> = shared.values().filter_map(|runs| runs.first()).collect();
        oldest.sort_by_key(|run| run.created_at.0);
        let named: Vec<String> = oldest
            .iter()
            .take(NAMED)
            .map(|run| format!("{} of {}", run.id, run.created_at))
            .collect();
        let detail = format!(
            "{count} worktrees are there, and worktrees.max is {}; the oldest are those of the runs {}",
            self.0.max,
            named.join(", ")
        );
        Err(Fault::new(ErrorKind::InUse, detail)
            .field("isolation")
            .hint(
                "look with `eyas run diff RUN`, then `eyas run apply RUN` or `eyas run drop RUN`",
            ))
    }

    /// How many there are, those of forgotten runs too.
    async fn count(&self) -> Result<(usize, Shared), Fault> {
        let shared = self.shared().await?;
        let forgotten = self.folders().await?;
        let forgotten = forgotten
            .iter()
            .filter(|path| !knows(&shared, path))
            .count();
        Ok((shared.len() + forgotten, shared))
    }

    async fn shared(&self) -> Result<Shared, Fault> {
        let mut shared = Shared::new();
        for run in self.0.store.runs.with_worktree().await? {
            if let Some(worktree) = &run.worktree {
                shared.entry(worktree.path.clone()).or_default().push(run);
            }
        }
        Ok(shared)
    }

    /// Removes what nobody needs: whose run has ended long ago and in which nothing would be lost; when `thorough`, also what a hub did not
    /// come to remove when its run ended. Under the entry's turn.
    async fn collect(&self, thorough: bool) -> Result<(), Fault> {
        let shared = self.shared().await?;
        for (path, runs) in &shared {
            if (thorough || self.are_old(runs))
                && let Err(fault) = self.look_after(path).await
            {
                tracing::warn!(path, %fault, "a worktree was not looked at");
            }
        }
        for path in self.folders().await? {
            if !knows(&shared, &path)
                && let Err(fault) = self.forgotten(&path).await
            {
                tracing::info!(path = %path.display(), %fault, "a worktree without a run stays");
            }
        }
        Ok(())
    }

    /// One with its runs: it goes when they all have ended and left nothing, or nothing that is not elsewhere for long enough.
    async fn look_after(&self, path: &str) -> Result<(), Fault> {
        let plan = match Plan::noted(Path::new(path)) {
            Ok(plan) => Some(plan),
            Err(fault) if fault.kind == ErrorKind::NotFound && !Path::new(path).exists() => None,
            Err(fault) => return Err(fault),
        };
        let _turn = match &plan {
            Some(plan) => Some(self.turn(plan).await),
            None => None,
        };
        // Only now: a person may have decided meanwhile.
        let runs = self.sharing(path).await?;
        let kept = |worktree: &Worktree| worktree.state == WorktreeState::Kept;
        let Some(last) = runs.last().and_then(|run| run.worktree.clone()) else {
            return Ok(());
        };
        if runs
            .iter()
            .any(|run| !run.state.is_terminal() || run.worktree.as_ref().is_some_and(kept))
        {
            return Ok(());
        }
        if let Some(plan) = plan {
            if plan.made && plan.path.exists() {
                let standing = plan.standing().await?;
                if standing.is_dirty() || (standing.changed && !self.are_old(&runs)) {
                    return match last.state {
                        WorktreeState::Planned => {
                            self.write(&runs, &last, WorktreeState::Open).await
                        }
                        WorktreeState::Open
                        | WorktreeState::Kept
                        | WorktreeState::Applied
                        | WorktreeState::Dropped => Ok(()),
                    };
                }
            }
            plan.remove().await?;
            tracing::info!(path, "removed a worktree in which nothing would be lost");
        }
        self.write(&runs, &last, WorktreeState::Dropped).await
    }

    /// The last of them ended long enough ago.
    fn are_old(&self, runs: &[Run]) -> bool {
        let ends: Option<Vec<i64>> = runs.iter().map(|run| run.ended_at.map(|at| at.0)).collect();
        let last = ends.and_then(|ends| ends.into_iter().max());
        last.is_some_and(|at| clock::now_ms().saturating_sub(at) >= self.0.keep_ms)
    }

    /// One that no row of a run speaks of. Taken over already, it goes; else only when nothing would be lost.
    async fn forgotten(&self, path: &Path) -> Result<(), Fault> {
        let plan = Plan::noted(path)?;
        let run = path
            .file_name()
            .and_then(|name| name.to_str()?.parse::<RunId>().ok());
        let state = match run {
            Some(run) => match self.0.store.runs.get(run).await {
                Ok(run) => run.worktree.map(|worktree| worktree.state),
                Err(StoreError::NotFound { .. }) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let _turn = self.turn(&plan).await;
        let done = matches!(state, Some(WorktreeState::Applied | WorktreeState::Dropped));
        if !done && plan.made && plan.path.exists() {
            let standing = plan.standing().await?;
            if standing.is_dirty() {
                return Err(Fault::new(ErrorKind::InUse, standing.losses()));
            }
        }
        plan.remove().await
    }

    /// What stands in the folder, by the paths that worktrees have: a worktree, or the note of one.
    async fn folders(&self) -> Result<Vec<PathBuf>, Fault> {
        let folder = self.folder().await?;
        on_disk(move || {
            let listed = std::fs::read_dir(&folder)
                .map_err(|error| Fault::internal(format!("{}: {error}", folder.display())))?;
            let mut found: Vec<PathBuf> = listed
                .flatten()
                .map(|entry| entry.path().with_extension(""))
                .filter(|path| {
                    let name = path.file_name().and_then(|name| name.to_str());
                    name.is_some_and(|name| name.parse::<RunId>().is_ok())
                })
                .collect();
            found.sort();
            found.dedup();
            Ok(found)
        })
        .await
    }

    /// Writes to all its runs what has become of it.
    pub(super) async fn write(
        &self,
        runs: &[Run],
        worktree: &Worktree,
        state: WorktreeState,
    ) -> Result<(), Fault> {
        let now = Worktree {
            state,
            ..worktree.clone()
        };
        for run in runs {
            self.0.store.runs.set_worktree(run.id, now.clone()).await?;
        }
        Ok(())
    }
}

fn knows(shared: &Shared, path: &Path) -> bool {
    path.to_str().is_some_and(|path| shared.contains_key(path))
}
