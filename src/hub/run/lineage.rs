//! Who delegates: a person at a face, or the agent of a run; and what a run inherits from the one above it.

use super::RunDesk;
use crate::{
    api::run::Delegate,
    domain::{
        fault::{ErrorKind, Fault},
        host::Host,
        ids::{ProjectId, RunId, SessionId},
        instance::Instance,
        policy::Policy,
        rights::{self, Deed, Who},
        run::Run,
        worktree::Isolation,
    },
    hub::{
        peers::PeerRef,
        rights::{Asker, Worker},
    },
    store::{Lease, SessionRow, StoreError},
};
use std::{collections::BTreeMap, path::PathBuf};

/// No lineage is longer, whatever the setting was when it grew.
const LONGEST: usize = 64;

/// Whence a delegation comes.
pub(super) enum Origin<'a> {
    /// At a face; without one, in this process.
    Person(Option<&'a PeerRef>),
    Agent(Box<Parent>),
}

/// The run whose agent delegates.
pub(super) struct Parent {
    worker: Worker,
    run: Run,
}

impl Parent {
    pub(super) fn may(&self, deed: &Deed) -> Result<(), Fault> {
        rights::may(&Who::Agent(self.worker.standing.clone()), deed)
    }
}

impl Origin<'_> {
    /// The directory that a path is relative to. What an agent's child says of its own directory does not count.
    pub(super) fn cwd(&self) -> Option<PathBuf> {
        match self {
            Self::Person(peer) => peer.and_then(PeerRef::cwd).map(PathBuf::from),
            Self::Agent(parent) => Some(PathBuf::from(&parent.worker.session.cwd)),
        }
    }

    /// The project in which a run is that names none.
    pub(super) fn project(&self) -> Option<ProjectId> {
        match self {
            Self::Person(_) => None,
            Self::Agent(parent) => parent.worker.session.project,
        }
    }

    /// The run above the new one.
    pub(super) fn parent(&self) -> Option<RunId> {
        self.lease().map(|parent| parent.run)
    }

    /// What the parent may, which no child may exceed.
    pub(super) fn policy(&self) -> Option<Policy> {
        match self {
            Self::Person(_) => None,
            Self::Agent(parent) => Some(parent.run.policy),
        }
    }

    /// The parent, under the fence of the attempt that delegates.
    pub(super) fn lease(&self) -> Option<Lease> {
        match self {
            Self::Person(_) => None,
            Self::Agent(parent) => Some(parent.worker.lease),
        }
    }

    /// How many runs stand above the new one.
    pub(super) fn depth(&self) -> u32 {
        match self {
            Self::Person(_) => 0,
            Self::Agent(parent) => parent.run.depth.saturating_add(1),
        }
    }

    /// Within which an idempotency key means one thing: `place`, and for an agent its own run too, whose keys are no other's.
    pub(super) fn scope(&self, place: String) -> String {
        match self.parent() {
            Some(parent) => format!("run/{parent}/{place}"),
            None => place,
        }
    }

    /// Turn slots are shared by lane. A parent holds its slot while it waits for its children, so theirs are others: were they the same, as
    /// many parents as there are slots would wait for ever. Only a person chooses a lane: each has slots of its own, and an agent that chose
    /// would have as many as it likes.
    pub(super) fn lane(&self, asked: Option<String>) -> String {
        match self {
            Self::Person(_) => asked.unwrap_or_else(|| "default".to_owned()),
            Self::Agent(_) => format!("default+{}", self.depth()),
        }
    }
}

/// Bounds the tree of runs.
pub(super) fn check_depth(depth: u32, max: u32) -> Result<(), Fault> {
    if depth <= max {
        return Ok(());
    }
    Err(Fault::new(
        ErrorKind::DepthExceeded,
        format!("it would be {depth} levels below the first run; at most {max} are allowed"),
    )
    .hint("do it yourself, or put it into follow_up of the conclusion"))
}

impl RunDesk {
    /// Whence the delegation comes, if its kind may be there at all.
    ///
    /// # Errors
    /// `forbidden`; `depth_exceeded`.
    pub(super) async fn origin<'a>(
        &self,
        asker: Asker,
        peer: Option<&'a PeerRef>,
    ) -> Result<Origin<'a>, Fault> {
        let worker = match asker {
            Asker::Person => return Ok(Origin::Person(peer)),
            Asker::Stray => return Err(rights::stray()),
            Asker::Agent(worker) => *worker,
        };
        let run = self.store.runs.get(worker.lease.run).await?;
        let parent = Parent { worker, run };
        // The least that can be asked for: whoever may not even this is told so before anything else is looked at.
        let project = parent.worker.standing.project;
        let role = None;
        parent.may(&Deed::Delegate {
            role,
            of: project,
            project,
        })?;
        let origin = Origin::Agent(Box::new(parent));
        check_depth(origin.depth(), self.max_depth)?;
        Ok(origin)
    }

    /// The environment of a run: what the face sent, or what its parent had, never what a process below an agent says.
    pub(super) fn values_of(&self, origin: &Origin<'_>) -> BTreeMap<String, String> {
        match origin {
            Origin::Person(peer) => peer.map(PeerRef::values).unwrap_or_default(),
            Origin::Agent(parent) => self.values.of(parent.run.id).unwrap_or_default(),
        }
    }

    /// An agent goes on with what it began, and names it by its run: of a session alone it cannot be told who began it.
    pub(super) async fn may_continue(
        &self,
        params: &Delegate,
        origin: &Origin<'_>,
    ) -> Result<(), Fault> {
        let Origin::Agent(parent) = origin else {
            return Ok(());
        };
        if params.session.is_some() {
            return Err(
                Fault::invalid("session", "cannot be continued by an agent that way")
                    .hint("name a run that you began, as `previous`"),
            );
        }
        let Some(previous) = params.previous else {
            return Ok(());
        };
        let begun_by_it = self.begun_by(parent.worker.session.id, previous).await?;
        parent
            .may(&Deed::ContinueRun { begun_by_it })
            .map_err(|fault| fault.field("previous"))
    }

    /// Whether a run stands below one of this session. Of one that is not there, nobody began it.
    pub(super) async fn begun_by(
        &self,
        session: SessionId,
        run: RunId,
    ) -> Result<bool, StoreError> {
        let mut next = Some(run);
        let mut is_above = false;
        for _ in 0..LONGEST {
            let Some(id) = next else { break };
            let run = match self.store.runs.get(id).await {
                Ok(run) => run,
                Err(StoreError::NotFound { .. }) => break,
                Err(error) => return Err(error),
            };
            if is_above && run.session == session {
                return Ok(true);
            }
            (next, is_above) = (run.parent, true);
        }
        Ok(false)
    }

    /// Whether the agent may have this one work there.
    pub(super) fn below(
        &self,
        origin: &Origin<'_>,
        instance: Option<&Instance>,
        session: &SessionRow,
    ) -> Result<(), Fault> {
        let Origin::Agent(parent) = origin else {
            return Ok(());
        };
        let (role, of) = match instance {
            Some(instance) => (instance.role, instance.project),
            None => (
                self.rights.role_of(session.persona.as_deref()),
                session.project,
            ),
        };
        parent.may(&Deed::Delegate {
            role,
            of,
            project: session.project,
        })
    }

    /// A run that takes its turn in the tree in which one above it works would wait for it, and it for this one, for ever.
    pub(super) async fn not_waiting_for_its_parent(
        &self,
        origin: &Origin<'_>,
        tree: Option<&str>,
        away: Option<&Host>,
    ) -> Result<(), Fault> {
        let (Origin::Agent(parent), Some(tree)) = (origin, tree) else {
            return Ok(());
        };
        let mut run = parent.run.clone();
        for _ in 0..LONGEST {
            let works_in = self.store.runs.session(run.session).await?.cwd;
            let is_shared = run.isolation == Isolation::Shared && works_in == tree;
            if is_shared && !run.state.is_terminal() && self.is_there(&run, away).await? {
                return Err(shared_tree(tree));
            }
            let Some(above) = run.parent else { break };
            run = match self.store.runs.get(above).await {
                Ok(run) => run,
                Err(StoreError::NotFound { .. }) => break,
                Err(error) => return Err(error.into()),
            };
        }
        Ok(())
    }
}

impl RunDesk {
    /// Whether a run is worked on by that host, or else by this one: two may have the same path.
    async fn is_there(&self, run: &Run, away: Option<&Host>) -> Result<bool, StoreError> {
        let there = self.store.hosts.elsewhere(run.session).await?;
        Ok(there.map(|host| host.id) == away.map(|host| host.id))
    }
}

fn shared_tree(tree: &str) -> Fault {
    let detail = format!(
        "a run above it works in {tree}: it would wait for that one's end, which waits for it"
    );
    Fault::new(ErrorKind::Busy, detail)
        .field("concurrent")
        .hint("set `concurrent: true` when both may write there, or let it work in a worktree of its own")
}

#[cfg(test)]
mod tests {
    use super::check_depth;
    use crate::domain::fault::ErrorKind;

    #[test]
    fn the_fourth_level_is_one_too_many() {
        for depth in 0..=3 {
            assert!(check_depth(depth, 3).is_ok());
        }
        let fault = check_depth(4, 3).unwrap_err();
        assert_eq!(fault.kind, ErrorKind::DepthExceeded);
        assert!(fault.hint.is_some());
        assert!(check_depth(0, 0).is_ok() && check_depth(1, 0).is_err());
    }
}
