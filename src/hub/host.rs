//! `host.*`, and the life of this one: who it is, that it is there, that it ends.

use super::{
    agent::AgentDesk, ending::Ending, ground::Ground, project::ProjectDesk, rights::person_only,
};
use crate::{
    api::{
        host::{HostApiServer, HostDrain, HostForget},
        hub::Nothing,
    },
    domain::{
        fault::{ErrorKind, Fault},
        host::{Forgotten, Host},
        ids::{HostId, HubId, ProjectId},
        page::Page,
    },
    runs::{HOST_CAP, Pace},
    stdx::{atomic, machine, mint},
    store::{Instead, NewHost, Store, StoreError},
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use serde::{Deserialize, Serialize};
use std::path::Path;
use tokio::time::{MissedTickBehavior, interval};

/// Serves `host.*`.
#[derive(Clone, Debug)]
pub(crate) struct HostDesk {
    pub(crate) store: Store,
    pub(crate) projects: ProjectDesk,
}

/// What a home keeps of its host: the same through all lives of its hubs, and in no other home.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: HostId,
}

/// The id of the home's host, minted when it is first asked for.
fn id_of(data: &Path) -> Result<HostId, Fault> {
    let path = data.join("host.json");
    let unusable = |why: String| {
        Fault::new(
            ErrorKind::DatabaseUnavailable,
            format!("{} cannot be used: {why}", path.display()),
        )
        .hint("repair it; without it this machine is another one to those that share its database")
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let kept: Kept =
                serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
            Ok(kept.id)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let kept = Kept { id: mint().into() };
            let text = serde_json::to_string(&kept).map_err(Fault::internal)?;
            atomic::create(&path, text.as_bytes(), 0o600)
                .map_err(|error| unusable(error.to_string()))?;
            Ok(kept.id)
        }
        Err(error) => Err(unusable(error.to_string())),
    }
}

/// Has this hub be its host's, and takes back what a dead one left.
///
/// # Errors
/// `busy` where another machine has a copy of this home; those of the store.
pub(super) async fn enter(
    ground: &Ground,
    store: &Store,
    agents: &AgentDesk,
    pace: &Pace,
) -> Result<(), Fault> {
    let settings = &ground.settings;
    let name = settings.host_name.clone();
    let host = NewHost {
        id: id_of(&settings.data)?,
        name: name.unwrap_or_else(machine::name),
        home: settings.data.to_string_lossy().into_owned(),
        machine: machine::id(),
        hub: ground.hub,
        version: settings.version.clone(),
        slots: u32::try_from(HOST_CAP).unwrap_or(u32::MAX),
        lease_ms: pace.lease_ms(),
        agents: agents.installed(),
        default_agent: settings.agent.default.clone(),
    };
    let host = store.hosts.enter(host).await?;
    tracing::info!(host.id = %host.id, host.name = %host.name, "the host is known");
    Ok(())
}

/// Says again and again that the hub is there, where others could think otherwise.
pub(super) fn start_beating(
    store: Store,
    hub: HubId,
    agents: AgentDesk,
    pace: Pace,
    ending: Ending,
) {
    if !store.hosts.shared() {
        return;
    }
    let begun = ending.begun().clone();
    let beats = async move {
        let mut beats = interval(pace.renew);
        beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
        beats.tick().await;
        loop {
            beats.tick().await;
            match store.hosts.beat(hub, agents.installed()).await {
                Ok(true) => {}
                Ok(false) => {
                    tracing::error!(
                        "another hub has entered in the place of this one, from a copy of its home: this one ends"
                    );
                    ending.begin();
                }
                Err(error) => tracing::warn!(%error, "nobody heard that this hub is there"),
            }
        }
    };
    tokio::spawn(async move {
        tokio::select! {
            () = beats => {}
            () = begun.cancelled() => {}
        }
    });
}

impl HostDesk {
    async fn find(&self, named: &str, field: &str) -> Result<Host, Fault> {
        if named.is_empty() {
            return Err(Fault::required(field));
        }
        match self.store.hosts.named(named).await {
            Err(StoreError::NotFound { .. }) => {
                let known = self.store.hosts.list().await?;
                let names = known.iter().map(|host| host.name.as_str());
                Err(Fault::not_found_among("host", named, names, "eyas host list").field(field))
            }
            found => Ok(found?),
        }
    }

    /// The project of that host: by id, or by a name or path that it has there.
    async fn project(&self, named: &str, host: &Host) -> Result<ProjectId, Fault> {
        let rows = self.projects.everywhere(named).await?;
        let own = host.own;
        let there: Vec<_> = rows
            .iter()
            .filter(|row| match &row.host {
                Some(name) => *name == host.name,
                None => own,
            })
            .collect();
        match there[..] {
            [row] => Ok(row.id),
            [] => Err(Fault::not_found("project", named).field("projects")),
            _ => {
                let detail = format!("\"{named}\" is the name of several on host {}", host.name);
                Err(Fault::invalid("projects", detail).hint("name it by its path or id"))
            }
        }
    }
}

#[async_trait]
impl HostApiServer for HostDesk {
    async fn list(&self, _: Nothing) -> Result<Page<Host>, Fault> {
        Ok(Page {
            items: self.store.hosts.list().await?,
            next_cursor: None,
        })
    }

    async fn drain(&self, ext: &Extensions, params: HostDrain) -> Result<Host, Fault> {
        person_only(ext)?;
        let host = self.find(&params.host, "host").await?;
        Ok(self.store.hosts.drain(host.id, !params.off).await?)
    }

    async fn forget(&self, ext: &Extensions, params: HostForget) -> Result<Forgotten, Fault> {
        person_only(ext)?;
        let host = self.find(&params.host, "host").await?;
        let to = self.find(&params.to, "to").await?;
        let mut instead = Vec::with_capacity(params.projects.len());
        for (from, other) in &params.projects {
            instead.push(Instead {
                from: self.project(from, &host).await?,
                to: self.project(other, &to).await?,
            });
        }
        Ok(self.store.hosts.forget(host.id, to.id, instead).await?)
    }
}
