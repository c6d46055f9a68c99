//! What Eyas itself sees of a run's work: its tree before the first turn, and what has become of it.

use crate::{
    domain::{
        conclusion::{Changes, Conclusion},
        ids::{ProjectId, RunId},
        policy::Grounds,
        run::Run,
    },
    stdx::clock,
    store::{PageAt, RunFilter, Store, StoreError},
    workspace::git::{Git, GitError, Snapshot},
};
use std::{collections::HashSet, future::Future, time::Duration};
use tokio_util::task::AbortOnDropHandle;

/// For a snapshot; an agent waits for its prompt no longer than that.
const BEFORE: Duration = Duration::from_secs(5);
/// For what changed since.
const AFTER: Duration = Duration::from_secs(8);
/// Runs of a project that are looked at for overlaps.
const RUNS: u32 = 100;
const NAMED: usize = 10;

/// The eyes of one attempt.
#[derive(Debug, Default)]
pub(super) struct Witness {
    pub(super) grounds: Option<Grounds>,
    /// Since when.
    begun_ms: i64,
    taking: Option<AbortOnDropHandle<Result<Snapshot, GitError>>>,
    taken: Option<Result<Snapshot, GitError>>,
}

impl Witness {
    /// Begins to look at where the run works, beside whatever else is done. A tree without git, or of an agent that changes nothing, is not
    /// looked at.
    pub(super) fn begin(&mut self, grounds: Grounds, changes_nothing: bool) {
        if self.grounds.is_some() {
            return;
        }
        self.begun_ms = clock::now_ms();
        let git = Git::at(&grounds.cwd);
        if !changes_nothing && git.is_repository() {
            let take = async move { in_time(BEFORE, Snapshot::take(&git)).await };
            self.taking = Some(AbortOnDropHandle::new(tokio::spawn(take)));
        }
        self.grounds = Some(grounds);
    }

    /// Returns when the tree has been seen as it is before the prompt.
    pub(super) async fn ready(&mut self) {
        if let Some(taking) = self.taking.take() {
            let taken = taking.await;
            self.taken =
                Some(taken.unwrap_or_else(|error| Err(GitError::Io(std::io::Error::other(error)))));
        }
    }

    /// What has changed in the tree; an error says why that is not known.
    pub(super) async fn changes(&self) -> Result<Option<Changes>, GitError> {
        let (Some(grounds), Some(taken)) = (&self.grounds, &self.taken) else {
            return Ok(None);
        };
        match taken {
            Ok(snapshot) => {
                let git = Git::at(&grounds.cwd);
                in_time(AFTER, git.changes_since(snapshot)).await.map(Some)
            }
            Err(GitError::NoRepository(_)) => Ok(None),
            Err(error) => Err(GitError::Failed {
                what: "snapshot".to_owned(),
                detail: error.to_string(),
            }),
        }
    }

    /// Names the runs of the project that worked at the same time and changed the same files. One that goes on will name this run itself.
    pub(super) async fn overlaps(
        &self,
        store: &Store,
        run: &Run,
        conclusion: &mut Conclusion,
    ) -> Result<(), StoreError> {
        let (Some(project), Some(changes)) = (run.project, &mut conclusion.changes) else {
            return Ok(());
        };
        if changes.files.is_empty() {
            return Ok(());
        }
        let ours: HashSet<&str> = changes
            .files
            .iter()
            .map(|file| file.path.as_str())
            .collect();
        let mut others: Vec<RunId> = Vec::new();
        let mut files: Vec<String> = Vec::new();
        for other in recent(store, project).await? {
            let ended = other.ended_at.is_some_and(|at| at.0 >= self.begun_ms);
            let theirs = other.conclusion.and_then(|said| said.changes);
            let Some(theirs) = theirs.filter(|_| ended && other.id != run.id) else {
                continue;
            };
            let both = theirs.files.into_iter().map(|file| file.path);
            let both: Vec<String> = both.filter(|path| ours.contains(path.as_str())).collect();
            if !both.is_empty() {
                others.push(other.id);
                files.extend(both);
            }
        }
        if others.is_empty() {
            return Ok(());
        }
        files.sort();
        files.dedup();
        files.truncate(NAMED);
        let ids: Vec<String> = others.iter().take(NAMED).map(RunId::to_string).collect();
        changes.overlaps = others;
        conclusion.warnings.push(format!(
            "changed at the same time by run {}: {}",
            ids.join(", "),
            files.join(", ")
        ));
        Ok(())
    }
}

async fn recent(store: &Store, project: ProjectId) -> Result<Vec<Run>, StoreError> {
    let filter = RunFilter {
        project: Some(project),
        ..RunFilter::default()
    };
    let page = PageAt {
        cursor: None,
        limit: RUNS,
    };
    Ok(store.runs.list(filter, page).await?.items)
}

async fn in_time<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, GitError>>,
) -> Result<T, GitError> {
    match tokio::time::timeout(limit, asked).await {
        Ok(came) => came,
        Err(_late) => Err(GitError::Late {
            what: "inspection".to_owned(),
            limit_ms: limit.as_millis(),
        }),
    }
}
