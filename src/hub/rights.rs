//! Who is asking, and whether it may: a caller becomes whom [`rights::may`] knows.

use crate::{
    domain::{
        caller::Caller,
        fault::{ErrorKind, Fault},
        ids::SessionId,
        instance::Role,
        rights::{self, Deed, Standing, Who},
    },
    runs::Calls,
    store::{Lease, SessionRow, Store},
    templates::Catalogue,
};
use jsonrpsee::Extensions;
use std::future::Future;

/// Finds out where a caller stands. A cheap handle.
#[derive(Clone, Debug)]
pub(crate) struct Rights {
    store: Store,
    catalogue: Catalogue,
    calls: Calls,
}

/// An agent whose run is being worked on.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// The run, under the fence of the attempt that asks.
    pub(crate) lease: Lease,
    pub(crate) session: SessionRow,
    pub(crate) standing: Standing,
}

/// Who asks, with what a handler needs of an agent.
#[derive(Clone, Debug)]
pub(crate) enum Asker {
    Person,
    Agent(Box<Worker>),
    Stray,
}

impl Asker {
    /// As [`rights::may`] knows it.
    pub(crate) fn who(&self) -> Who {
        match self {
            Self::Person => Who::Person,
            Self::Agent(worker) => Who::Agent(worker.standing.clone()),
            Self::Stray => Who::Stray,
        }
    }

    /// [`rights::may`] for whoever asks.
    ///
    /// # Errors
    /// `forbidden`.
    pub(crate) fn may(&self, deed: &Deed) -> Result<(), Fault> {
        rights::may(&self.who(), deed)
    }
}

impl Rights {
    #[must_use]
    pub(crate) fn new(store: Store, catalogue: Catalogue, calls: Calls) -> Self {
        Self {
            store,
            catalogue,
            calls,
        }
    }

    /// Who asks. A caller that the connection layer did not name is a face in this process, which only a person starts.
    ///
    /// # Errors
    /// `forbidden` for an agent between two runs: it has no deeds.
    pub(crate) async fn asker(&self, caller: Option<Caller>) -> Result<Asker, Fault> {
        Ok(match caller {
            None | Some(Caller::Person) => Asker::Person,
            Some(Caller::Session(session)) => Asker::Agent(Box::new(self.worker(session).await?)),
            Some(Caller::Stray) => Asker::Stray,
        })
    }

    async fn worker(&self, session: SessionId) -> Result<Worker, Fault> {
        let lease = self.calls.lease(session).ok_or_else(|| {
            Fault::new(
                ErrorKind::Forbidden,
                "no run of yours is being worked on: an agent may change something only during its turn",
            )
        })?;
        let session = self.store.runs.session(session).await?;
        let standing = self.standing(&session).await?;
        Ok(Worker {
            lease,
            session,
            standing,
        })
    }

    /// An instance's role is its own alone: one that was taken from it does not come back by way of its persona.
    async fn standing(&self, session: &SessionRow) -> Result<Standing, Fault> {
        let Some(id) = session.instance else {
            return Ok(Standing {
                role: self.role_of(session.persona.as_deref()),
                project: session.project,
                instance: None,
            });
        };
        let instance = self.store.instances.get(id).await?;
        let is_gone = instance.deleted_at.is_some();
        Ok(Standing {
            role: instance.role.filter(|_| !is_gone),
            project: instance.project.or(session.project),
            instance: Some(instance.name),
        })
    }

    /// The way to the attempts.
    pub(crate) fn calls(&self) -> &Calls {
        &self.calls
    }

    /// The role in which a persona works without an instance.
    pub(crate) fn role_of(&self, persona: Option<&str>) -> Option<Role> {
        self.catalogue.get(persona?).ok()?.hierarchy_role
    }
}

/// Who asks, as the connection layer says.
pub(crate) fn caller(extensions: &Extensions) -> Option<Caller> {
    extensions.get::<Caller>().copied()
}

/// Passes a person. A caller that the connection layer did not name is a face in this process, which only a person starts.
pub(super) fn person_only(extensions: &Extensions) -> Result<(), Fault> {
    match extensions.get::<Caller>() {
        None | Some(Caller::Person) => Ok(()),
        Some(Caller::Session(_) | Caller::Stray) => Err(Fault::new(
            ErrorKind::Forbidden,
            "an agent may not change this",
        )
        .hint("ask the person to do it, or put it into follow_up of the conclusion")),
    }
}

/// Runs a change to its end, also when the caller goes away: files and rows must not part halfway.
pub(super) async fn to_the_end<T: Send + 'static>(
    change: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    tokio::spawn(change)
        .await
        .unwrap_or_else(|error| Err(Fault::internal(error)))
}

/// Runs work on files off the event loop.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Fault::internal(error)))
}
