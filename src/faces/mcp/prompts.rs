//! Prompts: one per persona, which become slash commands in editors. Each hands a task to that persona by `delegate`.

use super::{handler::Face, resources, results, views};
use crate::{
    api::persona::{PersonaApiClient as _, PersonaId},
    domain::persona::Persona,
};
use rmcp::{
    ErrorData,
    model::{
        GetPromptRequestParams, GetPromptResult, JsonObject, ListPromptsResult, Prompt,
        PromptArgument, PromptMessage, Role,
    },
};
use serde_json::Value;

/// Of one page.
const PAGE: u32 = 100;
/// The argument that completes to names of instances.
pub(super) const INSTANCE: &str = "instance";
const TASK: &str = "task";

/// A prompt per persona.
pub(super) async fn list(
    face: &Face,
    cursor: Option<String>,
) -> Result<ListPromptsResult, ErrorData> {
    let page = resources::personas(face, cursor, PAGE)
        .await
        .map_err(results::refusal)?;
    let mut result = ListPromptsResult::with_all_items(page.items.iter().map(prompt).collect());
    result.next_cursor = page.next_cursor;
    Ok(result)
}

fn prompt(persona: &Persona) -> Prompt {
    let task = PromptArgument::new(TASK)
        .with_title("Task")
        .with_description("What is to be done; without it you are asked");
    let instance = PromptArgument::new(INSTANCE)
        .with_title("Instance")
        .with_description(
            "Name of the instance to give it to; without it any agent does it as this persona",
        );
    let description = views::shortened(&persona.description, 400);
    Prompt::new(
        persona.id.clone(),
        Some(description),
        Some(vec![task, instance]),
    )
    .with_title(persona.name.clone())
}

/// What the model is told to do.
pub(super) async fn get(
    face: &Face,
    request: GetPromptRequestParams,
) -> Result<GetPromptResult, ErrorData> {
    let arguments = request.arguments.unwrap_or_default();
    let task = argument(&arguments, TASK)?;
    let instance = argument(&arguments, INSTANCE)?;
    let params = PersonaId { id: request.name };
    let persona = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { hub.get(params).await }
        })
        .await
        .map_err(|fault| {
            let mut error = results::refusal(fault);
            error.code = rmcp::model::ErrorCode::INVALID_PARAMS;
            error
        })?;
    let text = text(&persona, task.as_deref(), instance.as_deref());
    Ok(
        GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)])
            .with_description(format!("Delegate a task to {}", persona.name)),
    )
}

/// An argument that was given and is not blank.
fn argument(arguments: &JsonObject, name: &str) -> Result<Option<String>, ErrorData> {
    match arguments.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim())
            .filter(|text| !text.is_empty())
            .map(str::to_owned)),
        Some(_) => Err(ErrorData::invalid_params(
            format!("argument {name:?} must be a string"),
            None,
        )),
    }
}

fn text(persona: &Persona, task: Option<&str>, instance: Option<&str>) -> String {
    let id = &persona.id;
    let whom = match instance {
        Some(name) => format!("instance \"{name}\""),
        None => format!("persona \"{id}\""),
    };
    let does = format!("{} ({})", persona.name, persona.description);
    let how = format!(
        "Call the Eyas tool delegate with {whom} and a prompt that is complete in itself: the agent sees the project, but not this \
         conversation, so add the paths, branches and facts from here that it needs. Then call run_get with the run's id until it has \
         ended, and tell me its conclusion."
    );
    match task {
        Some(task) => {
            format!("Delegate the following task to {does}.\n\n{how}\n\nThe task:\n\n{task}")
        }
        None => format!(
            "I want to delegate a task to {does}. Ask me what is to be done, unless it is clear from what we said.\n\n{how}"
        ),
    }
}
