//! A project as the API shows it: the row, its directory, and what the pool says of it now.

use super::{ProjectDesk, is_initialized};
use crate::{
    agents::pool::WarmRow,
    domain::{
        fault::Fault,
        ids::ProjectId,
        project::{Project, ProjectRow, ProjectStatus},
    },
    hub::peers::PeerRef,
    workspace::lock,
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// All warm agents, and where the one who asks works: the same for all projects of an answer.
#[derive(Debug)]
pub(super) struct Sight {
    warm: Vec<WarmRow>,
    active: BTreeSet<ProjectId>,
}

impl Sight {
    /// The warm agents of a root.
    pub(super) fn of<'a>(&'a self, root: &'a Path) -> impl Iterator<Item = &'a WarmRow> {
        self.warm.iter().filter(move |agent| agent.root == root)
    }
}

impl ProjectDesk {
    /// What `peer` sees; nobody in particular sees where anybody works.
    pub(super) async fn sight(&self, peer: Option<&PeerRef>) -> Sight {
        Sight {
            warm: self.pool.rows().await,
            active: match peer {
                Some(peer) => peer.active().into_iter().collect(),
                None => self.peers.active(),
            },
        }
    }

    /// The row as the API shows it.
    pub(super) async fn view(&self, row: ProjectRow, sight: &Sight) -> Result<Project, Fault> {
        if row.host.is_some() {
            return self.view_from_afar(row, sight).await;
        }
        let path = PathBuf::from(&row.path);
        let serving = sight.of(&path).max_by_key(|agent| agent.generation);
        let status = status(&row, serving.is_some());
        self.statuses.seen(&row, status);
        let trusted = self.terms(&row).trusted;
        Ok(Project {
            id: row.id,
            status,
            initialized: is_initialized(&path),
            trusted,
            active: sight.active.contains(&row.id),
            // Where an agent of ours is warm the lock is ours, whatever its text has become.
            external: serving.is_none() && self.is_external(&path).is_some(),
            delegation_spawned: serving.is_some_and(|agent| agent.spawned),
            delegations: self.store.runs.open(Some(row.id)).await?,
            agent: serving.map(|agent| agent.agent.clone()),
            pid: serving.map(|agent| agent.pid),
            last_opened_at: row.last_opened_at,
            created_at: row.created_at,
            name: row.name,
            path: row.path,
            host: None,
        })
    }

    /// Of a project on another host: what is in the store. Whether its directory is there, nobody here can see.
    async fn view_from_afar(&self, row: ProjectRow, sight: &Sight) -> Result<Project, Fault> {
        Ok(Project {
            id: row.id,
            status: row.status.unwrap_or(ProjectStatus::Stopped),
            initialized: false,
            trusted: false,
            active: sight.active.contains(&row.id),
            external: false,
            delegation_spawned: false,
            delegations: self.store.runs.open(Some(row.id)).await?,
            agent: None,
            pid: None,
            last_opened_at: row.last_opened_at,
            created_at: row.created_at,
            name: row.name,
            path: row.path,
            host: row.host,
        })
    }

    pub(super) async fn shown(
        &self,
        row: ProjectRow,
        peer: Option<&PeerRef>,
    ) -> Result<Project, Fault> {
        self.view(row, &self.sight(peer).await).await
    }

    /// The fault that another process serves this root, if one does.
    pub(super) fn is_external(&self, root: &Path) -> Option<Fault> {
        let who = lock::external(root, &self.server)?;
        Some(lock::taken(root, who.as_ref()))
    }
}

/// What is seen counts more than what is remembered.
pub(super) fn status(row: &ProjectRow, serving: bool) -> ProjectStatus {
    let root = Path::new(&row.path);
    match row.status {
        _ if !root.is_dir() => ProjectStatus::Missing,
        _ if serving => ProjectStatus::Running,
        Some(ProjectStatus::Initializing) if !is_initialized(root) => ProjectStatus::Initializing,
        Some(ProjectStatus::Error) => ProjectStatus::Error,
        Some(
            ProjectStatus::Initializing
            | ProjectStatus::Stopped
            | ProjectStatus::Running
            | ProjectStatus::Missing,
        )
        | None => ProjectStatus::Stopped,
    }
}
