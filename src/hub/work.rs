//! What a hub serves: the floors below joined, and the methods over them.

use super::{
    agent::{AgentDesk, AgentVerbs, Jobs},
    control::Control,
    endpoint,
    events::EventsDesk,
    ground::{Ground, Served, Work},
    host::{self, HostDesk},
    instance::{self, InstanceDesk},
    persona::PersonaDesk,
    project::{ProjectDesk, ProjectVerbs},
    recovery::Book,
    retention,
    rights::Rights,
    run::{Policies, RunDesk, RunValues, Worktrees},
    schedule::ScheduleDesk,
    session::SessionDesk,
    supply::Stockroom,
};
use crate::{
    agents::{
        acp::Equipment,
        badge::{Badges, Worn},
        depot::Depot,
        pool::{Pool, Restarts, Serving, Upkeep},
        process::{self, Launcher},
    },
    api::{
        agent::AgentApiServer as _,
        events::EventsApiServer as _,
        host::HostApiServer as _,
        hub::{BrokenAgent, WarmAgent},
        instance::InstanceApiServer as _,
        persona::PersonaApiServer as _,
        project::ProjectApiServer as _,
        run::RunApiServer as _,
        schedule::ScheduleApiServer as _,
        session::SessionApiServer as _,
    },
    config::{Overflow, Settings},
    domain::{
        breaker::ClassView,
        caller::{Caller, Token},
        fault::Fault,
        host::Host,
        ids::RunId,
        run::{RunState, Waiting},
        time::Timestamp,
    },
    runs::{self, Calls, Dispatch, Orders, Pace, Parts},
    stdx::clock,
    store::{PageAt, RunFilter, Store, sql},
    templates::{Catalogue, Identity},
    workspace::{Workspaces, git, lock::Server},
};
use async_trait::async_trait;
use jsonrpsee::{Methods, RpcModule, core::RegisterMethodError};
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tokio::time::timeout;

/// For attempts to give their runs back: a write each. Agents take up to 5.5 s after that, of 10 in all.
const DRAIN: Duration = Duration::from_secs(3);

/// The running floors of a hub.
#[derive(Clone, Debug)]
struct House {
    ground: Ground,
    store: Store,
    pool: Pool,
    dispatch: Dispatch,
    agents: AgentDesk,
    projects: ProjectDesk,
    rights: Rights,
    badges: Badges,
    calls: Calls,
}

/// Opens the store, takes back what a dead hub left, and starts dispatching.
///
/// # Errors
/// Those of the store and of the home's directories.
pub async fn build(ground: Ground) -> Result<Served, Fault> {
    let store = opened(&ground.settings).await?;
    let launcher = launcher(&ground, &store);
    let book = Book::begin(&ground.settings);
    let mut agents = AgentDesk::new(
        &ground.settings.agents_dir,
        ground.env.vars.get("PATH").cloned(),
        &ground.env.exe,
        Depot::new(&ground.settings.depot, &ground.settings.agents_lock),
    );
    host::enter(&ground, &store, &agents, &pace(&ground.settings)).await?;
    take_over(&ground, &store, &launcher, &book).await?;
    let depot = agents.depot().clone();
    // What was being installed when a hub died.
    tokio::task::spawn_blocking(move || depot.tidy());
    let server = Arc::new(server(&ground));
    let pool = pool(&ground, &launcher, &server);
    agents.served_by(pool.clone());
    let badges = Badges::default();
    let stockroom = Arc::new(Stockroom {
        store: store.clone(),
        agents: agents.clone(),
        catalogue: Catalogue::new(&ground.settings.home),
        values: RunValues::default(),
        vault: ground.vault.clone(),
        passthrough: ground.settings.agent.env_passthrough.clone(),
        identity: Identity::new(&ground.settings.home),
        policies: Policies::new(&ground.settings.policy),
        equipment: equipment(&ground, &badges),
        require_init: ground.settings.warm.require_init,
        worktrees: worktrees(&ground.settings, &store),
        launcher,
        lineage: pool.lineage().clone(),
    });
    let calls = Calls::default();
    let (dispatch, orders) = Dispatch::new();
    let house = House {
        projects: projects(&ground, &store, &pool, server).await,
        rights: Rights::new(store.clone(), stockroom.catalogue.clone(), calls.clone()),
        ground,
        store,
        pool,
        dispatch,
        agents,
        badges,
        calls,
    };
    house.open(&stockroom, orders, book).await
}

/// Ends what a dead hub left running, and takes its runs.
async fn take_over(
    ground: &Ground,
    store: &Store,
    launcher: &Launcher,
    book: &Book,
) -> Result<(), Fault> {
    let swept = launcher.sweep().await;
    let runs = store.runs.recover(vec![ground.hub]).await?;
    for run in &runs {
        tracing::warn!(run.id = %run, "taken from a hub that died");
    }
    book.note(|noted| {
        noted.runs = runs;
        noted.processes = swept.ended;
        noted.records = swept.records;
    });
    Ok(())
}

/// Its agents' processes, kept warm.
fn pool(ground: &Ground, launcher: &Launcher, server: &Arc<Server>) -> Pool {
    let (warm, memory) = (&ground.settings.warm, &ground.settings.memory);
    let ms = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let upkeep = Upkeep {
        idle_ttl_ms: ms(warm.idle_ttl_ms),
        memory_bytes: memory.budget_bytes,
        restarts: Restarts {
            max: u32::try_from(warm.restarts).unwrap_or(u32::MAX),
            within_ms: ms(warm.restarts_within_ms),
        },
    };
    let serving = Serving {
        server: server.clone(),
        own: ground.settings.data.clone(),
    };
    Pool::serving(launcher.clone(), upkeep, serving)
}

async fn projects(ground: &Ground, store: &Store, pool: &Pool, server: Arc<Server>) -> ProjectDesk {
    let home = ground.env.home_dir.clone();
    let projects = ProjectDesk::new(
        store.clone(),
        pool.clone(),
        ground.peers.clone(),
        server,
        home.as_deref().unwrap_or(Path::new("/")),
    );
    if let Err(fault) = projects.recall().await {
        tracing::warn!(%fault, "environment names of trusted project files are not known");
    }
    projects
}

/// What a former hub left of instances; before any run, for a delegation changes their status. What cannot be cleared is no reason to serve
/// nothing.
async fn tidy(instances: &InstanceDesk) {
    if let Err(fault) = instances.recover().await {
        tracing::warn!(%fault, "what a former hub left of instances was not cleared");
    }
    let instances = instances.clone();
    // Much may lie in the trash.
    tokio::spawn(async move {
        match instances.purge().await {
            Ok(0) => {}
            Ok(gone) => tracing::info!(gone, "removed deleted instances for good"),
            Err(fault) => tracing::warn!(%fault, "old deleted instances were not removed"),
        }
    });
}

pub(super) async fn opened(settings: &Settings) -> Result<Store, Fault> {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let warm = &settings.warm;
    let more = sql::Settings {
        default_cap: narrow(warm.max_concurrent),
        cold_cap: narrow(settings.cold.max_concurrent),
        overflow: (warm.overflow == Overflow::Cold).then(|| narrow(warm.queue_depth)),
        death: settings.test_death.as_deref().and_then(sql::Death::read),
        ..sql::Settings::default()
    };
    Ok(match &settings.store_url {
        Some(url) => sql::open_postgres(url.expose(), more).await?,
        None => sql::open_sqlite(&settings.database, more).await?,
    })
}

/// Launches agents; what they say on stderr passes the store's redactor on its way to the log.
fn launcher(ground: &Ground, store: &Store) -> Launcher {
    let redactor = store.redactor.clone();
    Launcher::new(
        ground.env.exe.clone(),
        ground.settings.data.join("processes"),
        ground.settings.logs_dir.clone(),
        Arc::new(move |text: &str| redactor.redact(text).into_owned()),
    )
    .weighing(Duration::from_millis(ground.settings.memory.sample_ms))
}

/// Who we are to another process that looks at a project.
fn server(ground: &Ground) -> Server {
    Server {
        pid: std::process::id(),
        start_time: process::start_time(std::process::id()).unwrap_or_default(),
        boot_id: process::boot_id(),
        hub: ground.hub.to_string(),
        home: ground.settings.home.clone(),
        elsewhere: endpoint::shared_folders(&ground.settings, &ground.env),
    }
}

fn worktrees(settings: &Settings, store: &Store) -> Worktrees {
    let (folder, limits) = (settings.worktrees_dir.clone(), &settings.worktrees);
    Worktrees::new(store.clone(), folder, limits.max, limits.keep_ms)
}

/// How the tools of a session are started, and find us again. A hub inside a face has no way in for them.
fn equipment(ground: &Ground, badges: &Badges) -> Option<Equipment> {
    if ground.in_process {
        return None;
    }
    let vars = &ground.env.vars;
    let mut env: BTreeMap<String, String> = ["HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), vars.get(name)?.clone())))
        .collect();
    if let Some(home) = &ground.settings.given_home {
        env.insert("EYAS_HOME".to_owned(), home.to_str()?.to_owned());
    }
    Some(Equipment {
        program: ground.env.exe.clone(),
        env,
        badges: badges.clone(),
    })
}

/// How long agents may be silent.
fn pace(settings: &Settings) -> Pace {
    let limit = |ms: u64| (ms > 0).then(|| Duration::from_millis(ms));
    let pace = settings.test_lease_ms.map_or_else(Pace::default, |ms| {
        Pace::of_lease(Duration::from_millis(ms))
    });
    Pace {
        first_output: limit(settings.runs.first_output_ms),
        stall: limit(settings.runs.stall_ms),
        ..pace
    }
}

impl House {
    /// Clears what a former hub left, then lets runs begin.
    async fn open(
        self,
        stockroom: &Arc<Stockroom>,
        orders: Orders,
        book: Book,
    ) -> Result<Served, Fault> {
        if let Some(path) = self.ground.env.var("PATH") {
            git::look_in(path.as_ref());
        }
        git::guard::guarded_by(self.ground.env.exe.clone());
        let instances = self.instances(stockroom);
        tidy(&instances).await;
        let left = stockroom.worktrees.clone();
        tokio::spawn(async move {
            let gone = left.tidy().await;
            book.note(|noted| {
                noted.worktrees = gone;
                noted.complete = true;
            });
        });
        let schedules = ScheduleDesk::new(self.runs(stockroom));
        let methods = self
            .methods(stockroom, instances, schedules.clone())
            .map_err(Fault::internal)?;
        let (store, ending) = (self.store.clone(), self.ground.ending.clone());
        self.beat();
        runs::start_cascade(store.clone(), self.dispatch.clone(), ending.begun().clone());
        retention::start(store, self.ground.settings.runs.retention_ms, ending);
        orders.start(Parts {
            hub: self.ground.hub,
            store: self.store.clone(),
            pool: self.pool.clone(),
            supply: stockroom.clone(),
            calls: self.calls.clone(),
            pace: pace(&self.ground.settings),
        });
        schedules.start();
        let work = Arc::new(self);
        Ok(Served { methods, work })
    }

    fn beat(&self) {
        host::start_beating(
            self.store.clone(),
            self.ground.hub,
            self.agents.clone(),
            pace(&self.ground.settings),
            self.ground.ending.clone(),
        );
    }

    /// A desk for each noun, and the methods over all of them.
    fn methods(
        &self,
        stockroom: &Arc<Stockroom>,
        instances: InstanceDesk,
        schedules: ScheduleDesk,
    ) -> Result<Methods, RegisterMethodError> {
        let mut all = RpcModule::new(());
        let projects = ProjectVerbs {
            desk: self.projects.clone(),
            control: Arc::new(self.control(stockroom)),
        };
        let runs = self.runs(stockroom);
        all.merge(self.personas(stockroom).into_rpc())?;
        all.merge(instances.into_rpc())?;
        all.merge(projects.into_rpc())?;
        all.merge(self.verbs(stockroom).into_rpc())?;
        all.merge(schedules.into_rpc())?;
        all.merge(self.hosts().into_rpc())?;
        all.merge(runs.into_rpc())?;
        all.merge(SessionDesk::new(self.calls.clone()).into_rpc())?;
        all.merge(EventsDesk::new(self.store.clone(), self.projects.clone()).into_rpc())?;
        Ok(all.into())
    }

    fn verbs(&self, stockroom: &Arc<Stockroom>) -> AgentVerbs {
        AgentVerbs {
            desk: self.agents.clone(),
            stockroom: stockroom.clone(),
            settings: self.ground.settings.clone(),
            jobs: Jobs::default(),
        }
    }

    fn control(&self, stockroom: &Arc<Stockroom>) -> Control {
        Control {
            runs: self.runs(stockroom),
            stockroom: stockroom.clone(),
            pool: self.pool.clone(),
        }
    }

    fn runs(&self, stockroom: &Stockroom) -> RunDesk {
        let settings = &self.ground.settings;
        RunDesk {
            store: self.store.clone(),
            dispatch: self.dispatch.clone(),
            projects: self.projects.clone(),
            agents: self.agents.clone(),
            catalogue: stockroom.catalogue.clone(),
            values: stockroom.values.clone(),
            rights: self.rights.clone(),
            max_depth: u32::try_from(settings.hierarchy.max_depth).unwrap_or(u32::MAX),
            worktrees: stockroom.worktrees.clone(),
            prompt_bytes: usize::try_from(settings.limits.prompt_bytes).unwrap_or(usize::MAX),
            default_agent: settings.agent.default.clone(),
            policies: Policies::new(&settings.policy),
            ending: self.ground.ending.clone(),
        }
    }

    fn hosts(&self) -> HostDesk {
        HostDesk {
            store: self.store.clone(),
            projects: self.projects.clone(),
        }
    }

    fn personas(&self, stockroom: &Stockroom) -> PersonaDesk {
        let home = self.ground.env.home_dir.as_ref();
        PersonaDesk {
            catalogue: stockroom.catalogue.clone(),
            identity: stockroom.identity.clone(),
            instances: self.store.instances.clone(),
            projects: self.store.projects.clone(),
            sub_agents: home.map(|home| home.join(".claude/agents")),
        }
    }

    fn instances(&self, stockroom: &Arc<Stockroom>) -> InstanceDesk {
        InstanceDesk::new(instance::Parts {
            catalogue: stockroom.catalogue.clone(),
            identity: stockroom.identity.clone(),
            workspaces: Workspaces::new(&self.ground.settings.data),
            instances: self.store.instances.clone(),
            projects: self.store.projects.clone(),
            events: self.store.events.clone(),
            surroundings: Arc::new(self.control(stockroom)),
            user_name: self.ground.env.vars.get("USER").cloned(),
        })
    }

    async fn in_state(&self, state: RunState) -> Result<Vec<RunId>, Fault> {
        let filter = RunFilter {
            state: Some(state),
            here: true,
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

    /// What cannot be read now is not worth failing for.
    async fn hosts(&self) -> Vec<Host> {
        self.store.hosts.list().await.unwrap_or_default()
    }

    /// A store that does not answer says nothing about schedules: stay.
    async fn awaits(&self) -> bool {
        !matches!(self.store.schedules.next().await, Ok(None))
    }

    async fn classes(&self) -> Result<Vec<ClassView>, Fault> {
        Ok(self.store.runs.classes().await?)
    }

    async fn agents(&self) -> Vec<WarmAgent> {
        let rows = self.pool.rows().await;
        rows.into_iter()
            .map(|row| WarmAgent {
                agent: row.agent,
                root: row.root.to_string_lossy().into_owned(),
                pid: row.pid,
                busy: row.busy,
                spare: row.spare,
                pinned: row.pinned,
                generation: row.generation,
                memory_bytes: row.memory_bytes,
            })
            .collect()
    }

    async fn broken(&self) -> Vec<BrokenAgent> {
        let rows = self.pool.broken().await;
        rows.into_iter()
            .map(|row| BrokenAgent {
                agent: row.agent,
                root: row.root.to_string_lossy().into_owned(),
                times: row.times,
                since: Timestamp(clock::now_ms() - row.since_ms),
            })
            .collect()
    }

    fn env_names(&self) -> Vec<String> {
        self.agents.registry().env_names()
    }

    fn project_env_names(&self) -> Vec<String> {
        self.projects.env_names()
    }

    fn whose(&self, pid: u32) -> Option<Caller> {
        self.pool.lineage().caller(pid)
    }

    fn badge(&self, token: &Token) -> Option<Worn> {
        self.badges.worn(token)
    }

    async fn joined(&self) {
        if let Err(error) = self.store.runs.wake(Waiting::Environment).await {
            tracing::warn!(%error, "runs that wait for their environment were not told of a new one");
        }
    }

    /// Attempts give their runs back, agents end, the store closes: top floor first.
    async fn stop(&self) {
        let in_order = async {
            if timeout(DRAIN, self.dispatch.drain()).await.is_err() {
                tracing::warn!("some runs could not be given back; the next hub ends them");
            }
            self.pool.close().await;
            if let Err(error) = self.store.hosts.leave(self.ground.hub).await {
                tracing::warn!(%error, "nobody heard that this hub ends");
            }
            self.store.closer.close().await;
        };
        tokio::select! {
            () = in_order => {}
            () = self.ground.ending.hurried().cancelled() => tracing::warn!("ended without good order"),
        }
    }
}
