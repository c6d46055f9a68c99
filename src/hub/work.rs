//! What a hub serves: the floors below joined, and the methods over them.

use super::{
    agent::AgentDesk,
    control::Control,
    events::EventsDesk,
    ground::{Ground, Served, Work},
    instance::{self, InstanceDesk},
    persona::PersonaDesk,
    project::ProjectDesk,
    run::{RunDesk, RunValues},
    supply::Stockroom,
};
use crate::{
    agents::{pool::Pool, process::Launcher},
    api::{
        agent::AgentApiServer as _, events::EventsApiServer as _, hub::WarmAgent,
        instance::InstanceApiServer as _, persona::PersonaApiServer as _,
        project::ProjectApiServer as _, run::RunApiServer as _,
    },
    domain::{caller::Caller, fault::Fault, ids::RunId, run::RunState},
    runs::{Dispatch, Parts},
    store::{PageAt, RunFilter, Store, sqlite},
    templates::{Catalogue, Identity},
    workspace::Workspaces,
};
use async_trait::async_trait;
use jsonrpsee::{Methods, RpcModule, core::RegisterMethodError};
use std::sync::Arc;

/// The running floors of a hub.
#[derive(Clone, Debug)]
struct House {
    ground: Ground,
    store: Store,
    pool: Pool,
    dispatch: Dispatch,
    agents: AgentDesk,
}

/// Opens the store, takes back what a dead hub left, and starts dispatching.
///
/// # Errors
/// Those of the store and of the home's directories.
pub async fn build(ground: Ground) -> Result<Served, Fault> {
    let settings = ground.settings.clone();
    let default_cap = u32::try_from(settings.warm.max_concurrent).unwrap_or(u32::MAX);
    let store = sqlite::open(
        &settings.database,
        sqlite::Settings {
            default_cap,
            ..sqlite::Settings::default()
        },
    )
    .await?;
    let own_binary = ground.env.exe.clone();
    let redactor = store.redactor.clone();
    let launcher = Launcher::new(
        own_binary.clone(),
        settings.data.join("processes"),
        settings.logs_dir.clone(),
        Arc::new(move |text: &str| redactor.redact(text).into_owned()),
    );
    launcher.sweep().await;
    for run in store.runs.recover(vec![ground.hub]).await? {
        tracing::warn!(run.id = %run, "its hub died while it ran");
    }
    let idle_ttl_ms = i64::try_from(settings.warm.idle_ttl_ms).unwrap_or(i64::MAX);
    let pool = Pool::start(launcher, idle_ttl_ms);
    let catalogue = Catalogue::new(&settings.home);
    let identity = Identity::new(&settings.home);
    let values = RunValues::default();
    let agents = AgentDesk::new(
        &settings.agents_dir,
        ground.env.vars.get("PATH").cloned(),
        &own_binary,
    );
    let stockroom = Arc::new(Stockroom {
        store: store.clone(),
        agents: agents.clone(),
        catalogue: catalogue.clone(),
        values: values.clone(),
        vault: ground.vault.clone(),
        passthrough: settings.agent.env_passthrough.clone(),
        identity: identity.clone(),
    });
    let dispatch = Dispatch::start(Parts {
        hub: ground.hub,
        store: store.clone(),
        pool: pool.clone(),
        supply: stockroom.clone(),
    });
    let projects = ProjectDesk::new(
        store.clone(),
        pool.clone(),
        ground.env.home_dir.clone().unwrap_or_else(|| "/".into()),
    );
    let runs = RunDesk {
        store: store.clone(),
        dispatch: dispatch.clone(),
        projects: projects.clone(),
        agents: agents.clone(),
        catalogue: catalogue.clone(),
        values,
        prompt_bytes: usize::try_from(settings.limits.prompt_bytes).unwrap_or(usize::MAX),
        default_agent: settings.agent.default.clone(),
        ending: ground.ending.clone(),
    };
    let control = Arc::new(Control {
        runs: runs.clone(),
        stockroom,
        pool: pool.clone(),
    });
    let personas = PersonaDesk {
        catalogue: catalogue.clone(),
        identity: identity.clone(),
        instances: store.instances.clone(),
        projects: store.projects.clone(),
        sub_agents: ground
            .env
            .home_dir
            .as_ref()
            .map(|home| home.join(".claude/agents")),
    };
    let instances = InstanceDesk::new(instance::Parts {
        catalogue,
        identity,
        workspaces: Workspaces::new(&settings.data),
        instances: store.instances.clone(),
        projects: store.projects.clone(),
        events: store.events.clone(),
        surroundings: control,
        user_name: ground.env.vars.get("USER").cloned(),
    });
    let events = EventsDesk::new(store.clone(), projects.clone());
    let methods = joined(personas, instances, projects, agents.clone(), runs, events)
        .map_err(Fault::internal)?;
    let work = Arc::new(House {
        ground,
        store,
        pool,
        dispatch,
        agents,
    });
    Ok(Served { methods, work })
}

fn joined(
    personas: PersonaDesk,
    instances: InstanceDesk,
    projects: ProjectDesk,
    agents: AgentDesk,
    runs: RunDesk,
    events: EventsDesk,
) -> Result<Methods, RegisterMethodError> {
    let mut all = RpcModule::new(());
    all.merge(personas.into_rpc())?;
    all.merge(instances.into_rpc())?;
    all.merge(projects.into_rpc())?;
    all.merge(agents.into_rpc())?;
    all.merge(runs.into_rpc())?;
    all.merge(events.into_rpc())?;
    Ok(all.into())
}

impl House {
    async fn in_state(&self, state: RunState) -> Result<Vec<RunId>, Fault> {
        let filter = RunFilter {
            state: Some(state),
            ..RunFilter::default()
        };
        let page = self
            .store
            .runs
            .list(
                filter,
                PageAt {
                    cursor: None,
                    limit: 200,
                },
            )
            .await?;
        Ok(page.items.into_iter().map(|run| run.id).collect())
    }
}

#[async_trait]
impl Work for House {
    async fn open_runs(&self) -> Result<Vec<RunId>, Fault> {
        let mut open = Vec::new();
        for state in RunState::ALL
            .into_iter()
            .filter(|state| !state.is_terminal())
        {
            open.extend(self.in_state(state).await?);
        }
        Ok(open)
    }

    async fn open_run_count(&self) -> Result<u32, Fault> {
        Ok(self.store.runs.open(None).await?)
    }

    async fn agents(&self) -> Vec<WarmAgent> {
        let (rows, _) = self.pool.rows().await;
        rows.into_iter()
            .map(|row| WarmAgent {
                agent: row.agent,
                root: row.root.to_string_lossy().into_owned(),
                pid: row.pid,
                busy: row.busy,
                spare: row.spare,
                pinned: row.pinned,
                generation: row.generation,
            })
            .collect()
    }

    fn env_names(&self) -> Vec<String> {
        self.agents.registry().env_names()
    }

    fn whose(&self, pid: u32) -> Option<Caller> {
        self.pool.lineage().caller(pid)
    }

    /// Attempts give their runs back, agents end, the store closes: top floor first.
    async fn stop(&self) {
        let in_order = async {
            self.dispatch.drain().await;
            self.pool.close().await;
            self.store.closer.close().await;
        };
        tokio::select! {
            () = in_order => {}
            () = self.ground.ending.hurried().cancelled() => tracing::warn!("ended without good order"),
        }
    }
}
