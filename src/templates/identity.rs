//! Identity files: what an instance is told about itself, its work and its tools.

use super::{rules, source};
use crate::domain::{
    fault::Fault,
    instance::{Instance, Role},
    persona::Persona,
    project::ProjectRow,
};
use handlebars::{Handlebars, RenderError, no_escape};
use rust_embed::RustEmbed;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind as Io, Write},
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// The files that every instance has, in their order.
pub const NAMES: [&str; 6] = [
    "SOUL.md",
    "IDENTITY.md",
    "AGENTS.md",
    "TOOLS.md",
    "MEMORY.md",
    "USER.md",
];

/// The longest rendered file, in bytes.
const MAX_RENDERED: usize = 256 * 1024;

#[derive(RustEmbed)]
#[folder = "templates/identity"]
struct Embedded;

static BUILTIN: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let text = |path: &str| {
        Embedded::get(path).map(|file| String::from_utf8_lossy(&file.data).into_owned())
    };
    Embedded::iter()
        .filter_map(|path| Some((path.strip_suffix(".hbs")?.to_owned(), text(&path)?)))
        .collect()
});

static ENGINE: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    for (name, text) in BUILTIN.iter() {
        engine
            .register_template_string(name, text)
            .expect("a test parses every embedded template");
    }
    engine
});

/// One file of a workspace: a plain name and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityFile {
    pub name: String,
    pub content: String,
}

/// What the files are rendered from. Every field that a template may name has a value, empty where nothing is known.
#[derive(Clone, Debug, Default)]
pub struct IdentityContext<'a> {
    pub persona: Option<&'a Persona>,
    /// `None`: a persona that is at work without an instance.
    pub instance: Option<&'a Instance>,
    pub project: Option<&'a ProjectRow>,
    /// The person's name, where it is known.
    pub user_name: Option<&'a str>,
}

/// The templates: embedded ones, those in the home over them, a persona's own over both.
#[derive(Clone, Debug)]
pub struct Identity {
    /// `<home>/templates/identity`.
    overrides: PathBuf,
}

impl Identity {
    /// Templates with overrides in `home`.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self {
            overrides: home.join("templates/identity"),
        }
    }

    /// Every file, standard ones first, then the persona's own by name.
    ///
    /// # Errors
    /// `invalid_params` when a template of the home or of the persona breaks a rule or renders to more than 256 KiB.
    pub fn render(&self, context: &IdentityContext<'_>) -> Result<Vec<IdentityFile>, Fault> {
        let own = context.persona.map(|persona| &persona.identity_templates);
        let given = |name: &str| own.and_then(|own| own.get(name));
        let values = values(context);
        let mut files = Vec::with_capacity(NAMES.len());
        for name in NAMES {
            let content = match given(name) {
                Some(template) => render_given(name, template, &values)?,
                None => match self.of_home(name)? {
                    Some(template) => render_given(name, &template, &values)?,
                    None => render_builtin(name, &values)?,
                },
            };
            files.push(IdentityFile {
                name: name.to_owned(),
                content,
            });
        }
        let further = own
            .into_iter()
            .flatten()
            .filter(|(name, _)| !NAMES.contains(&name.as_str()));
        for (name, template) in further {
            let content = render_given(name, template, &values)?;
            files.push(IdentityFile {
                name: name.clone(),
                content,
            });
        }
        Ok(files)
    }

    fn of_home(&self, name: &str) -> Result<Option<String>, Fault> {
        let file = format!("{name}.hbs");
        let path = self.overrides.join(&file);
        source::read_own(&path, rules::MAX_BYTES).map_err(|error| {
            let detail = format!("{} cannot be read: {error}", path.display());
            Fault::invalid("template", detail)
        })
    }
}

fn render_given(name: &str, template: &str, values: &Value) -> Result<String, Fault> {
    let at_fault = |why: String| {
        Fault::invalid("template", format!("of {name} {why}"))
            .hint("look at the persona's identity_templates and at templates/identity in the home")
    };
    rules::check(template).map_err(|refused| at_fault(refused.to_string()))?;
    let mut out = Capped(Vec::new());
    let done = ENGINE.render_template_to_write(template, values, &mut out);
    finish(out, &done).ok_or_else(|| at_fault("cannot be rendered, or renders to too much".into()))
}

fn render_builtin(name: &str, values: &Value) -> Result<String, Fault> {
    let mut out = Capped(Vec::new());
    let done = ENGINE.render_to_write(name, values, &mut out);
    finish(out, &done).ok_or_else(|| Fault::internal(format!("{name} cannot be rendered")))
}

fn finish(out: Capped, done: &Result<(), RenderError>) -> Option<String> {
    done.as_ref()
        .ok()
        .and_then(|()| String::from_utf8(out.0).ok())
}

/// Takes so much and no more: a template that prints a long prompt a thousand times must not fill the memory.
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_RENDERED {
            return Err(Io::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value that stands within a line must not begin a new one: a name cannot write a heading, let alone an instruction.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    words
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn values(context: &IdentityContext<'_>) -> Value {
    let role = context.instance.map_or_else(
        || context.persona.and_then(|persona| persona.hierarchy_role),
        |instance| instance.role,
    );
    json!({
        "has_persona": context.persona.is_some(),
        "has_project": context.project.is_some(),
        "is_commander": role == Some(Role::Commander),
        "is_captain": role == Some(Role::Captain),
        "is_talon": role == Some(Role::Talon),
        "persona": persona_values(context),
        "instance": instance_values(context),
        "project": {
            "name": one_line(context.project.map_or("", |project| &project.name)),
            "path": one_line(context.project.map_or("", |project| &project.path)),
        },
        "user": { "name": one_line(context.user_name.unwrap_or_default()) },
    })
}

/// A word of a closed list, as serde writes it; empty when there is none.
fn word(value: &Value) -> String {
    if value.is_null() {
        return String::new();
    }
    value.as_str().map_or_else(|| value.to_string(), one_line)
}

fn persona_values(context: &IdentityContext<'_>) -> Map<String, Value> {
    let given = context
        .persona
        .and_then(|persona| serde_json::to_value(persona).ok())
        .unwrap_or_default();
    let mut values = Map::new();
    for (path, holds) in rules::FIELDS {
        let Some(field) = path.strip_prefix("persona.") else {
            continue;
        };
        let value = given.get(field).unwrap_or(&Value::Null);
        let value = match (field, holds) {
            ("system_prompt", _) => value.as_str().unwrap_or_default().into(),
            (_, rules::Holds::List) => {
                let lines = value
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str);
                lines.map(one_line).collect::<Vec<_>>().into()
            }
            (_, rules::Holds::Text | rules::Holds::Flag) => word(value).into(),
        };
        values.insert(field.to_owned(), value);
    }
    if let Some(model) = context
        .instance
        .and_then(|instance| instance.model.as_deref())
    {
        values.insert("model".to_owned(), one_line(model).into());
    }
    values
}

fn instance_values(context: &IdentityContext<'_>) -> Map<String, Value> {
    let given = context
        .instance
        .and_then(|instance| serde_json::to_value(instance).ok())
        .unwrap_or_default();
    let mut values = Map::new();
    for (path, _) in rules::FIELDS {
        let Some(field) = path.strip_prefix("instance.") else {
            continue;
        };
        let value = given.get(field).unwrap_or(&Value::Null);
        values.insert(field.to_owned(), word(value).into());
    }
    if let (None, Some(persona)) = (context.instance, context.persona) {
        values.insert("name".to_owned(), persona.id.clone().into());
        values.insert("display_name".to_owned(), one_line(&persona.name).into());
    }
    values
}
