//! The verbs of `agent.*`.

use super::{AgentDesk, Jobs, add, ask};
use crate::{
    agents::{
        environment::{self, FETCHING, TOOLS},
        fetch::{Fetcher, Pace},
        install::{Asked, install},
        sources::{self, Site, Tools},
    },
    api::agent::{
        AgentAdd, AgentApiServer, AgentId, AgentInstall, AgentList, AgentRemove, AgentReset,
    },
    config::{Origins, Settings},
    domain::{
        agent::{Agent, AgentDefinition},
        fault::Fault,
        finding::Diagnosis,
        page::Page,
        probe::Probe,
        version::{LATEST, Version},
    },
    hub::{
        rights::{on_disk, person_only},
        supply::Stockroom,
    },
};
use async_trait::async_trait;
use jsonrpsee::Extensions;
use std::{sync::Arc, time::Duration};

/// Where nobody says how long to wait, in milliseconds.
const WAIT_MS: u64 = 2_000;
/// Nobody waits longer, in milliseconds: every client gives up later.
const LONGEST_MS: u64 = 45_000;

/// Serves `agent.*`.
#[derive(Clone, Debug)]
pub(crate) struct AgentVerbs {
    pub(crate) desk: AgentDesk,
    pub(crate) stockroom: Arc<Stockroom>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) jobs: Jobs,
}

impl AgentVerbs {
    /// An agent as it is now.
    pub(super) fn view(&self, id: &str) -> Result<Agent, Fault> {
        let registry = self.desk.registry();
        let agent = registry.describe(registry.get(id)?, self.desk.path.as_deref());
        Ok(self.busy(agent))
    }

    fn busy(&self, agent: Agent) -> Agent {
        Agent {
            installing: self.jobs.of(&agent.definition.id),
            ..agent
        }
    }

    /// How downloads are made here.
    pub(super) fn fetcher(&self) -> Result<Fetcher, Fault> {
        let fetching = &self.settings.fetching;
        let pace = Pace {
            stall: Duration::from_millis(fetching.stall_ms),
            total: Duration::from_millis(fetching.total_ms),
            bytes: fetching.max_bytes,
            ..Pace::default()
        };
        Fetcher::new(&self.stockroom.values(None), pace)
    }

    fn site(&self, definition: AgentDefinition) -> Result<Site, Fault> {
        let values = self.stockroom.values(None);
        let named = |name: &str| {
            let known = TOOLS.iter().chain(FETCHING);
            environment::is_secret(name)
                && known.into_iter().any(|one| environment::matches(one, name))
        };
        let secrets = values.iter().filter(|(name, _)| named(name));
        self.stockroom
            .store
            .redactor
            .remember(secrets.map(|(_, value)| value.clone()));
        let (launcher, lineage) = (&self.stockroom.launcher, &self.stockroom.lineage);
        Ok(Site {
            definition,
            platform: sources::platform(),
            fetcher: self.fetcher()?,
            tools: Tools::new(launcher.clone(), lineage.clone(), values),
            progress: crate::agents::fetch::Progress::default(),
            github_api: self.settings.fetching.github_api.clone(),
            pypi: self.settings.fetching.pypi.clone(),
        })
    }
}

#[async_trait]
impl AgentApiServer for AgentVerbs {
    async fn list(&self, _: AgentList) -> Result<Page<Agent>, Fault> {
        let registry = self.desk.registry();
        for (path, fault) in registry.faults() {
            tracing::warn!(path = %path.display(), %fault, "skipped an agent definition");
        }
        let all = registry.all().iter();
        let items = all.map(|one| self.busy(registry.describe(one, self.desk.path.as_deref())));
        Ok(Page {
            items: items.collect(),
            next_cursor: None,
        })
    }

    async fn get(&self, params: AgentId) -> Result<Agent, Fault> {
        self.view(&params.id)
    }

    async fn resolve(&self, params: AgentId) -> Result<Agent, Fault> {
        self.desk.find(&params.id, None)?;
        self.view(&params.id)
    }

    async fn install(&self, ext: &Extensions, params: AgentInstall) -> Result<Agent, Fault> {
        person_only(ext)?;
        let asked = asked(&params)?;
        let goes_out = !params.local && self.settings.agent.source == Origins::Any;
        let definition = self.desk.registry().get(&params.id)?.clone();
        let key = (params.id.clone(), format!("{asked:?} {goes_out}"));
        let mut site = self.site(definition)?;
        let depot = self.desk.depot().clone();
        let job = self.jobs.begin(&key, |progress| {
            site.progress = progress;
            async move { install(&depot, &site, &asked, goes_out).await.map(drop) }
        });
        let limit = Duration::from_millis(params.wait_ms.unwrap_or(WAIT_MS).min(LONGEST_MS));
        self.jobs.wait(&key, job, limit).await.transpose()?;
        self.view(&params.id)
    }

    async fn reset(&self, ext: &Extensions, params: AgentId) -> Result<AgentReset, Fault> {
        person_only(ext)?;
        let id = self.desk.registry().get(&params.id)?.id.clone();
        let was_broken = self.desk.mend(id.clone()).await;
        Ok(AgentReset { id, was_broken })
    }

    async fn remove(&self, ext: &Extensions, params: AgentRemove) -> Result<Agent, Fault> {
        person_only(ext)?;
        let definition = self.desk.registry().get(&params.id)?.clone();
        let version = params.version.as_deref().map(Version::parse).transpose()?;
        let depot = self.desk.depot().clone();
        on_disk(move || {
            let mut held = depot.versions(&definition);
            held.retain(|held| {
                version
                    .as_ref()
                    .is_none_or(|version| held.version == *version)
            });
            if held.is_empty() {
                let asked =
                    version.map_or_else(String::new, |version| format!(" {}", version.as_str()));
                return Err(Fault::not_found(
                    "version in the depot of agent",
                    format!("{}{asked}", definition.id),
                ));
            }
            held.iter()
                .try_for_each(|held| depot.remove(&definition, held))
        })
        .await?;
        self.view(&params.id)
    }

    async fn add(&self, ext: &Extensions, params: AgentAdd) -> Result<Page<Agent>, Fault> {
        person_only(ext)?;
        let ids = add::add(self, params).await?;
        let items = ids
            .iter()
            .map(|id| self.view(id))
            .collect::<Result<_, _>>()?;
        Ok(Page {
            items,
            next_cursor: None,
        })
    }

    async fn probe(&self, ext: &Extensions, params: AgentId) -> Result<Probe, Fault> {
        person_only(ext)?;
        ask::probe(self, &params.id).await
    }

    async fn doctor(&self, ext: &Extensions, params: AgentId) -> Result<Diagnosis, Fault> {
        person_only(ext)?;
        ask::doctor(self, &params.id).await
    }
}

fn asked(params: &AgentInstall) -> Result<Asked, Fault> {
    match params.version.as_deref() {
        _ if params.newest => Ok(Asked::Newer),
        None => Ok(Asked::Usual),
        Some(LATEST) => Ok(Asked::Latest),
        Some(version) => Version::parse(version).map(Asked::Exact),
    }
}
