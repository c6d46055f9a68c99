//! A persona's fields as flags, for `create` and `update`.

use super::args::one_of;
use crate::{
    api::persona::PersonaFields,
    domain::{instance::Role, persona::ReasoningLevel},
};
use clap::{Args, ValueEnum};

/// What a person writes of a persona.
#[derive(Debug, Default, Args)]
pub struct FieldArgs {
    /// Name for people
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Short role, such as "reviewer"
    #[arg(long, value_name = "TEXT")]
    role: Option<String>,
    /// When to use it, in a sentence or two
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// Group it is listed in
    #[arg(long, value_name = "TEXT")]
    category: Option<String>,
    /// One word
    #[arg(long, value_name = "WORD")]
    icon: Option<String>,
    /// What the agent is told it is
    #[arg(long, value_name = "TEXT")]
    system_prompt: Option<String>,
    /// Word for its character; may be given again
    #[arg(long = "trait", value_name = "WORD")]
    traits: Vec<String>,
    /// Tool it may use; may be given again
    #[arg(long = "tool", value_name = "NAME")]
    tools: Vec<String>,
    /// Model id in the agent's own words
    #[arg(long, value_name = "ID")]
    model: Option<String>,
    /// 0.0 to 1.0
    #[arg(long, value_name = "NUMBER")]
    temperature: Option<f64>,
    /// Tokens of one answer
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// How hard to think
    #[arg(long, value_parser = one_of::<ReasoningLevel, 3>(["low", "medium", "high"]))]
    reasoning_level: Option<ReasoningLevel>,
    /// Preferred agent
    #[arg(long, value_name = "ID")]
    agent: Option<String>,
    /// Line it remembers from the start; may be given again
    #[arg(long = "memory", value_name = "TEXT")]
    memory_seeds: Vec<String>,
    /// Place in the hierarchy
    #[arg(long, value_parser = one_of::<Role, 3>(["commander", "captain", "talon"]))]
    hierarchy_role: Option<Role>,
}

/// What a persona can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Clearable {
    Icon,
    Traits,
    Tools,
    Model,
    Temperature,
    MaxTokens,
    ReasoningLevel,
    Agent,
    Memory,
    HierarchyRole,
}

impl FieldArgs {
    /// The API's fields: what was not typed is not given, what is in `clear` is taken away.
    pub(super) fn fields(self, clear: &[Clearable]) -> PersonaFields {
        let gone = |field| clear.contains(&field);
        PersonaFields {
            name: self.name,
            role: self.role,
            description: self.description,
            category: self.category,
            icon: change(self.icon, gone(Clearable::Icon)),
            system_prompt: self.system_prompt,
            traits: words(self.traits, gone(Clearable::Traits)),
            tools: words(self.tools, gone(Clearable::Tools)),
            model: change(self.model, gone(Clearable::Model)),
            temperature: change(self.temperature, gone(Clearable::Temperature)),
            max_tokens: change(self.max_tokens, gone(Clearable::MaxTokens)),
            reasoning_level: change(self.reasoning_level, gone(Clearable::ReasoningLevel)),
            agent: change(self.agent, gone(Clearable::Agent)),
            memory_seeds: words(self.memory_seeds, gone(Clearable::Memory)),
            identity_templates: None,
            hierarchy_role: change(self.hierarchy_role, gone(Clearable::HierarchyRole)),
        }
    }
}

fn change<T>(value: Option<T>, gone: bool) -> Option<Option<T>> {
    if gone { Some(None) } else { value.map(Some) }
}

fn words(words: Vec<String>, gone: bool) -> Option<Vec<String>> {
    (gone || !words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::{Clearable, FieldArgs};

    #[test]
    fn what_was_not_typed_is_not_given_and_what_is_cleared_is_null() {
        let args = FieldArgs {
            name: Some("N".into()),
            model: Some("m".into()),
            ..FieldArgs::default()
        };
        let fields = args.fields(&[Clearable::Agent, Clearable::Traits]);
        assert_eq!(
            serde_json::to_value(&fields).expect("plain data"),
            serde_json::json!({"name": "N", "model": "m", "agent": null, "traits": []})
        );
    }
}
