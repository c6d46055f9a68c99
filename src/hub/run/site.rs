//! Where a new session works.

use super::{RunDesk, lineage::Origin};
use crate::{
    api::run::Delegate,
    domain::{
        fault::{ErrorKind, Fault},
        ids::ProjectId,
        instance::Instance,
        rights::Deed,
    },
    hub::project::Ground,
};
use std::path::PathBuf;

/// A project, or a directory that is none.
pub(super) struct Site {
    pub(super) project: Option<ProjectId>,
    pub(super) cwd: PathBuf,
}

impl RunDesk {
    /// What is named, else the instance's project, else where it is asked from: a person's directory, a parent's project. An instance with none
    /// of them works in its own workspace.
    pub(super) async fn site(
        &self,
        params: &Delegate,
        instance: Option<&Instance>,
        origin: &Origin<'_>,
    ) -> Result<Site, Fault> {
        let own = instance
            .and_then(|instance| instance.project)
            .or_else(|| origin.project())
            .map(|id| id.to_string());
        let named = params.project.as_deref().or(own.as_deref());
        let ground = match (self.ground(named, origin).await, instance) {
            (Err(fault), Some(instance))
                if named.is_none() && fault.kind == ErrorKind::RequiredField =>
            {
                return Ok(Site {
                    project: None,
                    cwd: PathBuf::from(&instance.workspace),
                });
            }
            (ground, _) => ground?,
        };
        match ground {
            Ground::Unregistered(cwd) => Ok(Site { project: None, cwd }),
            Ground::Project(row) => {
                let cwd = PathBuf::from(&row.path);
                if !cwd.is_dir() {
                    return Err(Fault::new(
                        ErrorKind::NotFound,
                        format!(
                            "the directory of project \"{}\" is gone: {}",
                            row.name, row.path
                        ),
                    )
                    .field("project"));
                }
                Ok(Site {
                    project: Some(row.id),
                    cwd,
                })
            }
        }
    }

    /// Only who may register a project makes one by naming its path.
    async fn ground(&self, named: Option<&str>, origin: &Origin<'_>) -> Result<Ground, Fault> {
        let cwd = origin.cwd();
        let parent = match origin {
            Origin::Person(peer) => return self.projects.ground_of(named, *peer).await,
            Origin::Agent(parent) => parent,
        };
        let Some(named) = named else {
            // Its parent works in no project: neither does it. An instance has its own workspace, in which nobody else works.
            return Err(Fault::required("project").hint("say which project it works in"));
        };
        if parent.may(&Deed::RegisterProject).is_ok() {
            return self.projects.ground(Some(named), cwd.as_deref()).await;
        }
        let full = match cwd {
            Some(cwd) if named.starts_with('.') => cwd.join(named).to_string_lossy().into_owned(),
            _ => named.to_owned(),
        };
        self.projects.find(&full).await.map(Ground::Project)
    }
}
