//! The tools: one file per noun. Each reads its arguments, asks the hub, and says what came of it.

mod arguments;
mod delegate;
mod input;
mod instance;
mod persona;
mod project;
mod run;
mod schedule;

pub(super) use run::{Until, known, run_id};

use super::{
    handler::Face,
    results::{self, Reply},
    schema, texts,
    waits::Asked,
};
use crate::domain::fault::Fault;
use futures::future::BoxFuture;
use rmcp::{
    ErrorData, RoleServer,
    model::{CallToolRequestParams, CallToolResponse, JsonObject, ProtocolVersion},
    service::RequestContext,
};

/// What a tool answers.
pub(super) type Outcome = Result<Reply, Fault>;

/// What a client may assume of a tool.
#[derive(Clone, Copy, Debug)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the protocol's four hints, each its own question"
)]
pub(super) struct Hints {
    pub(super) read_only: bool,
    pub(super) destructive: bool,
    pub(super) idempotent: bool,
    pub(super) open_world: bool,
}

/// Looks, and changes nothing.
const LOOKS: Hints = Hints {
    read_only: true,
    destructive: false,
    idempotent: true,
    open_world: false,
};

/// Adds, and takes nothing away.
const ADDS: Hints = Hints {
    read_only: false,
    destructive: false,
    idempotent: false,
    open_world: false,
};

/// May take something away; twice is as once.
const TAKES: Hints = Hints {
    read_only: false,
    destructive: true,
    idempotent: true,
    open_world: false,
};

/// A tool.
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) description: &'static str,
    /// Words for tool search.
    pub(super) search: &'static str,
    pub(super) hints: Hints,
    pub(super) input: fn() -> JsonObject,
    pub(super) output: fn() -> JsonObject,
    call: fn(Face, JsonObject, Asked) -> BoxFuture<'static, Outcome>,
}

/// All tools, the entry first.
pub(super) const ALL: [Spec; 12] = [
    Spec {
        name: "delegate",
        title: "Delegate a task",
        description: texts::DELEGATE,
        search: texts::hints::DELEGATE,
        // An agent may edit files and reach the network.
        hints: Hints {
            read_only: false,
            destructive: true,
            idempotent: false,
            open_world: true,
        },
        input: schema::input::<delegate::Arguments>,
        output: run::one,
        call: |face, arguments, asked| Box::pin(delegate::delegate(face, arguments, asked)),
    },
    Spec {
        name: "run_get",
        title: "Get or await runs",
        description: texts::RUN_GET,
        search: texts::hints::RUN_GET,
        hints: LOOKS,
        input: schema::input::<run::Get>,
        output: run::one_or_several,
        call: |face, arguments, asked| Box::pin(run::get(face, arguments, asked)),
    },
    Spec {
        name: "run_list",
        title: "List runs",
        description: texts::RUN_LIST,
        search: texts::hints::RUN_LIST,
        hints: LOOKS,
        input: schema::input::<run::List>,
        output: run::page,
        call: |face, arguments, _| Box::pin(run::list(face, arguments)),
    },
    Spec {
        name: "run_input",
        title: "Say something to a run",
        description: texts::RUN_INPUT,
        search: texts::hints::RUN_INPUT,
        // What is answered may let an agent act.
        hints: Hints {
            idempotent: false,
            open_world: true,
            ..TAKES
        },
        input: schema::input::<input::Arguments>,
        output: input::delivered,
        call: |face, arguments, asked| Box::pin(input::input(face, arguments, asked)),
    },
    Spec {
        name: "run_cancel",
        title: "Cancel a run",
        description: texts::RUN_CANCEL,
        search: texts::hints::RUN_CANCEL,
        hints: TAKES,
        input: schema::input::<run::Cancel>,
        output: run::known_one,
        call: |face, arguments, _| Box::pin(run::cancel(face, arguments)),
    },
    Spec {
        name: "persona_list",
        title: "List personas",
        description: texts::PERSONA_LIST,
        search: texts::hints::PERSONA_LIST,
        hints: LOOKS,
        input: schema::input::<persona::List>,
        output: persona::page,
        call: |face, arguments, _| Box::pin(persona::list(face, arguments)),
    },
    Spec {
        name: "persona_create",
        title: "Create a persona",
        description: texts::PERSONA_CREATE,
        search: texts::hints::PERSONA_CREATE,
        hints: ADDS,
        input: schema::input::<persona::Create>,
        output: persona::one,
        call: |face, arguments, _| Box::pin(persona::create(face, arguments)),
    },
    Spec {
        name: "instance_list",
        title: "List instances",
        description: texts::INSTANCE_LIST,
        search: texts::hints::INSTANCE_LIST,
        hints: LOOKS,
        input: schema::input::<instance::List>,
        output: instance::page,
        call: |face, arguments, _| Box::pin(instance::list(face, arguments)),
    },
    Spec {
        name: "instance_create",
        title: "Create an instance",
        description: texts::INSTANCE_CREATE,
        search: texts::hints::INSTANCE_CREATE,
        hints: ADDS,
        input: schema::input::<instance::Create>,
        output: instance::one,
        call: |face, arguments, _| Box::pin(instance::create(face, arguments)),
    },
    Spec {
        name: "instance_control",
        title: "Control an instance",
        description: texts::INSTANCE_CONTROL,
        search: texts::hints::INSTANCE_CONTROL,
        hints: TAKES,
        input: schema::input::<instance::Control>,
        output: instance::known_one,
        call: |face, arguments, _| Box::pin(instance::control(face, arguments)),
    },
    Spec {
        name: "project",
        title: "Projects",
        description: texts::PROJECT,
        search: texts::hints::PROJECT,
        hints: TAKES,
        input: schema::input::<project::Arguments>,
        output: project::one_or_page,
        call: |face, arguments, _| Box::pin(project::project(face, arguments)),
    },
    Spec {
        name: "schedule",
        title: "Schedules",
        description: texts::SCHEDULE,
        search: texts::hints::SCHEDULE,
        // What is delegated at its times may do what any delegation may.
        hints: Hints {
            idempotent: false,
            open_world: true,
            ..TAKES
        },
        input: schema::input::<schedule::Arguments>,
        output: schedule::one_or_page,
        call: |face, arguments, _| Box::pin(schedule::schedule(face, arguments)),
    },
];

/// Calls a tool. What goes wrong within it is a result that says so; an unknown tool is an error of the protocol.
pub(super) async fn call(
    face: &Face,
    request: CallToolRequestParams,
    context: RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let found = ALL
        .iter()
        .zip(schema::tools())
        .find(|(spec, _)| spec.name == request.name);
    let Some((spec, tool)) = found else {
        return Err(unknown(&request.name));
    };
    // Links came with 2025-06-18; an older client may refuse a whole answer for a block that it does not know.
    let version = context.protocol_version();
    let knows_links =
        version.is_none_or(|version| version.as_str() >= ProtocolVersion::V_2025_06_18.as_str());
    let asked = Asked::of(&request, &context)?;
    let given = request.arguments.unwrap_or_default();
    let outcome = match arguments::check(given, &tool.input_schema) {
        Ok(arguments) => (spec.call)(face.clone(), arguments, asked).await,
        Err(fault) => Err(fault),
    };
    Ok(match outcome {
        Ok(reply) => reply.into_response(knows_links),
        Err(fault) => results::failure(fault).into(),
    })
}

fn unknown(name: &str) -> ErrorData {
    let near = crate::stdx::nearest(name, ALL.iter().map(|spec| spec.name));
    let hint = near.map_or_else(
        || "see tools/list".to_owned(),
        |near| format!("did you mean {near:?}?"),
    );
    ErrorData::invalid_params(format!("unknown tool {name:?}: {hint}"), None)
}

/// Arguments as their type, checked against their schema: for the other server that we are.
///
/// # Errors
/// `invalid_params`, `required_field`, naming the argument and what is right.
pub(in crate::faces) fn checked<T: serde::de::DeserializeOwned>(
    given: JsonObject,
    schema: &JsonObject,
) -> Result<T, Fault> {
    arguments::read(arguments::check(given, schema)?)
}
