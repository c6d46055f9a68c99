//! A persona as a file: Markdown with YAML front matter, a superset of Claude Code's sub-agent files. What Eyas gives no meaning stays.

use super::front_matter::{FrontMatter, yaml_of};
use crate::domain::{
    fault::Fault,
    instance::Role,
    persona::{Persona, ReasoningLevel, Source},
    slug,
};
use crate::stdx::text;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

pub use super::front_matter::MAX_BYTES;
pub(crate) use super::front_matter::prompt_of;

/// The keys that Eyas gives a meaning, in the order in which they are written.
const KEYS: [&str; 16] = [
    "name",
    "title",
    "description",
    "role",
    "category",
    "icon",
    "tools",
    "traits",
    "model",
    "temperature",
    "max_tokens",
    "reasoning_level",
    "agent",
    "hierarchy_role",
    "memory_seeds",
    "identity_templates",
];

/// A persona's file: its text, untouched, and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonaFile(FrontMatter);

impl PersonaFile {
    /// Reads a file's text.
    ///
    /// # Errors
    /// `too_large` above 256 KiB; `invalid_params` without front matter or with what is not YAML. No fault quotes the text.
    pub fn parse(text: impl Into<String>) -> Result<Self, Fault> {
        FrontMatter::parse(text.into()).map(Self)
    }

    /// The text as it was read.
    #[must_use]
    pub fn text(&self) -> &str {
        self.0.text()
    }

    /// What its `name` says; an id if it is a slug.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.0
            .keys
            .get("name")
            .and_then(Value::as_str)
            .map(str::trim)
    }

    /// Whether the author wrote a description, or one is made up.
    pub(crate) fn has_description(&self) -> bool {
        self.0.keys.get("description").is_some_and(Value::is_string)
    }

    /// The persona that the file describes, under the id that it is filed as.
    ///
    /// # Errors
    /// `invalid_params` naming the key that holds what it cannot.
    pub fn persona(&self, id: &str, source: Source) -> Result<Persona, Fault> {
        let keys = Keys(&self.0.keys);
        let system_prompt = self.0.prompt();
        let spoken = self
            .name()
            .filter(|name| slug::check("name", name).is_err());
        let name = keys
            .text("title")?
            .or_else(|| spoken.filter(|name| !name.is_empty()).map(str::to_owned));
        let name = name.unwrap_or_else(|| slug::display_name(id));
        let mut persona = Persona {
            id: id.to_owned(),
            role: keys.text("role")?.unwrap_or_default(),
            description: String::new(),
            name,
            category: keys.text("category")?.unwrap_or_default(),
            icon: keys.text("icon")?,
            system_prompt,
            traits: keys.list("traits")?,
            tools: keys.list("tools")?,
            // A sub-agent's "inherit" means the caller's model, which is no model of its own.
            model: keys.text("model")?.filter(|model| model != "inherit"),
            temperature: keys.typed("temperature", "a number from 0.0 to 1.0")?,
            max_tokens: keys.typed("max_tokens", "a whole number above 0")?,
            reasoning_level: keys
                .typed::<ReasoningLevel>("reasoning_level", "low, medium or high")?,
            agent: keys.text("agent")?,
            identity_templates: keys
                .typed::<BTreeMap<String, String>>(
                    "identity_templates",
                    "file names with their templates",
                )?
                .unwrap_or_default(),
            memory_seeds: keys.lines("memory_seeds")?,
            hierarchy_role: keys.typed::<Role>("hierarchy_role", "commander, captain or talon")?,
            source,
            extra: keys.others(),
        };
        persona.description = match keys.text("description")? {
            Some(description) => description,
            None => describe(&persona),
        };
        Ok(persona)
    }

    /// The file with `new` in place of `old`: only the keys that differ are written anew.
    ///
    /// # Errors
    /// Those of parsing what was written, which is then ours to mend.
    pub fn rewrite(&self, old: &Persona, new: &Persona) -> Result<Self, Fault> {
        let (was, is) = (keys_of(old), keys_of(new));
        let changed: Vec<(&str, Option<String>)> = KEYS
            .into_iter()
            .filter(|key| was.get(*key) != is.get(*key))
            .map(|key| (key, is.get(key).map(|value| self.in_old_form(key, value))))
            .collect();
        let prompt = (old.system_prompt != new.system_prompt).then_some(new.system_prompt.as_str());
        let file = Self::parse(self.0.with(&changed, prompt));
        match file {
            Ok(file) if file.persona(&new.id, new.source).as_ref() == Ok(new) => Ok(file),
            // The author's layout was beyond an edit by lines: the meaning goes before the layout.
            Ok(_) | Err(_) => Self::parse(print(new)),
        }
    }

    /// Sub-agent files list their tools in one string: such a string stays one.
    fn in_old_form(&self, key: &str, value: &Value) -> String {
        let was_string = self.0.keys.get(key).is_some_and(Value::is_string);
        match value.as_array().filter(|_| was_string && key == "tools") {
            Some(items) => {
                let items: Vec<_> = items.iter().filter_map(Value::as_str).collect();
                yaml_of(&Value::from(items.join(", ")))
            }
            None => yaml_of(value),
        }
    }
}

/// A persona as the text of a file, written from nothing.
#[must_use]
pub fn print(persona: &Persona) -> String {
    let known = keys_of(persona);
    let lines = known.iter().chain(&persona.extra).map(|(key, value)| {
        let key = if is_bare(key) {
            key.clone()
        } else {
            Value::from(key.as_str()).to_string()
        };
        format!("{key}: {}\n", yaml_of(value))
    });
    format!(
        "---\n{}---\n{}\n",
        lines.collect::<String>(),
        persona.system_prompt
    )
}

fn is_bare(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// The keys that say what a persona is; unset ones are absent.
fn keys_of(persona: &Persona) -> Map<String, Value> {
    let mut all = serde_json::to_value(persona).unwrap_or_default();
    let mut take = |field: &str| all.get_mut(field).map(Value::take).unwrap_or_default();
    let mut keys = Map::new();
    for key in KEYS {
        let value = match key {
            "name" => take("id"),
            "title" => take("name"),
            other => take(other),
        };
        let unset = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        };
        if !unset {
            keys.insert(key.to_owned(), value);
        }
    }
    keys
}

/// A description for a persona that came without one: models choose by it, so it is never empty.
pub(crate) fn describe(persona: &Persona) -> String {
    let first = persona
        .system_prompt
        .lines()
        .find(|line| !line.trim().is_empty());
    let first = first.map(|line| text::head(line.trim(), 300));
    let role = Some(persona.role.as_str()).filter(|role| !role.is_empty());
    first.or(role).unwrap_or(&persona.name).to_owned()
}

/// Keys of a front matter, read by type. A null is as if the key were not there.
struct Keys<'a>(&'a Map<String, Value>);

impl Keys<'_> {
    fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn text(&self, key: &str) -> Result<Option<String>, Fault> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => {
                let text = text.trim();
                Ok((!text.is_empty()).then(|| text.to_owned()))
            }
            Some(_) => Err(Fault::invalid(key, "must be text; put it in quotes")),
        }
    }

    /// A list, or a string with commas.
    fn list(&self, key: &str) -> Result<Vec<String>, Fault> {
        match self.get(key) {
            Some(Value::String(text)) => Ok(split_commas(text)),
            _ => self.lines(key),
        }
    }

    fn lines(&self, key: &str) -> Result<Vec<String>, Fault> {
        Ok(self.typed(key, "a list of texts")?.unwrap_or_default())
    }

    fn typed<T: DeserializeOwned>(&self, key: &str, what: &str) -> Result<Option<T>, Fault> {
        let read = |value: &Value| serde_json::from_value(value.clone());
        self.get(key)
            .map(read)
            .transpose()
            .map_err(|_content| Fault::invalid(key, format!("must be {what}")))
    }

    fn others(&self) -> Map<String, Value> {
        let others = self
            .0
            .iter()
            .filter(|(key, _)| !KEYS.contains(&key.as_str()));
        others
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

/// Splits at commas outside brackets: `Read, Bash(git log, git diff)` has two parts.
fn split_commas(text: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let parts = text.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth <= 0
    });
    let parts = parts.map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
