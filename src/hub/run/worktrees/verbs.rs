//! What a person does with a worktree: look, apply, keep, drop.

use super::Worktrees;
use crate::{
    api::run::RunDiff,
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        run::Run,
        worktree::{Worktree, WorktreeState},
    },
    workspace::worktree::Plan,
};
use std::path::Path;
use tokio::sync::OwnedMutexGuard;

/// Of one patch; more is for git itself to show.
const DIFF: usize = 512 * 1024;

/// A worktree that a person may decide about.
struct Found {
    worktree: Worktree,
    plan: Plan,
    runs: Vec<Run>,
}

impl Worktrees {
    /// Takes over what was done in it, and removes it.
    ///
    /// # Errors
    /// `in_use` naming the files that do not fit, or while one of its runs goes on; `not_found` when it is gone.
    pub(crate) async fn apply(&self, run: RunId) -> Result<(), Fault> {
        let (found, _door) = self.decided(run).await?;
        let _turn = self.turn(&found.plan).await;
        let changed = found.plan.apply().await?;
        tracing::info!(run.id = %run, files = changed.len(), "a worktree was taken over");
        // Written first: what was taken over may go whatever comes between.
        self.write(&found.runs, &found.worktree, WorktreeState::Applied)
            .await?;
        found.plan.remove().await
    }

    /// Keeps it until somebody applies or drops it.
    ///
    /// # Errors
    /// As [`Worktrees::apply`].
    pub(crate) async fn keep(&self, run: RunId) -> Result<(), Fault> {
        let (found, _door) = self.decided(run).await?;
        // What is in it need not be known for that, and a repository that is slow or broken is a reason to keep it.
        found.plan.there()?;
        self.write(&found.runs, &found.worktree, WorktreeState::Kept)
            .await
    }

    /// Removes it.
    ///
    /// # Errors
    /// `in_use` saying what would be lost, unless forced, or while one of its runs goes on.
    pub(crate) async fn discard(&self, run: RunId, force: bool) -> Result<(), Fault> {
        let (found, _door) = self.decided(run).await?;
        let _turn = self.turn(&found.plan).await;
        if !force && found.plan.made && found.plan.path.exists() {
            let lost = match found.plan.standing().await {
                Ok(standing) if standing.is_dirty() => Some(standing.losses()),
                Ok(_) => None,
                // Nobody can say what is in it.
                Err(fault) => Some(fault.detail),
            };
            if let Some(lost) = lost {
                let detail = format!("dropping the worktree would lose what is only there: {lost}");
                return Err(Fault::new(ErrorKind::InUse, detail)
                    .hint("look with `eyas run diff`, take it over with `eyas run apply`, or drop it with force"));
            }
        }
        found.plan.remove().await?;
        self.write(&found.runs, &found.worktree, WorktreeState::Dropped)
            .await
    }

    /// What was done in it; also while the run goes on.
    ///
    /// # Errors
    /// `not_found` when it is gone.
    pub(crate) async fn diff(&self, run: RunId) -> Result<RunDiff, Fault> {
        let (text, truncated) = self.found(run).await?.plan.diff(DIFF).await?;
        Ok(RunDiff { text, truncated })
    }

    /// With its door held, so that no run begins in it meanwhile.
    async fn decided(&self, run: RunId) -> Result<(Found, OwnedMutexGuard<()>), Fault> {
        let path = self.found(run).await?.plan.path;
        let door = self.door(&path).await;
        // Only now: somebody else may have decided.
        let found = self.found(run).await?;
        match found.runs.iter().find(|run| !run.state.is_terminal()) {
            None => Ok((found, door)),
            Some(open) => {
                let detail = format!("run {} works in this worktree and has not ended", open.id);
                Err(Fault::new(ErrorKind::InUse, detail).hint("wait for it, or cancel it"))
            }
        }
    }

    async fn found(&self, run: RunId) -> Result<Found, Fault> {
        let run = self.0.store.runs.get(run).await?;
        let Some(worktree) = run.worktree else {
            return Err(
                Fault::invalid("id", "is that of a run in the project's own tree")
                    .hint("only runs with isolation: worktree have a worktree"),
            );
        };
        let gone = match worktree.state {
            WorktreeState::Applied => Some("was applied"),
            WorktreeState::Dropped => Some("was dropped"),
            WorktreeState::Planned | WorktreeState::Open | WorktreeState::Kept => None,
        };
        if let Some(gone) = gone {
            let detail = format!("the worktree of run {} {gone}", run.id);
            return Err(Fault::new(ErrorKind::NotFound, detail));
        }
        let plan = Plan::noted(Path::new(&worktree.path))?;
        let runs = self.sharing(&worktree.path).await?;
        Ok(Found {
            worktree,
            plan,
            runs,
        })
    }
}
