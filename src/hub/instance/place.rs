//! Placing a persona in a workspace, and changing what was placed.

use super::{InstanceDesk, captain::Succession, on_disk, repeat, shown};
use crate::{
    api::instance::{InstanceCreate, InstanceUpdate, InstanceView},
    domain::{
        fault::{ErrorKind, Fault},
        ids::{InstanceId, ProjectId},
        instance::{Health, Instance, InstanceStatus, Role},
        rights::{self, Deed, Who},
        slug,
        time::Timestamp,
    },
    hub::run::elsewhere,
    stdx::{clock, mint},
    store::Idempotency,
    templates::{IdentityFile, validate},
};

impl InstanceDesk {
    /// `instance.create`.
    pub(super) async fn place(
        &self,
        params: InstanceCreate,
        who: &Who,
    ) -> Result<InstanceView, Fault> {
        // An agent pins nothing: what it creates starts with its first delegation, and ends when it is idle.
        let auto_start = params.auto_start && matches!(who, Who::Person);
        let dry_run = params.dry_run;
        let key = repeat::key(&params, who)?.filter(|_| !dry_run);
        if let Some(view) = self.placed_before(key.as_ref(), who).await? {
            return Ok(view);
        }
        let succession = Succession::asked(params.replace, who)?;
        let instance = self.drawn(params, who).await?;
        self.may_lead(&instance, succession).await?;
        let files = self.plan(&instance).await?;
        if dry_run {
            return Ok(InstanceView {
                instance,
                files: shown(files),
                kept: Vec::new(),
                duplicate: None,
            });
        }
        let replaced = match self.write(&instance, files, succession, key.clone()).await {
            Ok(replaced) => replaced,
            // The same request, come twice at once: the other one was first.
            Err(fault) => {
                let placed = self.placed_before(key.as_ref(), who).await?;
                return placed.ok_or(fault);
            }
        };
        self.tell(&instance, "created", None).await;
        if let Some(old) = replaced {
            self.deposed(old).await;
        }
        let instance = if auto_start {
            // The placement stands when the start fails: the status and the log say why.
            let id = instance.id;
            match Box::pin(self.launch(instance)).await {
                Ok(started) => started,
                Err(_) => self.parts.instances.get(id).await?,
            }
        } else {
            instance
        };
        Ok(InstanceView {
            instance,
            files: Vec::new(),
            kept: Vec::new(),
            duplicate: None,
        })
    }

    /// The row as it would be, everything it names being there.
    async fn drawn(&self, params: InstanceCreate, who: &Who) -> Result<Instance, Fault> {
        may_create_at_all(who)?;
        slug::check("name", &params.name)?;
        if self.parts.instances.by_name(&params.name).await.is_ok() {
            return Err(taken(&params.name));
        }
        let display_name = params
            .display_name
            .unwrap_or_else(|| slug::display_name(&params.name));
        one_line("display_name", Some(&display_name))?;
        one_line("model", params.model.as_deref())?;
        one_line("persona", params.persona.as_deref())?;
        let persona = match params.persona.clone() {
            Some(id) => Some(self.persona(id).await?),
            None => None,
        };
        self.agent(params.agent.as_deref()).await?;
        let parent = self.parent(params.parent, who).await?;
        let project = self.project(params.project.as_deref(), who).await?;
        let role = params
            .role
            .or_else(|| persona.and_then(|persona| persona.hierarchy_role))
            .or_else(|| unasked(who));
        rights::may(who, &Deed::CreateInstance { role, project })?;
        let id = InstanceId(mint());
        Ok(Instance {
            id,
            name: params.name,
            display_name,
            persona: params.persona,
            agent: params.agent,
            role,
            parent,
            project,
            model: params.model,
            workspace: self
                .parts
                .workspaces
                .path(id)
                .to_string_lossy()
                .into_owned(),
            status: InstanceStatus::Created,
            health: Health::Unknown,
            restart_count: 0,
            created_at: Timestamp(clock::now_ms()),
            deleted_at: None,
            host: None,
        })
    }

    /// What an agent creates stands below it, and nowhere else.
    async fn parent(&self, named: Option<String>, who: &Who) -> Result<Option<String>, Fault> {
        if let Who::Agent(standing) = who {
            if named.is_some() && named != standing.instance {
                return Err(Fault::invalid(
                    "parent",
                    "must be whoever creates it; leave it out",
                ));
            }
            return Ok(standing.instance.clone());
        }
        if let Some(parent) = &named {
            self.find(parent)
                .await
                .map_err(|fault| fault.field("parent"))?;
        }
        Ok(named)
    }

    /// An agent's own project unless it names one; only who may register projects makes one by naming a path.
    async fn project(&self, named: Option<&str>, who: &Who) -> Result<Option<ProjectId>, Fault> {
        let around = &self.parts.surroundings;
        let found = match (named, who) {
            (Some(named), who) if rights::may(who, &Deed::RegisterProject).is_ok() => {
                around.project(named).await?
            }
            (Some(named), _) => around.known_project(named).await?,
            (None, Who::Agent(standing)) => return Ok(standing.project),
            (None, Who::Person | Who::Stray) => return Ok(None),
        };
        if let Some(host) = &found.host {
            let what = format!("\"{}\"", found.name);
            return Err(elsewhere("project", &what, host)
                .hint("an instance lives on the machine of its project: create it there"));
        }
        Ok(Some(found.id))
    }

    /// Files first, the row last; without the row the files go again. Answers the captain that it replaced.
    async fn write(
        &self,
        instance: &Instance,
        files: Vec<IdentityFile>,
        succession: Succession,
        key: Option<Idempotency>,
    ) -> Result<Option<Instance>, Fault> {
        let (parts, id) = (self.parts.clone(), instance.id);
        on_disk(move || parts.workspaces.provision(id, &files)).await?;
        let inserted = self.insert(instance, succession, key).await;
        if inserted.is_err() {
            let parts = self.parts.clone();
            if let Err(fault) = on_disk(move || parts.workspaces.purge(id)).await {
                tracing::warn!(%id, %fault, "the files of a failed placement were left");
            }
        }
        inserted
    }

    /// `instance.update`.
    pub(super) async fn change(&self, params: InstanceUpdate) -> Result<InstanceView, Fault> {
        let found = self.ours(&params.name).await?;
        one_line("display_name", params.display_name.as_deref())?;
        one_line("model", params.model.as_ref().and_then(Option::as_deref))?;
        if let Some(Some(id)) = params.persona.clone() {
            self.persona(id).await?;
        }
        self.agent(params.agent.as_ref().and_then(Option::as_deref))
            .await?;
        let apply = |instance: &mut Instance| {
            let InstanceUpdate {
                name: _,
                display_name,
                persona,
                agent,
                model,
            } = params;
            instance.display_name = display_name.unwrap_or_else(|| instance.display_name.clone());
            instance.persona = persona.unwrap_or_else(|| instance.persona.clone());
            instance.agent = agent.unwrap_or_else(|| instance.agent.clone());
            instance.model = model.unwrap_or_else(|| instance.model.clone());
        };
        // Rendered before anything is written: a template that fails changes nothing.
        let mut drawn = found.clone();
        apply.clone()(&mut drawn);
        self.plan(&drawn).await?;
        let instance = self.modify(found.id, apply).await?;
        self.tell(&instance, "updated", None).await;
        self.renew(instance).await
    }

    /// `instance.render`.
    pub(super) async fn renew(&self, instance: Instance) -> Result<InstanceView, Fault> {
        let files = self.plan(&instance).await?;
        let (parts, id) = (self.parts.clone(), instance.id);
        let done = on_disk(move || parts.workspaces.render(id, &files)).await?;
        Ok(InstanceView {
            instance,
            files: Vec::new(),
            kept: done.kept,
            duplicate: None,
        })
    }

    async fn persona(&self, id: String) -> Result<crate::domain::persona::Persona, Fault> {
        let parts = self.parts.clone();
        on_disk(move || parts.catalogue.get(&id))
            .await
            .map_err(|fault| fault.field("persona"))
    }

    async fn agent(&self, agent: Option<&str>) -> Result<(), Fault> {
        let Some(agent) = agent else { return Ok(()) };
        one_line("agent", Some(agent))?;
        self.parts.surroundings.installed(agent).await
    }
}

/// Whoever may create nothing is told so before anything else is looked at.
pub(super) fn may_create_at_all(who: &Who) -> Result<(), Fault> {
    let project = match who {
        Who::Agent(standing) => standing.project,
        Who::Person | Who::Stray => None,
    };
    let role = unasked(who);
    rights::may(who, &Deed::CreateInstance { role, project })
}

/// The role of an instance when neither the call nor its persona says one.
fn unasked(who: &Who) -> Option<Role> {
    match who {
        Who::Agent(standing) => rights::creates(standing.role),
        Who::Person | Who::Stray => None,
    }
}

pub(super) fn taken(name: &str) -> Fault {
    Fault::new(
        ErrorKind::NameExists,
        format!("the name \"{name}\" is taken"),
    )
    .field("name")
    .hint("choose another name, or use the one there")
}

fn one_line(field: &str, value: Option<&str>) -> Result<(), Fault> {
    let Some(value) = value else { return Ok(()) };
    if value.trim().is_empty() {
        return Err(Fault::invalid(field, "must not be blank"));
    }
    validate::line(field, value)
}
