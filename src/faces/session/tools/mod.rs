//! The four tools. What goes wrong within one is a result that says so.

mod delegate;
mod report;
mod waiting;

use super::{Offer, handler::Tools, texts};
use crate::{
    domain::fault::Fault,
    faces::mcp::{checked, input_schema},
};
use futures::future::BoxFuture;
use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResult, ContentBlock, JsonObject, MetaObject, Tool,
        ToolAnnotations,
    },
    service::RequestContext,
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{fmt, sync::Arc};
use waiting::Asker;

/// What a tool answers: words, and the same facts as a thing.
#[derive(Debug)]
struct Reply {
    text: String,
    body: Value,
    failed: bool,
}

impl Reply {
    fn new(text: impl Into<String>, body: impl Serialize) -> Self {
        Self {
            text: text.into(),
            body: serde_json::to_value(body).unwrap_or_default(),
            failed: false,
        }
    }
}

type Call = fn(Tools, JsonObject, Asker) -> BoxFuture<'static, Result<Reply, Fault>>;

/// A tool.
pub(super) struct Spec {
    name: &'static str,
    title: &'static str,
    description: &'static str,
    /// Calling it again changes nothing more.
    idempotent: bool,
    /// Others may be set to work by it.
    open_world: bool,
    input: fn() -> JsonObject,
    call: Call,
}

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

static REPORTING: [Spec; 3] = [
    Spec {
        name: "conclude",
        title: "Conclude the run",
        description: texts::CONCLUDE,
        idempotent: true,
        open_world: false,
        input: input_schema::<report::Conclude>,
        call: |tools, given, _| Box::pin(report::conclude(tools, given)),
    },
    Spec {
        name: "report_progress",
        title: "Report progress",
        description: texts::REPORT_PROGRESS,
        idempotent: true,
        open_world: false,
        input: input_schema::<report::Progress>,
        call: |tools, given, _| Box::pin(report::progress(tools, given)),
    },
    Spec {
        name: "ask",
        title: "Ask the person",
        description: texts::ASK,
        idempotent: false,
        open_world: false,
        input: input_schema::<report::Ask>,
        call: |tools, given, asker| Box::pin(report::ask(tools, given, asker)),
    },
];

static DELEGATING: Spec = Spec {
    name: "delegate",
    title: "Delegate a part",
    description: texts::DELEGATE,
    idempotent: false,
    open_world: true,
    input: input_schema::<delegate::Arguments>,
    call: |tools, given, asker| Box::pin(delegate::delegate(tools, given, asker)),
};

/// The tools of a session, in their order.
pub(super) fn offered(offer: Offer) -> Vec<(Tool, &'static Spec)> {
    let delegating = offer.may_delegate.then_some(&DELEGATING);
    REPORTING
        .iter()
        .chain(delegating)
        .map(|spec| (listed(spec), spec))
        .collect()
}

fn listed(spec: &Spec) -> Tool {
    let annotations = ToolAnnotations::new()
        .read_only(false)
        .destructive(false)
        .idempotent(spec.idempotent)
        .open_world(spec.open_world);
    let mut meta = MetaObject::new();
    // A model that must search for them first does not know that it should report.
    meta.insert("anthropic/alwaysLoad".to_owned(), json!(true));
    Tool::new(spec.name, spec.description, Arc::new((spec.input)()))
        .with_title(spec.title)
        .with_annotations(annotations)
        .with_meta(meta)
}

/// Calls a tool. An unknown one is an error of the protocol.
pub(super) async fn call(
    tools: &Tools,
    request: CallToolRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResult, ErrorData> {
    let found = tools
        .listed()
        .iter()
        .find(|(tool, _)| tool.name == request.name);
    let Some((_, spec)) = found else {
        return Err(unknown(tools, &request.name));
    };
    let given = request.arguments.unwrap_or_default();
    let asker = Asker::of(&context);
    let cancelled = context.ct.clone();
    let outcome = tokio::select! {
        outcome = (spec.call)(tools.clone(), given, asker) => outcome,
        // Nobody hears the answer; what was asked of the hub is taken back with the connection.
        () = cancelled.cancelled() => Err(Fault::internal("the call was cancelled")),
    };
    Ok(match outcome {
        Ok(reply) => {
            let content = vec![ContentBlock::text(reply.text)];
            let mut result = if reply.failed {
                CallToolResult::error(content)
            } else {
                CallToolResult::success(content)
            };
            result.structured_content = Some(reply.body);
            result
        }
        Err(fault) => failure(&fault),
    })
}

/// Reads arguments by the schema of their tool.
fn read<T: serde::de::DeserializeOwned + schemars::JsonSchema>(
    given: JsonObject,
) -> Result<T, Fault> {
    checked(given, &input_schema::<T>())
}

/// `kind: detail. hint`: clients show the model only the text of an error.
fn failure(fault: &Fault) -> CallToolResult {
    let text = match &fault.hint {
        Some(hint) => format!("{fault}. {hint}"),
        None => fault.to_string(),
    };
    let mut result = CallToolResult::error(vec![ContentBlock::text(text)]);
    result.structured_content = serde_json::to_value(fault).ok();
    result
}

fn unknown(tools: &Tools, name: &str) -> ErrorData {
    let names = || tools.listed().iter().map(|(_, spec)| spec.name);
    let hint = crate::stdx::nearest(name, names()).map_or_else(
        || format!("the tools are {}", names().collect::<Vec<_>>().join(", ")),
        |near| format!("did you mean {near:?}?"),
    );
    let name = crate::stdx::text::head(name, 80);
    ErrorData::invalid_params(format!("unknown tool {name:?}: {hint}"), None)
}
