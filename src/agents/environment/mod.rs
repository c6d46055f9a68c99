//! What of an environment an agent may see. Pure, but for the one file that a person may keep values in.

mod file;
mod names;

pub use file::read_file;
pub use names::{COMMON, FETCHING, TOOLS, is_secret, matches, never};

use crate::domain::agent::AgentDefinition;
use std::collections::BTreeMap;

/// Names and values.
pub type Values = BTreeMap<String, String>;

/// The environment of an agent's process: of `values` the common set, the agent's own names and `extra` (a person's
/// `agent.env_passthrough`), never what must not pass; then what its definition sets.
#[must_use]
pub fn select(values: &Values, definition: &AgentDefinition, extra: &[String]) -> Values {
    let mut selected: Values = values
        .iter()
        .filter(|(name, _)| {
            !never(name) && (common(name) || own(name, definition) || among(name, extra))
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    selected.extend(definition.launch.env.clone());
    selected
}

/// The values of the agent's own names alone: they tell warm agents apart. The common set does not, or every terminal
/// with another PATH would start its own.
#[must_use]
pub fn own_values(values: &Values, definition: &AgentDefinition) -> Values {
    values
        .iter()
        .filter(|(name, _)| !never(name) && !common(name) && own(name, definition))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// The names that the agent needs and that have no value, or an empty one.
#[must_use]
pub fn missing(values: &Values, definition: &AgentDefinition) -> Vec<String> {
    definition
        .env
        .required
        .iter()
        .filter(|name| {
            let set = definition
                .launch
                .env
                .get(*name)
                .or_else(|| values.get(*name));
            set.is_none_or(String::is_empty)
        })
        .cloned()
        .collect()
}

/// What a redactor must take out of texts: the values of the agent's own, `extra` and set names that look secret.
#[must_use]
pub fn secrets(values: &Values, definition: &AgentDefinition, extra: &[String]) -> Vec<String> {
    select(values, definition, extra)
        .into_iter()
        .filter(|(name, value)| !value.is_empty() && is_secret(name))
        .map(|(_, value)| value)
        .collect()
}

/// The environment of the machine's own tools, which install agents: of `values` the common set and what such tools go by.
#[must_use]
pub fn of_tools(values: &Values) -> Values {
    let theirs = |name: &str| TOOLS.iter().any(|pattern| matches(pattern, name));
    values
        .iter()
        .filter(|(name, _)| !never(name) && (common(name) || theirs(name)))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// What a face sends when it joins: of `values` those that one of `names` (exact, or ending in `*`) lets through.
#[must_use]
pub fn named(values: &Values, names: &[String]) -> Values {
    values
        .iter()
        .filter(|(name, _)| !never(name) && among(name, names))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn common(name: &str) -> bool {
    COMMON.iter().any(|pattern| matches(pattern, name))
}

fn own(name: &str, definition: &AgentDefinition) -> bool {
    among(name, &definition.env.pass) || among(name, &definition.env.required)
}

fn among(name: &str, patterns: &[String]) -> bool {
    patterns.iter().any(|pattern| matches(pattern, name))
}

#[cfg(test)]
mod tests;
