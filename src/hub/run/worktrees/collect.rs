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
use futures::{StreamExt as _, stream};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Worktrees that are looked at beside each other.
const BESIDE: usize = 8;

/// A worktree with the runs that work or worked in it, oldest first.
pub(super) type Shared = BTreeMap<String, Vec<Run>>;

impl Worktrees {
    /// What a former hub left; answers which are gone by it.
    pub(crate) async fn tidy(&self) -> Vec<String> {
        let _one = self.0.collecting.lock().await;
        let before = self.folders().await.unwrap_or_default();
        if let Err(fault) = self.collect(true).await {
            tracing::warn!(%fault, "old worktrees were not collected");
        }
        let Ok(after) = self.folders().await else {
            return Vec::new();
        };
        let gone = before.into_iter().filter(|path| !after.contains(path));
        gone.map(|path| path.display().to_string()).collect()
    }

    /// The end of a run in a worktree: without changes it goes. And what is old by now.
    pub(super) async fn settle(&self, run: RunId) {
        let settled = async {
            if let Some(worktree) = self.0.store.runs.get(run).await?.worktree
                && let Err(fault) = self.look_after(&worktree.path).await
            {
                self.unseen(&worktree.path, &fault).await?;
                return Err(fault);
            }
            // Whoever does that now finds what is old as well.
            match self.0.collecting.try_lock() {
                Ok(_one) => self.collect(false).await,
                Err(_taken) => Ok(()),
            }
        };
        let settled: Result<(), Fault> = settled.await;
        if let Err(fault) = settled {
            tracing::warn!(run.id = %run, %fault, "a worktree was not looked at after its run");
        }
    }

    pub(super) async fn shared(&self) -> Result<Shared, Fault> {
        let mut shared = Shared::new();
        for run in self.0.store.runs.with_worktree().await? {
            if let Some(worktree) = &run.worktree {
                shared.entry(worktree.path.clone()).or_default().push(run);
            }
        }
        Ok(shared)
    }

    /// Removes what nobody needs: whose run has ended long ago and in which nothing would be lost; when `thorough`, also what a hub did not
    /// come to remove when its run ended. By one at a time.
    pub(super) async fn collect(&self, thorough: bool) -> Result<(), Fault> {
        let shared = self.shared().await?;
        let looked = shared
            .iter()
            .filter(|(_, runs)| thorough || self.are_old(runs));
        // Beside each other, since one repository may be slow; those of one take turns.
        stream::iter(looked)
            .for_each_concurrent(BESIDE, async |(path, _)| {
                if let Err(fault) = self.look_after(path).await {
                    tracing::warn!(path, %fault, "a worktree was not looked at");
                }
            })
            .await;
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
        let _door = self.door(Path::new(path)).await;
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
                        // It could be looked at by now.
                        state if last.problem.is_some() => self.write(&runs, &last, state).await,
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

    /// Nobody could look into it: it stays, and its runs say why.
    async fn unseen(&self, path: &str, fault: &Fault) -> Result<(), Fault> {
        let problem = format!("it could not be looked at after its run, and stays: {fault}");
        for run in self.sharing(path).await? {
            let Some(worktree) = run.worktree.filter(|_| run.state.is_terminal()) else {
                continue;
            };
            let now = Worktree {
                problem: Some(problem.clone()),
                ..worktree
            };
            self.0.store.runs.set_worktree(run.id, now).await?;
        }
        Ok(())
    }

    /// The last of them ended long enough ago.
    fn are_old(&self, runs: &[Run]) -> bool {
        let ends: Option<Vec<i64>> = runs.iter().map(|run| run.ended_at.map(|at| at.0)).collect();
        let last = ends.and_then(|ends| ends.into_iter().max());
        last.is_some_and(|at| clock::now_ms().saturating_sub(at) >= self.0.keep_ms)
    }

    /// One that no row of a run speaks of. Taken over already, it goes; else only when nothing would be lost.
    async fn forgotten(&self, path: &Path) -> Result<(), Fault> {
        let _door = self.door(path).await;
        // Only now: a run may have come on disk for it since it was found.
        if !self.sharing(&path.to_string_lossy()).await?.is_empty() {
            return Ok(());
        }
        let plan = match Plan::noted(path) {
            // It went meanwhile.
            Err(fault) if fault.kind == ErrorKind::NotFound && !path.exists() => return Ok(()),
            noted => noted?,
        };
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
    pub(super) async fn folders(&self) -> Result<Vec<PathBuf>, Fault> {
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
            problem: None,
            ..worktree.clone()
        };
        for run in runs {
            self.0.store.runs.set_worktree(run.id, now.clone()).await?;
        }
        Ok(())
    }
}

pub(super) fn knows(shared: &Shared, path: &Path) -> bool {
    path.to_str().is_some_and(|path| shared.contains_key(path))
}
