//! `persona_list`, `persona_create`.

use super::{Outcome, arguments};
use crate::{
    api::persona::{
        PersonaApiClient as _, PersonaCreate, PersonaFields, PersonaImport, PersonaList,
        PersonaUpdate,
    },
    domain::{
        fault::{ErrorKind, Fault},
        persona::Persona,
    },
    faces::mcp::{handler::Face, results, schema, subagent, views},
};
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Deserialize;

/// Arguments of `persona_list`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct List {
    /// Words it must contain.
    query: Option<String>,
    /// Exact category, such as quality.
    category: Option<String>,
    /// The last `next_cursor`.
    cursor: Option<String>,
}

/// Arguments of `persona_create`.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Create {
    /// New id: lower-case words and hyphens.
    id: String,
    /// A persona id, or path of a sub-agent .md file.
    from: Option<String>,
    /// Name for people.
    name: Option<String>,
    /// Short role, such as reviewer.
    role: Option<String>,
    /// When to use it.
    description: Option<String>,
    /// What the agent is told it is.
    system_prompt: Option<String>,
    /// Words for its character.
    traits: Option<Vec<String>>,
    /// Tools, in its agent's words.
    tools: Option<Vec<String>>,
    /// Model id, in its agent's words.
    model: Option<String>,
    /// Sampling temperature.
    #[schemars(range(min = 0.0, max = 1.0))]
    temperature: Option<f64>,
    /// Preferred agent id.
    agent: Option<String>,
    /// Lines it remembers.
    memory_seeds: Option<Vec<String>>,
    /// Group it is listed in.
    category: Option<String>,
}

/// A persona.
pub(super) fn one() -> JsonObject {
    schema::output(&[schema::outline::<Persona>()])
}

/// A page of personas.
pub(super) fn page() -> JsonObject {
    schema::output(&[schema::page::<Persona>()])
}

/// Personas by id.
pub(super) async fn list(face: Face, given: JsonObject) -> Outcome {
    let given: List = arguments::read(given)?;
    let params = PersonaList {
        query: given.query,
        category: given.category,
        cursor: given.cursor,
        limit: None,
    };
    let page = face
        .link()
        .read(|hub| {
            let params = params.clone();
            async move { hub.list(params).await }
        })
        .await?;
    Ok(results::page(
        page.map(views::persona_row),
        "persona",
        "personas",
    ))
}

/// A new persona in the home.
pub(super) async fn create(face: Face, given: JsonObject) -> Outcome {
    let given: Create = arguments::read(given)?;
    crate::domain::slug::check("id", &given.id)?;
    let from = given.from.clone();
    let (id, fields) = fields(given);
    let persona = match from {
        Some(path) if subagent::is_path(&path) => import(&face, &path, id, fields).await?,
        from => {
            let params = PersonaCreate { id, from, fields };
            face.link()
                .call(|hub| async move { hub.create(params).await })
                .await?
        }
    };
    Ok(results::persona(persona))
}

async fn import(
    face: &Face,
    path: &str,
    id: String,
    fields: PersonaFields,
) -> Result<Persona, Fault> {
    let text = subagent::read(&face.0.context, path).await?;
    let params = PersonaImport {
        text,
        id: Some(id.clone()),
        force: false,
    };
    let persona = face
        .link()
        .call(|hub| async move { hub.import(params).await })
        .await
        .map_err(silent)?;
    if views::plain(&fields) == views::empty() {
        return Ok(persona);
    }
    let params = PersonaUpdate { id, fields };
    face.link()
        .call(|hub| async move { hub.update(params).await })
        .await
        .map_err(|mut fault| {
            fault.detail = format!(
                "the persona was created from the file, but not changed: {}",
                fault.detail
            );
            fault
        })
}

/// What the hub finds wrong with a file may quote it; whose file it is we cannot know.
fn silent(fault: Fault) -> Fault {
    let about_the_file = matches!(
        fault.kind,
        ErrorKind::InvalidParams | ErrorKind::RequiredField | ErrorKind::TooLarge
    );
    if about_the_file {
        subagent::no_front_matter()
    } else {
        fault
    }
}

fn fields(given: Create) -> (String, PersonaFields) {
    let fields = PersonaFields {
        name: given.name,
        role: given.role,
        description: given.description,
        category: given.category,
        system_prompt: given.system_prompt,
        traits: given.traits,
        tools: given.tools,
        model: given.model.map(Some),
        temperature: given.temperature.map(Some),
        agent: given.agent.map(Some),
        memory_seeds: given.memory_seeds,
        ..PersonaFields::default()
    };
    (given.id, fields)
}
