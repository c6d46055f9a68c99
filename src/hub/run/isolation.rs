//! Where a run works: in its project's tree, in a worktree of its own, or in that of the conversation which it continues.

use super::{RunDesk, delegate::LAST_RESORT, lineage::Origin, worktrees::Place};
use crate::{
    api::run::Delegate,
    domain::{
        fault::{ErrorKind, Fault},
        host::Host,
        ids::RunId,
        run::Mode,
        worktree::{Isolation, Worktree},
    },
    store::SessionRow,
};
use std::path::PathBuf;

/// Where a run works: in a worktree, or in the tree of its project.
#[derive(Debug)]
pub(super) struct Spot(Option<Place>);

impl Spot {
    /// In the tree of its project.
    pub(super) fn shared() -> Self {
        Self(None)
    }

    pub(super) fn isolation(&self) -> Isolation {
        match self.0 {
            Some(_) => Isolation::Worktree,
            None => Isolation::Shared,
        }
    }

    pub(super) fn worktree(&self) -> Option<Worktree> {
        self.0.as_ref().map(|place| place.worktree.clone())
    }

    /// What a project prefers in general does not hold where no agent can be warm.
    pub(super) fn mode(&self, asked: Mode) -> Mode {
        match (&self.0, asked) {
            (Some(_), Mode::Warm) => Mode::Auto,
            (_, asked) => asked,
        }
    }

    /// The run was not accepted, or had been before.
    pub(super) fn withdraw(self) {
        if let Some(place) = self.0 {
            place.withdraw();
        }
    }
}

impl RunDesk {
    /// Where a run works, and the tree in which it takes its turn with other writers.
    ///
    /// # Errors
    /// As [`RunDesk::spot`]; `busy` when the run would wait for a tree that its own parent holds.
    pub(super) async fn settle(
        &self,
        params: &Delegate,
        origin: &Origin<'_>,
        session: &mut SessionRow,
        (run, away): (RunId, Option<&Host>),
    ) -> Result<(Spot, Option<String>), Fault> {
        if let Some(host) = away {
            return self.settle_away(params, origin, session, host).await;
        }
        let spot = self.spot(params, origin, session, run).await?;
        let waits = !params.concurrent && session.agent != LAST_RESORT;
        let tree = (waits && spot.isolation() == Isolation::Shared).then(|| session.cwd.clone());
        let free = self.not_waiting_for_its_parent(origin, tree.as_deref(), None);
        match free.await {
            Ok(()) => Ok((spot, tree)),
            Err(fault) => {
                spot.withdraw();
                Err(fault)
            }
        }
    }

    /// Decides where a run works, and has a new conversation begin there.
    ///
    /// # Errors
    /// `invalid_params` on `isolation` where there can be no worktree, or where the conversation is elsewhere; `in_use` at the quota.
    async fn spot(
        &self,
        params: &Delegate,
        origin: &Origin<'_>,
        session: &mut SessionRow,
        run: RunId,
    ) -> Result<Spot, Fault> {
        if params.session.is_some() || params.previous.is_some() {
            return self.same(params, &session.cwd, run).await;
        }
        // A child has a tree of its own where there can be one: its parent holds the project's while it waits.
        let child = matches!(origin, Origin::Agent(_))
            && !params.concurrent
            && params.mode != Some(Mode::Warm)
            && session.agent != LAST_RESORT;
        match params.isolation {
            Some(Isolation::Shared) => return Ok(Spot(None)),
            None if !child => return Ok(Spot(None)),
            Some(Isolation::Worktree) | None => not_warm(params)?,
        }
        let root = PathBuf::from(&session.cwd);
        let planned = self
            .worktrees
            .plan(run, &root, params.label.as_deref())
            .await;
        let place = match planned {
            Err(fault) if params.isolation.is_none() && fault.kind == ErrorKind::InvalidParams => {
                return Ok(Spot(None));
            }
            planned => planned?,
        };
        session.cwd.clone_from(&place.worktree.path);
        Ok(Spot(Some(place)))
    }

    async fn same(&self, params: &Delegate, cwd: &str, run: RunId) -> Result<Spot, Fault> {
        let spot = Spot(self.worktrees.of_conversation(run, cwd).await?);
        if params
            .isolation
            .is_some_and(|asked| asked != spot.isolation())
        {
            spot.withdraw();
            return Err(Fault::invalid(
                "isolation",
                "cannot change within a session; leave it out, or open a new session",
            ));
        }
        if spot.isolation() == Isolation::Worktree
            && let Err(fault) = not_warm(params)
        {
            spot.withdraw();
            return Err(fault);
        }
        Ok(spot)
    }
}

/// No warm agent is in a directory that is made for one run.
fn not_warm(params: &Delegate) -> Result<(), Fault> {
    if params.mode == Some(Mode::Warm) {
        return Err(Fault::invalid(
            "isolation",
            "worktree has an agent of its own started; leave out mode: warm",
        ));
    }
    Ok(())
}
