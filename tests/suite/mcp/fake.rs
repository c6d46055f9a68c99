//! A hub that answers by script: the prompt of a run says what becomes of it.

use super::fake_log::Log;
pub(super) use super::things::{asks, conclude, permission, question, run};
use super::things::{busy, instance, persona, project, view};
use eyas::{
    api::{
        hub::Nothing,
        input::{RunDelivery, RunInput},
        instance::{
            InstanceApiServer, InstanceCreate, InstanceList, InstanceName, InstanceUpdate,
            InstanceView,
        },
        persona::{
            PersonaApiServer, PersonaCreate, PersonaDelete, PersonaId, PersonaImport, PersonaList,
            PersonaText, PersonaUpdate,
        },
        project::{
            ProjectApiServer, ProjectList, ProjectName, ProjectRegister, ProjectRename,
            ProjectSession, ProjectSessions, ProjectStopped, ProjectTrust, TrustView,
        },
        run::{
            Delegate, RunAnswer, RunApiServer, RunArchive, RunCancel, RunDiff, RunDrop, RunEvents,
            RunList, RunRef, RunStatsOf, RunWait,
        },
    },
    domain::{
        event::{Event, EventKind},
        fault::{ErrorKind, Fault},
        ids::RunId,
        input::{Delivery, DeliveryOutcome, Interaction, InteractionState},
        instance::Instance,
        page::Page,
        persona::Persona,
        project::Project,
        request::Answer,
        run::{AskingRun, Attempt, Run, RunState},
        snapshot::Snapshot,
        stats::RunStats,
        time::Timestamp,
        worktree::WorktreeState,
    },
};
use jsonrpsee::{Extensions, core::async_trait};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

#[derive(Debug, Default)]
struct State {
    runs: Vec<Run>,
    personas: Vec<Persona>,
    asked: Vec<(&'static str, Value)>,
}

/// The hub. Clones are the same hub.
#[derive(Clone, Debug)]
pub(super) struct Hub {
    state: Arc<Mutex<State>>,
    changed: watch::Sender<u64>,
    pub(super) log: Log,
}

impl Hub {
    pub(super) fn new() -> Self {
        let personas = ["architect", "reviewer", "researcher"]
            .map(persona)
            .to_vec();
        let state = State {
            personas,
            ..State::default()
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            changed: watch::Sender::new(0),
            log: Log::default(),
        }
    }

    /// What it was asked, in order.
    pub(super) fn asked(&self) -> Vec<(&'static str, Value)> {
        self.state.lock().unwrap().asked.clone()
    }

    /// How often it was asked for `method`.
    pub(super) fn count(&self, method: &str) -> usize {
        self.asked()
            .iter()
            .filter(|(name, _)| *name == method)
            .count()
    }

    /// Changes a run as an agent would.
    pub(super) fn change(&self, id: RunId, change: impl FnOnce(&mut Run)) {
        self.change_unsaid(id, change);
        self.log.tell(Some(id), self.kind_now(id));
    }

    /// The same, with nothing in the log.
    pub(super) fn change_unsaid(&self, id: RunId, change: impl FnOnce(&mut Run)) {
        change(
            self.state
                .lock()
                .unwrap()
                .runs
                .iter_mut()
                .find(|run| run.id == id)
                .unwrap(),
        );
        self.changed.send_modify(|n| *n += 1);
    }

    /// What the log says of a run that became what it is now.
    fn kind_now(&self, id: RunId) -> EventKind {
        match self.find(id).unwrap().state {
            RunState::InputRequired => EventKind::Requested,
            RunState::Queued | RunState::Running => EventKind::Progress,
            RunState::Succeeded | RunState::Failed | RunState::Cancelled | RunState::TimedOut => {
                EventKind::Finished
            }
        }
    }

    /// The run that came last.
    pub(super) fn asked_run(&self) -> RunId {
        self.state.lock().unwrap().runs.last().unwrap().id
    }

    /// A run that is there already.
    pub(super) fn put(&self, run: Run) {
        let id = run.id;
        self.state.lock().unwrap().runs.push(run);
        self.log.tell(Some(id), EventKind::Accepted);
    }

    pub(super) fn note(&self, method: &'static str, params: &impl Serialize) {
        let params = serde_json::to_value(params).unwrap();
        self.state.lock().unwrap().asked.push((method, params));
    }

    fn find(&self, id: RunId) -> Result<Run, Fault> {
        let state = self.state.lock().unwrap();
        let found = state.runs.iter().find(|run| run.id == id).cloned();
        found.ok_or_else(|| Fault::not_found("run", id).hint("list them with run.list"))
    }
}

/// What a run above one that is there sees of it.
pub(super) fn stands_above(hub: &Hub, below: RunId) -> AskingRun {
    let below = hub.find(below).unwrap();
    AskingRun {
        run: below.id,
        agent: below.agent,
        task: below.prompt,
        requests: below.requests,
    }
}

fn all<T>(items: Vec<T>) -> Page<T> {
    Page {
        items,
        next_cursor: None,
    }
}

#[async_trait]
impl RunApiServer for Hub {
    async fn delegate(&self, _: &Extensions, params: Delegate) -> Result<Run, Fault> {
        self.note("run.delegate", &params);
        let mut run = run(&params.prompt);
        run.label = params.label;
        match params.prompt.as_str() {
            "never" => std::future::pending().await,
            "succeed" => conclude(&mut run, "It is done.\nTwo lines of it."),
            "fail" => {
                run.state = RunState::Failed;
                run.attempt = 1;
                run.error = Some(
                    Fault::new(ErrorKind::AgentDied, "the agent died: exit 3").hint("try again"),
                );
            }
            "ask" => asks(&mut run, vec![permission("r1")]),
            "ask twice" => asks(&mut run, vec![permission("r1"), permission("r2")]),
            "busy" => busy(&mut run),
            "question" => asks(&mut run, vec![question("q1")]),
            _ => {
                run.state = RunState::Running;
                run.attempt = 1;
                run.step = Some("reading".to_owned());
            }
        }
        self.put(run.clone());
        Ok(run)
    }

    async fn get(&self, params: RunRef) -> Result<Run, Fault> {
        self.note("run.get", &params);
        self.find(params.id)
    }

    async fn apply(&self, _: &Extensions, params: RunRef) -> Result<Run, Fault> {
        self.find(params.id)
    }

    async fn keep(&self, _: &Extensions, params: RunRef) -> Result<Run, Fault> {
        self.find(params.id)
    }

    async fn drop_worktree(&self, _: &Extensions, params: RunDrop) -> Result<Run, Fault> {
        self.find(params.id)
    }

    async fn list(&self, params: RunList) -> Result<Page<Run>, Fault> {
        self.note("run.list", &params);
        let mut runs = self.state.lock().unwrap().runs.clone();
        runs.reverse();
        runs.truncate(params.limit.unwrap_or(50) as usize);
        Ok(all(runs))
    }

    async fn wait(&self, params: RunWait) -> Result<Run, Fault> {
        self.note("run.wait", &params);
        if self.find(params.id)?.prompt == "hang" {
            std::future::pending::<()>().await;
        }
        let mut changed = self.changed.subscribe();
        let over = async {
            loop {
                let run = self.find(params.id)?;
                let asks_below = params.below && !run.asks_below.is_empty();
                if run.state.is_terminal() || run.state == RunState::InputRequired || asks_below {
                    return Ok(run);
                }
                changed.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(Duration::from_millis(params.wait_ms), over).await {
            Ok(run) => run,
            Err(_) => self.find(params.id),
        }
    }

    async fn cancel(&self, _: &Extensions, params: RunCancel) -> Result<Run, Fault> {
        self.note("run.cancel", &params);
        if !self.find(params.id)?.state.is_terminal() {
            self.change(params.id, |run| run.state = RunState::Cancelled);
        }
        self.find(params.id)
    }

    async fn input(&self, _: &Extensions, params: RunInput) -> Result<RunDelivery, Fault> {
        self.note("run.input", &params);
        let run = self.find(params.id)?;
        let (outcome, seq) = if run.state.is_terminal() {
            (DeliveryOutcome::Restarted, 0)
        } else {
            (DeliveryOutcome::Queued, 1)
        };
        let delivery = Delivery { outcome, seq };
        Ok(RunDelivery { run, delivery })
    }

    async fn interaction(&self, params: RunRef) -> Result<Interaction, Fault> {
        let run = self.find(params.id)?;
        Ok(Interaction {
            state: InteractionState::of(run.state),
            pending_inputs: Vec::new(),
            requests: run.requests,
        })
    }

    async fn snapshots(&self, params: RunRef) -> Result<Page<Snapshot>, Fault> {
        self.find(params.id)?;
        Ok(all(Vec::new()))
    }

    async fn archive(&self, _: &Extensions, params: RunArchive) -> Result<Run, Fault> {
        self.find(params.id)
    }

    async fn stats(&self, _: RunStatsOf) -> Result<RunStats, Fault> {
        Ok(RunStats::default())
    }

    async fn answer(&self, _: &Extensions, params: RunAnswer) -> Result<Run, Fault> {
        self.note("run.answer", &params);
        let run = self.find(params.id)?;
        if run.prompt == "ask, in vain" {
            return Err(Fault::new(ErrorKind::Forbidden, "only a person answers"));
        }
        let request = run.requests.iter().find(|one| one.id == params.request);
        let request = request.ok_or_else(|| Fault::not_found("request", &params.request))?;
        let answer = Answer {
            option: params.option,
            text: params.text,
        };
        request.check(&answer)?;
        self.change(params.id, |run| {
            run.requests.retain(|one| one.id != params.request);
            if run.requests.is_empty() {
                let said = answer.option.or(answer.text).unwrap();
                conclude(run, &format!("The person said {said}."));
            }
        });
        let mut state = self.state.lock().unwrap();
        for above in &mut state.runs {
            for below in &mut above.asks_below {
                below.requests.retain(|one| one.id != params.request);
            }
            above.asks_below.retain(|below| !below.requests.is_empty());
        }
        drop(state);
        self.find(params.id)
    }

    async fn diff(&self, _: &Extensions, params: RunRef) -> Result<RunDiff, Fault> {
        self.note("run.diff", &params);
        match self.find(params.id)?.worktree.map(|one| one.state) {
            Some(WorktreeState::Open) => Ok(RunDiff {
                text: "diff --git a/x b/x\n".to_owned(),
                truncated: true,
            }),
            _ => Err(Fault::not_found("worktree of run", params.id)),
        }
    }

    async fn events(&self, params: RunEvents) -> Result<Page<Event>, Fault> {
        self.note("run.events", &params);
        self.find(params.id)?;
        let from: usize = params.cursor.map_or(0, |cursor| cursor.parse().unwrap());
        let limit = params.limit.unwrap_or(50) as usize;
        let all: Vec<Event> = (1..=30)
            .map(|n: usize| Event {
                cursor: n.to_string(),
                run: Some(params.id),
                run_seq: i64::try_from(n).ok(),
                project: None,
                instance: None,
                kind: match n {
                    1 => EventKind::Accepted,
                    30 => EventKind::Finished,
                    _ => EventKind::Message,
                },
                at: Timestamp(1_700_000_000_000),
                data: json!({"text": format!("part {n}. {}", "x".repeat(1000))}),
            })
            .collect();
        let items: Vec<Event> = all.iter().skip(from).take(limit).cloned().collect();
        let next_cursor =
            (from + items.len() < all.len()).then(|| items.last().unwrap().cursor.clone());
        Ok(Page { items, next_cursor })
    }

    async fn attempts(&self, params: RunRef) -> Result<Page<Attempt>, Fault> {
        self.note("run.attempts", &params);
        self.find(params.id)?;
        Ok(all(vec![Attempt {
            touched: Vec::new(),
            n: 1,
            fence: 1,
            outcome: None,
            reason: None,
            warm: true,
            persona_route: None,
            pid: Some(7),
            stderr_tail: None,
            started_at: Timestamp(1_700_000_000_000),
            ended_at: None,
        }]))
    }
}

#[async_trait]
impl PersonaApiServer for Hub {
    async fn list(&self, params: PersonaList) -> Result<Page<Persona>, Fault> {
        self.note("persona.list", &params);
        Ok(all(self.state.lock().unwrap().personas.clone()))
    }

    async fn get(&self, params: PersonaId) -> Result<Persona, Fault> {
        self.note("persona.get", &params);
        let personas = self.state.lock().unwrap().personas.clone();
        let known: Vec<String> = personas.iter().map(|one| one.id.clone()).collect();
        personas
            .into_iter()
            .find(|one| one.id == params.id)
            .ok_or_else(|| {
                let known = known.iter().map(String::as_str);
                Fault::not_found_among("persona", &params.id, known, "persona.list")
            })
    }

    async fn create(&self, _: &Extensions, params: PersonaCreate) -> Result<Persona, Fault> {
        self.note("persona.create", &params);
        Ok(persona(&params.id))
    }

    async fn update(&self, _: &Extensions, params: PersonaUpdate) -> Result<Persona, Fault> {
        self.note("persona.update", &params);
        Ok(persona(&params.id))
    }

    async fn delete(&self, _: &Extensions, params: PersonaDelete) -> Result<Persona, Fault> {
        self.note("persona.delete", &params);
        Ok(persona(&params.id))
    }

    async fn import(&self, _: &Extensions, params: PersonaImport) -> Result<Persona, Fault> {
        self.note("persona.import", &params);
        if params.text.contains("unreadable") {
            return Err(Fault::new(ErrorKind::InvalidParams, params.text));
        }
        Ok(persona(params.id.as_deref().unwrap()))
    }

    async fn export(&self, params: PersonaId) -> Result<PersonaText, Fault> {
        Err(Fault::not_found("persona", params.id))
    }

    async fn preview(&self, params: PersonaId) -> Result<PersonaText, Fault> {
        Err(Fault::not_found("persona", params.id))
    }
}

#[async_trait]
impl InstanceApiServer for Hub {
    async fn list(&self, params: InstanceList) -> Result<Page<Instance>, Fault> {
        self.note("instance.list", &params);
        Ok(all(["alice", "bob"].map(instance).to_vec()))
    }

    async fn get(&self, params: InstanceName) -> Result<InstanceView, Fault> {
        self.note("instance.get", &params);
        view(&params.name)
    }

    async fn create(&self, _: &Extensions, params: InstanceCreate) -> Result<InstanceView, Fault> {
        self.note("instance.create", &params);
        Ok(InstanceView {
            instance: instance(&params.name),
            files: Vec::new(),
            kept: Vec::new(),
            duplicate: None,
        })
    }

    async fn update(&self, _: &Extensions, params: InstanceUpdate) -> Result<InstanceView, Fault> {
        view(&params.name)
    }

    async fn start(&self, _: &Extensions, params: InstanceName) -> Result<InstanceView, Fault> {
        self.note("instance.start", &params);
        view(&params.name)
    }

    async fn stop(&self, _: &Extensions, params: InstanceName) -> Result<InstanceView, Fault> {
        self.note("instance.stop", &params);
        view(&params.name)
    }

    async fn restart(&self, _: &Extensions, params: InstanceName) -> Result<InstanceView, Fault> {
        self.note("instance.restart", &params);
        view(&params.name)
    }

    async fn delete(&self, _: &Extensions, params: InstanceName) -> Result<InstanceView, Fault> {
        self.note("instance.delete", &params);
        view(&params.name)
    }

    async fn restore(&self, _: &Extensions, params: InstanceName) -> Result<InstanceView, Fault> {
        self.note("instance.restore", &params);
        view(&params.name)
    }

    async fn render(&self, _: &Extensions, params: InstanceName) -> Result<InstanceView, Fault> {
        self.note("instance.render", &params);
        view(&params.name)
    }
}

#[async_trait]
impl ProjectApiServer for Hub {
    async fn list(&self, _: &Extensions, params: ProjectList) -> Result<Page<Project>, Fault> {
        self.note("project.list", &params);
        Ok(all(vec![project("shop")]))
    }

    async fn get(&self, _: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        Ok(project(&params.project))
    }

    async fn register(&self, _: &Extensions, params: ProjectRegister) -> Result<Project, Fault> {
        self.note("project.register", &params);
        Ok(project("new"))
    }

    async fn unregister(&self, _: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        self.note("project.unregister", &params);
        Ok(project(&params.project))
    }

    async fn rename(&self, _: &Extensions, params: ProjectRename) -> Result<Project, Fault> {
        self.note("project.rename", &params);
        Ok(project(&params.name))
    }

    async fn init(&self, _: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        self.note("project.init", &params);
        Ok(project(&params.project))
    }

    async fn activate(&self, _: &Extensions, params: ProjectName) -> Result<Project, Fault> {
        self.note("project.activate", &params);
        if params.project == "bare" {
            return Err(Fault::new(
                ErrorKind::ProjectNeedsInit,
                "project bare has no .eyas.toml",
            )
            .hint("write one with project.init"));
        }
        Ok(project(&params.project))
    }

    async fn deactivate(&self, _: &Extensions, params: Nothing) -> Result<Option<Project>, Fault> {
        self.note("project.deactivate", &params);
        Ok(None)
    }

    async fn stop(&self, _: &Extensions, params: ProjectName) -> Result<ProjectStopped, Fault> {
        self.note("project.stop", &params);
        Ok(ProjectStopped {
            project: project(&params.project),
            delegations_ended: 2,
        })
    }

    async fn trust(&self, _: &Extensions, params: ProjectTrust) -> Result<TrustView, Fault> {
        Err(Fault::not_found("file of project", &params.project))
    }

    async fn sessions(&self, params: ProjectSessions) -> Result<Page<ProjectSession>, Fault> {
        self.note("project.sessions", &params);
        Ok(all(Vec::new()))
    }
}
