//! What came of a call: the thing itself as structured content, and the same facts as text, led by its state and the next step.

use super::{asking::Seen, render, resources, texts, tools::Until, views, waits::Patience};
use crate::{
    api::{instance::InstanceView, project::ProjectStopped},
    domain::{
        fault::{ErrorKind, Fault},
        ids::RunId,
        page::Page,
        persona::Persona,
        project::Project,
        request::Request,
        run::{Run, RunState},
        schedule::Schedule,
    },
};
use rmcp::{
    ErrorData,
    model::{
        CallToolResponse, CallToolResult, ContentBlock, CreateTaskResult, ErrorCode,
        InputRequiredResult, Resource,
    },
};
use serde_json::{Value, json};

/// An answer before it is a result of the wire.
#[derive(Debug)]
pub(super) struct Reply {
    lead: String,
    body: Value,
    failed: bool,
    links: Vec<Resource>,
    /// Instead of all that: what is to be asked first, or the task that will answer.
    instead: Option<Box<CallToolResponse>>,
}

impl Reply {
    fn new(lead: impl Into<String>, body: Value) -> Self {
        Self {
            lead: lead.into(),
            body,
            failed: false,
            links: Vec::new(),
            instead: None,
        }
    }

    /// No answer yet: a person is to be asked first.
    fn ask(ask: InputRequiredResult) -> Self {
        Self::later(ask.into())
    }

    /// No answer yet: a task will have it.
    pub(super) fn task(task: CreateTaskResult) -> Self {
        Self::later(CallToolResponse::Task(task))
    }

    fn later(instead: CallToolResponse) -> Self {
        Self {
            instead: Some(Box::new(instead)),
            ..Self::new("", Value::Null)
        }
    }

    /// One more fact.
    pub(super) fn add(&mut self, name: &str, value: Value) {
        views::add(&mut self.body, name, value);
    }

    /// Whether it asks instead of answering.
    pub(super) fn asks(&self) -> bool {
        self.instead.is_some()
    }

    /// As the wire has it. Links to resources are left out for who does not know them.
    pub(super) fn into_response(mut self, knows_links: bool) -> CallToolResponse {
        if let Some(instead) = self.instead.take() {
            return *instead;
        }
        if !knows_links {
            self.links.clear();
        }
        self.into_result().into()
    }

    fn into_result(self) -> CallToolResult {
        let facts = match self.body.get("items") {
            Some(Value::Array(items)) => {
                let cursor = self.body.get("next_cursor").and_then(Value::as_str);
                let more = cursor.map(|cursor| format!("next_cursor: {cursor}\n"));
                render::rows(items) + &more.unwrap_or_default()
            }
            _ => render::object(&self.body),
        };
        let mut content = vec![ContentBlock::text(format!("{}\n\n{facts}", self.lead))];
        content.extend(self.links.into_iter().map(ContentBlock::resource_link));
        let mut result = if self.failed {
            CallToolResult::error(content)
        } else {
            CallToolResult::success(content)
        };
        result.structured_content = Some(self.body);
        result
    }
}

/// A call that failed.
pub(super) fn failure(mut fault: Fault) -> CallToolResult {
    let hint = fault.hint.take();
    fault.hint = hint
        .map(|hint| texts::in_tool_words(&hint))
        .or_else(|| usual_hint(&fault));
    fault.detail = views::shortened(&fault.detail, 4 * 1024);
    let text = told(&fault);
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.structured_content = Some(views::plain(fault));
    result
}

/// A failure of anything but a tool: an error of the protocol.
pub(super) fn refusal(mut fault: Fault) -> ErrorData {
    fault.hint = fault.hint.map(|hint| texts::in_tool_words(&hint));
    let asked_wrongly = matches!(
        fault.kind,
        ErrorKind::InvalidParams | ErrorKind::RequiredField
    );
    let code = if asked_wrongly {
        ErrorCode::INVALID_PARAMS
    } else {
        ErrorCode::INTERNAL_ERROR
    };
    ErrorData::new(code, told(&fault), Some(views::plain(fault)))
}

/// `kind: detail. hint`, and the field where the detail does not name it.
fn told(fault: &Fault) -> String {
    let mut text = fault.to_string();
    if let Some(field) = &fault.field
        && !text.contains(&format!("`{field}`"))
    {
        text = format!("{text} (`{field}`)");
    }
    match &fault.hint {
        Some(hint) => format!("{text}. {hint}"),
        None => text,
    }
}

/// What helps with a fault that says nothing of help.
fn usual_hint(fault: &Fault) -> Option<String> {
    if fault.kind != ErrorKind::NotFound {
        return None;
    }
    let lists = [
        ("no instance", "list them with instance_list"),
        ("no persona", "list them with persona_list"),
        ("no run", "list them with run_list"),
        ("no project", "list them with project {action:\"list\"}"),
    ];
    lists
        .iter()
        .find(|(noun, _)| fault.detail.starts_with(noun))
        .map(|(_, hint)| (*hint).to_owned())
}

/// What came of a wait.
pub(super) fn seen(seen: Seen, patience: &Patience) -> Reply {
    seen_with(seen, patience, More::default())
}

/// What of a run is shown beside the usual.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct More {
    pub(super) usage: bool,
    /// All files and commits, not only the first.
    pub(super) changes: bool,
}

/// What came of a wait, with more of the run.
pub(super) fn seen_with(seen: Seen, patience: &Patience, more: More) -> Reply {
    let mut run = match seen {
        Seen::Run(run) => *run,
        Seen::Ask(ask) => return Reply::ask(*ask),
    };
    run.warnings.extend(patience.note());
    let failed = is_failed(&run);
    let mut reply = shown(run, more);
    reply.failed = failed;
    reply
}

/// A run that something was asked of: whatever it is now, the call did not fail.
pub(super) fn as_it_is(run: Run) -> Reply {
    shown(run, More::default())
}

/// What `delegate` would have answered, had it waited for the end of the run.
pub(super) fn ended(run: Run) -> CallToolResult {
    let failed = is_failed(&run);
    let mut reply = shown(run, More::default());
    reply.failed = failed;
    reply.into_result()
}

fn is_failed(run: &Run) -> bool {
    matches!(run.state, RunState::Failed | RunState::TimedOut)
}

fn shown(run: Run, more: More) -> Reply {
    let next = next(&run);
    let lead = format!("{} · {next}", doing(&run));
    let links = resources::of(&run);
    let mut body = views::run(run, more.usage, more.changes);
    views::add(&mut body, "next", json!(next));
    Reply {
        links,
        ..Reply::new(lead, body)
    }
}

/// Several runs after a wait.
pub(super) fn runs(mut runs: Vec<Run>, until: Until, patience: &Patience) -> Reply {
    let over = runs.iter().filter(|run| run.wants_a_look()).count();
    let open: Vec<String> = runs
        .iter()
        .filter(|run| !run.wants_a_look())
        .map(|run| format!("\"{}\"", run.id))
        .collect();
    let mut lead = format!("{over} of {} runs have ended", runs.len());
    if !open.is_empty() {
        let until = match until {
            Until::Any => "any",
            Until::All => "all",
        };
        let open = open.join(",");
        lead = format!(
            "{lead} · for the others call run_get {{\"ids\":[{open}],\"until\":\"{until}\",\"wait_ms\":20000}}"
        );
    }
    let asks = |run: &&Run| run.wants_a_look() && !run.state.is_terminal();
    let asking = runs.iter().find(asks);
    if let Some(run) = asking {
        lead = format!(
            "{lead} · one waits for a person: run_get {{\"id\":\"{}\"}}",
            run.id
        );
    }
    if let Some(first) = runs.first_mut() {
        first.warnings.extend(patience.note());
    }
    if let Some(note) = patience.note() {
        lead = format!("{lead} · {}", note.detail);
    }
    let items: Vec<Value> = runs.into_iter().map(views::run_of_several).collect();
    Reply::new(lead, json!({"items": items}))
}

/// A page of things.
pub(super) fn page(page: Page<Value>, one: &str, several: &str) -> Reply {
    let lead = match (page.items.len(), &page.next_cursor) {
        (0, _) => format!("no {several}"),
        (1, None) => format!("1 {one}"),
        (count, None) => format!("{count} {several}"),
        (count, Some(_)) => format!("{count} {several} · more with cursor: next_cursor"),
    };
    Reply::new(lead, views::plain(page))
}

/// A persona that was created.
pub(super) fn persona(persona: Persona) -> Reply {
    let id = &persona.id;
    let lead = format!(
        "created · persona {id} · use it: delegate {{\"persona\":\"{id}\",\"prompt\":…}} or instance_create {{\"name\":…,\"persona\":\"{id}\"}}"
    );
    Reply::new(lead, views::persona(persona))
}

/// An instance that something was done to.
pub(super) fn instance(view: InstanceView, done: &str) -> Reply {
    let name = &view.instance.name;
    let status = views::plain(view.instance.status);
    let status = status.as_str().unwrap_or_default();
    let lead = format!("{done} · instance {name} · status {status}");
    Reply::new(lead, views::instance(view))
}

/// A schedule that something was done to.
pub(super) fn schedule(schedule: Schedule, done: &str) -> Reply {
    let next = match &schedule.next_at {
        Some(next) => format!("next at {next}, {} in {}", schedule.cron, schedule.zone),
        None => "not active".to_owned(),
    };
    let lead = format!("{done} · schedule {} · {next}", schedule.name);
    Reply::new(lead, views::schedule(schedule))
}

/// A project that something was done to.
pub(super) fn project(project: Project, done: &str) -> Reply {
    let lead = format!("{done} · project {} · {}", project.name, project.path);
    Reply::new(lead, views::plain(project))
}

/// A project whose agents were ended.
pub(super) fn stopped(stopped: ProjectStopped) -> Reply {
    let ended = stopped.delegations_ended;
    let mut reply = project(
        stopped.project,
        &format!("stopped, {ended} delegations ended"),
    );
    reply.add("delegations_ended", json!(ended));
    reply
}

/// The project that is no longer the active one, if any was.
pub(super) fn deactivated(found: Option<Project>) -> Reply {
    match found {
        Some(found) => project(found, "no longer active"),
        None => Reply::new("no project was active", json!({"active": false})),
    }
}

/// What a run is doing, in a line.
pub(super) fn doing(run: &Run) -> String {
    let mut parts = vec![run.state.as_str().to_owned()];
    let mut put = |what: String| parts.push(what);
    match run.state {
        RunState::Queued => {
            if let Some(waiting) = run.waiting {
                let waiting = views::plain(waiting);
                put(format!("waiting: {}", waiting.as_str().unwrap_or_default()));
            }
        }
        RunState::Running => {
            if let Some(step) = &run.step {
                put(format!("step: {}", views::shortened(step, 300)));
            }
            if let Some(tool) = &run.tool {
                put(format!("tool: {}", views::shortened(tool, 120)));
            }
        }
        RunState::InputRequired => {
            for request in &run.requests {
                let kind = views::plain(request.kind);
                let title = views::shortened(&request.title, 300);
                put(format!("{}: {title}", kind.as_str().unwrap_or_default()));
            }
        }
        RunState::Succeeded | RunState::Cancelled => {
            if let Some(conclusion) = &run.conclusion {
                let status = views::plain(conclusion.status);
                put(format!(
                    "conclusion: {}",
                    status.as_str().unwrap_or_default()
                ));
                if let Some(changes) = &conclusion.changes {
                    put(format!("changes: {}", views::sum(changes)));
                }
            }
        }
        RunState::Failed | RunState::TimedOut => {
            if let Some(error) = &run.error {
                put(views::shortened(&told(error), 600));
            }
        }
    }
    for below in &run.asks_below {
        for request in &below.requests {
            let kind = views::plain(request.kind);
            let kind = kind.as_str().unwrap_or_default();
            let title = views::shortened(&request.title, 300);
            put(format!("run {} below it asks: {kind}: {title}", below.run));
        }
    }
    if run.duplicate == Some(true) {
        put("duplicate: this idempotency_key had this very request before".to_owned());
    }
    parts.join(" · ")
}

/// What to call next.
fn next(run: &Run) -> String {
    let id = run.id;
    // What has ended needs nothing from below it.
    if !run.state.is_terminal()
        && run.requests.is_empty()
        && let Some(below) = run.asks_below.first()
        && let Some(request) = below.requests.first()
    {
        return format!(
            "run {}, below this one, waits for a person: ask yours, do not decide it yourself, then call run_input {}",
            below.run,
            answering(below.run, request)
        );
    }
    match run.state {
        RunState::Queued | RunState::Running => {
            format!("call run_get {{\"id\":\"{id}\",\"wait_ms\":20000}}")
        }
        RunState::InputRequired => match run.requests.first() {
            Some(request) => format!(
                "a person must answer: ask yours, do not decide it yourself, then call run_input {}",
                answering(id, request)
            ),
            None => format!("call run_get {{\"id\":\"{id}\",\"wait_ms\":20000}}"),
        },
        RunState::Succeeded => {
            format!("done; to follow up call delegate {{\"previous\":\"{id}\",\"prompt\":…}}")
        }
        RunState::Failed | RunState::TimedOut => format!(
            "see why with run_get {{\"id\":\"{id}\",\"include\":[\"attempts\"]}}, then delegate again"
        ),
        RunState::Cancelled => "ended for good; delegate again if it is still wanted".to_owned(),
    }
}

/// The arguments by which a request is answered, with the ways to answer it.
fn answering(run: RunId, request: &Request) -> String {
    let options: Vec<&str> = request
        .options
        .iter()
        .take(8)
        .map(|option| option.id.as_str())
        .collect();
    let how = if options.is_empty() {
        "\"text\":…".to_owned()
    } else {
        format!("\"option\":one of {}", json!(options))
    };
    format!(
        "{{\"id\":\"{}\",\"answer\":{{\"request\":{},{how}}}}}",
        run,
        json!(request.id)
    )
}
