//! A hub that answers by script: the prompt of a run says what becomes of it.

use eyas::{
    api::{
        hub::Nothing,
        instance::{
            IdentityFile, InstanceApiServer, InstanceCreate, InstanceList, InstanceName,
            InstanceUpdate, InstanceView,
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
            Delegate, RunAnswer, RunApiServer, RunCancel, RunDiff, RunDrop, RunEvents, RunList,
            RunRef, RunWait,
        },
    },
    domain::{
        conclusion::{Conclusion, ConclusionSource, ConclusionStatus},
        event::{Event, EventKind},
        fault::{ErrorKind, Fault},
        ids::{InstanceId, ProjectId, RunId, SessionId},
        instance::{Health, Instance, InstanceStatus},
        page::Page,
        persona::{Persona, Source},
        policy::Policy,
        project::{Project, ProjectStatus},
        request::{Answer, OptionKind, Request, RequestKind, RequestOption},
        run::{Attempt, Run, RunState},
        time::Timestamp,
        usage::{TreeUsage, Usage},
        worktree::{Isolation, Worktree, WorktreeState},
    },
    stdx,
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

    /// The run that came last.
    pub(super) fn asked_run(&self) -> RunId {
        self.state.lock().unwrap().runs.last().unwrap().id
    }

    /// A run that is there already.
    pub(super) fn put(&self, run: Run) {
        self.state.lock().unwrap().runs.push(run);
    }

    fn note(&self, method: &'static str, params: &impl Serialize) {
        let params = serde_json::to_value(params).unwrap();
        self.state.lock().unwrap().asked.push((method, params));
    }

    fn find(&self, id: RunId) -> Result<Run, Fault> {
        let state = self.state.lock().unwrap();
        let found = state.runs.iter().find(|run| run.id == id).cloned();
        found.ok_or_else(|| Fault::not_found("run", id).hint("list them with run.list"))
    }
}

/// A run that was just accepted.
pub(super) fn run(prompt: &str) -> Run {
    Run {
        id: RunId(stdx::mint()),
        state: RunState::Queued,
        waiting: None,
        prompt: prompt.to_owned(),
        instance: None,
        project: None,
        persona: None,
        agent: "fake".to_owned(),
        session: SessionId(stdx::mint()),
        previous: None,
        continuity: None,
        label: None,
        mode: eyas::domain::run::Mode::Auto,
        warm: true,
        attempt: 0,
        step: None,
        warnings: Vec::new(),
        created_at: Timestamp(1_700_000_000_000),
        started_at: None,
        ended_at: None,
        error: None,
        conclusion: None,
        duplicate: None,
        usage: None,
        requests: Vec::new(),
        tree_usage: None,
        tool: None,
        said: None,
        parent: None,
        depth: 0,
        policy: Policy::default(),
        isolation: Isolation::Shared,
        worktree: None,
    }
}

/// A permission that an agent asks for.
pub(super) fn permission(id: &str) -> Request {
    let option = |id: &str, name: &str, kind| RequestOption {
        id: id.to_owned(),
        name: name.to_owned(),
        kind,
    };
    Request {
        id: id.to_owned(),
        kind: RequestKind::Permission,
        title: "cargo publish".to_owned(),
        detail: Some("in /place/shop".to_owned()),
        options: vec![
            option("yes", "Allow", OptionKind::AllowOnce),
            option("never", "Never", OptionKind::RejectAlways),
            option("no", "Reject", OptionKind::RejectOnce),
        ],
        deadline: None,
    }
}

/// A question that any words answer.
pub(super) fn question(id: &str) -> Request {
    Request {
        kind: RequestKind::Question,
        title: "Which colour?".to_owned(),
        options: Vec::new(),
        detail: None,
        ..permission(id)
    }
}

/// A run with everything that one under way can have.
fn busy(run: &mut Run) {
    run.state = RunState::Running;
    run.attempt = 1;
    run.step = Some("testing".to_owned());
    run.tool = Some("cargo test".to_owned());
    run.said = Some("Half of it is done.".to_owned());
    run.isolation = Isolation::Worktree;
    run.worktree = Some(Worktree {
        path: "/data/worktrees/x".to_owned(),
        branch: "eyas/x".to_owned(),
        base: None,
        state: WorktreeState::Open,
    });
    run.tree_usage = Some(TreeUsage {
        runs: 2,
        usage: Usage::default(),
        complete: false,
    });
}

/// Lets a run ask.
pub(super) fn asks(run: &mut Run, requests: Vec<Request>) {
    run.state = RunState::InputRequired;
    run.attempt = 1;
    run.requests = requests;
}

/// Ends a run well.
pub(super) fn conclude(run: &mut Run, summary: &str) {
    run.state = RunState::Succeeded;
    run.attempt = 1;
    run.usage = Some(Usage {
        total_tokens: Some(42),
        ..Usage::default()
    });
    run.conclusion = Some(Conclusion {
        status: ConclusionStatus::Success,
        summary: summary.to_owned(),
        artifacts: vec!["src/lib.rs".to_owned()],
        memory_refs: Vec::new(),
        follow_up: None,
        questions: Vec::new(),
        confidence: Some(0.9),
        changes: None,
        tools: None,
        warnings: Vec::new(),
        source: ConclusionSource::Block,
        duration_ms: 1200,
        usage: None,
        stop_reason: Some("end_turn".to_owned()),
    });
}

fn persona(id: &str) -> Persona {
    Persona {
        id: id.to_owned(),
        name: stdx_title(id),
        role: id.to_owned(),
        description: format!("Use {id} for its work."),
        category: "quality".to_owned(),
        icon: None,
        system_prompt: format!("You are {id}. {}", "Be good. ".repeat(400)),
        traits: vec!["calm".to_owned()],
        tools: Vec::new(),
        model: None,
        temperature: None,
        max_tokens: None,
        reasoning_level: None,
        agent: None,
        identity_templates: std::collections::BTreeMap::default(),
        memory_seeds: Vec::new(),
        hierarchy_role: None,
        source: Source::Builtin,
        extra: serde_json::Map::default(),
    }
}

fn stdx_title(id: &str) -> String {
    eyas::domain::slug::display_name(id)
}

fn instance(name: &str) -> Instance {
    Instance {
        id: InstanceId(stdx::mint()),
        name: name.to_owned(),
        display_name: stdx_title(name),
        persona: Some("reviewer".to_owned()),
        agent: None,
        role: None,
        parent: None,
        project: None,
        model: None,
        workspace: format!("/data/instances/{name}"),
        status: InstanceStatus::Created,
        health: Health::Unknown,
        restart_count: 0,
        created_at: Timestamp(1_700_000_000_000),
        deleted_at: None,
    }
}

fn view(name: &str) -> Result<InstanceView, Fault> {
    let known = ["alice", "bob"];
    if !known.contains(&name) {
        return Err(Fault::not_found_among(
            "instance",
            name,
            known,
            "instance.list",
        ));
    }
    Ok(InstanceView {
        instance: instance(name),
        files: ["SOUL.md", "MEMORY.md"]
            .map(|file| IdentityFile {
                name: file.to_owned(),
                content: format!("# {file} of {name}\n"),
            })
            .to_vec(),
        kept: Vec::new(),
    })
}

fn project(name: &str) -> Project {
    Project {
        id: ProjectId(stdx::mint()),
        name: name.to_owned(),
        path: format!("/place/{name}"),
        status: ProjectStatus::Stopped,
        initialized: false,
        trusted: false,
        active: false,
        external: false,
        delegations: 0,
        delegation_spawned: false,
        agent: None,
        pid: None,
        last_opened_at: None,
        created_at: Timestamp(1_700_000_000_000),
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

    async fn diff(&self, _: &Extensions, params: RunRef) -> Result<RunDiff, Fault> {
        self.find(params.id)?;
        Ok(RunDiff {
            text: String::new(),
            truncated: false,
        })
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
                if run.state.is_terminal() || run.state == RunState::InputRequired {
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
        let mut run = self.find(params.id)?;
        run.state = RunState::Cancelled;
        Ok(run)
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
        self.find(params.id)
    }

    async fn diff(&self, params: RunRef) -> Result<RunDiff, Fault> {
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
