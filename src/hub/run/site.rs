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
    /// Name of the host, if that is another one.
    pub(super) host: Option<String>,
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
        let there = instance.and_then(|instance| instance.host.clone());
        if let (None, Some(instance), Some(_)) = (named, instance, &there) {
            // Where it is asked from is no place there.
            return Ok(in_workspace(instance));
        }
        let ground = match (self.ground(named, origin).await, instance) {
            (Err(fault), Some(instance))
                if named.is_none() && fault.kind == ErrorKind::RequiredField =>
            {
                return Ok(in_workspace(instance));
            }
            (ground, _) => ground?,
        };
        match ground {
            Ground::Unregistered(_) if there.is_some() => Err(apart(there.as_deref(), None)),
            Ground::Unregistered(cwd) => Ok(Site {
                project: None,
                cwd,
                host: None,
            }),
            Ground::Project(row) => {
                let cwd = PathBuf::from(&row.path);
                if instance.is_some() && row.host != there {
                    return Err(apart(there.as_deref(), row.host.as_deref()));
                }
                if row.host.is_none() && !cwd.is_dir() {
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
                    host: row.host,
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

fn in_workspace(instance: &Instance) -> Site {
    Site {
        project: None,
        cwd: PathBuf::from(&instance.workspace),
        host: instance.host.clone(),
    }
}

/// An instance works on its own machine.
fn apart(instance: Option<&str>, project: Option<&str>) -> Fault {
    let on = |host: Option<&str>| {
        host.map_or_else(|| "this host".to_owned(), |name| format!("host {name}"))
    };
    let detail = format!(
        "is on {}, and the instance on {}",
        on(project),
        on(instance)
    );
    Fault::invalid("project", detail).hint("name a project of the instance's host")
}
