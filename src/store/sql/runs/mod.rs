//! Runs in SQL: one write, one file.

pub(super) mod accept;
pub(super) mod append;
pub(super) mod archive;
pub(super) mod back;
pub(super) mod cancel;
pub(super) mod caps;
pub(super) mod claim;
pub(super) mod extras;
pub(super) mod finish;
pub(super) mod overflow;
pub(super) mod prune;
pub(super) mod read;
pub(super) mod recover;
pub(super) mod release;
pub(super) mod renew;
pub(super) mod sessions;
pub(super) mod stats;
pub(super) mod sweep;
pub(super) mod trail;
pub(super) mod tree;
pub(super) mod worktree;

use super::{Base, classes, writer::Then};
use crate::{
    domain::{
        breaker::ClassView,
        event::NewEvent,
        ids::{HubId, ProjectId, RunId, SessionId},
        page::Page,
        run::{Attempt, Run, RunState, Waiting},
        stats::RunStats,
        time::Timestamp,
        usage::TreeUsage,
        worktree::Worktree,
    },
    store::{
        Accepted, Asked, Back, Claimed, Finish, KeyedSession, Lease, NewRun, PageAt, Progress,
        Release, Renewed, RunFilter, Runs, SessionKey, SessionRow, StatsFilter, StoreError,
    },
};
use async_trait::async_trait;

/// The aggregate.
#[derive(Debug)]
pub(super) struct SqlRuns {
    pub(super) base: Base,
    /// Where more than so many wait for a slot of a class, some go cold; `None`: all wait.
    pub(super) overflow: Option<u32>,
}

impl SqlRuns {
    async fn accepted(&self, taken: accept::Taken) -> Result<Accepted, StoreError> {
        match taken {
            accept::Taken::Fresh(row) => Ok(Accepted {
                run: (*row).try_into()?,
                duplicate: false,
            }),
            accept::Taken::Seen(earlier) => Ok(Accepted {
                run: read::run(&self.base.readers, earlier).await?,
                duplicate: true,
            }),
        }
    }

    fn claiming(&self, holder: HubId, limit: u32, lease_ms: i64) -> claim::Claim {
        claim::Claim {
            holder,
            place: self.base.place.clone(),
            limit,
            lease_ms,
            overflow: self.overflow,
        }
    }
}

#[async_trait]
impl Runs for SqlRuns {
    async fn accept(&self, run: NewRun) -> Result<Accepted, StoreError> {
        let accept = accept::Accept::new(run, &self.base.redactor, &self.base.place)?;
        let taken = self.base.writer.send(accept).await?;
        self.accepted(taken).await
    }

    async fn accept_and_claim(
        &self,
        run: NewRun,
        holder: HubId,
        lease_ms: i64,
    ) -> (
        Result<Accepted, StoreError>,
        Result<Option<Claimed>, StoreError>,
    ) {
        let accept = match accept::Accept::new(run, &self.base.redactor, &self.base.place) {
            Ok(accept) => accept,
            Err(error) => return (Err(error), Ok(None)),
        };
        let claim = self.claiming(holder, 1, lease_ms);
        let (taken, claimed) = self.base.writer.send_both(accept, claim).await;
        let accepted = match taken {
            Ok(taken) => self.accepted(taken).await,
            Err(error) => Err(error),
        };
        (accepted, claimed.map(|claimed| claimed.into_iter().next()))
    }

    async fn ready(&self) -> Result<bool, StoreError> {
        claim::any(&self.base.readers, self.base.place.get(), self.overflow).await
    }

    async fn keyed(&self, scope: &str, key: &str) -> Result<Option<(String, RunId)>, StoreError> {
        read::keyed(&self.base.readers, scope, key).await
    }

    async fn claim(
        &self,
        holder: HubId,
        limit: u32,
        lease_ms: i64,
    ) -> Result<Vec<Claimed>, StoreError> {
        let claim = self.claiming(holder, limit, lease_ms);
        self.base.writer.send(claim).await
    }

    async fn renew(&self, leases: Vec<Lease>, lease_ms: i64) -> Result<Vec<Renewed>, StoreError> {
        if leases.is_empty() {
            return Ok(Vec::new());
        }
        self.base
            .writer
            .send(renew::Renew { leases, lease_ms })
            .await
    }

    async fn overdue(&self, holder: HubId) -> Result<Vec<Lease>, StoreError> {
        renew::overdue(&self.base.readers, holder).await
    }

    async fn append(&self, lease: Lease, progress: Progress) -> Result<(), StoreError> {
        let append = append::Append::new(lease, progress, &self.base.redactor);
        self.base.writer.send(append).await
    }

    async fn trail(&self, run: RunId, events: Vec<NewEvent>) -> Result<(), StoreError> {
        let trail = trail::Trail::new(run, events, &self.base.redactor);
        self.base.writer.send(trail).await
    }

    async fn finish(&self, lease: Lease, finish: Finish) -> Result<(), StoreError> {
        let end = finish::End::new(lease, finish, &self.base.redactor)?;
        self.base.writer.send(end).await
    }

    async fn finish_and_claim(
        &self,
        lease: Lease,
        finish: Finish,
        holder: HubId,
        lease_ms: i64,
    ) -> Result<Option<Claimed>, StoreError> {
        let end = finish::End::new(lease, finish, &self.base.redactor)?;
        let both = Then(end, self.claiming(holder, 1, lease_ms));
        let ((), claimed) = self.base.writer.send(both).await?;
        Ok(claimed.into_iter().next())
    }

    async fn release(&self, lease: Lease, release: Release) -> Result<(), StoreError> {
        let back = release::GiveBack::new(lease, release, &self.base.redactor);
        self.base.writer.send(back).await
    }

    async fn back(&self, lease: Lease, back: Back) -> Result<(), StoreError> {
        let back = back::Again::new(lease, back, &self.base.redactor)?;
        self.base.writer.send(back).await
    }

    async fn wake(&self, waiting: Waiting) -> Result<(), StoreError> {
        // Most often nobody waits, and a look costs no commit.
        if !release::anyone(&self.base.readers, waiting).await? {
            return Ok(());
        }
        self.base.writer.send(release::Wake { waiting }).await
    }

    async fn cancel(&self, run: RunId, reason: String) -> Result<RunState, StoreError> {
        let reason = self.base.redactor.redact(&reason).into_owned();
        self.base.writer.send(cancel::Cancel { run, reason }).await
    }

    async fn recover(&self, alive: Vec<HubId>) -> Result<Vec<RunId>, StoreError> {
        self.base
            .writer
            .send(recover::Recover {
                alive,
                place: self.base.place.clone(),
            })
            .await
    }

    async fn sweep(&self, own: HubId) -> Result<Option<i64>, StoreError> {
        let next = sweep::next(&self.base.readers, own).await?;
        if next.is_none_or(|ms| ms > 0) {
            return Ok(next);
        }
        self.base.writer.send(sweep::Sweep { own }).await?;
        sweep::next(&self.base.readers, own).await
    }

    async fn prune(&self, ended_before: Timestamp) -> Result<u32, StoreError> {
        self.base.writer.send(prune::Prune { ended_before }).await
    }

    async fn get(&self, run: RunId) -> Result<Run, StoreError> {
        read::run(&self.base.readers, run).await
    }

    async fn list(&self, filter: RunFilter, page: PageAt) -> Result<Page<Run>, StoreError> {
        read::list(&self.base.readers, &filter, self.base.place.get(), &page).await
    }

    async fn attempts(&self, run: RunId) -> Result<Vec<Attempt>, StoreError> {
        read::attempts(&self.base.readers, run).await
    }

    async fn session(&self, session: SessionId) -> Result<SessionRow, StoreError> {
        read::session(&self.base.readers, session).await
    }

    async fn children(&self, run: RunId) -> Result<Vec<RunId>, StoreError> {
        tree::children(&self.base.readers, run).await
    }

    async fn tree_usage(&self, run: RunId) -> Result<TreeUsage, StoreError> {
        tree::usage(&self.base.readers, run).await
    }

    async fn set_worktree(&self, run: RunId, worktree: Worktree) -> Result<(), StoreError> {
        let set = worktree::SetWorktree { run, worktree };
        self.base.writer.send(set).await
    }

    async fn with_worktree(&self) -> Result<Vec<Run>, StoreError> {
        worktree::left(&self.base.readers, self.base.place.get()).await
    }

    async fn sessions(
        &self,
        project: ProjectId,
        page: PageAt,
    ) -> Result<Page<SessionRow>, StoreError> {
        sessions::of(&self.base.readers, project, &page).await
    }

    async fn keyed_session(&self, key: &SessionKey) -> Result<Option<KeyedSession>, StoreError> {
        extras::named(&self.base.readers, key).await
    }

    async fn archive(&self, run: RunId, archived: bool) -> Result<RunState, StoreError> {
        self.base
            .writer
            .send(archive::Archive { run, archived })
            .await
    }

    async fn asked(&self, holder: HubId) -> Result<Vec<Asked>, StoreError> {
        cancel::asked(&self.base.readers, holder).await
    }

    async fn stats(&self, filter: StatsFilter) -> Result<RunStats, StoreError> {
        stats::stats(&self.base.readers, &filter).await
    }

    async fn open(&self, project: Option<ProjectId>) -> Result<u32, StoreError> {
        read::open(&self.base.readers, self.base.place.get(), project).await
    }

    async fn classes(&self) -> Result<Vec<ClassView>, StoreError> {
        classes::list(&self.base).await
    }

    async fn set_default_cap(&self, default_cap: u32) -> Result<(), StoreError> {
        self.base.set_caps(default_cap, None).await
    }
}
