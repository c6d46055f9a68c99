//! Worktrees of runs: planned when a run is accepted, made when its first attempt begins, looked at when it has ended.
//!
//! Several runs share one worktree when a conversation goes on in it; what becomes of it is written to all of them. Git's locks are not made
//! for many writers, so work on one repository takes turns; nothing that asks git holds what other repositories wait for.

mod collect;
mod quota;
mod verbs;

use crate::{
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        run::{Run, Warning},
        worktree::{Worktree, WorktreeState},
    },
    hub::rights::{on_disk, to_the_end},
    stdx,
    store::{Claimed, Store},
    workspace::{git, worktree::Plan},
};
use quota::{Quota, Room};
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Mutex as Turn, OwnedMutexGuard};

/// The worktrees of a home. A cheap handle.
#[derive(Clone, Debug)]
pub(crate) struct Worktrees(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    folder: PathBuf,
    max: usize,
    keep_ms: i64,
    quota: Quota,
    /// By a worktree's path: held by whoever lets that one go, or has a run begin in it until the run is on disk. Before a turn.
    doors: Turns,
    /// By the folder that all worktrees of a repository share.
    turns: Turns,
    /// Held by whoever looks through all of them: one at a time.
    collecting: Turn<()>,
    /// Runs that have not ended and have, or are to have, a worktree.
    open: Mutex<HashSet<RunId>>,
}

/// Turns by path.
type Turns = Mutex<HashMap<PathBuf, Arc<Turn<()>>>>;

/// A worktree that an attempt may work in.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) worktree: Worktree,
    /// It has not been set up yet.
    pub(crate) bare: bool,
    pub(crate) warnings: Vec<Warning>,
}

/// A worktree for a run which is not on disk yet. Until it is, the worktree does not go.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) worktree: Worktree,
    run: RunId,
    /// It is to be made.
    plan: Option<Plan>,
    worktrees: Worktrees,
    _room: Option<Room>,
    _door: OwnedMutexGuard<()>,
}

impl Place {
    /// The run was not accepted.
    pub(crate) fn withdraw(self) {
        self.worktrees.open().remove(&self.run);
        if let Some(plan) = &self.plan {
            plan.forget();
        }
    }
}

impl Worktrees {
    /// Those in `folder`: at most `max`, each for at most `keep_ms` after its run's end unless there is work in it.
    #[must_use]
    pub(crate) fn new(store: Store, folder: PathBuf, max: u64, keep_ms: u64) -> Self {
        Self(Arc::new(Inner {
            store,
            folder,
            max: usize::try_from(max).unwrap_or(usize::MAX),
            keep_ms: i64::try_from(keep_ms).unwrap_or(i64::MAX),
            quota: Quota::default(),
            doors: Turns::default(),
            turns: Turns::default(),
            collecting: Turn::default(),
            open: Mutex::default(),
        }))
    }

    /// A worktree of the repository at `root`, for a run that is about to be accepted.
    ///
    /// # Errors
    /// `invalid_params` where there is no git work tree with a commit; `in_use` when there are as many worktrees as may be.
    pub(crate) async fn plan(
        &self,
        run: RunId,
        root: &Path,
        label: Option<&str>,
    ) -> Result<Place, Fault> {
        let folder = self.folder().await?;
        let plan = Plan::draw(&folder, root, run, label).await?;
        let room = self.admit(&plan.path).await?;
        let door = self.door(&plan.path).await;
        let noted = plan.clone();
        on_disk(move || noted.note()).await?;
        self.open().insert(run);
        Ok(Place {
            worktree: Worktree {
                path: text(&plan.path)?,
                branch: plan.branch.clone(),
                base: Some(plan.base.clone()),
                state: WorktreeState::Planned,
                problem: None,
            },
            run,
            plan: Some(plan),
            worktrees: self.clone(),
            _room: Some(room),
            _door: door,
        })
    }

    /// The worktree of a conversation that goes on, if it has one.
    ///
    /// # Errors
    /// `not_found` when it is gone.
    pub(crate) async fn of_conversation(
        &self,
        run: RunId,
        cwd: &str,
    ) -> Result<Option<Place>, Fault> {
        let path = Path::new(cwd);
        let name = path.file_name().and_then(|name| name.to_str());
        // By its name first, as most have none, and where they lie is asked of the disk.
        let Some(first) = name.and_then(|name| name.parse::<RunId>().ok()) else {
            return Ok(None);
        };
        if path.parent() != Some(self.folder().await?.as_path()) {
            return Ok(None);
        }
        let door = self.door(path).await;
        let live = self.sharing(cwd).await?;
        if let Some(worktree) = live.into_iter().next().and_then(|run| run.worktree) {
            self.open().insert(run);
            return Ok(Some(Place {
                worktree,
                run,
                plan: None,
                worktrees: self.clone(),
                _room: None,
                _door: door,
            }));
        }
        Err(self.gone(first, cwd).await)
    }

    async fn gone(&self, first: RunId, cwd: &str) -> Fault {
        let state = match self.0.store.runs.get(first).await {
            Ok(run) => run.worktree.map(|worktree| worktree.state),
            Err(_) => None,
        };
        let what = match state {
            Some(WorktreeState::Applied) => "was applied",
            Some(
                WorktreeState::Dropped
                | WorktreeState::Planned
                | WorktreeState::Open
                | WorktreeState::Kept,
            )
            | None => "was dropped",
        };
        let detail = format!("the worktree of this conversation {what}: {cwd}");
        Fault::new(ErrorKind::NotFound, detail)
            .hint("begin a new conversation: leave out session and previous")
    }

    /// Makes the worktree of a claimed run, or takes the one that is there.
    ///
    /// # Errors
    /// What git says; `in_use` for one that is not what was made; `not_found` when nothing is known of it.
    pub(crate) async fn ready(&self, claimed: &Claimed) -> Result<Option<Ready>, Fault> {
        let Some(mut worktree) = claimed.run.worktree.clone() else {
            return Ok(None);
        };
        self.open().insert(claimed.lease.run);
        let mut plan = Plan::noted(Path::new(&worktree.path))?;
        let turn = self.turn(&plan).await;
        // An attempt may be stopped at any moment; a worktree that is half made would be in the way of the next.
        let (made, plan) = to_the_end(async move {
            let made = plan.make().await?;
            drop(turn);
            Ok((made, plan))
        })
        .await?;
        let bare = made.fresh || worktree.state == WorktreeState::Planned;
        if worktree.state != WorktreeState::Kept {
            worktree.state = WorktreeState::Open;
        }
        worktree.problem = None;
        worktree.base = Some(plan.base);
        Ok(Some(Ready {
            worktree,
            bare,
            warnings: filters_off(&made.unfiltered),
        }))
    }

    /// The set-up commands have ended in the worktree at `path`. Without a note of it, what they left counts as work.
    pub(crate) async fn set_up(&self, path: &str) {
        let path = PathBuf::from(path);
        let noted = on_disk(move || Plan::noted(&path)?.set_up()).await;
        if let Err(fault) = noted {
            tracing::warn!(%fault, "the end of a worktree's set-up was not noted");
        }
    }

    /// A run has ended. What it leaves of a worktree is looked at beside everything else.
    pub(crate) fn ended(&self, run: RunId) {
        if self.open().remove(&run) {
            let worktrees = self.clone();
            tokio::spawn(async move { worktrees.settle(run).await });
        }
    }

    /// Runs whose end is waited for.
    pub(crate) fn waited_for(&self) -> Vec<RunId> {
        self.open().iter().copied().collect()
    }

    /// Runs whose worktree is the one at `path`, as long as it is there.
    async fn sharing(&self, path: &str) -> Result<Vec<Run>, Fault> {
        let mut runs = self.0.store.runs.with_worktree().await?;
        runs.retain(|run| run.worktree.as_ref().is_some_and(|one| one.path == path));
        Ok(runs)
    }

    /// Where worktrees lie; real, as git will say it.
    async fn folder(&self) -> Result<PathBuf, Fault> {
        let folder = self.0.folder.clone();
        on_disk(move || {
            stdx::atomic::private_dir(&folder)
                .and_then(|()| folder.canonicalize())
                .map_err(|error| Fault::internal(format!("{}: {error}", folder.display())))
        })
        .await
    }

    /// The turn of whoever works on a plan's repository.
    async fn turn(&self, plan: &Plan) -> OwnedMutexGuard<()> {
        let shared = git::Git::at(&plan.repository).common_dir();
        let key = shared.unwrap_or_else(|| plan.repository.clone());
        in_turn(&self.0.turns, key).await
    }

    /// The door of the worktree at `path`.
    async fn door(&self, path: &Path) -> OwnedMutexGuard<()> {
        in_turn(&self.0.doors, path.to_owned()).await
    }

    fn open(&self) -> MutexGuard<'_, HashSet<RunId>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn in_turn(turns: &Turns, key: PathBuf) -> OwnedMutexGuard<()> {
    let turn = {
        let mut turns = turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        turns.entry(key).or_default().clone()
    };
    turn.lock_owned().await
}

fn text(path: &Path) -> Result<String, Fault> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Fault::invalid(
            "isolation",
            format_args!(
                "worktree needs a home whose path is UTF-8: {}",
                path.display()
            ),
        )
    })
}

/// Filters are programs that the repository names; the hub runs none of them.
fn filters_off(unfiltered: &[String]) -> Vec<Warning> {
    if unfiltered.is_empty() {
        return Vec::new();
    }
    let detail = format!(
        "files with a filter stand in the worktree as the repository stores them, large ones as pointers: {}",
        unfiltered.join(", ")
    );
    vec![Warning::new("filters_off", detail)]
}
