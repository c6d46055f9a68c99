//! `instance.*` over store, workspaces and agents.
//!
//! A row is changed by reading and writing it in one turn ([`InstanceDesk::modify`]); nothing slow happens within a turn. Files are written
//! before the row that names them and removed after it, so a crash leaves files without a row, never a row without files.

mod captain;
mod life;
mod place;
mod repeat;

use super::{
    rights::{caller, on_disk, person_only, to_the_end},
    run::elsewhere,
};
use crate::{
    api::instance::{
        IdentityFile as FileView, InstanceApiServer, InstanceCreate, InstanceList, InstanceName,
        InstanceUpdate, InstanceView,
    },
    domain::{
        caller::Caller,
        event::{EventKind, NewEvent},
        fault::{ErrorKind, Fault},
        ids::InstanceId,
        instance::Instance,
        page::Page,
        project::ProjectRow,
        rights::Who,
    },
    store::{Events, Instances, PageAt, Projects},
    templates::{Catalogue, Identity, IdentityContext, IdentityFile},
    workspace::{self, Workspaces},
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use std::{fmt, sync::Arc};
use tokio::sync::Mutex;

/// What instances need of the rest of the hub.
#[async_trait]
pub trait Surroundings: Send + Sync + fmt::Debug {
    /// `Ok` when the agent is defined and installed; else `agent_not_found` with the command that installs it.
    async fn installed(&self, agent: &str) -> Result<(), Fault>;
    /// Who asks.
    async fn who(&self, caller: Option<Caller>) -> Result<Who, Fault>;
    /// The project that a name, id or path stands for; a path that is none yet becomes one.
    async fn project(&self, reference: &str) -> Result<ProjectRow, Fault>;
    /// The registered project that a name, id or path stands for.
    async fn known_project(&self, reference: &str) -> Result<ProjectRow, Fault>;
    /// Launches the instance's agent and keeps it warm. Done again it changes nothing.
    async fn pin(&self, instance: &Instance) -> Result<(), Fault>;
    /// Lets go of the instance's agent, if it is pinned.
    async fn unpin(&self, instance: &Instance);
    /// Asks for the end of every run of the instance that is not terminal.
    async fn cancel_runs(&self, instance: &Instance, reason: &str) -> Result<(), Fault>;
}

/// What the desk works with.
#[derive(Debug)]
pub struct Parts {
    pub catalogue: Catalogue,
    pub identity: Identity,
    pub workspaces: Workspaces,
    pub instances: Arc<dyn Instances>,
    pub projects: Arc<dyn Projects>,
    pub events: Arc<dyn Events>,
    pub surroundings: Arc<dyn Surroundings>,
    /// The person's name, for `USER.md`.
    pub user_name: Option<String>,
}

/// Answers `instance.*`. Cheap to clone.
#[derive(Clone, Debug)]
pub struct InstanceDesk {
    parts: Arc<Parts>,
    turn: Arc<Mutex<()>>,
}

impl InstanceDesk {
    /// A desk over its parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            parts: Arc::new(parts),
            turn: Arc::default(),
        }
    }

    /// An instance that is not in the trash, by name or id.
    ///
    /// # Errors
    /// `required_field` when empty; `not_found` with the nearest name.
    pub async fn find(&self, name: &str) -> Result<Instance, Fault> {
        if name.is_empty() {
            return Err(Fault::required("name"));
        }
        let known = &self.parts.instances;
        // An id may also be somebody's slug: then there is no row of that id.
        if let Ok(id) = name.parse::<InstanceId>()
            && let Ok(instance) = known.get(id).await
            && instance.deleted_at.is_none()
        {
            return Ok(instance);
        }
        match known.by_name(name).await.map_err(Fault::from) {
            Err(fault) if fault.kind == ErrorKind::NotFound => Err(self.absent(name).await),
            found => found,
        }
    }

    /// As [`InstanceDesk::find`], on this host.
    async fn ours(&self, name: &str) -> Result<Instance, Fault> {
        let instance = self.find(name).await?;
        must_be_ours(&instance)?;
        Ok(instance)
    }

    async fn absent(&self, name: &str) -> Fault {
        let all = self
            .parts
            .instances
            .list(
                None,
                None,
                PageAt {
                    cursor: None,
                    limit: 200,
                },
            )
            .await;
        let known = all.map(|page| page.items).unwrap_or_default();
        let known = known.iter().map(|instance| instance.name.as_str());
        Fault::not_found_among("instance", name, known, "instance_list")
    }

    /// Reads, changes and writes a row as one step.
    async fn modify(
        &self,
        id: InstanceId,
        change: impl FnOnce(&mut Instance) + Send,
    ) -> Result<Instance, Fault> {
        let turn = self.turn.lock().await;
        let mut instance = self.parts.instances.get(id).await?;
        let before = instance.clone();
        change(&mut instance);
        if instance != before {
            self.parts.instances.update(instance.clone()).await?;
        }
        drop(turn);
        Ok(instance)
    }

    /// Writes what happened to the log. The change stands whether it can be told or not.
    async fn tell(&self, instance: &Instance, change: &str, fault: Option<&Fault>) {
        let data = serde_json::json!({
            "name": instance.name,
            "status": instance.status,
            "change": change,
            "error": fault,
        });
        let event = NewEvent {
            kind: EventKind::InstanceChanged,
            data,
        };
        if let Err(error) = self
            .parts
            .events
            .record(instance.project, Some(instance.id), event)
            .await
        {
            tracing::warn!(instance = %instance.name, %error, "an event was not recorded");
        }
    }

    /// Every file that the instance would have now.
    async fn plan(&self, instance: &Instance) -> Result<Vec<IdentityFile>, Fault> {
        let project = match instance.project {
            Some(id) => Some(self.parts.projects.get(id).await?),
            None => None,
        };
        let (parts, instance) = (self.parts.clone(), instance.clone());
        on_disk(move || {
            let persona = instance
                .persona
                .as_deref()
                .map(|id| parts.catalogue.get(id))
                .transpose()?;
            parts.identity.render(&IdentityContext {
                persona: persona.as_ref(),
                instance: Some(&instance),
                project: project.as_ref(),
                user_name: parts.user_name.as_deref(),
            })
        })
        .await
    }
}

fn must_be_ours(instance: &Instance) -> Result<(), Fault> {
    match &instance.host {
        Some(host) => {
            let what = format!("instance \"{}\"", instance.name);
            Err(elsewhere("name", &what, host))
        }
        None => Ok(()),
    }
}

fn bare(instance: Instance) -> InstanceView {
    InstanceView {
        instance,
        files: Vec::new(),
        kept: Vec::new(),
        duplicate: None,
    }
}

fn shown(files: Vec<IdentityFile>) -> Vec<FileView> {
    let shown = |file: IdentityFile| FileView {
        name: file.name,
        content: file.content,
    };
    files.into_iter().map(shown).collect()
}

#[async_trait]
impl InstanceApiServer for InstanceDesk {
    async fn list(&self, params: InstanceList) -> Result<Page<Instance>, Fault> {
        let project = match &params.project {
            Some(reference) => Some(self.parts.surroundings.known_project(reference).await?.id),
            None => None,
        };
        let page = PageAt {
            cursor: params.cursor,
            limit: params.limit.unwrap_or_default(),
        };
        Ok(self
            .parts
            .instances
            .list(project, params.status, page)
            .await?)
    }

    async fn get(&self, params: InstanceName) -> Result<InstanceView, Fault> {
        let instance = self.find(&params.name).await?;
        let path = self.parts.workspaces.path(instance.id);
        // Those of another host lie there.
        let files = match instance.host {
            Some(_) => Vec::new(),
            None => on_disk(move || Ok(shown(workspace::files(&path)))).await?,
        };
        Ok(InstanceView {
            instance,
            files,
            kept: Vec::new(),
            duplicate: None,
        })
    }

    async fn create(
        &self,
        extensions: &Extensions,
        params: InstanceCreate,
    ) -> Result<InstanceView, Fault> {
        let who = self.parts.surroundings.who(caller(extensions)).await?;
        let desk = self.clone();
        to_the_end(async move { desk.place(params, &who).await }).await
    }

    async fn update(
        &self,
        extensions: &Extensions,
        params: InstanceUpdate,
    ) -> Result<InstanceView, Fault> {
        person_only(extensions)?;
        let desk = self.clone();
        to_the_end(async move { desk.change(params).await }).await
    }

    async fn start(
        &self,
        extensions: &Extensions,
        params: InstanceName,
    ) -> Result<InstanceView, Fault> {
        person_only(extensions)?;
        let desk = self.clone();
        to_the_end(async move { desk.launch(desk.ours(&params.name).await?).await.map(bare) }).await
    }

    async fn stop(
        &self,
        extensions: &Extensions,
        params: InstanceName,
    ) -> Result<InstanceView, Fault> {
        person_only(extensions)?;
        let desk = self.clone();
        to_the_end(async move { desk.halt(desk.ours(&params.name).await?).await.map(bare) }).await
    }

    async fn restart(
        &self,
        extensions: &Extensions,
        params: InstanceName,
    ) -> Result<InstanceView, Fault> {
        person_only(extensions)?;
        let desk = self.clone();
        to_the_end(async move {
            desk.relaunch(desk.ours(&params.name).await?)
                .await
                .map(bare)
        })
        .await
    }

    async fn delete(
        &self,
        extensions: &Extensions,
        params: InstanceName,
    ) -> Result<InstanceView, Fault> {
        person_only(extensions)?;
        let desk = self.clone();
        to_the_end(async move { desk.discard(desk.ours(&params.name).await?).await.map(bare) })
            .await
    }

    async fn restore(
        &self,
        extensions: &Extensions,
        params: InstanceName,
    ) -> Result<InstanceView, Fault> {
        person_only(extensions)?;
        let desk = self.clone();
        to_the_end(async move { desk.bring_back(&params.name).await }).await
    }

    async fn render(
        &self,
        extensions: &Extensions,
        params: InstanceName,
    ) -> Result<InstanceView, Fault> {
        person_only(extensions)?;
        let desk = self.clone();
        to_the_end(async move { desk.renew(desk.ours(&params.name).await?).await }).await
    }
}
