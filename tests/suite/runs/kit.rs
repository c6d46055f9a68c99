//! A store, a pool and a dispatcher in the test's own process, and the fake agent behind them.

use async_trait::async_trait;
use eyas::{
    agents::{
        acp::{Equipment, Manner, Reporting},
        pool::{Launch, Pool},
        process::Launcher,
    },
    domain::{
        agent::{
            AgentDefinition, AgentSource, EnvRules, Launch as Start, Limits, McpScope,
            SessionRules, Transport,
        },
        event::EventKind,
        fault::{ErrorKind, Fault},
        ids::{HubId, RunId, SessionId},
        policy::Policy,
        request::{Answer, DecidedBy, Request},
        retry::Retry,
        run::{AttemptOutcome, Mode, Run, RunState},
        spent::Budget,
        turn_form::TurnForm,
        worktree::Isolation,
    },
    runs::{self, Brief, Calls, Dispatch, Pace, Parts, Supply},
    stdx::mint,
    store::{
        Claimed, EventFilter, Extras, NewRun, SessionRow, Store,
        sql::{self, Settings},
    },
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Gives every attempt the fake agent.
#[derive(Debug, Default)]
pub(super) struct Larder {
    pub(super) args: Vec<String>,
    /// It is run once a turn.
    pub(super) turn: Option<TurnForm>,
    pub(super) equipment: Option<Equipment>,
    pub(super) persona: Option<String>,
    /// Taken by the next brief.
    pub(super) fault: Mutex<Option<Fault>>,
    pub(super) panics: bool,
    pub(super) ended: Mutex<Vec<RunId>>,
    pub(super) pace: Pace,
}

#[async_trait]
impl Supply for Larder {
    async fn brief(&self, claimed: &Claimed) -> Result<Brief, Fault> {
        assert!(!self.panics, "as told");
        if let Some(fault) = self.fault.lock().unwrap().take() {
            return Err(fault);
        }
        let definition = AgentDefinition {
            id: claimed.session.agent.clone(),
            name: "Fake".to_owned(),
            launch: Start {
                command: "fake-agent".to_owned(),
                args: self.args.clone(),
                env: [].into(),
            },
            env: EnvRules::default(),
            limits: Limits {
                close_ms: 2_000,
                ..Limits::default()
            },
            mcp_scope: McpScope::default(),
            version: None,
            distribution: eyas::domain::distribution::Distribution::default(),
            capabilities: eyas::domain::agent::AgentCapabilities::default(),
            transport: Transport::default(),
            session: SessionRules::default(),
            install: None,
            turn: self.turn.clone(),
            source: AgentSource::User,
        };
        Ok(Brief {
            launch: Launch {
                definition,
                program: env!("CARGO_BIN_EXE_fake-agent").into(),
                env: std::env::vars().filter(|(n, _)| n == "PATH").collect(),
                own_env: [].into(),
                root: claimed.session.cwd.clone().into(),
                equipment: self.equipment.clone(),
                manner: Manner::default(),
            },
            persona: self.persona.clone(),
            model: None,
            policy: claimed.run.policy,
            workspace: None,
            worktree: None,
            reporting: self.equipment.is_some().then(Reporting::default),
            cold: self
                .turn
                .is_some()
                .then(|| Fault::new(ErrorKind::WarmCapReached, "run once a turn")),
            briefing: None,
            warnings: Vec::new(),
        })
    }

    fn ended(&self, run: RunId) {
        self.ended.lock().unwrap().push(run);
    }

    fn kept(&self) -> Vec<RunId> {
        Vec::new()
    }
}

/// The lower floors of a hub.
pub(super) struct Yard {
    pub(super) folder: TempDir,
    pub(super) store: Store,
    pub(super) pool: Pool,
    pub(super) larder: Arc<Larder>,
    pub(super) dispatch: Dispatch,
    pub(super) calls: Calls,
}

impl Yard {
    pub(super) async fn new() -> Self {
        Self::with(Larder::default(), 4).await
    }

    pub(super) async fn with_args(args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let larder = Larder {
            args,
            ..Larder::default()
        };
        Self::with(larder, 4).await
    }

    /// With so many turns at once.
    pub(super) async fn with(larder: Larder, default_cap: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            default_cap,
            ..Settings::default()
        };
        let store = sql::open_sqlite(&folder.path().join("eyas.db"), settings)
            .await
            .unwrap();
        let larder = Arc::new(larder);
        let calls = Calls::default();
        let (pool, dispatch) = begin(folder.path(), &store, larder.clone(), calls.clone());
        Self {
            folder,
            store,
            pool,
            larder,
            dispatch,
            calls,
        }
    }

    /// The hub ends in order, and another takes its place.
    pub(super) async fn restart(&mut self) {
        self.dispatch.drain().await;
        self.pool.close().await;
    }

    pub(super) fn resume(&mut self) {
        let (folder, larder) = (self.folder.path(), self.larder.clone());
        (self.pool, self.dispatch) = begin(folder, &self.store, larder, self.calls.clone());
    }

    pub(super) fn session(&self) -> SessionRow {
        SessionRow {
            id: SessionId(mint()),
            instance: None,
            persona: None,
            agent: "fake".to_owned(),
            project: None,
            cwd: self.folder.path().to_string_lossy().into_owned(),
            agent_session: None,
        }
    }

    pub(super) fn asking(&self, prompt: &str) -> NewRun {
        Self::asking_in(self.session(), prompt)
    }

    pub(super) fn asking_in(session: SessionRow, prompt: &str) -> NewRun {
        NewRun {
            id: RunId(mint()),
            session,
            prompt: prompt.to_owned(),
            previous: None,
            label: None,
            lane: "default".to_owned(),
            mode: Mode::Auto,
            timeout_ms: None,
            tree: None,
            warnings: Vec::new(),
            idempotency: None,
            policy: Policy::default(),
            isolation: Isolation::Shared,
            worktree: None,
            parent: None,
            depth: 0,
            max_in_project: None,
            retry: Retry::default(),
            budget: Budget::default(),
            extras: Extras::default(),
            occasion: None,
        }
    }

    pub(super) async fn accept(&self, run: NewRun) -> RunId {
        self.store.runs.accept(run).await.unwrap().run.id
    }

    pub(super) async fn end_of(&self, run: RunId) -> Run {
        let begun = Instant::now();
        loop {
            // A wait also ends while a person is waited for.
            let run = runs::wait(&self.store, run, PATIENCE, false).await.unwrap();
            if run.state.is_terminal() {
                return run;
            }
            assert!(begun.elapsed() < PATIENCE, "{run:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub(super) async fn run(&self, run: NewRun) -> Run {
        let id = self.accept(run).await;
        self.end_of(id).await
    }

    /// What the agent says to a prompt in this session.
    pub(super) async fn say(&self, session: &SessionRow, prompt: &str) -> (Run, String) {
        let run = self.run(Self::asking_in(session.clone(), prompt)).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:#?}");
        let said = run.conclusion.clone().unwrap().summary;
        (run, said)
    }

    /// What a run asks, once it asks so many things.
    pub(super) async fn asked(&self, run: RunId, many: usize) -> Vec<Request> {
        let begun = Instant::now();
        loop {
            let now = self.store.runs.get(run).await.unwrap();
            if now.state == RunState::InputRequired && now.requests.len() == many {
                return now.requests;
            }
            assert!(begun.elapsed() < PATIENCE, "{now:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Answers as a person does.
    pub(super) async fn answer(&self, run: RunId, request: &Request, option: &str) {
        let answer = Answer {
            option: Some(option.to_owned()),
            text: None,
        };
        let face = Some("test".to_owned());
        let answered = self.store.requests.answer(run, &request.id, answer, face);
        assert!(answered.await.unwrap().1, "it was open");
    }

    /// By whom each of a run's requests was decided, and with which option.
    pub(super) async fn decisions(&self, run: RunId) -> Vec<(DecidedBy, Option<String>)> {
        let rows = self.store.requests.of(run).await.unwrap();
        let decided = rows.into_iter().map(|row| row.decided.expect("it is over"));
        decided.map(|one| (one.by, one.answer.option)).collect()
    }

    /// As a person does it.
    pub(super) async fn cancel(&self, run: RunId) {
        let reason = "no more".to_owned();
        if self.store.runs.cancel(run, reason).await.unwrap().is_held() {
            self.dispatch.cancel(run);
        }
    }

    pub(super) async fn kinds(&self, run: RunId) -> Vec<String> {
        let filter = EventFilter {
            run: Some(run),
            ..EventFilter::default()
        };
        let events = self.store.events.after(None, filter, 1_000).await.unwrap();
        let kind = |kind| {
            serde_json::to_value(kind)
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        events.into_iter().map(|event| kind(event.kind)).collect()
    }

    /// Waits until the agent is at the step `what`.
    pub(super) async fn until_at(&self, run: RunId, what: &str) {
        let begun = Instant::now();
        loop {
            let filter = EventFilter {
                run: Some(run),
                ..EventFilter::default()
            };
            let events = self.store.events.after(None, filter, 1_000).await.unwrap();
            if events.iter().any(|event| event.data["title"] == what) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{events:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until so many turns are under way at the one warm agent.
    pub(super) async fn until_busy(&self, busy: u32) {
        let begun = Instant::now();
        while self
            .pool
            .rows()
            .await
            .iter()
            .map(|row| row.busy)
            .sum::<u32>()
            != busy
        {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.pool.rows().await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until what was kept for the run is let go.
    pub(super) async fn until_forgotten(&self, run: RunId) {
        let begun = Instant::now();
        while !self.larder.ended.lock().unwrap().contains(&run) {
            assert!(begun.elapsed() < PATIENCE, "kept for ever: {run}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A command of the agent that is done by the first attempt alone.
    pub(super) fn first(&self, command: &str) -> String {
        let mark = self.folder.path().join("first");
        format!("!first {} {command}\n", mark.display())
    }

    /// What the log says of one kind.
    pub(super) async fn told(&self, run: RunId, kind: EventKind) -> Vec<serde_json::Value> {
        let filter = EventFilter {
            run: Some(run),
            ..EventFilter::default()
        };
        let events = self.store.events.after(None, filter, 1_000).await.unwrap();
        let events = events.into_iter().filter(|event| event.kind == kind);
        events.map(|event| event.data).collect()
    }

    /// How its attempts ended.
    pub(super) async fn outcomes(&self, run: RunId) -> Vec<Option<AttemptOutcome>> {
        let attempts = self.store.runs.attempts(run).await.unwrap();
        attempts.into_iter().map(|one| one.outcome).collect()
    }

    /// The process of the only attempt.
    pub(super) async fn pid(&self, run: RunId) -> u32 {
        self.store.runs.attempts(run).await.unwrap()[0].pid.unwrap()
    }
}

fn begin(folder: &Path, store: &Store, larder: Arc<Larder>, calls: Calls) -> (Pool, Dispatch) {
    let pace = larder.pace;
    let launcher = Launcher::new(
        env!("CARGO_BIN_EXE_eyas").into(),
        folder.join("processes"),
        folder.join("logs"),
        Arc::new(str::to_owned),
    );
    let pool = Pool::start(launcher, 600_000);
    let (dispatch, orders) = Dispatch::new();
    orders.start(Parts {
        hub: HubId(mint()),
        store: store.clone(),
        pool: pool.clone(),
        supply: larder,
        calls,
        pace,
    });
    (pool, dispatch)
}
