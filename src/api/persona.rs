//! `persona.*`: descriptions of who an agent should be.

use super::given;
use crate::domain::{
    fault::Fault,
    instance::Role,
    page::Page,
    persona::{Persona, ReasoningLevel},
};
use jsonrpsee::proc_macros::rpc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which personas to list.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonaList {
    /// Words to look for in id, name, role, description and traits; all must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// Exact category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many, 1 to 200; 50 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A persona by id.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonaId {
    /// Persona id, such as "reviewer".
    pub id: String,
}

/// A new persona, from nothing, from another one, or from a sub-agent file.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonaCreate {
    /// New id: lower-case words joined by hyphens.
    pub id: String,
    /// Catalogue id, or path of a sub-agent `.md` file, whose fields are the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    #[serde(flatten)]
    pub fields: PersonaFields,
}

/// The fields of a persona that a person writes; absent = not given.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct PersonaFields {
    /// Name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Short role, such as "reviewer".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// When to use it, in a sentence or two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Group it is listed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// One word.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub icon: Option<Option<String>>,
    /// What the agent is told it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Words for its character.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traits: Option<Vec<String>>,
    /// Tools it may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
    /// Model id in the agent's own words; null clears it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub model: Option<Option<String>>,
    /// 0.0 to 1.0; null clears it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub temperature: Option<Option<f64>>,
    /// Tokens of one answer; null clears it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub max_tokens: Option<Option<u32>>,
    /// How hard to think; null clears it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub reasoning_level: Option<Option<ReasoningLevel>>,
    /// Preferred agent id; null clears it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub agent: Option<Option<String>>,
    /// Lines it remembers from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_seeds: Option<Vec<String>>,
    /// Identity files of its own: plain file name to template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity_templates: Option<BTreeMap<String, String>>,
    /// Place in the hierarchy; null clears it.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub hierarchy_role: Option<Option<Role>>,
}

/// Changes to a user's persona; a built-in one is copied to the home first.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonaUpdate {
    /// Persona id.
    pub id: String,
    #[serde(flatten)]
    pub fields: PersonaFields,
}

/// Removal of a user's persona.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonaDelete {
    /// Persona id.
    pub id: String,
    /// Also when instances use it.
    #[serde(default)]
    pub force: bool,
}

/// A sub-agent file to take in.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonaImport {
    /// The file's text: YAML front matter and Markdown.
    pub text: String,
    /// Id to give it; its own `name` otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Replace a user's persona of that id.
    #[serde(default)]
    pub force: bool,
}

/// A persona as the text of a sub-agent file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PersonaText {
    /// Markdown with YAML front matter.
    pub text: String,
}

/// Verbs on personas.
#[rpc(server, client, namespace = "persona", namespace_separator = ".")]
pub trait PersonaApi {
    /// Personas by id: the user's and the catalogue's.
    #[method(name = "list")]
    async fn list(&self, params: PersonaList) -> Result<Page<Persona>, Fault>;
    /// One persona.
    #[method(name = "get")]
    async fn get(&self, params: PersonaId) -> Result<Persona, Fault>;
    /// A new persona in the home.
    #[method(name = "create", with_extensions)]
    async fn create(&self, params: PersonaCreate) -> Result<Persona, Fault>;
    /// Changes a persona; null clears a field.
    #[method(name = "update", with_extensions)]
    async fn update(&self, params: PersonaUpdate) -> Result<Persona, Fault>;
    /// Removes a user's persona; a built-in one of that id is there again afterwards.
    #[method(name = "delete", with_extensions)]
    async fn delete(&self, params: PersonaDelete) -> Result<Persona, Fault>;
    /// Takes in a sub-agent file.
    #[method(name = "import", with_extensions)]
    async fn import(&self, params: PersonaImport) -> Result<Persona, Fault>;
    /// Gives a persona out as a sub-agent file; what was imported comes out without loss.
    #[method(name = "export")]
    async fn export(&self, params: PersonaId) -> Result<PersonaText, Fault>;
    /// The one text by which the persona would reach an agent.
    #[method(name = "preview")]
    async fn preview(&self, params: PersonaId) -> Result<PersonaText, Fault>;
}
