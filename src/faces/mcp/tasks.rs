//! MCP's tasks extension: a run seen as a task, by who takes one for an answer. There is no other state than the run's: any run is a task, also
//! one that began elsewhere, and whoever comes after this process finds it again.

use super::{
    asking::{self, Manner},
    era,
    form::{self, Verdict},
    handler::Face,
    question, results, rounds, tools,
};
use crate::{
    api::{
        hub::{HubApiClient as _, Nothing},
        run::{RunApiClient as _, RunCancel},
    },
    domain::{
        fault::{ErrorKind, Fault},
        run::{Run, RunState},
        time::Timestamp,
    },
    stdx::{clock, text::head},
};
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CreateTaskResult, DetailedTask, GetTaskResult, InputRequests, Task, TaskPayload,
        TaskStatus, UpdateTaskParams,
    },
    service::RequestContext,
};
use serde_json::Value;

/// How often it should be asked for: a tenth of how long it has been going on, within these.
const OFTEN_MS: i64 = 500;
const SELDOM_MS: i64 = 5_000;

/// The client takes tasks, as it said with this very request. What it said when it shook hands does not count.
pub(super) fn are_declared(context: &RequestContext<RoleServer>) -> bool {
    let declared = context.meta.client_capabilities();
    era::is_modern(context) && declared.is_some_and(|declared| declared.supports_tasks())
}

/// The answer to a call that began a run.
pub(super) async fn begun(face: &Face, run: &Run) -> CreateTaskResult {
    CreateTaskResult::new(seen(face, run.clone(), false).await.task)
}

/// A run as a task. `asks`: the client can put what its agent asks to a person.
pub(super) async fn seen(face: &Face, run: Run, asks: bool) -> DetailedTask {
    let task = task(&run, lives_ms(face, &run).await);
    DetailedTask::new(task, payload(run, asks))
}

/// `tasks/get`.
pub(super) async fn get(
    face: &Face,
    id: &str,
    context: &RequestContext<RoleServer>,
) -> Result<GetTaskResult, ErrorData> {
    let run = known(face, id).await?;
    let asks = Manner::of(context) == Manner::Rounds;
    Ok(GetTaskResult::new(seen(face, run, asks).await))
}

/// `tasks/update`: what a person answered. Answers to what is no longer open, or never was, are left aside.
pub(super) async fn update(face: &Face, given: UpdateTaskParams) -> Result<(), ErrorData> {
    let run = known(face, &given.task_id).await?;
    let open = question::of(&run);
    for (id, said) in given.input_responses {
        let Some(question) = open.iter().find(|one| one.request.id == id) else {
            continue;
        };
        let Verdict::Answer(answer) = form::read(&question.request, &said) else {
            continue;
        };
        if let Err(fault) = asking::give(face, question.run, &id, answer).await
            && asking::is_open(face, &run, &id).await
        {
            return Err(results::refusal(fault));
        }
    }
    Ok(())
}

/// `tasks/cancel`. One that has ended stays as it is.
pub(super) async fn cancel(face: &Face, id: &str) -> Result<(), ErrorData> {
    let run = tools::run_id(id).map_err(|fault| refused(id, fault))?;
    let params = RunCancel {
        id: run,
        reason: None,
    };
    let asked = face.link().read(|hub| {
        let params = params.clone();
        async move { hub.cancel(params).await }
    });
    match asked.await {
        Err(fault) if fault.kind != ErrorKind::RunTerminal => Err(refused(id, fault)),
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn known(face: &Face, id: &str) -> Result<Run, ErrorData> {
    let run = tools::run_id(id).map_err(|fault| refused(id, fault))?;
    tools::known(face, run)
        .await
        .map_err(|fault| refused(id, fault))
}

fn refused(id: &str, fault: Fault) -> ErrorData {
    if fault.kind == ErrorKind::NotFound {
        return ErrorData::invalid_params(format!("no task {:?}", head(id, 80)), None);
    }
    results::refusal(fault)
}

/// Without its status, which is its payload's.
fn task(run: &Run, ttl_ms: Option<u64>) -> Task {
    let changed = run.ended_at.or(run.started_at).unwrap_or(run.created_at);
    let mut task = Task::new(
        run.id.to_string(),
        TaskStatus::Working,
        run.created_at.to_string(),
        changed.to_string(),
    )
    .with_status_message(results::doing(run));
    task.ttl_ms = ttl_ms;
    task.poll_interval_ms = Some(interval_ms(run, Timestamp(clock::now_ms())));
    task
}

fn interval_ms(run: &Run, now: Timestamp) -> u64 {
    let old = now.since_ms(run.created_at) / 10;
    u64::try_from(old.clamp(OFTEN_MS, SELDOM_MS)).unwrap_or_default()
}

fn payload(run: Run, asks: bool) -> TaskPayload {
    match run.state {
        RunState::Cancelled => TaskPayload::Cancelled,
        RunState::Succeeded | RunState::Failed | RunState::TimedOut => {
            TaskPayload::Completed { result: whole(run) }
        }
        RunState::Queued | RunState::Running | RunState::InputRequired => {
            let input_requests = requests(&run);
            // A client must not be asked for what it cannot do: then somebody else has to answer, as the message says.
            if asks && !input_requests.is_empty() {
                TaskPayload::InputRequired { input_requests }
            } else {
                TaskPayload::Working
            }
        }
    }
}

fn requests(run: &Run) -> InputRequests {
    rounds::forms(question::of(run))
}

fn whole(run: Run) -> serde_json::Map<String, Value> {
    match serde_json::to_value(results::ended(run)) {
        Ok(Value::Object(result)) => result,
        Ok(_) | Err(_) => serde_json::Map::new(),
    }
}

/// From its beginning to the moment from which it may be removed. An open one never is; what the hub does not say is taken for ever.
async fn lives_ms(face: &Face, run: &Run) -> Option<u64> {
    let ended = run.ended_at?;
    let hub = face
        .link()
        .read(|hub| async move { hub.info(Nothing {}).await })
        .await
        .ok()?;
    let took = u64::try_from(ended.since_ms(run.created_at)).unwrap_or_default();
    Some(took.saturating_add(hub.runs_retention_ms?))
}
