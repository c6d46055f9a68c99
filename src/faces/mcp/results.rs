//! What came of a call: the thing itself as structured content, and the same facts as text, led by its state and the next step.

use super::{
    render, resources, texts,
    tools::Until,
    views,
    waits::{self, Patience},
};
use crate::{
    api::instance::InstanceView,
    domain::{
        fault::{ErrorKind, Fault},
        page::Page,
        persona::Persona,
        project::Project,
        run::{Run, RunState},
    },
};
use rmcp::{
    ErrorData,
    model::{CallToolResult, ContentBlock, ErrorCode, Resource},
};
use serde_json::{Value, json};

/// An answer before it is a result of the wire.
#[derive(Debug)]
pub(super) struct Reply {
    lead: String,
    body: Value,
    failed: bool,
    link: Option<Resource>,
}

impl Reply {
    fn new(lead: impl Into<String>, body: Value) -> Self {
        Self {
            lead: lead.into(),
            body,
            failed: false,
            link: None,
        }
    }

    /// One more fact.
    pub(super) fn add(&mut self, name: &str, value: Value) {
        views::add(&mut self.body, name, value);
    }

    /// As the wire has it.
    pub(super) fn into_result(self) -> CallToolResult {
        let facts = match self.body.get("items") {
            Some(Value::Array(items)) => {
                let cursor = self.body.get("next_cursor").and_then(Value::as_str);
                let more = cursor.map(|cursor| format!("next_cursor: {cursor}\n"));
                render::rows(items) + &more.unwrap_or_default()
            }
            _ => render::object(&self.body),
        };
        let mut content = vec![ContentBlock::text(format!("{}\n\n{facts}", self.lead))];
        content.extend(self.link.map(ContentBlock::resource_link));
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

/// A run after a wait.
pub(super) fn run(run: Run, patience: &Patience) -> Reply {
    run_with(run, patience, false)
}

/// A run after a wait, with what it used.
pub(super) fn run_with(mut run: Run, patience: &Patience, usage: bool) -> Reply {
    run.warnings.extend(patience.note());
    let failed = matches!(run.state, RunState::Failed | RunState::TimedOut);
    let mut reply = shown(run, usage);
    reply.failed = failed;
    reply
}

/// A run whose end was asked for: whatever it is now, the call did not fail.
pub(super) fn cancelled(run: Run) -> Reply {
    shown(run, false)
}

fn shown(run: Run, usage: bool) -> Reply {
    let next = next(&run);
    let lead = format!("{} · {next}", doing(&run));
    let link = (run.attempt > 0).then(|| resources::transcript(&run));
    let mut body = views::run(run, usage);
    views::add(&mut body, "next", json!(next));
    Reply {
        link,
        ..Reply::new(lead, body)
    }
}

/// Several runs after a wait.
pub(super) fn runs(mut runs: Vec<Run>, until: Until, patience: &Patience) -> Reply {
    let over = runs.iter().filter(|run| waits::is_over(run)).count();
    let open: Vec<String> = runs
        .iter()
        .filter(|run| !waits::is_over(run))
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

/// A project that something was done to.
pub(super) fn project(project: Project, done: &str) -> Reply {
    let lead = format!("{done} · project {} · {}", project.name, project.path);
    Reply::new(lead, views::plain(project))
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
        }
        RunState::InputRequired => {
            for request in &run.requests {
                put(format!("{}: {}", views::plain(request.kind), request.title));
            }
        }
        RunState::Succeeded | RunState::Cancelled => {
            if let Some(conclusion) = &run.conclusion {
                let status = views::plain(conclusion.status);
                put(format!(
                    "conclusion: {}",
                    status.as_str().unwrap_or_default()
                ));
            }
        }
        RunState::Failed | RunState::TimedOut => {
            if let Some(error) = &run.error {
                put(views::shortened(&told(error), 600));
            }
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
    match run.state {
        RunState::Queued | RunState::Running => {
            format!("call run_get {{\"id\":\"{id}\",\"wait_ms\":20000}}")
        }
        RunState::InputRequired => format!(
            "a person must answer; then call run_get {{\"id\":\"{id}\",\"wait_ms\":20000}}, or run_cancel {{\"id\":\"{id}\"}}"
        ),
        RunState::Succeeded => {
            format!("done; to follow up call delegate {{\"previous\":\"{id}\",\"prompt\":…}}")
        }
        RunState::Failed | RunState::TimedOut => format!(
            "see why with run_get {{\"id\":\"{id}\",\"include\":[\"attempts\"]}}, then delegate again"
        ),
        RunState::Cancelled => "ended for good; delegate again if it is still wanted".to_owned(),
    }
}
